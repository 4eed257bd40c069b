import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { Extraction } from '../../../extract/extract-indicators.ts';
import { EXTRACT_BODY } from '../../../openapi/api-schemas.ts';
import { nextTurn, SLICE_MS } from '../../../engine/turns.ts';
import type { BodyWorkers } from '../bodies/body-workers.ts';
import { type ExtractAnswer, extractInSteps } from '../bodies/extract-body.ts';
import { LongBody } from '../bodies/long-body.ts';
import { signalOf } from '../http/call.ts';
import type { Metrics } from '../metrics.ts';
import type { SidecarSettings } from '../../../compose/sidecar-settings.ts';

/** What the route works with. */
export interface ExtractRouteOptions {
  /** Begins to read a text; loaded with the first call, since it brings the public suffix list. */
  readonly begin: () => Promise<(text: string) => Extraction>;
  readonly settings: Pick<SidecarSettings, 'maxBodyBytes' | 'maxExtracted'>;
  readonly metrics: Pick<Metrics, 'add'>;
  /** Read long bodies. */
  readonly workers: BodyWorkers;
}

interface ExtractBody {
  readonly text: string;
  readonly unique?: boolean;
}

/** `POST /v1/extract`: a text in, the indicators in it out, with their place. Nothing is looked up. */
export function addExtractRoute(app: FastifyInstance, { begin, settings, metrics, workers }: ExtractRouteOptions): void {
  const max = settings.maxExtracted;
  /** Before the schema, which is for parsed bodies. */
  async function answerLong(request: FastifyRequest, reply: FastifyReply): Promise<unknown> {
    if (!(request.body instanceof LongBody)) return undefined;
    const answer = await workers.extract(request.body, max, signalOf({ res: reply.raw }));
    if (answer.isTruncated) metrics.add('extract_truncated', 1);
    return reply.type('application/json; charset=utf-8').send(answer.json);
  }
  const options = {
    schema: { body: EXTRACT_BODY },
    bodyLimit: settings.maxBodyBytes,
    config: { leavesLongBodies: true },
    preValidation: answerLong,
  };
  app.post<{ Body: ExtractBody }>('/v1/extract', options, async ({ body: { text, unique } }, reply) => {
    const steps = extractInSteps((await begin())(text), text.length, { isUnique: unique === true, max });
    const answer = await inSlices(steps, signalOf({ res: reply.raw }));
    if (answer.truncated === true) metrics.add('extract_truncated', 1);
    return answer;
  });
}

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
