import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { OUTPUTS } from '../../../src/outputs/registry.ts';
import { importSeedConfig } from '../../../src/pipeline/settings/import-seed-config.ts';
import { WatchlistSettings } from '../../../src/pipeline/settings/watchlist-settings.ts';
import { projectRoot } from '../../support/fixtures.ts';

describe('what an output is told unless set otherwise', () => {
  // The published pipeline sends on from 70 ("high-priority queue"); what keeps a copy of everything takes all.
  it.each([
    ['splunk_hec', 70],
    ['sentinel', 70],
    ['sentinel_logs', 70],
    ['crowdstrike', 70],
    ['elasticsearch', 0],
  ])('%s from score %j', (id, minScore) => {
    expect(OUTPUTS.find((output) => output.id === id)?.defaults.minScore).toBe(minScore);
  });

  it.each(OUTPUTS.flatMap(({ id, title, defaults: { minScore } }) => (minScore === undefined ? [] : [[id, title, minScore] as const])))(
    '%s is documented with its score',
    (_id, title, minScore) => {
      const docs = readFileSync(join(projectRoot, 'docs/outputs.md'), 'utf8');
      const section = docs.slice(docs.indexOf(title));
      expect(/Unless set otherwise: `min_score` (\d+)/.exec(section)?.[1]).toBe(String(minScore));
    },
  );
});

it('sightings are looked back for by 30 days, from 1 day to ten years', () => {
  expect(WatchlistSettings.parse({}).lookBackDays).toBe(30);
  for (const days of [1, 3650]) expect(WatchlistSettings.parse({ lookBackDays: days }).lookBackDays).toBe(days);
  for (const days of [0, 3651, 1.5]) expect(() => WatchlistSettings.parse({ lookBackDays: days })).toThrow();
});

it("the published pipeline's config asks MISP for the last day, and sends to HEC and Falcon from 70", () => {
  const { config } = importSeedConfig({
    misp: { url: 'https://misp.corp-net.com', key: 'k' },
    outputs: {
      splunk_hec_url: 'https://s:8088/services/collector',
      splunk_hec_token: 't',
      crowdstrike_client_id: 'i',
      crowdstrike_client_secret: 's',
    },
  });
  expect(config).toMatchObject({
    feeds: { misp: { since_days: 1 } },
    outputs: { splunk_hec: { min_score: 70 }, crowdstrike: { min_score: 70 } },
  });
});
