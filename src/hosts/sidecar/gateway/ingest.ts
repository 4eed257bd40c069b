import type { IncomingMessage, ServerResponse } from 'node:http';
import { setTimeout as delay } from 'node:timers/promises';
import { nextTurn } from '../../../engine/turns.ts';
import { readBody } from '../http/read-body.ts';
import { signalOf } from '../http/call.ts';
import type { Fail } from '../http/call.ts';
import type { HeldBytes } from '../http/held-bytes.ts';
import { sendJson, sendRefusal } from '../http/replies.ts';
import { exchangeBulk } from './bulk-exchange.ts';
import type { BulkAnswer, DocumentAnswer } from './bulk-exchange.ts';
import { enrichedParts } from './enriched-parts.ts';
import type { BulkEnrichment } from './enriched-parts.ts';
import type { BatchIds } from './batch-ids.ts';
import { areDatedEvents, hashOf, portionsOf } from '../../../events/bulk/ingest-batch.ts';
import type { Document } from '../../../events/bulk/ingest-batch.ts';
import { headersToForward } from './upstream.ts';
import type { Upstream } from './upstream.ts';

/** One call, and what it is answered with. */
export interface Ingesting {
  readonly req: IncomingMessage;
  readonly res: ServerResponse;
  readonly upstream: Upstream;
  /** Headers that do not go on. */
  readonly without: readonly string[];
  readonly work: BulkEnrichment;
  readonly timeoutMs: number;
  readonly maxBodyBytes: number;
  /** The room that all bodies share. */
  readonly held: HeldBytes;
  readonly fail: Fail;
  readonly batchIds: BatchIds;
  /** Where documents go that the engine refuses. */
  readonly refusedIndex: string;
  /** Aborts when the caller goes away. */
  readonly signal: AbortSignal;
}

interface RefusedDocument {
  readonly document: Document;
  readonly said: DocumentAnswer;
}

interface Outcome {
  indexed: number;
  already: number;
  refused: number;
  /** Refused by the engine, which put them into the failure store of their data stream itself. */
  failureStore: number;
  /** Why the batch has to be sent again; `null`: it has not. */
  again: { readonly status: 429 | 503; readonly code: string; readonly message: string } | null;
}

