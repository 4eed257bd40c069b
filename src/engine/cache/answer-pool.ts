import { type Answer, type Status, unaskedAnswer } from '../../model/enrichment.ts';
import { type Outcome, verdictToText } from '../score/outcome.ts';
import { mergeOutcomes } from '../score/merge-outcomes.ts';
import type { Scoring, Subject } from '../score/scoring.ts';

const MAX_ANSWERS = 100_000;
/** The same for programs that keep no indicators in memory, which are short. */
const MAX_ANSWERS_WITHOUT_MEMORY = 16_384;
const DAY_S = 86_400;

/**
 * One `Answer` object for all indicators with the same answer: most of a million cached verdicts share a few thousand, which
 * keeps the memory small and lets hosts cache renderings by identity.
 */
export interface AnswerPool {
  merge(outcomes: readonly Outcome[], subject: Subject): Answer;
  /** From cached fresh text, without parsing it when the very text was seen before. `null`: `parse` cannot read it. */
  fromText(row: { readonly provider: string; readonly text: string }, subject: Subject, parse: () => Outcome | null): Answer | null;
  /** What our own lists say of a value that never leaves: without a verdict or a score it gives nobody anything to do. */
  ofPrivate(answer: Answer, reason: string): Answer;
  /** `suffix`: the rest of the message, where it is always the same. */
  unasked(status: Status, message: string, suffix?: string): Answer;
}

function keyOf(outcome: Outcome): string {
  if (outcome.kind === 'failed') return `${outcome.provider}!${outcome.error.code} ${outcome.error.message}`;
  if (outcome.kind === 'skipped') return `${outcome.provider}!${outcome.status}`;
  return `${outcome.provider}${outcome.isStale ? '~' : '='}${verdictToText(outcome.verdict)}`;
}

/** `memoryEntries`: how many indicators memory keeps; more answers than that are not kept either. */
export function createAnswerPool(scoring: Scoring, memoryEntries = MAX_ANSWERS): AnswerPool {
  const max = memoryEntries === 0 ? MAX_ANSWERS_WITHOUT_MEMORY : Math.min(MAX_ANSWERS, memoryEntries);
  const pool = new Map<string, Answer>();
  const leftAlone = new WeakMap<Answer, Answer>();
  // By provider and by status: the texts themselves are the keys, so that nothing is put together on hot paths.
  const byText = new Map<string, Map<string, Answer>>();
  function intern(answers: Map<string, Answer>, key: string, build: () => Answer): Answer {
    let answer = answers.get(key);
    if (answer) return answer;
    if (answers.size >= max) answers.clear();
    answer = build();
    answers.set(key, answer);
    return answer;
  }
  function poolOf(name: string): Map<string, Answer> {
    let answers = byText.get(name);
    if (!answers) byText.set(name, (answers = new Map()));
    return answers;
  }
  // Where the score depends on type or day, so does the key.
  const keyOfSubject = ({ type, nowS }: Subject) =>
    `${scoring.formula === 'seed' || scoring.halfLifeDays ? type : ''}${scoring.halfLifeDays ? Math.floor(nowS / DAY_S) : ''}`;
  const isPlain = scoring.formula === 'weighted' && scoring.halfLifeDays === null;
  return {
    merge: (outcomes, subject) =>
      intern(pool, `${keyOfSubject(subject)}\n${outcomes.map(keyOf).join('\n')}`, () => mergeOutcomes(outcomes, scoring, subject)),
    fromText({ provider, text }, subject, parse) {
      const answers = poolOf(isPlain ? provider : `${provider} ${keyOfSubject(subject)}`);
      const known = answers.get(text);
      if (known) return known;
      const outcome = parse();
      return outcome === null ? null : intern(answers, text, () => mergeOutcomes([outcome], scoring, subject));
    },
    ofPrivate(answer, reason) {
      if (answer.verdict !== 'unknown' || answer.score !== null) return answer;
      const known = leftAlone.get(answer);
      if (known) return known;
      const message = `${reason}: never sent out`;
      const left: Answer = { ...answer, status: 'skipped_private', tier: 'log', message };
      leftAlone.set(answer, left);
      return left;
    },
    unasked: (status, message, suffix = '') => intern(poolOf(status + suffix), message, () => unaskedAnswer(status, message + suffix)),
  };
}
