import type { Enricher } from '../../src/engine/enricher.ts';
import type { Answer, Enrichment } from '../../src/model/enrichment.ts';
import { parseIndicator } from '../../src/model/parse-indicator.ts';
import { answerOf } from '../store/samples.ts';

/** An engine that answers from `judge` and counts what it was asked. */
export function fakeEnricher(judge: (value: string) => Partial<Answer>, nowS = () => 1_795_000_000): Enricher & { asked: string[] } {
  const asked: string[] = [];
  return {
    asked,
    peek: () => undefined,
    enrichMany(values) {
      const found = new Map<string, Enrichment>();
      for (const value of values) {
        asked.push(value);
        const parsed = parseIndicator(value);
        const indicator = parsed.kind === 'invalid' ? null : parsed.indicator;
        found.set(value, {
          input: value,
          indicator,
          answer: answerOf(judge(value)),
          source: 'live',
          checkedAtS: nowS(),
          expiresAtS: nowS() + 86_400,
        });
      }
      return Promise.resolve(found);
    },
    plan: () => Promise.reject(new Error('not used')),
    close: () => Promise.resolve(),
  };
}

/** Tier by score, as the engine's defaults have it. */
export function judged(score: number): Partial<Answer> {
  return {
    score,
    verdict: score >= 60 ? 'malicious' : score >= 30 ? 'suspicious' : 'clean',
    tier: score >= 80 ? 'p1' : score >= 60 ? 'p2' : score >= 40 ? 'watch' : 'log',
    autoResolve: score < 30,
  };
}
