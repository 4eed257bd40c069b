import { BARE_OBSERVATION, type Observation } from '../../src/model/observation.ts';
import type { Answer, Enrichment } from '../../src/model/enrichment.ts';
import type { IndicatorType } from '../../src/model/indicator.ts';

/** An observation by MISP, with only what a test is about spelt out. */
export function observationOf(value: string, more: Partial<Omit<Observation, 'indicator'>> & { type?: IndicatorType } = {}): Observation {
  const { type = 'domain-name', ...facts } = more;
  return {
    indicator: { type, value },
    source: 'misp',
    tags: [],
    ...BARE_OBSERVATION,
    ...facts,
  };
}

/** A malicious answer with score 90 unless said otherwise. */
export function answerOf(more: Partial<Answer>): Answer {
  return {
    verdict: 'malicious',
    status: 'ok',
    score: 90,
    confidence: 80,
    tier: 'p1',
    autoResolve: false,
    categories: ['c2'],
    attributes: [],
    sightings: null,
    firstSeen: null,
    lastSeen: null,
    reference: null,
    message: null,
    providers: [],
    ...more,
  };
}

/** That answer as an enrichment, checked at 1,795,000,000 and good for a day. */
export function enrichmentOf(answer: Partial<Answer>, more: Partial<Omit<Enrichment, 'answer'>> = {}): Enrichment {
  return {
    input: '',
    indicator: null,
    source: 'live',
    checkedAtS: 1_795_000_000,
    expiresAtS: 1_795_086_400,
    ...more,
    answer: answerOf(answer),
  };
}
