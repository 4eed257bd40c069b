import { parseIndicator } from '../../model/parse-indicator.ts';
import type { Enricher } from '../enricher.ts';
import {
  type FeedbackStore,
  MAX_CLEAN_SCORE,
  FeedbackStoreError,
  MAX_AUTHOR_CHARS,
  MAX_OVERRIDE_DAYS,
  MAX_OVERRIDE_S,
  MAX_REASON_CHARS,
  type Override,
  OVERRIDE_SCORES,
  OVERRIDE_VERDICTS,
  type OverrideVerdict,
} from './overrides.ts';
import { inertText } from '../../model/formats/inert-text.ts';

/** How long somebody who decides waits for a file that another process writes to. */
const PATIENCE_MS = 2000;
const AGAIN_MS = 25;

/** An override as somebody asks for it. */
export interface GivenFeedback {
  readonly value: string;
  readonly verdict: string;
  readonly author: string;
  readonly reason: string;
  readonly score?: number | undefined;
  /** How long it counts, in seconds; left out: until it is taken back. */
  readonly forS?: number | undefined;
}

/** What is wrong with feedback before anything is stored; `null`: nothing. */
export function faultOfFeedback(given: GivenFeedback): string | null {
  const checked = check(given);
  return typeof checked === 'string' ? checked : null;
}

/** Does what the file of overrides is asked for, and waits a little while another process writes to it. Nobody is held up meanwhile. */
export async function whenFeedbackIsFree<T>(work: () => T): Promise<T> {
  const endMs = Date.now() + PATIENCE_MS;
  for (;;) {
    try {
      return work();
    } catch (error) {
      if (!(error instanceof FeedbackStoreError && error.isBusy) || Date.now() >= endMs) throw error;
    }
    await new Promise((resolve) => setTimeout(resolve, AGAIN_MS));
  }
}

/** Checks and takes an override, with what we say today beside it (from the cache: nothing is spent). A text says what is wrong instead. */
export async function giveFeedback(
  given: GivenFeedback,
  store: FeedbackStore,
  enricher: Enricher,
  nowS: number,
): Promise<Override | string> {
  const checked = check(given);
  if (typeof checked === 'string') return checked;
  const { indicator, verdict, author, reason, score } = checked;
  const answer = (await enricher.enrichMany([indicator.value], { mode: 'cache' })).get(indicator.value)?.answer;
  const isOurs = answer !== undefined && !answer.providers.some(({ provider }) => provider === 'feedback');
  const override: Override = {
    value: indicator.value,
    type: indicator.type,
    verdict,
    score,
    author,
    reason,
    atS: nowS,
    untilS: given.forS === undefined ? null : nowS + Math.ceil(given.forS),
    saidVerdict: isOurs && answer.score !== null ? answer.verdict : null,
    saidScore: isOurs ? answer.score : null,
    endedAtS: null,
    endedBy: null,
  };
  await whenFeedbackIsFree(() => store.add(override));
  return override;
}

function check(given: GivenFeedback) {
  const parsed = parseIndicator(given.value);
  if (parsed.kind === 'invalid') return `the value ${parsed.reason}`;
  const verdict = OVERRIDE_VERDICTS.find((word): word is OverrideVerdict => word === given.verdict);
  if (!verdict) return `verdict has to be one of ${OVERRIDE_VERDICTS.join(', ')}`;
  const author = inertText(given.author).trim();
  const reason = inertText(given.reason).trim().replace(/\s+/g, ' ');
  if (author === '' || author.length > MAX_AUTHOR_CHARS) return `author has to be 1 to ${MAX_AUTHOR_CHARS} characters`;
  if (reason === '' || reason.length > MAX_REASON_CHARS) return `reason has to be 1 to ${MAX_REASON_CHARS} characters`;
  const score = given.score ?? OVERRIDE_SCORES[verdict];
  if (!Number.isInteger(score) || score < 0 || score > 100) return 'score has to be a whole number from 0 to 100';
  if (verdict === 'clean' && score > MAX_CLEAN_SCORE)
    return `score of a clean value has to be 0 to ${MAX_CLEAN_SCORE}: a higher one contradicts the verdict`;
  if (given.forS !== undefined && !(given.forS > 0 && given.forS <= MAX_OVERRIDE_S))
    return `it has to count for some time, at most ${MAX_OVERRIDE_DAYS} days; leave the time out to have it count until it is taken back`;
  return { indicator: parsed.indicator, verdict, author, reason, score };
}
