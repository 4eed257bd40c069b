// Makes splunk-app/default/ismalicious.conf and splunk-app/README/ismalicious.conf.spec from the settings schemas.
import type * as z from 'zod/mini';
import { CacheSettings, LocalSettings, PrivacySettings, ScoringSettings } from '../../src/config/core-settings.ts';
import type { Blocks } from '../../src/config/load.ts';
import { providerBlock } from '../../src/config/provider-settings.ts';
import { settingMeta, toSnakeCase } from '../../src/config/setting.ts';
import { outputBlock } from '../../src/pipeline/settings/pipeline-settings.ts';
import { TriageSettings } from '../../src/pipeline/triage/triage-settings.ts';
import { SPLUNK_BLOCKS } from '../../src/splunkd/splunk-settings.ts';
import { OUTPUTS } from '../../src/outputs/registry.ts';
import { loadProviders } from '../../src/providers/registry.ts';
import { writeOrCheck } from './generated-file.ts';

const providers = await loadProviders();

/** Where the two files lie, from the project's root. */
export const SPLUNK_CONF = 'splunk-app/default/ismalicious.conf';
export const SPLUNK_CONF_SPEC = 'splunk-app/README/ismalicious.conf.spec';

interface Chapter {
  readonly title: string;
  readonly blocks: Blocks;
}

/** Every block the app reads, by stanza. */
export function splunkChapters(): readonly Chapter[] {
  return [
    { title: 'The programs and splunkd', blocks: SPLUNK_BLOCKS },
    { title: 'The core', blocks: { cache: CacheSettings, scoring: ScoringSettings, privacy: PrivacySettings, local: LocalSettings } },
    {
      title: 'Providers: who is asked',
      blocks: Object.fromEntries(providers.map(({ id, settings }) => [`providers.${id}`, providerBlock(id, settings)])),
    },
    { title: 'Triage: what a tier asks for', blocks: { triage: TriageSettings } },
    {
      title: 'Outputs: where the alert action sends to. All are off',
      blocks: Object.fromEntries(OUTPUTS.map((output) => [`outputs.${output.id}`, outputBlock(output)])),
    },
  ];
}

/** The shipped conf: every stanza, no value, so that a file of settings or a later default is never hidden by a copy of today's. */
export function renderSplunkConf(): string {
  const stanzas = splunkChapters().flatMap(({ title, blocks }) => [
    `# ${title}.`,
    '',
    ...Object.keys(blocks).flatMap((path) => [`[${path}]`, '']),
  ]);
  return `${[
    '# Made by scripts/generate/splunk-conf.ts; do not edit. README/ismalicious.conf.spec tells every setting and its default.',
    '# Set yours on the setup page, or in local/ismalicious.conf; keys belong into the credential store (see the spec).',
    '',
    ...stanzas,
  ]
    .join('\n')
    .trimEnd()}\n`;
}

/** The spec: every setting with its form, what it does, its environment name and its default. */
export function renderSplunkConfSpec(): string {
  return `${[
    '# Made by scripts/generate/splunk-conf.ts from the settings of the program; do not edit.',
    '#',
    '# Order: default/ismalicious.conf, local/ismalicious.conf, $SPLUNK_HOME/etc/system/local/ismalicious.conf; then secrets from the',
    '# credential store; the environment of splunkd wins over all of them.',
    '# A setting marked "secret" is kept in the credential store: realm "ismalicious", user name "<stanza>.<setting>", where the',
    '# "providers." in front may be left out ("virustotal.api_key"). Here it would stand in plain text.',
    '',
    ...splunkChapters().flatMap(({ title, blocks }) => [
      `# ${title}`,
      '',
      ...Object.entries(blocks).flatMap(([path, block]) => stanza(path, block)),
    ]),
  ]
    .join('\n')
    .trimEnd()}\n`;
}

function stanza(path: string, block: Blocks[string]): string[] {
  return [`[${path}]`, ...Object.entries(block.shape).flatMap(([key, schema]) => setting(key, schema))];
}

function setting(key: string, schema: z.ZodMiniType): string[] {
  const meta = settingMeta.get(schema);
  if (!meta) throw new Error(`${key} is not registered`);
  return [
    `${toSnakeCase(key)} = ${formOf(schema)}`,
    `* ${meta.doc}`,
    ...(meta.secret ? ['* Secret: keep it in the credential store.'] : []),
    `* Environment: ${meta.env}`,
    `* Default: ${defaultOf(schema, meta.secret === true)}`,
    '',
  ];
}

interface SchemaShape {
  readonly type: string;
  readonly innerType?: { readonly _zod: { readonly def: SchemaShape } };
  readonly entries?: Readonly<Record<string, string>>;
}

function formOf(schema: z.ZodMiniType): string {
  let shape = schema._zod.def as unknown as SchemaShape;
  while (shape.innerType) shape = shape.innerType._zod.def;
  switch (shape.type) {
    case 'boolean':
      return '<boolean>';
    case 'int':
    case 'number':
      return '<number>';
    case 'array':
      return '<comma-separated list>';
    case 'object':
    case 'record':
      return '<json>';
    case 'enum':
      return Object.values(shape.entries ?? {}).join(' | ');
    default:
      return '<string>';
  }
}

function defaultOf(schema: z.ZodMiniType, isSecret: boolean): string {
  const given = schema.safeParse(undefined);
  if (!given.success) return 'none; needed';
  if (given.data === undefined || isSecret) return 'none';
  const { data } = given;
  if (Array.isArray(data)) return data.length === 0 ? 'empty' : data.join(', ');
  return typeof data === 'object' ? JSON.stringify(data) : String(data) || 'empty';
}

if (import.meta.main)
  writeOrCheck(
    new Map([
      [SPLUNK_CONF, renderSplunkConf()],
      [SPLUNK_CONF_SPEC, renderSplunkConfSpec()],
    ]),
  );
