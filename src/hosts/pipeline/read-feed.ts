import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { errorFromStatus } from '../../engine/http/status.ts';
import type { Store } from '../../engine/store/store-client.ts';
import type { Feed, FeedContext, FeedPage, FeedStep, FileCall } from '../../feeds/feed.ts';
import { LookupError } from '../../model/lookup-error.ts';
import type { HttpAnswer } from '../../providers/provider.ts';
import { nowS, type PipelineClock } from './pipeline-clock.ts';
import type { PipelineTransport } from './transport.ts';

/** Largest page or list file that is read into memory. */
const MAX_PAGE_BYTES = 256 * 1024 * 1024;
/** A feed that never ends is cut here, and says so. */
const MAX_PAGES = 10_000;
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
}

/** What reading needs besides the feed. `isDry`: nothing is stored, new and known are only counted. */
export interface FeedReading {
  readonly store: Store;
  readonly clock: PipelineClock;
  readonly signal: AbortSignal;
  readonly isDry: boolean;
}

/** Reads a feed from its cursor to its end and stores it page by page. A failure ends this feed, never the run; its cursor stays behind it. */
export async function readFeed(active: ActiveFeed, reading: FeedReading): Promise<FeedReport> {
  const { feed } = active;
  const { store, clock, signal } = reading;
  const report = { items: 0, accepted: 0, quarantined: 0, ignored: 0, pages: 0, new: 0, updated: 0, failure: null as string | null };
  try {
    const context: FeedContext<never> = {
      settings: active.settings as never,
      cursor: await store.cursor(feed.id),
      startedAtS: nowS(clock),
    };
    let step: FeedStep | null = feed.first(context);
    while (step) {
      if (report.pages >= MAX_PAGES) throw new LookupError('bad_response', feed.id, `more than ${MAX_PAGES} pages: read up to there`);
      signal.throwIfAborted();
      const answer = await fetchStep(active, step, reading);
      const page: FeedPage = readPage(active, { answer, step, context });
      const counts = await storePage(feed.id, page, reading);
      report.items += page.items.length + page.rejected.length;
      report.accepted += page.items.length;
      report.quarantined += page.rejected.length;
      report.ignored += page.ignored;
      report.new += counts.new;
      report.updated += counts.updated;
      report.pages += 1;
      step = page.next;
    }
  } catch (error) {
    if (signal.aborted) throw error;
    report.failure = error instanceof Error ? error.message : String(error);
  }
  return report;
}

function readPage(
  { feed }: ActiveFeed,
  { answer, step, context }: { answer: HttpAnswer; step: FeedStep; context: FeedContext<never> },
): FeedPage {
  try {
    return feed.read(answer, step, context);
  } catch (cause) {
    if (cause instanceof LookupError) throw cause;
    throw new LookupError('bad_response', feed.id, 'answers in a shape we do not know: check its address', { cause });
  }
}

async function storePage(feed: string, page: FeedPage, { store, clock, isDry }: FeedReading): Promise<{ new: number; updated: number }> {
  if (isDry) {
    const known = await Promise.all(page.items.map(({ indicator }) => store.get(indicator.value, nowS(clock))));
    const fresh = new Set(page.items.filter((_, n) => !known[n]).map(({ indicator }) => indicator.value)).size;
    return { new: fresh, updated: page.items.length - fresh };
  }
  if (page.rejected.length > 0) await store.quarantineItems(feed, page.rejected, nowS(clock));
  const counts = await store.observe(page.items, nowS(clock));
  // Only now, with everything up to here on disk: a run that dies in between reads the page again.
  if (page.cursor !== null) await store.saveCursor(feed, page.cursor, nowS(clock));
  return counts;
}

async function fetchStep(active: ActiveFeed, step: FeedStep, { clock, signal }: FeedReading): Promise<HttpAnswer> {
  const { feed, transport, timeoutMs } = active;
  const { call } = step;
  if ('file' in call) return readListFile(feed.id, call);
  for (let tries = 1; ; tries++) {
    try {
      const answer = await transport.send(call, { timeoutMs, maxBytes: MAX_PAGE_BYTES, signal });
      if (answer.status === 304 || feed.reads?.(answer, step)) return answer;
      const failure = errorFromStatus(feed.id, answer, clock.nowMs());
      if (!failure) return answer;
      throw failure;
    } catch (error) {
      const waitMs = error instanceof LookupError ? backoffOf(error, tries) : null;
      if (waitMs === null || signal.aborted) throw error;
      await clock.wait(waitMs, signal);
    }
  }
}

/** How long to wait before the next try; `null`: there is none. */
function backoffOf({ code, retryAfterMs }: LookupError, tries: number): number | null {
  const isPassing = code === 'timeout' || code === 'unavailable' || code === 'rate_limited';
  if (!isPassing || tries >= MAX_TRIES) return null;
  const waitMs = retryAfterMs ?? FIRST_BACKOFF_MS * 2 ** (tries - 1);
  return waitMs <= MAX_BACKOFF_MS ? waitMs : null;
}

async function readListFile(feed: string, { file }: FileCall): Promise<HttpAnswer> {
  try {
    const { size } = await stat(file);
    if (size > MAX_PAGE_BYTES) throw new LookupError('invalid', feed, `${file} is larger than ${MAX_PAGE_BYTES} bytes`);
    const text = (await createReadStream(file, 'utf8').toArray()).join('');
    return { status: 200, headers: {}, body: /^\s*[[{]/.test(text) ? (JSON.parse(text) as unknown) : text };
  } catch (cause) {
    if (cause instanceof LookupError) throw cause;
    const code = (cause as NodeJS.ErrnoException).code ?? (cause as Error).name;
    throw new LookupError('invalid', feed, `${file} cannot be read (${code}): check the path and its permissions`, { cause });
  }
}
