import type * as z from 'zod/mini';
import { CORE_BLOCKS } from '../../src/compose/core-blocks.ts';
import { settingMeta, type SettingsSchema, toSnakeCase } from '../../src/config/setting.ts';
import { providerBlock } from '../../src/config/provider-settings.ts';
import { FEEDS } from '../../src/feeds/registry.ts';
import { HOST_SETTINGS } from '../../src/compose/host-settings.ts';
import { feedBlock, outputBlock, PipelineSettings } from '../../src/pipeline/settings/pipeline-settings.ts';
import { TriageSettings } from '../../src/pipeline/triage/triage-settings.ts';
import { WatchlistSettings } from '../../src/pipeline/settings/watchlist-settings.ts';
import { OUTPUTS } from '../../src/outputs/registry.ts';
import { loadProviders } from '../../src/providers/registry.ts';
import { writeOrCheck } from './generated-file.ts';

const providers = await loadProviders();

/** What each group of blocks is about, in the order of the page. */
const GROUPS: readonly (readonly [title: string, words: string, blocks: Readonly<Record<string, SettingsSchema>>])[] = [
  ['The core', 'Read by every host.', CORE_BLOCKS],
  [
    'Hosts',
    'Read by the program of that name.',
    { ...HOST_SETTINGS, pipeline: PipelineSettings, watchlist: WatchlistSettings, triage: TriageSettings },
  ],
  [
    'Providers',
    'Asked as soon as they have their key. What their answers mean: [providers](providers.md).',
    Object.fromEntries(providers.map((provider) => [`providers.${provider.id}`, providerBlock(provider.id, provider.settings)])),
  ],
  [
    'Feeds',
    'Read by `pipeline` when `enabled`. More: [pipeline](pipeline.md).',
    Object.fromEntries(FEEDS.map((feed) => [`feeds.${feed.id}`, feedBlock(feed)])),
  ],
  [
    'Outputs',
    'Used by `pipeline` when `enabled`. More: [outputs](outputs.md).',
    Object.fromEntries(OUTPUTS.map((output) => [`outputs.${output.id}`, outputBlock(output)])),
  ],
];

const INTRODUCTION = `# Settings

Made by \`scripts/generate/settings-doc.ts\` from the schemas; do not edit.

Settings come from a YAML file (\`--config FILE\` or \`ISMALICIOUS_CONFIG\`), from \`ismalicious.conf\` in the Splunk app, and from the
environment, which wins. Wrong settings stop the start with every fault at once: \`ismalicious config check\`. What is in force, secrets
masked: \`ismalicious config show\`. State (cache, journal, audit log) lies in \`ISMALICIOUS_STATE_DIR\`; by default the XDG state folder,
\`$SPLUNK_HOME/var/lib/ismalicious\` under Splunk.

\`\`\`yaml
providers:
  ismalicious: { x_api_key: "…" }   # better: ISMALICIOUS_X_API_KEY
privacy:
  own_domains: [acme.com]
\`\`\`
`;

function renderBlock(path: string, schema: SettingsSchema): string[] {
  const rows = Object.entries(schema.shape).map(([key, setting]) => {
    const meta = settingMeta.get(setting);
    return `| \`${toSnakeCase(key)}\` | \`${meta?.env ?? ''}\` | ${defaultOf(setting, meta?.secret === true)} | ${escapeCell(meta?.doc ?? '')} |`;
  });
  return [`### ${path}`, '', '| setting | environment | default | what |', '| --- | --- | --- | --- |', ...rows, ''];
}

function defaultOf(setting: z.ZodMiniType, isSecret: boolean): string {
  const given = setting.safeParse(undefined);
  if (!given.success) return 'required';
  if (given.data === undefined || isSecret) return '—';
  const text = JSON.stringify(given.data);
  return text.length > 60 ? 'see the text' : `\`${escapeCell(text)}\``;
}

function escapeCell(text: string): string {
  return text.replaceAll('|', '\\|').replaceAll('\n', ' ');
}

function renderSettingsDoc(): string {
  const parts = GROUPS.flatMap(([title, words, blocks]) => [
    `## ${title}`,
    '',
    words,
    '',
    ...Object.entries(blocks).flatMap(([path, schema]) => renderBlock(path, schema)),
  ]);
  return `${INTRODUCTION}\n${parts.join('\n').trimEnd()}\n`;
}

writeOrCheck(new Map([['docs/settings.md', renderSettingsDoc()]]));
