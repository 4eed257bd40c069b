import type { AlertFacts } from './read-alert.ts';
import type { TriageRules } from './triage-settings.ts';

/** What became of the traffic or file; `unclear`: not said, or not plainly. */
export interface AlertOutcome {
  readonly word: 'stopped' | 'passed' | 'unclear';
  /** The words that say so. */
  readonly said: string;
}

/**
 * Words beside which "blocked" does not mean that it was: it would have been, it failed, it was only tried, for a part, on paper, or the
 * user could go on.
 */
const DOUBT: ReadonlySet<string> = new Set(
  [
    'not no non never cannot cant couldn didn wasn isn unable without unless',
    'would could should might may will',
    'fail fails failed failing failure failures error errors errored unsuccessful unsuccessfully incomplete pending queued scheduled later retry timeout',
    'attempt attempted attempting try tried trying partial partially some',
    'continue continued override overridden bypass bypassed ignore ignored skip skipped exempt exempted excluded except',
    'simulate simulated simulation audit audited monitor monitored monitoring dry test only passive tap report log logged learning mode disabled off',
    'warn warned warning false zero unblock unblocked restored released reverted undone lifted remove removed expired',
  ].flatMap((line) => line.split(' ')),
);

/** Signs beside which it is asked, or said of a switch that is off: `blocked?`, `blocked=0`. */
const DOUBT_SIGNS = /\?|[=:]\s*["']?0(?!\w)/;

/** Words that turn "allowed" round. */
const DENIAL: ReadonlySet<string> = new Set(['not', 'no', 'non', 'never', 'cannot']);

/** Reads what an alert says about its own outcome: stopped only where every word says so plainly; passed where one of them does. */
export function outcomeOf({ actions, outcome }: AlertFacts, { blockedWords, allowedWords }: TriageRules): AlertOutcome {
  const wordsOf = (text: string): readonly string[] => text.toLowerCase().match(/\p{L}+/gu) ?? [];
  const isPassed = (text: string) => {
    const words = wordsOf(text);
    return allowedWords.some((word) => words.includes(word)) && !words.some((word) => DENIAL.has(word));
  };
  const isStopped = (text: string) => {
    const words = wordsOf(text);
    if (DOUBT_SIGNS.test(text)) return false;
    return blockedWords.some((word) => words.includes(word)) && !isPassed(text) && !words.some((word) => DOUBT.has(word) && !isOwn(word));
  };
  const isOwn = (word: string) => blockedWords.includes(word);
  const all = actions.flat();
  const passed = all.find(isPassed) ?? (all.length === 0 && outcome !== null && isPassed(outcome) ? outcome : undefined);
  if (passed !== undefined) return { word: 'passed', said: passed };
  const [first = []] = actions;
  const isDoubted = all.some((text) => blockedWords.some((word) => wordsOf(text).includes(word)) && !isStopped(text));
  return first.length > 0 && first.every(isStopped) && !isDoubted
    ? { word: 'stopped', said: first.join(', ') }
    : { word: 'unclear', said: '' };
}
