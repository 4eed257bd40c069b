// src/search-engine/backfill/: documents that are indexed already, enriched page by page.
import { createHash } from 'node:crypto';
import type { Enricher } from '../../engine/enricher.ts';
import type { EcsDetail } from '../../mapping/ecs-roll-up.ts';
import { type EngineClient, memberOf, refusalOf } from '../engine-client.ts';
import { type ValueReader, createValueReader } from './document-values.ts';
import { type PageWork, enrichPage } from './enrich-page.ts';
import { EngineFault } from './found-document.ts';
import { NoSourceError, type PageReader, PageTooLargeError, type Snapshot, openSnapshot } from './pages.ts';
import { createPatientClient } from './patient-client.ts';
import { type Progress, WHOLE_INDEX, createProgress } from './progress.ts';
import { type BackfillQuery, toSearchQuery } from './backfill-query.ts';
import { type BackfillState, StateFault, type StateKeeper, type BackfillCounts, noCounts } from './state-file.ts';

/** How a backfill runs. */
export interface BackfillOptions {
  readonly query: BackfillQuery;
  /** Documents a page, and so in one `_bulk`. */
  readonly pageSize: number;
  /** Parts that are read and written at once. */
  readonly parallel: number;
  /** Paid look-ups in all, earlier parts of the run included; `null`: as many as there are. */
  readonly budget: number | null;
  /** See `EcsMatch.type`. */
  readonly matchedType: string | null;
  /** See `UpdateRules.detail`. */
  readonly detail?: EcsDetail;
}

/** What a backfill works with. */
export interface BackfillSurroundings {
  readonly engine: EngineClient;
  readonly enricher: Enricher;
  readonly state: StateKeeper;
  /** Milliseconds since 1970. */
  readonly now: () => number;
  /** Rejects when `signal` aborts. */
  readonly wait: (ms: number, signal?: AbortSignal) => Promise<void>;
  readonly signal?: AbortSignal;
  /** After every page. */
  readonly onProgress?: (tally: BackfillCounts, total: number) => void;
}

/** What came of it. `budget`: it stopped since the budget was spent; what is left matches again. */
export interface BackfillReport {
  readonly end: 'done' | 'budget' | 'stopped';
  /** Documents of the whole run: never less than `tally.scanned`. */
  readonly total: number;
  readonly tally: BackfillCounts;
  readonly refusals: BackfillState['refusals'];
}

/**
 * Enriches documents that are in an index already. Can be killed and started again at any time: what is written does not match
 * any more, an update holds only for the version that was read, and the state says what was spent and how far it came.
 */
export async function backfill(options: BackfillOptions, given: BackfillSurroundings): Promise<BackfillReport> {
  const { state: keeper, now, wait, signal, onProgress } = given;
  const engine = createPatientClient(given.engine, (ms) => wait(ms, signal));
  const surroundings = { ...given, engine };
  const state = resume(options, keeper, now());
  keeper.save(state);
  const without = state.refusals.filter(({ id }) => id === WHOLE_INDEX).map(({ index }) => index);
  const query = { ...options.query, until: state.until, without };
  // Documents of the last second may not be searchable yet; without the right to refresh they are found by another run.
  await engine.call('POST', `/${encodeURIComponent(query.index)}/_refresh?ignore_unavailable=true`);
  // Of the whole run, what earlier parts of it have read included.
  const total = state.tally.scanned + (await countDocuments(engine, query, state.reachedMs));
  const progress = createProgress({
    state,
    keeper,
    parts: options.parallel,
    budget: options.budget,
    onProgress: (tally) => onProgress?.(tally, total),
  });
  await readAll({ options: { ...options, query }, surroundings, progress, readValues: createValueReader(query.fields) });
  const end = signal?.aborted ? 'stopped' : progress.isSpent() ? 'budget' : 'done';
  if (end === 'done') state.finishedAt = new Date(now()).toISOString();
  keeper.save(state);
  // Documents that came back after a snapshot ran out are read twice.
  return { end, total: Math.max(total, state.tally.scanned), tally: state.tally, refusals: state.refusals };
}

interface Run {
  readonly options: BackfillOptions;
  readonly surroundings: BackfillSurroundings;
  readonly progress: Progress;
  readonly readValues: ValueReader;
}

/**
 * A snapshot that ran out while look-ups were slow is opened again, as long as there is progress between two of them. So it is, without the
 * indices in question, when some cannot be read: they are named, and the rest goes on.
 */
