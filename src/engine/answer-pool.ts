import { LRUCache } from 'lru-cache';
import type { Answer, Status } from '../model/enrichment.ts';
import { type Outcome, verdictToText } from './outcome.ts';
import { mergeOutcomes, type Scoring, unaskedAnswer } from './scoring.ts';

const MAX_ANSWERS = 100_000;

/**
 * One `Answer` object for all indicators with the same answer: most of a million cached verdicts share a few thousand, which
 * keeps the memory small and lets hosts cache renderings by identity.
 */
export interface AnswerPool {
  merge(outcomes: readonly Outcome[]): Answer;
  /** From cached text, without parsing it when the very text was seen before. */
  fromText(provider: string, text: string, isStale: boolean, parse: () => Outcome): Answer;
  unasked(status: Status, message: string): Answer;
}

function keyOf(outcome: Outcome): string {
  if (outcome.kind === 'failed') return `${outcome.provider}!${outcome.error.code} ${outcome.error.message}`;
  return textKey(outcome.provider, verdictToText(outcome.verdict), outcome.isStale);
}

function textKey(provider: string, text: string, isStale: boolean): string {
  return `${provider}${isStale ? '~' : '='}${text}`;
}

export function createAnswerPool(scoring: Scoring): AnswerPool {
  const pool = new LRUCache<string, Answer>({ max: MAX_ANSWERS });
  function intern(key: string, build: () => Answer): Answer {
    let answer = pool.get(key);
    if (answer) return answer;
    answer = build();
    pool.set(key, answer);
    return answer;
  }
  return {
    merge: (outcomes) => intern(outcomes.map(keyOf).join('\n'), () => mergeOutcomes(outcomes, scoring)),
    fromText: (provider, text, isStale, parse) => intern(textKey(provider, text, isStale), () => mergeOutcomes([parse()], scoring)),
    unasked: (status, message) => intern(`${status} ${message}`, () => unaskedAnswer(status, message)),
  };
}
