import { createHash } from 'node:crypto';
import { nextTurn } from '../../engine/turns.ts';
import { beginEvents, eventAt, nextEvent } from './ingest-events.ts';

/** What every event of Logstash carries. */
const TIME_NAME = Buffer.from('"@timestamp"');
/** Documents sent on together, at most. */
const PORTION_EVENTS = 5000;
const PORTION_BYTES = 20 * 1024 * 1024;
/** Bytes read before everything else has its turn. */
const TURN_BYTES = 1024 * 1024;

/** A document on its way: as it came, and under which id. */
export interface Document {
  readonly id: string;
  readonly event: Buffer;
}

/** Whether every event carries a time; `null`: the body is neither an array of events nor one behind the other. Nothing is sent before. */
export async function areDatedEvents(body: Buffer, signal: AbortSignal): Promise<boolean | null> {
  const cursor = beginEvents(body);
  if (cursor === null) return null;
  let isDated = true;
  let turnAt = TURN_BYTES;
  for (let step = nextEvent(cursor); step !== 'end'; step = nextEvent(cursor)) {
    if (step === 'broken') return null;
    isDated &&= cursor.body.subarray(cursor.start, cursor.end).includes(TIME_NAME);
    if (cursor.end < turnAt) continue;
    turnAt = cursor.end + TURN_BYTES;
    await nextTurn();
    signal.throwIfAborted();
  }
  return isDated;
}

/** Tells batches apart. */
export async function hashOf(index: string, body: Buffer, signal: AbortSignal): Promise<string> {
  const hash = createHash('sha256').update(index).update('\n');
  for (let at = 0; at < body.length; at += TURN_BYTES) {
    if (at > 0) await nextTurn();
    signal.throwIfAborted();
    hash.update(body.subarray(at, at + TURN_BYTES));
  }
  return hash.digest('base64url').slice(0, 22);
}

/** The documents of a batch, as many at a time as are sent on together. */
export async function* portionsOf(body: Buffer, batch: string, signal: AbortSignal): AsyncGenerator<Document[]> {
  const cursor = beginEvents(body);
  if (cursor === null) return;
  let portion: Document[] = [];
  let bytes = 0;
  for (let n = 0; nextEvent(cursor) === 'event'; n++) {
    portion.push({ id: `${batch}-${n}`, event: eventAt(cursor) });
    bytes += cursor.end - cursor.start;
    if (portion.length < PORTION_EVENTS && bytes < PORTION_BYTES) continue;
    yield portion;
    portion = [];
    bytes = 0;
    await nextTurn();
    signal.throwIfAborted();
  }
  if (portion.length > 0) yield portion;
}
