import type { ClientRequest } from 'node:http';
import { signalOf } from '../http/call.ts';
import { sendRefusal } from '../http/replies.ts';
import { bulkCodingOf, isDamage, unpacked } from './body-coding.ts';
import type { BulkCoding } from './body-coding.ts';
import { enrichedParts } from './enriched-parts.ts';
import type { BulkEnrichment } from './enriched-parts.ts';
import { watchFailureStore } from './failure-store.ts';
import { answerWith, forward } from './forward.ts';
import type { Forwarding } from './forward.ts';
import { createPartSink } from './part-sink.ts';
import type { PartSink } from './part-sink.ts';
import { headersToForward } from './upstream.ts';

/** What bulk requests are sent on with. */
export interface BulkForwarding extends Forwarding {
  readonly work: BulkEnrichment;
  readonly timeoutMs: number;
  readonly compress: 'auto' | 'always' | 'never';
}

/** What a bulk request is for. */
export interface BulkTarget {
  /** The index that the path names. */
  readonly index: string | null;
  /** Whether it is answered as it comes, so that nothing of it may be kept waiting. */
  readonly isLive: boolean;
}

/** A body on its way. */
interface Sending {
  readonly call: BulkForwarding;
  readonly parts: AsyncGenerator<Buffer>;
  readonly isLive: boolean;
  readonly compresses: boolean;
  /** The request to the upstream, once there is one. */
  out: ClientRequest | null;
}

/**
 * Sends a bulk request on with its documents enriched. The body streams through, a window at a time: as slowly as the upstream takes it,
 * so is the caller read. Items keep their number and order, so the upstream's answer is the caller's as it is.
 */
export function forwardBulk(call: BulkForwarding, { index, isLive }: BulkTarget): void {
  const { req, res, upstream, work } = call;
  const coding = bulkCodingOf(req);
  if (coding === null) {
    // What cannot be read is the upstream's business; that it went by unread is told.
    work.metrics.addUnenriched('unknown_coding', 1);
    return forward(call);
  }
  const isAuto = call.compress === 'auto' && coding !== 'identity' && !upstream.isHere;
  const compresses = !isLive && (call.compress === 'always' || isAuto);
  const body = { source: unpacked(req, coding), index, timeoutMs: call.timeoutMs, signal: signalOf({ res }), isLive };
  const sending: Sending = { call, parts: enrichedParts(work, body), isLive, compresses, out: null };
  sendParts(sending).catch((error: unknown) => refuse(sending, coding, error));
  return undefined;
}

/** A body that is one part goes with its length, a longer one in chunks: its new length is not known before it has been read. */
async function sendParts(sending: Sending): Promise<void> {
  const { parts, isLive, compresses } = sending;
  const first = await parts.next();
  const second = first.done === true || isLive ? null : await parts.next();
  const isWhole = !isLive && !compresses && (first.done === true || second?.done === true);
  const length = first.done === true ? 0 : first.value.length;
  const sink = open(sending, isWhole ? ['content-length', String(length)] : ['transfer-encoding', 'chunked']);
  if (first.done !== true) await sink.put(first.value);
  let part = second ?? (await parts.next());
  for (; part.done !== true && !sink.isOver(); part = await parts.next()) await sink.put(part.value);
  if (part.done === true) return sink.end();
  // The answer is there already: what is still to come is read and thrown away, or the caller would not get to see it.
  await parts.return(undefined);
  sending.call.req.unpipe().resume();
  return undefined;
}

function open(sending: Sending, framing: readonly string[]): PartSink {
  const { req, res, upstream, without, work } = sending.call;
  // Nobody would end a request for a caller who is gone already.
  if (res.destroyed) throw new DOMException('the caller went away', 'AbortError');
  const headers = headersToForward(req, [...without, 'content-length', 'content-encoding']);
  const coding = sending.compresses ? ['content-encoding', 'gzip'] : [];
  const out = upstream.request(req.method ?? 'POST', req.url ?? '/_bulk', [...headers, ...coding, ...framing]);
  sending.out = out;
  answerWith(out, res, req);
  watchFailureStore(out, (count) => work.metrics.add('gateway_failure_store', count));
  return createPartSink(out, work.pool, sending);
}

/** The body could not be read to its end: what of it has gone out is taken back, or the upstream would wait for the rest. */
function refuse({ call, out }: Sending, coding: BulkCoding, error: unknown): void {
  const { req, res, work } = call;
  out?.removeAllListeners('error').on('error', () => undefined);
  out?.destroy();
  if (res.destroyed || (error instanceof Error && error.name === 'AbortError')) return;
  const isDamaged = isDamage(error);
  if (!isDamaged) work.report(error);
  if (res.headersSent) res.destroy();
  else if (isDamaged) {
    const message = `the body is not ${coding}, or not all of it: send it plain, or compress it whole`;
    sendRefusal(req, res, { status: 400, code: `invalid_${coding}`, message });
  } else sendRefusal(req, res, { status: 500, code: 'internal', message: 'a fault of the gateway: its log says more' });
}
