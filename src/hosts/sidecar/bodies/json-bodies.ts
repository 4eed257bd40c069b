import type { FastifyInstance, FastifyRequest } from 'fastify';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { excessOf, parseBody } from '../../../events/json/parse-body.ts';
import type { HeldBytes } from '../http/held-bytes.ts';
import { FileBody, LONG_BODY_BYTES, LongBody } from './long-body.ts';
import { BODY_BOUNDS, DEEP_BOUNDS, excessRefusal, NO_JSON } from './json-refusals.ts';
import { readBody } from '../http/read-body.ts';
import { RefusedBody } from './refused-body.ts';
import { utf8Body } from './utf8-body.ts';
import type { Refusal } from '../http/replies.ts';

const NOTHING: Refusal = {
  status: 400,
  code: 'invalid_request',
  message: "Body cannot be empty when content-type is set to 'application/json': see /openapi.json",
};

/** Has every route of `app` read its JSON bodies as all calls are read: bounded each and together, gzip inflated, not too many values in one. A route whose `config` says `leavesLongBodies` gets a long one as a `LongBody`. */
export function readJsonBodies(app: FastifyInstance, held: HeldBytes): void {
  app.removeAllContentTypeParsers();
  app.addContentTypeParser('application/json', async ({ raw: req, routeOptions }: FastifyRequest) => {
    const res = responses.get(req);
    if (res === undefined) throw new Error('a call has an answer');
    const leavesLong = (routeOptions.config as { readonly leavesLongBodies?: boolean }).leavesLongBodies === true;
    return await readJson({ req, res }, { limit: routeOptions.bodyLimit, held, leavesLong });
  });
  app.addHook('onRequest', (request, reply, done) => {
    responses.set(request.raw, reply.raw);
    done();
  });
}

/** Has the routes of `scope` take the bytes of a file, too: as a `FileBody`, bounded as all bodies are. */
export function takeFiles(scope: FastifyInstance, held: HeldBytes): void {
  scope.addContentTypeParser('application/octet-stream', async ({ raw: req, routeOptions }: FastifyRequest) => {
    const res = responses.get(req);
    if (res === undefined) throw new Error('a call has an answer');
    return await new Promise((resolve, reject) => {
      readBody({ req, res }, { limit: routeOptions.bodyLimit, held, fail: reject }, (refusal, body) => {
        if (refusal !== null) return reject(new RefusedBody(refusal));
        return resolve(new FileBody(body));
      });
    });
  });
}

/** The parser is given the request alone. */
const responses = new WeakMap<IncomingMessage, ServerResponse>();

interface Reading {
  readonly limit: number;
  readonly held: HeldBytes;
  /** Whether the route wants a long body as it is. */
  readonly leavesLong: boolean;
}

function readJson(call: { req: IncomingMessage; res: ServerResponse }, { limit, held, leavesLong }: Reading): Promise<unknown> {
  return new Promise((resolve, reject) => {
    readBody(call, { limit, held, fail: reject }, (refusal, body) => {
      if (refusal !== null) return reject(new RefusedBody(refusal));
      if (body.length === 0) return reject(new RefusedBody(NOTHING));
      if (leavesLong && body.length > LONG_BODY_BYTES) return resolve(new LongBody(body));
      return void parse(body).then(resolve, reject);
    });
  });
}

async function parse(bytes: Buffer): Promise<unknown> {
  const body = utf8Body(bytes);
  const excess = await excessOf(body, body.length > LONG_BODY_BYTES ? BODY_BOUNDS : DEEP_BOUNDS);
  if (excess !== null) throw new RefusedBody(excessRefusal(excess));
  try {
    return parseBody(body);
  } catch {
    throw new RefusedBody(NO_JSON);
  }
}
