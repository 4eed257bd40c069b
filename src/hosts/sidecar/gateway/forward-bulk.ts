import type { IncomingMessage } from 'node:http';
import { createGunzip } from 'node:zlib';
import { signalOf } from '../http/call.ts';
import { codingOf } from '../http/codings.ts';
import { sendRefusal } from '../http/replies.ts';
import { enrichedParts } from './enriched-parts.ts';
import type { BulkEnrichment } from './enriched-parts.ts';
import { answerWith, forward } from './forward.ts';
import type { Forwarding } from './forward.ts';
import { createPartSink } from './part-sink.ts';
import type { PartSink } from './part-sink.ts';
import { headersToForward } from './upstream.ts';

/** Inflated at once. Shorter steps cost a change of thread each, which doubles what inflating costs. */
const INFLATED_BYTES = 256 * 1024;

/** What bulk requests are sent on with. */
export interface BulkForwarding extends Forwarding {
  readonly work: BulkEnrichment;
  readonly timeoutMs: number;
  readonly compress: 'auto' | 'always' | 'never';
}

/**
 * Sends a bulk request on with its documents enriched. The body streams through, a window at a time: as slowly as the upstream takes it,
 * so is the caller read. Items keep their number and order, so the upstream's answer is the caller's as it is.
 */
export function forwardBulk(call: BulkForwarding, index: string | null): void {
  const { req, res, upstream, work } = call;
  const encoding = codingOf(req);
  // What cannot be read is the upstream's business.
  if (encoding !== 'identity' && encoding !== 'gzip') return forward(call);
  const compresses = call.compress === 'always' || (call.compress === 'auto' && encoding === 'gzip' && !upstream.isHere);
  const source = encoding === 'gzip' ? inflated(req) : req.iterator({ destroyOnReturn: false });
  const body = { source, index, timeoutMs: call.timeoutMs, signal: signalOf({ res }) };
  sendParts(call, enrichedParts(work, body), compresses).catch((error: unknown) => refuse(call, error));
  return undefined;
}

function inflated(req: IncomingMessage): AsyncIterable<Buffer> {
  const gunzip = createGunzip({ chunkSize: INFLATED_BYTES });
  req.once('close', () => (req.complete ? undefined : gunzip.destroy(new Error('the caller went away'))));
  return req.pipe(gunzip);
}

/** A body that is one part goes with its length, a longer one in chunks: its new length is not known before it has been read. */
async function sendParts(call: BulkForwarding, parts: AsyncGenerator<Buffer>, compresses: boolean): Promise<void> {
  const first = await parts.next();
  const second = first.done === true ? first : await parts.next();
  const length = first.done === true ? 0 : first.value.length;
  const isWhole = second.done === true && !compresses;
  const sink = open(call, isWhole ? ['content-length', String(length)] : ['transfer-encoding', 'chunked'], compresses);
  if (first.done !== true) await sink.put(first.value);
  for (let part = second; part.done !== true && !sink.isOver(); part = await parts.next()) await sink.put(part.value);
  if (!sink.isOver()) return sink.end();
  // The answer is there already: what is still to come is read and thrown away, or the caller would not get to see it.
  await parts.return(undefined);
  call.req.unpipe().resume();
  return sink.end();
}

function open({ req, res, upstream, without, work }: BulkForwarding, framing: readonly string[], compresses: boolean): PartSink {
  const headers = headersToForward(req, [...without, 'content-length', 'content-encoding']);
  const coding = compresses ? ['content-encoding', 'gzip'] : [];
  const out = upstream.request(req.method ?? 'POST', req.url ?? '/_bulk', [...headers, ...coding, ...framing]);
  answerWith(out, res, req);
  return createPartSink(out, work.pool, compresses);
}

/** The body could not be read to its end: no answer has been given then, for the upstream gives one only behind it. */
function refuse({ req, res, work }: BulkForwarding, error: unknown): void {
  if (res.destroyed || (error instanceof Error && error.name === 'AbortError')) return;
  const isGzip = error instanceof Error && 'code' in error && String(error.code).startsWith('Z_');
  if (!isGzip) work.report(error);
  if (res.headersSent) res.destroy();
  else if (isGzip)
    sendRefusal(req, res, { status: 400, code: 'invalid_gzip', message: 'the body is no gzip: send it plain, or compress it whole' });
  else sendRefusal(req, res, { status: 500, code: 'internal', message: 'a fault of the gateway: its log says more' });
}
