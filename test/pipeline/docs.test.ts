import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { settingMeta, type SettingsSchema, toSnakeCase } from '../../src/config/setting.ts';
import { FEEDS } from '../../src/feeds/registry.ts';
import { feedBlock, outputBlock, PipelineSettings } from '../../src/pipeline/settings/pipeline-settings.ts';
import { TriageSettings } from '../../src/pipeline/triage/triage-settings.ts';
import { WatchlistSettings } from '../../src/pipeline/settings/watchlist-settings.ts';
import { OUTPUTS } from '../../src/outputs/registry.ts';
import { projectRoot } from '../support/fixtures.ts';

const read = (name: string) => readFileSync(join(projectRoot, 'docs', name), 'utf8');
const pipeline = read('pipeline.md');
const outputs = read('outputs.md');
const BLOCKS: [string, string, SettingsSchema][] = [
  ['pipeline', pipeline, PipelineSettings],
  ['watchlist', pipeline, WatchlistSettings],
  ['triage', pipeline, TriageSettings],
  ...FEEDS.map((feed) => [`feeds.${feed.id}`, pipeline, feedBlock(feed)] as [string, string, SettingsSchema]),
  ...OUTPUTS.map((output) => [`outputs.${output.id}`, outputs, outputBlock(output)] as [string, string, SettingsSchema]),
];

it.each(BLOCKS)('every setting of %s is explained in its own words', (block, text, { shape }) => {
  expect(text).toContain(`\`${block}\``);
  for (const [key, schema] of Object.entries(shape)) {
    const doc = settingMeta.get(schema)?.doc ?? '';
    expect(text).toContain(`| \`${toSnakeCase(key)}\` |`);
    // What all feeds or all outputs have is told once, in the words of one of them.
    if (!/^Whether it is (read|used)\.$|^Lowest score that is sent/.test(doc)) expect(text.replaceAll('\\|', '|')).toContain(doc);
  }
});
