import { errorMessage } from '../model/formats/error-message.ts';
import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { decodeText } from '../extract/decode-text.ts';
import { readJsonRows } from '../model/formats/json-rows.ts';
import { errorFromStatus } from '../engine/calls/http/status.ts';
import type { Store } from '../store/store-client.ts';
import type { Feed, FeedContext, FeedPage, FeedStep, FileCall, StepFailure } from '../feeds/feed.ts';
import { LookupError, type LookupErrorCode } from '../model/lookup-error.ts';
import type { HttpAnswer } from '../providers/provider.ts';
import { nowS, type PipelineClock } from './pipeline-clock.ts';
import type { PipelineTransport } from './pipeline-transport.ts';

/** Largest page or list file that is read into memory. */
const MAX_PAGE_BYTES = 256 * 1024 * 1024;
/** A feed that never ends is cut here, and says so. */
const MAX_PAGES = 10_000;
/** Parts of a feed that may fail one after the other as if the server were down; then it is. */
const MAX_OUTAGES = 3;
/** Faults that are told one by one; the rest is counted. */
const MAX_FAULTS = 10;
const MAX_TRIES = 4;
const FIRST_BACKOFF_MS = 2000;
const MAX_BACKOFF_MS = 60_000;

/** A feed that is switched on. */
export interface ActiveFeed {
  readonly feed: Feed;
  readonly settings: unknown;
  readonly transport: PipelineTransport;
  readonly timeoutMs: number;
}

/** What one feed gave in one run: items = accepted + quarantined. */
export interface FeedReport {
  readonly items: number;
  readonly accepted: number;
  readonly quarantined: number;
  /** Entries that are no indicator and do not claim to be one. */
  readonly ignored: number;
  readonly pages: number;
  readonly new: number;
  readonly updated: number;
  /** Why it was not read to its end; what came before is kept. `null`: it was. */
  readonly failure: string | null;
  /** Parts that could not be read while the rest was. */
  readonly faults: readonly string[];
}

/** What reading needs besides the feed. `isDry`: nothing is stored, new and known are only counted. */
export interface FeedReading {
  readonly store: Store;
  readonly clock: PipelineClock;
  readonly signal: AbortSignal;
  readonly isDry: boolean;
  /** In a dry run: values counted as new so far, by any feed; a run that stores would know them. */
  readonly counted?: Set<string>;
}

/** Reads a feed from its cursor to its end and stores it page by page. A failure ends this feed, never the run; its cursor stays behind it. */
export async function readFeed(active: ActiveFeed, reading: FeedReading): Promise<FeedReport> {
  const { feed } = active;
  const { store, clock, signal } = reading;
  const report = { items: 0, accepted: 0, quarantined: 0, ignored: 0, pages: 0, new: 0, updated: 0, failure: null as string | null };
  const faults: string[] = [];
  try {
    const context: FeedContext<never> = {
      settings: active.settings as never,
      cursor: await store.cursor(feed.id),
      startedAtS: nowS(clock),
    };
    let step: FeedStep | null = feed.first(context);
    let outages = 0;
    for (let steps = 0; step; steps++) {
      if (steps >= MAX_PAGES) throw new LookupError('bad_response', feed.id, `more than ${MAX_PAGES} pages: read up to there`);
      signal.throwIfAborted();
      const got = await readStep(active, step, { reading, context });
      const isSkipped = 'error' in got;
      outages = isSkipped && isOutage(got.error.code) ? outages + 1 : 0;
      const page: FeedPage = isSkipped ? skipped(active, { failure: got, step, context, outages }) : got;
      const counts = await storePage(feed.id, page, reading);
      report.items += page.items.length + page.networks.length + page.rejected.length;
      report.accepted += page.items.length + page.networks.length;
      report.quarantined += page.rejected.length;
      report.ignored += page.ignored;
      report.new += counts.new;
      report.updated += counts.updated;
      report.pages += isSkipped ? 0 : 1;
      faults.push(...page.faults);
      step = page.next;
    }
  } catch (error) {
    if (signal.aborted) throw error;
    report.failure = errorMessage(error);
  }
  const more = faults.length - MAX_FAULTS;
  return { ...report, faults: more > 0 ? [...faults.slice(0, MAX_FAULTS), `${more} more parts could not be read`] : faults };
}

async function readStep(
  active: ActiveFeed,
  step: FeedStep,
  { reading, context }: { reading: FeedReading; context: FeedContext<never> },
): Promise<FeedPage | StepFailure> {
  const { feed } = active;
  const answer = await fetchStep(active, step, reading);
  if ('error' in answer) return answer;
  try {
    return feed.read(answer, step, context);
  } catch (cause) {
    if (cause instanceof LookupError) return { error: cause, status: null };
    return {
      error: new LookupError('bad_response', feed.id, 'answers in a shape we do not know: check its address', { cause }),
      status: null,
    };
  }
}

