import { existsSync } from 'node:fs';
import type { LocalSource } from '../../engine/local-source.ts';
import { decayedScore, DEFAULT_HALF_LIVES, type HalfLives } from '../../engine/store/decay.ts';
import { openStoreCore, type StoreCore } from '../../engine/store/store.ts';
import type { StoredIndicator } from '../../engine/store/observation.ts';
import type { Indicator } from '../../model/indicator.ts';
import type { Verdict, VerdictWord } from '../../model/verdict.ts';

/** What a listing without a confidence of its own counts: somebody named it, nobody said how sure. */
const UNSURE_SCORE = 55;
const MALICIOUS_FROM = 70;
/** Below this a listing is so old that it says nothing. */
const FADED_BELOW = 10;
const CHANGE_CHECK_MS = 30_000;

/** How the store answers beside the lists. */
export interface StoreSourceOptions {
  readonly path: string;
  readonly halfLives?: HalfLives;
  readonly nowS: () => number;
  /** For programs that stay: changes by the pipeline are noticed. */
  readonly watches: boolean;
}

/**
 * The pipeline's store behind the user's lists, as the `local` provider sees them: an analyst's word first, then the lists, then what
 * feeds listed. Only what feeds and analysts said counts here; what providers said of the value is asked of them, not echoed.
 */
export function withStore(lists: LocalSource, options: StoreSourceOptions): LocalSource {
  if (!existsSync(options.path)) return lists;
  const store = openStoreCore(options.path, { readOnly: true, halfLives: options.halfLives ?? DEFAULT_HALF_LIVES });
  const listeners: (() => void)[] = [];
  let version = store.dataVersion();
  const check = () => {
    const now = store.dataVersion();
    if (now === version) return;
    version = now;
    for (const listener of listeners) listener();
  };
  const timer = options.watches ? setInterval(check, CHANGE_CHECK_MS) : null;
  timer?.unref();
  return {
    lookup: (indicator) => analystVerdict(store, indicator) ?? lists.lookup(indicator) ?? listedVerdict(store, indicator, options),
    allowance: (indicator) => lists.allowance(indicator),
    onChange(listener) {
      listeners.push(listener);
      lists.onChange(listener);
    },
    stats() {
      const { indicators } = store.stats();
      return { lists: [...lists.stats().lists, { name: 'pipeline store', entries: indicators, faults: [] }] };
    },
    close() {
      if (timer) clearInterval(timer);
      store.close();
      lists.close();
    },
  };
}

function analystVerdict(store: StoreCore, { value }: Indicator): Verdict | null {
  const feedback = store.feedbackOn(value);
  if (!feedback || feedback.verdict === 'unknown') return null;
  const score = { malicious: 90, suspicious: UNSURE_SCORE, clean: 0 }[feedback.verdict];
  const at = new Date(feedback.atS * 1000).toISOString();
  return verdictOf(feedback.verdict, {
    score,
    confidence: 100,
    attributes: ['analyst'],
    firstSeen: null,
    lastSeen: at,
    reference: null,
    tlp: 'AMBER',
  });
}

function listedVerdict(
  store: StoreCore,
  { value }: Indicator,
  { nowS, halfLives = DEFAULT_HALF_LIVES }: StoreSourceOptions,
): Verdict | null {
  const stored = store.get(value, nowS());
  if (!stored || stored.state === 'revoked' || (stored.validUntilS !== null && stored.validUntilS <= nowS()) || !isListed(stored))
    return null;
  const score = decayedScore(stored.feedConfidence ?? UNSURE_SCORE, nowS() - stored.confirmedS, halfLives[stored.indicator.type]);
  if (score === null || score < FADED_BELOW) return null;
  return verdictOf(score >= MALICIOUS_FROM ? 'malicious' : 'suspicious', {
    score,
    confidence: stored.feedConfidence,
    attributes: stored.sources.map((source) => `feed:${source}`),
    firstSeen: new Date(stored.firstSeenS * 1000).toISOString(),
    lastSeen: new Date(stored.lastSeenS * 1000).toISOString(),
    reference: stored.reference,
    tlp: stored.tlp ?? 'AMBER',
  });
}

/** To be watched is no accusation. */
function isListed({ sources }: StoredIndicator): boolean {
  return sources.some((source) => source !== 'watchlist');
}

function verdictOf(
  verdict: VerdictWord,
  said: Pick<Verdict, 'score' | 'confidence' | 'attributes' | 'firstSeen' | 'lastSeen' | 'reference' | 'tlp'>,
): Verdict {
  return { provider: 'local', verdict, categories: [], sightings: null, isPending: false, ...said };
}
