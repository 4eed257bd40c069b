import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { explainScore, mergeOutcomes } from '../../../src/engine/score/merge-outcomes.ts';
import type { Outcome } from '../../../src/engine/score/outcome.ts';
import { DEFAULT_HALF_LIVES } from '../../../src/store/decay.ts';
import type { Scoring } from '../../../src/engine/score/scoring.ts';
import { loadEngineConfig } from '../../../src/compose/engine-config.ts';
import { scoringOf } from '../../../src/compose/scoring-settings.ts';
import type { IndicatorType } from '../../../src/model/indicator.ts';
import { LookupError, type LookupErrorCode } from '../../../src/model/lookup-error.ts';
import type { Verdict } from '../../../src/model/verdict.ts';
import { loadProviders } from '../../../src/providers/registry.ts';
import { projectRoot } from '../../support/fixtures.ts';

const providers = await loadProviders();

// A change of any score is a difference in test/fixtures/scores/golden/, made by `npm run golden` and reviewed like code.

type Said =
  | ({ readonly provider: string; readonly isStale?: boolean } & Partial<Verdict>)
  | { readonly provider: string; readonly miss: true }
  | { readonly provider: string; readonly failure: LookupErrorCode };

interface ScoreCase {
  readonly name: string;
  readonly type: IndicatorType;
  readonly says: readonly Said[];
  readonly preset?: 'siem' | 'pipeline' | 'seed' | 'decay';
  readonly weights?: Readonly<Record<string, number>>;
}

const folder = join(projectRoot, 'test/fixtures/scores');
const files = readdirSync(folder).filter((name) => name.endsWith('.json'));
const nowS = Date.parse('2026-11-21T00:00:00Z') / 1000;
const casesOf = (file: string) => JSON.parse(readFileSync(join(folder, file), 'utf8')) as ScoreCase[];

async function scoringFor({ preset = 'siem', weights = {} }: ScoreCase): Promise<Scoring> {
  const env = preset === 'decay' ? { ISMALICIOUS_SCORING_DECAY: 'true' } : { ISMALICIOUS_SCORING_PRESET: preset };
  const { core } = await loadEngineConfig({ env });
  const scoring = scoringOf(core.scoring, []);
  const shipped = Object.fromEntries(providers.map(({ id, weight }) => [id, weight ?? 1]));
  return { ...scoring, weights: { ...scoring.weights, ...shipped, ...weights } };
}

function outcomeOf(said: Said): Outcome {
  const { provider } = said;
  if ('failure' in said) return { kind: 'failed', provider, error: new LookupError(said.failure, provider, 'gave no answer') };
  const times = { source: 'live' as const, checkedAtS: nowS, expiresAtS: nowS + 60 };
  if ('miss' in said) return { kind: 'answered', provider, verdict: null, ...times, isStale: false };
  const { isStale = false, ...facts } = said;
  const silent = { verdict: 'unknown' as const, score: null, confidence: null, categories: [], attributes: [], sightings: null };
  const rest = { firstSeen: null, lastSeen: null, tlp: 'CLEAR' as const, reference: null, isPending: false };
  return { kind: 'answered', provider, verdict: { ...silent, ...rest, ...facts }, ...times, isStale };
}

describe.each(files)('scores of %s', (file) => {
  it('are what they were, to the point', async () => {
    const rows = await Promise.all(
      casesOf(file).map(async (one) => {
        const scoring = await scoringFor(one);
        const subject = { type: one.type, nowS };
        const answer = mergeOutcomes(one.says.map(outcomeOf), scoring, subject);
        const { verdict, status, score, confidence, tier, autoResolve } = answer;
        const points = Object.fromEntries(answer.providers.map(({ provider, contribution }) => [provider, contribution]));
        expect(answer.providers.reduce((sum, { contribution }) => sum + contribution, 0)).toBe(score ?? 0);
        const explain = explainScore(answer, scoring, subject);
        return { name: one.name, verdict, status, score, confidence, tier, autoResolve, points, explain };
      }),
    );
    await expect(`${JSON.stringify(rows, null, 2)}\n`).toMatchFileSnapshot(join(folder, 'golden', file));
  });
});

it('the corpus holds at least 60 cases, each with a name of its own', () => {
  const names = files.flatMap(casesOf).map(({ name }) => name);
  expect(names.length).toBeGreaterThanOrEqual(60);
  expect(new Set(names).size).toBe(names.length);
});

it('the half-lives of the score are those of the store by default', async () => {
  const { core } = await loadEngineConfig({ env: { ISMALICIOUS_SCORING_DECAY: 'true' } });
  expect(scoringOf(core.scoring, []).halfLifeDays).toEqual(DEFAULT_HALF_LIVES);
});