/** The page that stands for a part that failed; throws when the feed ends there. A key that is refused once is not shown to the rest. */
function skipped(
  { feed }: ActiveFeed,
  { failure, step, context, outages }: { failure: StepFailure; step: FeedStep; context: FeedContext<never>; outages: number },
): FeedPage {
  const mayGoOn = failure.status !== 401 && outages < MAX_OUTAGES;
  const page = mayGoOn ? feed.skip?.(failure, step, context) : null;
  if (!page) throw failure.error;
  return page;
}

function isOutage(code: LookupErrorCode): boolean {
  return code === 'timeout' || code === 'unavailable' || code === 'rate_limited';
}

async function storePage(
  feed: string,
  page: FeedPage,
  { store, clock, isDry, counted = new Set() }: FeedReading,
): Promise<{ new: number; updated: number }> {
  if (isDry) {
    const known = await Promise.all(page.items.map(({ indicator }) => store.get(indicator.value, nowS(clock))));
    const networks = page.networks.length > 0 ? await store.unknownNetworks(page.networks.map(({ network }) => network)) : [];
    const before = counted.size;
    for (const [n, { indicator }] of page.items.entries()) if (!known[n]) counted.add(indicator.value);
    for (const network of networks) counted.add(network);
    const fresh = counted.size - before;
    return { new: fresh, updated: page.items.length + page.networks.length - fresh };
  }
  if (page.rejected.length > 0) await store.quarantineItems(feed, page.rejected, nowS(clock));
  const counts = await store.observe(page.items, nowS(clock));
  const ranges = page.networks.length > 0 ? await store.observeNetworks(page.networks, nowS(clock)) : { new: 0, updated: 0 };
  // Only now, with everything up to here on disk: a run that dies in between reads the page again.
  if (page.cursor !== null) await store.saveCursor(feed, page.cursor, nowS(clock));
  return { new: counts.new + ranges.new, updated: counts.updated + ranges.updated };
}

async function fetchStep(active: ActiveFeed, step: FeedStep, { clock, signal }: FeedReading): Promise<HttpAnswer | StepFailure> {
  const { feed, transport, timeoutMs } = active;
  const { call } = step;
  if ('file' in call) return readListFile(feed.id, call);
  for (let tries = 1; ; tries++) {
    let status: number | null = null;
    try {
      const answer = await transport.send(call, { timeoutMs, maxBytes: MAX_PAGE_BYTES, signal });
      status = answer.status;
      if (answer.status === 304 || feed.reads?.(answer, step)) return answer;
      const failure = errorFromStatus(feed.id, answer, clock.nowMs());
      if (!failure) return answer;
      throw failure;
    } catch (error) {
      const waitMs = error instanceof LookupError ? backoffOf(error, tries) : null;
      if (signal.aborted || !(error instanceof LookupError)) throw error;
      if (waitMs === null) return { error, status };
      await clock.wait(waitMs, signal);
    }
  }
}

/** How long to wait before the next try; `null`: there is none. */
function backoffOf({ code, retryAfterMs }: LookupError, tries: number): number | null {
  if (!isOutage(code) || tries >= MAX_TRIES) return null;
  const waitMs = retryAfterMs ?? FIRST_BACKOFF_MS * 2 ** (tries - 1);
  return waitMs <= MAX_BACKOFF_MS ? waitMs : null;
}

/** JSON as such; a text with a document a line is left to the feed, as it comes from a server. */
function parsedOrLines(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch (error) {
    if (readJsonRows(text) !== null) return text;
    throw error;
  }
}

async function readListFile(feed: string, { file }: FileCall): Promise<HttpAnswer> {
  try {
    const { size } = await stat(file);
    if (size > MAX_PAGE_BYTES) throw new LookupError('invalid', feed, `${file} is larger than ${MAX_PAGE_BYTES} bytes`);
    const text = decodeText(Buffer.concat((await createReadStream(file).toArray()) as Buffer[]));
    return { status: 200, headers: {}, body: /^\s*[[{]/.test(text) ? parsedOrLines(text) : text };
  } catch (cause) {
    if (cause instanceof LookupError) throw cause;
    const code = (cause as NodeJS.ErrnoException).code ?? (cause as Error).name;
    throw new LookupError('invalid', feed, `${file} cannot be read (${code}): check the path and its permissions`, { cause });
  }
}
