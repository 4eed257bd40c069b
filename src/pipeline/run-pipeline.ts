// src/pipeline/: feeds → store → look-ups → outputs, for whichever program runs it. No command line and no HTTP routes in it.
import { randomUUID } from 'node:crypto';
import { describeHolder, lockHolderName } from '../disk/lock-holder.ts';
import { deliverInTurn } from './delivery/deliver-alone.ts';
import { tellOverruled } from './delivery/tell-overruled.ts';
import { enrichDue, type EnrichCounts } from './enrich-due.ts';
import { nowS } from './pipeline-clock.ts';
import type { RoutedOutput, Pipeline } from './pipeline.ts';
import { type ActiveFeed, type FeedReport, readFeed } from './read-feed.ts';
import { routeJudgements } from './route-judgements.ts';
import type { OutputReport, RunReport } from './run-report.ts';
import { checkWatches } from './watchlist/check-watches.ts';

const LEASE_MS = 120_000;
const LEASE_RENEWAL_MS = 30_000;
const DAY_S = 86_400;
const NOTHING_DUE: EnrichCounts = { counts: { due: 0, enriched: 0, skipped: 0, failed: 0, left: 0, byStatus: {}, live: 0 }, faults: [] };

/** Another process is at it, and alive. */
export class NotLeaderError extends Error {
  override readonly name = 'NotLeaderError';
}

/** What one run does. */
export interface RunOptions {
  readonly signal: AbortSignal;
  /** Counts only: nothing is kept, asked or sent. */
  readonly isDry: boolean;
  /** `watchlist`: neither feeds nor what is due, only the watched indicators and the outputs. */
  readonly only?: 'watchlist';
}

/** One run: feeds → store → look-ups → outputs. Throws `NotLeaderError` when another process holds the lease, and when `signal` aborts. */
export async function runPipeline(pipeline: Pipeline, options: RunOptions): Promise<RunReport> {
  if (options.isDry) return run(pipeline, options);
  const { store, clock } = pipeline;
  const holder = lockHolderName(randomUUID());
  const lost = new AbortController();
  const take = () => store.takeLease('pipeline', holder, { nowMs: clock.nowMs(), untilMs: clock.nowMs() + LEASE_MS });
  if (!(await take())) {
    const other = describeHolder((await store.leaseHolder('pipeline')) ?? '');
    throw new NotLeaderError(`${other} is running the pipeline on this state folder: nothing was done; try again when it has ended`);
  }
  const renewal = setInterval(() => {
    void take().then(
      (isOurs) => !isOurs && lost.abort(new NotLeaderError('another process took the pipeline over')),
      (error: unknown) => lost.abort(error),
    );
  }, LEASE_RENEWAL_MS);
  renewal.unref();
  try {
    return await run(pipeline, { ...options, signal: AbortSignal.any([options.signal, lost.signal]) });
  } finally {
    clearInterval(renewal);
    await store.releaseLease('pipeline', holder);
  }
}

async function run(pipeline: Pipeline, { signal, isDry, only }: RunOptions): Promise<RunReport> {
  const { store, clock, limits } = pipeline;
  const startedAt = new Date(clock.nowMs()).toISOString();
  if (!isDry) await markOverrides(pipeline);
  const feeds = only ? {} : await readFeeds(pipeline, { signal, isDry });
  const budget = limits.budget === null ? null : { remaining: limits.budget };
  const look = { pipeline, signal, budget };
  const enrichment = isDry ? await planDue(pipeline, feeds) : only ? NOTHING_DUE : await enrichDue(look);
  const watches = isDry ? { checked: 0, changed: 0, failed: 0, faults: [] } : await checkWatches(look);
  const outputs = await tellOutputs(pipeline, { signal, isDry });
  if (!isDry) {
    await store.prune(nowS(clock) - limits.keepDeliveredDays * DAY_S);
    await store.purge(nowS(clock) - limits.keepDays * DAY_S);
    await store.forgetTickets(nowS(clock) - limits.keepDays * DAY_S);
    await store.forgetSightings(nowS(clock) - limits.sightingDays * DAY_S, limits.maxSightings);
  }
  const report: RunReport = {
    startedAt,
    finishedAt: new Date(clock.nowMs()).toISOString(),
    isDryRun: isDry,
    ...(only ? { only } : {}),
    feeds,
    store: { new: sum(feeds, 'new'), updated: sum(feeds, 'updated') },
    enrichment: enrichment.counts,
    watches: { checked: watches.checked, changed: watches.changed, failed: watches.failed },
    outputs,
    failures: [
      ...Object.entries(feeds).flatMap(([id, { failure, faults }]) =>
        [...(failure === null ? [] : [failure]), ...faults].map((text) => `feed ${id}: ${text}`),
      ),
      ...enrichment.faults,
      ...watches.faults,
      ...Object.entries(outputs).flatMap(([id, output]) => outputFaults(id, output)),
    ],
  };
  // The schedule counts from whole runs.
  if (!isDry && !only) await store.saveRun(JSON.stringify(report), nowS(clock));
  return report;
}

