import { describe, expect, it } from 'vitest';
import { CacheSettings, ScoringSettings } from '../../src/config/core-settings.ts';
import { providerBlock } from '../../src/config/provider-settings.ts';
import type { SettingsSchema } from '../../src/config/setting.ts';
import { FEEDS } from '../../src/feeds/registry.ts';
import { OUTPUTS } from '../../src/outputs/registry.ts';
import { cronExpression, feedBlock, outputBlock, PipelineSettings } from '../../src/pipeline/settings/pipeline-settings.ts';
import { WatchlistSettings } from '../../src/pipeline/settings/watchlist-settings.ts';
import { ismalicious } from '../../src/providers/ismalicious.ts';

const NO_MOST = Number.MAX_SAFE_INTEGER;
const PROVIDER = providerBlock(ismalicious.id, ismalicious.settings);
const OUTPUT = outputBlock(OUTPUTS.find(({ id }) => id === 'file')!);
const FEED = feedBlock(FEEDS[0]!);

/** Key, least, most, and what it is unless set (`undefined`: nothing). */
type Bound = readonly [string, number, number, number | undefined];

const BLOCKS: readonly (readonly [string, SettingsSchema, readonly Bound[]])[] = [
  [
    'cache',
    CacheSettings,
    [
      ['memoryEntries', 1000, NO_MOST, 500_000],
      ['listedTtlS', 1, NO_MOST, 86_400],
      ['unknownTtlS', 1, NO_MOST, 21_600],
      ['pendingTtlS', 1, NO_MOST, 60],
      ['staleS', 0, NO_MOST, 604_800],
      ['revalidateS', 0, NO_MOST, undefined],
      ['replicas', 1, 1000, undefined],
    ],
  ],
  [
    'scoring',
    ScoringSettings,
    [
      ['halfLifeIpDays', 0, 36_500, 30],
      ['halfLifeDomainDays', 0, 36_500, 60],
      ['halfLifeUrlDays', 0, 36_500, 30],
      ['halfLifeEmailDays', 0, 36_500, 90],
      ['halfLifeFileDays', 0, 36_500, 0],
    ],
  ],
  [
    'a provider',
    PROVIDER,
    [
      ['timeoutMs', 100, 120_000, 10_000],
      ['concurrency', 1, 256, undefined],
      ['perMinute', 1, NO_MOST, undefined],
      ['perDay', 1, NO_MOST, undefined],
      ['budgetPerDay', 0, NO_MOST, undefined],
      ['budgetPerMonth', 0, NO_MOST, undefined],
      ['weight', 0, 100, undefined],
    ],
  ],
  [
    'pipeline',
    PipelineSettings,
    [
      ['everyMinutes', 5, 10_080, 240],
      ['jitterSeconds', 0, 3600, 120],
      ['budget', 0, 10_000_000, undefined],
      ['batchSize', 1, 10_000, 500],
      ['maxPending', 1, 10_000_000, 100_000],
      ['maxTries', 1, 100, 8],
      ['patienceSeconds', 0, 86_400, 300],
      ['keepDays', 1, 36_500, 365],
      ['keepDeliveredDays', 1, 3650, 30],
    ],
  ],
  [
    'watchlist',
    WatchlistSettings,
    [
      ['everyHours', 1, 8760, 24],
      ['maxWatched', 1, 1_000_000, 10_000],
      ['lookBackDays', 1, 3650, 30],
      ['sightingDays', 1, 3650, 90],
      ['maxSightings', 1000, 1_000_000_000, 5_000_000],
    ],
  ],
  [
    'an output',
    OUTPUT,
    [
      ['minScore', 0, 100, undefined],
      ['timeoutMs', 100, 600_000, 30_000],
    ],
  ],
  ['an output that is told of the worst', outputBlock(OUTPUTS.find(({ id }) => id === 'crowdstrike')!), [['minScore', 0, 100, 70]]],
  ['a feed', FEED, [['timeoutMs', 100, 600_000, 60_000]]],
];

describe.each(BLOCKS)('settings of %s', (_name, schema, bounds) => {
  const shape = schema.shape as Record<string, { safeParse(value: unknown): { success: boolean; data?: unknown } }>;
  it.each(bounds)('%s goes from %i to %i, and is %j unless set', (key, least, most, usual) => {
    const takes = (value: unknown) => shape[key]!.safeParse(value);
    expect(takes(undefined)).toEqual({ success: true, data: usual });
    for (const value of [least, most]) expect(takes(value)).toEqual({ success: true, data: value });
    for (const value of [least - 1, most + 1]) expect(takes(value).success).toBe(false);
  });
});

it('an output is told what is marked AMBER at most, and all of it unless set', () => {
  const usual = (key: string) => (OUTPUT.shape as Record<string, { parse(value: unknown): unknown }>)[key]!.parse(undefined);
  expect(['maxTlp', 'dryRun', 'enabled', 'types', 'events'].map(usual)).toEqual(['AMBER', false, false, [], []]);
});

it('a credit may cost nothing or a part of the money there is, and not less', () => {
  const { creditPrice } = PROVIDER.shape as Record<string, { safeParse(value: unknown): { success: boolean } }>;
  expect([0, 0.002, -0.001].map((price) => creditPrice!.safeParse(price).success)).toEqual([true, true, false]);
});

it('a time table that is none is refused with what is wrong', () => {
  const read = (text: string) => cronExpression().safeParse(text);
  expect(read('0 6 * * 1').success).toBe(true);
  expect(read('0 25 * * 1').error?.issues).toEqual([expect.objectContaining({ message: expect.stringMatching(/hour/) })]);
});