/** How often in a row an engine that takes nothing is waited for; the waits double. */
const BUSY_WAITS = 3;
const BUSY_WAIT_MS = 50;
/** What engines take for the name of an index; several at once, or a pattern, cannot be created in. */
const INDEX_NAME = /^[^\p{Lu}\p{C}\s\\/*?"<>|,#:%_+-][^\p{Lu}\p{C}\s\\/*?"<>|,#:%]*$/u;
/** Names that would make another path of it. */
const DOTS = /^\.{1,2}$/;
const LINE_FEED = Buffer.from('\n');
/** Bytes handed to the enrichment at once. */
const WORK_BYTES = 128 * 1024;
const OF_THE_BODY = ['content-length', 'content-encoding', 'content-type', 'accept-encoding'];

/**
 * `POST /v1/ingest/{index}`: a batch of events, as Logstash's `http` output with `json_batch` sends them, enriched and indexed. Answered
 * 200 once every event is in the index, or, where the engine refuses it as it is, in the index for refused ones; else 429 or 503, upon
 * which Logstash sends the batch again: ids are made of the batch (see `createBatchIds`), so that what was taken before is not doubled.
 */
export function ingest(asked: Omit<Ingesting, 'signal'>, index: string): void {
  const call = { ...asked, signal: signalOf(asked) };
  const { req, res, work } = call;
  if (req.method !== 'POST') return sendRefusal(req, res, NOT_POST);
  if (!INDEX_NAME.test(index) || DOTS.test(index)) return sendRefusal(req, res, NO_INDEX);
  const limits = { limit: call.maxBodyBytes, held: call.held, fail: (error: unknown) => call.fail(call, error) };
  readBody(call, limits, (refusal, body) => {
    if (refusal !== null) return sendRefusal(req, res, refusal);
    take(call, index, body).catch((error: unknown) => {
      if (res.destroyed) return;
      work.report(error);
      sendRefusal(req, res, { status: 503, code: 'internal', message: 'a fault of the sidecar: its log says more' });
    });
    return undefined;
  });
  return undefined;
}

async function take(call: Ingesting, index: string, body: Buffer): Promise<void> {
  const { req, res, signal } = call;
  const isDated = await areDatedEvents(body, signal);
  if (isDated === null)
    return sendRefusal(req, res, { status: 400, code: 'invalid_json', message: 'send an array of event objects, or an object a line' });
  const batch = call.batchIds.idOf(await hashOf(index, body, signal), isDated, res);
  const sum = nothing();
  for await (const documents of portionsOf(body, batch, signal)) {
    const outcome = await deliver(call, index, documents);
    if (outcome.again !== null) return answer(call, outcome);
    sum.indexed += outcome.indexed;
    sum.already += outcome.already;
    sum.refused += outcome.refused;
    sum.failureStore += outcome.failureStore;
  }
  return answer(call, sum);
}

function nothing(): Outcome {
  return { indexed: 0, already: 0, refused: 0, failureStore: 0, again: null };
}

const NOT_POST = { status: 405, code: 'method_not_allowed', message: 'batches are sent by POST', headers: { allow: 'POST' } };
const NO_INDEX = { status: 400, code: 'invalid_index', message: 'the path has to end with the name of one data stream or index' };

function answer({ req, res }: Ingesting, { indexed, already, refused, failureStore, again }: Outcome): void {
  if (res.destroyed) return undefined;
  if (again !== null) return sendRefusal(req, res, { ...again, headers: { 'retry-after': '1' } });
  const events = indexed + already + refused + failureStore;
  return sendJson(res, 200, { events, indexed, already, refused, ...(failureStore > 0 && { failure_store: failureStore }) });
}

/** Delivers documents until the engine has said something final of each, or has been busy for too long. */
async function deliver(call: Ingesting, index: string, documents: readonly Document[]): Promise<Outcome> {
  const outcome = nothing();
  const refused: RefusedDocument[] = [];
  const { clock } = call.work;
  const dueMs = clock.monotonicMs() + call.timeoutMs;
  let open = documents;
  for (let waits = 0; open.length > 0;) {
    const timeoutMs = Math.max(1, dueMs - clock.monotonicMs());
    const said = await send(call, index, await enriched({ ...call, timeoutMs }, index, open));
    if (!('items' in said) && said.status === 413 && open.length === documents.length) return await deliverHalves(call, index, open);
    const isWholeBusy = !('items' in said) && said.status === 429;
    if (!isWholeBusy && (!('items' in said) || said.items.length !== open.length)) return { ...outcome, again: whyAgain(said) };
    const busy = 'items' in said ? takeAnswers(call, { documents: open, items: said.items }, { outcome, refused }) : open;
    waits = busy.length < open.length ? 0 : waits + 1;
    open = busy;
    if (open.length === 0) break;
    // A batch that came again whole would find the engine busy at the same places again: what is left goes on from here, alone.
    if (clock.monotonicMs() >= dueMs) return { ...outcome, again: BUSY };
    // One that is more than the engine has room for at once would never get in.
    if (waits > BUSY_WAITS && isWholeBusy && open.length === documents.length && open.length > 1)
      return await deliverHalves(call, index, open);
    if (waits > BUSY_WAITS) return { ...outcome, again: BUSY };
    await delay(BUSY_WAIT_MS * 2 ** waits, undefined, { signal: call.signal });
  }
  return refused.length === 0 ? outcome : { ...outcome, ...(await keepRefused(call, index, refused)) };
}

/** Counts what is final, and gives what the engine was too busy for. */
function takeAnswers(
  { work }: Ingesting,
  { documents, items }: { readonly documents: readonly Document[]; readonly items: readonly DocumentAnswer[] },
  { outcome, refused }: { readonly outcome: Outcome; readonly refused: RefusedDocument[] },
): Document[] {
  const before = outcome.failureStore;
  const busy = documents.filter((document, n) => {
    const said = items[n] as DocumentAnswer;
    if (said.status === 429 || said.status >= 500) return true;
    if (said.isInFailureStore) outcome.failureStore++;
    else if (said.status < 300) outcome.indexed++;
    else if (said.status === 409) outcome.already++;
    else refused.push({ document, said });
    return false;
  });
  work.metrics.add('ingest_failure_store', outcome.failureStore - before);
  return busy;
}

const BUSY = { status: 429, code: 'engine_busy', message: 'the engine cannot take all of it now: send the batch again' } as const;

/** A request that is refused as a whole is kept waiting, not given up: a key or a right can be mended while Logstash tries again. */
function whyAgain(said: BulkAnswer): Outcome['again'] {
  if ('items' in said || said.status === 0)
    return { status: 503, code: 'upstream_unavailable', message: 'the engine behind the gateway gives no answer: send the batch again' };
  if (said.status === 429) return BUSY;
  return {
    status: 503,
    code: 'upstream_refused',
    message: `the engine refuses all of it (HTTP ${said.status}): fix that, and send the batch again`,
  };
}

/** Too long for the engine, or more than it has room for: in two parts. A single event that is too long is one that it refuses. */
async function deliverHalves(call: Ingesting, index: string, documents: readonly Document[]): Promise<Outcome> {
  const [only] = documents;
  if (only !== undefined && documents.length === 1) {
    const said = { status: 413, isInFailureStore: false, type: 'content_too_long', reason: 'longer than the engine takes at once' };
    return { ...nothing(), ...(await keepRefused(call, index, [{ document: only, said }])) };
  }
  const middle = documents.length >> 1;
  const first = await deliver(call, index, documents.slice(0, middle));
  if (first.again !== null) return first;
  const second = await deliver(call, index, documents.slice(middle));
  return {
    indexed: first.indexed + second.indexed,
    already: first.already + second.already,
    refused: first.refused + second.refused,
    failureStore: first.failureStore + second.failureStore,
    again: second.again,
  };
}

/** What the engine will never take as it is goes, as text and with the reason, where somebody finds it. */
async function keepRefused(
  call: Ingesting,
  index: string,
  refused: readonly RefusedDocument[],
): Promise<Pick<Outcome, 'refused' | 'again'>> {
  const timestamp = new Date(call.work.clock.epochMs()).toISOString();
  const body = refused.map(({ document, said }) => {
    const kept = {
      '@timestamp': timestamp,
      event: { kind: 'pipeline_error', original: document.event.toString('utf8') },
      error: { type: said.type, message: said.reason },
      labels: { index },
      tags: ['_ismalicious_refused'],
    };
    return Buffer.from(`${JSON.stringify({ create: { _id: document.id } })}\n${JSON.stringify(kept)}\n`);
  });
  const said = await send(call, call.refusedIndex, body);
  const isKept =
    'items' in said && said.items.length === refused.length && said.items.every(({ status }) => status < 300 || status === 409);
  if (!isKept) return { refused: 0, again: 'items' in said ? { ...BUSY, status: 503, code: 'refused_not_kept' } : whyAgain(said) };
  call.work.metrics.add('ingest_refused', refused.length);
  return { refused: refused.length, again: null };
}

async function enriched(call: Ingesting, index: string, documents: readonly Document[]): Promise<Buffer[]> {
  const { work } = call;
  const source = Buffer.concat(
    documents.flatMap(({ id, event }) => [Buffer.from(`${JSON.stringify({ create: { _id: id } })}\n`), event, LINE_FEED]),
  );
  const parts: Buffer[] = [];
  const body = { source: once(source), index, timeoutMs: call.timeoutMs, signal: call.signal };
  // A part goes back to the pool with the next one's coming: what is kept is a copy.
  for await (const part of enrichedParts(work, body)) {
    parts.push(Buffer.from(part));
    work.pool.give(part);
  }
  return parts;
}

/** A part at a time, so that no more than a part is worked on in one go. */
async function* once(bytes: Buffer): AsyncGenerator<Buffer> {
  for (let at = 0; at < bytes.length; at += WORK_BYTES) {
    if (at > 0) await nextTurn();
    yield bytes.subarray(at, at + WORK_BYTES);
  }
}

function send({ req, upstream, without, signal }: Ingesting, index: string, body: readonly Buffer[]): Promise<BulkAnswer> {
  const headers = headersToForward(req, [...without, ...OF_THE_BODY]);
  return exchangeBulk(upstream, { path: `/${encodeURIComponent(index)}/_bulk`, headers, body, signal });
}