/** Whoever was overruled since, or no more, is looked up once more, and outputs hear of it. */
async function markOverrides({ store, feedback, clock }: Pipeline): Promise<void> {
  if (!feedback) return;
  await store.markOverrides(
    feedback.list({ inForceAtS: nowS(clock) }).map(({ value, verdict }) => ({ value, verdict })),
    nowS(clock),
  );
}

/** Feeds come from different houses: they are read side by side, and none waits for another. */
async function readFeeds(
  { feeds, store, clock, onProgress }: Pipeline,
  options: { signal: AbortSignal; isDry: boolean },
): Promise<Record<string, FeedReport>> {
  let done = 0;
  const counted = new Set<string>();
  const read = async (active: ActiveFeed) => {
    const report = await readFeed(active, { store, clock, counted, ...options });
    onProgress?.({ stage: 'feeds', done: ++done, of: feeds.length });
    return [active.feed.id, report] as const;
  };
  return Object.fromEntries(await Promise.all(feeds.map(read)));
}

/** What a run would look up: what is due already, and what the feeds would add. */
async function planDue({ store, clock }: Pipeline, feeds: Readonly<Record<string, FeedReport>>): Promise<EnrichCounts> {
  const due = (await store.countDue(nowS(clock))) + sum(feeds, 'new');
  return { counts: { due, enriched: 0, skipped: 0, failed: 0, left: due, byStatus: {}, live: 0 }, faults: [] };
}

async function tellOutputs(
  pipeline: Pipeline,
  { signal, isDry }: { signal: AbortSignal; isDry: boolean },
): Promise<Record<string, OutputReport>> {
  const { store, clock, outputs, limits, random, onProgress } = pipeline;
  if (!isDry) await endOverruled(pipeline);
  const routed = await routeJudgements(pipeline, { isDry });
  let done = 0;
  const tell = async (active: RoutedOutput) => {
    const { id } = active.output;
    const sends = !isDry && !active.isDry;
    const before = await store.counts(id);
    const halt = sends ? await deliverInTurn(active, { store, clock, signal, limits, random }) : null;
    onProgress?.({ stage: 'outputs', done: ++done, of: outputs.length });
    const counts = await store.counts(id);
    const givenUp = counts.quarantined - before.quarantined;
    const told = { new: routed.accepted[id] ?? 0, wouldSend: routed.wouldSend[id] ?? 0, held: routed.held[id] ?? 0 };
    return [id, { ...counts, ...told, givenUp, halt }] as const;
  };
  return Object.fromEntries(await Promise.all(outputs.map(tell)));
}

async function endOverruled({ store, feedback, outputs, clock, limits }: Pipeline): Promise<void> {
  if (!feedback) return;
  const live = outputs.filter(({ isDry }) => !isDry).map(({ output }) => output.id);
  const overrides = feedback.list({ inForceAtS: nowS(clock) });
  await tellOverruled({ store, overrides, outputs: live, nowS: nowS(clock), maxPending: limits.maxPending });
}

function outputFaults(id: string, { halt, held, givenUp }: OutputReport): string[] {
  return [
    ...(halt === null ? [] : [`output ${id}: ${halt}`]),
    ...(held > 0 ? [`output ${id}: its journal is full, ${held} judgements wait in the store`] : []),
    ...(givenUp > 0 ? [`output ${id}: ${givenUp} messages were given up; see: ismalicious store quarantine --output ${id}`] : []),
  ];
}

function sum(feeds: Readonly<Record<string, FeedReport>>, field: 'new' | 'updated'): number {
  return Object.values(feeds).reduce((total, feed) => total + feed[field], 0);
}
