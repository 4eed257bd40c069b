import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { Extraction } from '../../../extract/extract-indicators.ts';
import { EXTRACT_BODY, EXTRACT_QUERY } from '../../../openapi/api-schemas.ts';
import { nextTurn, SLICE_MS } from '../../../engine/turns.ts';
import type { BodyWorkers } from '../bodies/body-workers.ts';
import { type ExtractAnswer, extractInSteps } from '../bodies/extract-body.ts';
import { takeFiles } from '../bodies/json-bodies.ts';
import { FileBody, LongBody } from '../bodies/long-body.ts';
import { RefusedBody } from '../bodies/refused-body.ts';
import type { HeldBytes } from '../http/held-bytes.ts';
import { signalOf } from '../http/call.ts';
import type { Metrics } from '../../../compose/figures/metrics.ts';
import type { SidecarSettings } from '../../../compose/sidecar-settings.ts';

/** What the route works with. */
export interface ExtractRouteOptions {
  /** Begins to read a text; loaded with the first call, since it brings the public suffix list. */
  readonly begin: () => Promise<(text: string) => Extraction>;
  readonly settings: Pick<SidecarSettings, 'maxBodyBytes' | 'maxExtracted'>;
  readonly metrics: Pick<Metrics, 'add'>;
  /** Read long bodies and files. */
  readonly workers: BodyWorkers;
  /** The room that all bodies share. */
  readonly held: HeldBytes;
}

interface ExtractBody {
  readonly text: string;
  readonly unique?: boolean;
}

/** `POST /v1/extract`: a text or a file in, the indicators in it out, with their place. Nothing is looked up. */
export function addExtractRoute(app: FastifyInstance, { begin, settings, metrics, workers, held }: ExtractRouteOptions): void {
  const max = settings.maxExtracted;
  /** Before the schema, which is for parsed bodies. */
  async function answerLong(request: FastifyRequest, reply: FastifyReply): Promise<unknown> {
    const { body } = request;
    const signal = signalOf({ res: reply.raw });
    if (!(body instanceof LongBody || body instanceof FileBody)) return undefined;
    const { unique } = request.query as { readonly unique?: string };
    if (unique !== undefined && unique !== 'true' && unique !== 'false') throw new RefusedBody(WRONG_UNIQUE);
    const isUnique = unique === 'true';
    const answer = await (body instanceof LongBody
      ? workers.extract(body, max, signal)
      : workers.extractFile(body, { max, isUnique }, signal));
    if (answer.isTruncated) metrics.add('extract_truncated', 1);
    return reply.type('application/json; charset=utf-8').send(answer.json);
  }
  const options = {
    schema: { body: EXTRACT_BODY, querystring: EXTRACT_QUERY },
    bodyLimit: settings.maxBodyBytes,
    config: { leavesLongBodies: true },
    preValidation: answerLong,
  };
  // In a scope of its own: no other route takes a file.
  void app.register(async (scope) => {
    takeFiles(scope, held);
    scope.post<{ Body: ExtractBody }>('/v1/extract', options, async ({ body: { text, unique } }, reply) => {
      const steps = extractInSteps((await begin())(text), text.length, { isUnique: unique === true, max });
      const answer = await inSlices(steps, signalOf({ res: reply.raw }));
      if (answer.truncated === true) metrics.add('extract_truncated', 1);
      return answer;
    });
  });
}

const WRONG_UNIQUE = { status: 400, code: 'invalid_request', message: 'unique has to be true or false: see /openapi.json' };

async function inSlices(steps: Generator<void, ExtractAnswer>, signal: AbortSignal): Promise<ExtractAnswer> {
  let sinceMs = performance.now();
  for (;;) {
    const step = steps.next();
    if (step.done === true) return step.value;
    if (performance.now() - sinceMs < SLICE_MS) continue;
    await nextTurn();
    signal.throwIfAborted();
    sinceMs = performance.now();
  }
}