async function readAll(run: Run): Promise<void> {
  const { progress, options } = run;
  let { query } = options;
  for (let seen = -1; ;) {
    const snapshot = await openSnapshot(run.surroundings.engine, query, options.parallel);
    try {
      return await readSnapshot(run, snapshot);
    } catch (fault) {
      if (fault instanceof NoSourceError) {
        query = await leaveOut(run, query, fault);
        continue;
      }
      if (!(fault instanceof EngineFault) || fault.status !== 404 || progress.scanned() <= seen) throw fault;
      seen = progress.scanned();
    } finally {
      await snapshot.close();
    }
  }
}

/** The query without the indices that cannot be read. Throws the fault when they are left out already. */
async function leaveOut({ progress, surroundings: { engine } }: Run, query: BackfillQuery, fault: NoSourceError): Promise<BackfillQuery> {
  const left = query.without ?? [];
  const fresh = fault.indices.filter((index) => !left.includes(index));
  if (fresh.length === 0) throw fault;
  for (const index of fresh) progress.refuse(index, await countDocuments(engine, { ...query, index }, progress.reachedMs()));
  return { ...query, without: [...left, ...fresh] };
}

/** All parts at once; each ends its own way before a fault of one of them is told. */
async function readSnapshot(run: Run, snapshot: Snapshot): Promise<void> {
  run.progress.restart();
  const from = run.progress.reachedMs();
  const outcomes = await Promise.allSettled(Array.from({ length: snapshot.parts }, (_, part) => readPart(run, snapshot, { part, from })));
  const failed = outcomes.find((outcome) => outcome.status === 'rejected');
  if (failed && run.surroundings.signal?.aborted !== true) throw failed.reason;
}

async function readPart(run: Run, snapshot: Snapshot, { part, from }: { part: number; from: number | null }): Promise<void> {
  let size = run.options.pageSize;
  let upToMs = from;
  let reader = snapshot.open(part, upToMs, size);
  try {
    while (!isStopped(run)) {
      const page = await nextPage(reader, size);
      if (page === null) {
        await reader.close();
        size = Math.ceil(size / 2);
        reader = snapshot.open(part, upToMs, size);
        continue;
      }
      const outcome = await enrichPage(workOf(run), page.documents);
      run.progress.add(part, page, outcome);
      if (page.isLast || outcome.wasShort) return;
      upToMs = page.timeMs > 0 ? page.timeMs : upToMs;
    }
  } finally {
    await reader.close();
  }
}

function isStopped({ surroundings, progress }: Run): boolean {
  return surroundings.signal?.aborted === true || progress.isSpent();
}

function workOf({ options, surroundings, progress, readValues }: Run): PageWork {
  const { engine, enricher, wait, signal, now } = surroundings;
  const { fields, withFailures } = options.query;
  const rules = {
    matchedType: options.matchedType,
    occurred: new Date(now()).toISOString(),
    ...(options.detail && { detail: options.detail }),
  };
  return {
    engine,
    enricher,
    readValues,
    fields,
    withFailures,
    rules,
    budget: progress.budget,
    wait,
    ...(signal && { signal }),
  };
}

function resume({ query, matchedType }: BackfillOptions, keeper: StateKeeper, nowMs: number): BackfillState {
  const key = createHash('sha256')
    .update(JSON.stringify({ ...query, matchedType }))
    .digest('hex');
  const left = keeper.load();
  if (left !== null && left.finishedAt === null) {
    if (left.key !== key)
      throw new StateFault(
        'the state is of a backfill that looked for something else and is not finished: give another --state, or remove it',
      );
    return left;
  }
  const startedAt = new Date(nowMs).toISOString();
  return {
    version: 1,
    key,
    startedAt,
    until: query.until ?? startedAt,
    reachedMs: null,
    finishedAt: null,
    tally: noCounts(),
    refusals: [],
  };
}

/** How many documents there are to do. Rejects when the engine refuses to say. */
export async function countDocuments(engine: EngineClient, query: BackfillQuery, upToMs: number | null): Promise<number> {
  const answer = await engine.call('POST', `/${encodeURIComponent(query.index)}/_count?ignore_unavailable=true`, {
    query: toSearchQuery(query, upToMs),
  });
  const total = memberOf(answer.body, 'count');
  if (answer.status !== 200 || typeof total !== 'number') throw new EngineFault(answer.status, `_count: ${refusalOf(answer)}`);
  return total;
}

/** `null`: the page was too large and has to be asked for in smaller pieces. */
async function nextPage(reader: PageReader, size: number) {
  try {
    return await reader.next();
  } catch (fault) {
    if (fault instanceof PageTooLargeError && size > 1) return null;
    throw fault;
  }
}
