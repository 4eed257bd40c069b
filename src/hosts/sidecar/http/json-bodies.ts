import type { FastifyInstance, FastifyRequest } from 'fastify';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { hasFewValues, MAX_VALUES, parseBody } from '../../../events/json/parse-body.ts';
import type { HeldBytes } from './held-bytes.ts';
import { readBody } from './read-body.ts';
import type { Refusal } from './replies.ts';

/** A body that is refused before its route sees it. */
export class RefusedBody extends Error {
  override readonly name = 'RefusedBody';
  readonly refusal: Refusal;

  constructor(refusal: Refusal) {
    super(refusal.message);
    this.refusal = refusal;
  }
}

const TOO_MANY_VALUES: Refusal = {
  status: 413,
  code: 'body_too_large',
  message: `the body holds more than ${MAX_VALUES} values: send fewer at once`,
};
const NO_JSON: Refusal = { status: 400, code: 'invalid_request', message: 'Body is not valid JSON: see /openapi.json' };
const NOTHING: Refusal = {
  status: 400,
  code: 'invalid_request',
  message: "Body cannot be empty when content-type is set to 'application/json': see /openapi.json",
};

/** Has every route of `app` read its JSON bodies as all calls are read: bounded each and together, gzip inflated, not too many values in one. */
export function readJsonBodies(app: FastifyInstance, held: HeldBytes): void {
  app.removeAllContentTypeParsers();
  app.addContentTypeParser('application/json', async ({ raw: req, routeOptions }: FastifyRequest) => {
    const res = responses.get(req);
    if (res === undefined) throw new Error('a call has an answer');
    return await readJson({ req, res }, routeOptions.bodyLimit, held);
  });
  app.addHook('onRequest', (request, reply, done) => {
    responses.set(request.raw, reply.raw);
    done();
  });
}

/** The parser is given the request alone. */
const responses = new WeakMap<IncomingMessage, ServerResponse>();

function readJson(call: { req: IncomingMessage; res: ServerResponse }, limit: number, held: HeldBytes): Promise<unknown> {
  return new Promise((resolve, reject) => {
    readBody(call, { limit, held, fail: reject }, (refusal, body) => {
      if (refusal !== null) return reject(new RefusedBody(refusal));
      if (body.length === 0) return reject(new RefusedBody(NOTHING));
      return void parse(body).then(resolve, reject);
    });
  });
}

async function parse(body: Buffer): Promise<unknown> {
  if (!(await hasFewValues(body))) throw new RefusedBody(TOO_MANY_VALUES);
  try {
    return parseBody(body);
  } catch {
    throw new RefusedBody(NO_JSON);
  }
}
