import { createReadStream } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';
import { systemClock } from '../engine/clock.ts';
import type { Enricher } from '../engine/enricher.ts';
import type { EcsDetail } from '../mapping/ecs-roll-up.ts';
import { lineBatches } from './input/line-batches.ts';
import { markRepeated } from './mark-repeated.ts';
import { createReplayer } from './replay-lines.ts';
import { type TakenSpool, takeSpool } from './taken-spool.ts';

const BATCH_LINES = 200;
const LF = 0x0a;
const MARK = /^\uFEFF/;
/** Logstash's file output flushes every 2 s and looks for stale files every 10 s: after that nothing of it is on its way any more. */
const SETTLE_MS = 12_500;
/** A file that was not written to for so long has nothing in its writer's buffer. */
const QUIET_MS = 60_000;
/** What it is waited then: its writer may have seen the file in its place just before that was moved. */
const QUIET_SETTLE_MS = 2000;
/** How often is looked whether something came. */
const POLL_MS = 100;
const BACK_BYTES = 64 * 1024;

/** Where enriched events go: bytes are with the system when `end` resolves. */
export interface ReplayOutput {
  write(text: string): Promise<void>;
  end(): Promise<void>;
  /** How much is written into an event about which there is nothing to say; left out: everything. */
  readonly detail?: EcsDetail;
}

/** What became of the events of a spool file. */
export interface Replayed {
  readonly replayed: number;
  /** Not to be looked up now either: in the file of kept events. */
  readonly kept: number;
  /** Lines that are no JSON objects: in a file of their own, as no replay will ever read them. */
  readonly unreadable: number;
  /** Given out with the mark: a run that was killed may have given them out before. */
  readonly repeated: number;
}

/**
 * Replays one spool file, which Logstash may be writing to: it is moved away first, so that the writer begins a new one, and read again until
 * nothing more can come. Events that cannot be looked up go into a file beside it (`….kept.ndjson`), never back to the writer's name.
 */
export async function replayFile(path: string, enricher: Enricher, output: ReplayOutput, settleMs = SETTLE_MS): Promise<Replayed> {
  const spool = await takeSpool(path);
  const takenMs = Date.now();
  const tally = { replayed: 0, kept: 0, unreadable: 0, repeated: 0 };
  const work: Work = { spool, output, tally, replay: createReplayer(enricher, systemClock, output.detail).replay };
  const isQuiet = spool.writtenMs > 0 && takenMs - spool.writtenMs > QUIET_MS;
  const waitMs = isQuiet ? Math.min(settleMs, QUIET_SETTLE_MS) : settleMs;
  let settledMs = takenMs + waitMs;
  try {
    await using file = await open(spool.path, 'r');
    let done = spool.done;
    if (spool.pending > 0) done = await replayRange(work, { from: done, to: done + spool.pending, isRepeated: true });
    for (;;) {
      const isSettled = Date.now() >= settledMs;
      const end = isSettled ? (await file.stat()).size : await endOfLines(file, done);
      if (end > done) {
        done = await replayRange(work, { from: done, to: end, isRepeated: false });
        settledMs = Date.now() + waitMs;
      } else if (isSettled) break;
      else await delay(Math.min(POLL_MS, Math.max(1, settledMs - Date.now())));
    }
    await output.end();
  } catch (fault) {
    await spool.close();
    throw fault;
  }
  await spool.remove();
  return tally;
}

interface Work {
  readonly spool: TakenSpool;
  readonly output: ReplayOutput;
  readonly tally: { -readonly [name in keyof Replayed]: number };
  readonly replay: ReturnType<typeof createReplayer>['replay'];
}

interface Range {
  readonly from: number;
  readonly to: number;
  readonly isRepeated: boolean;
}

/** Gives out the events of some bytes of the file; returns where they end. */
async function replayRange({ spool, output, tally, replay }: Work, { from, to, isRepeated }: Range): Promise<number> {
  // A byte order mark begins a file, not an event.
  let isFirst = from === 0;
  for await (const { lines, bytes } of lineBatches(createReadStream(spool.path, { start: from, end: to - 1 }), BATCH_LINES)) {
    const { enriched, kept, unreadable } = await replay(isFirst ? lines.map((line) => line.replace(MARK, '')) : lines);
    isFirst = false;
    await spool.begin(bytes);
    const given = isRepeated ? enriched.map(markRepeated) : enriched;
    if (given.length > 0) await output.write(asLines(given));
    // One that is kept now may be out as well, by the run that was ended.
    await spool.finish(asLines(isRepeated ? kept.map(markRepeated) : kept), asLines(unreadable));
    tally.replayed += given.length;
    tally.kept += kept.length;
    tally.unreadable += unreadable.length;
    if (isRepeated) tally.repeated += given.length;
  }
  return to;
}

function asLines(lines: readonly string[]): string {
  return lines.map((line) => `${line}\n`).join('');
}

/** Where the last whole line ends: behind it the writer may be in the middle of one. */
async function endOfLines(file: FileHandle, from: number): Promise<number> {
  const { size } = await file.stat();
  const bytes = Buffer.allocUnsafe(BACK_BYTES);
  for (let end = size; end > from; end -= BACK_BYTES) {
    const start = Math.max(from, end - BACK_BYTES);
    const { bytesRead } = await file.read(bytes, 0, end - start, start);
    const feed = bytes.subarray(0, bytesRead).lastIndexOf(LF);
    if (feed >= 0) return start + feed + 1;
  }
  return from;
}
