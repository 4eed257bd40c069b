import type * as z from 'zod/mini';
import { settingMeta, toSnakeCase } from '../../src/config/setting.ts';
import type { Provider, Quota } from '../../src/providers/provider.ts';
import { loadProviders } from '../../src/providers/registry.ts';
import { writeOrCheck } from './generated-file.ts';

const providers = await loadProviders();

/** Where the page lies, from the project's root. */
export const PROVIDERS_DOC = 'docs/providers.md';

const UNITS: readonly (readonly [perMs: number, unit: string])[] = [
  [604_800_000, 'week'],
  [86_400_000, 'day'],
  [3_600_000, 'hour'],
  [60_000, 'minute'],
  [1000, 'second'],
];

/** How one provider is asked at several places. */
const INSTANCES = [
  '## Several instances of one provider',
  '',
  'Two MISP servers, a sidecar in each data centre, a second key: give each a block with a name of its own inside the block of the provider.',
  '',
  '```yaml',
  'providers:',
  '  misp:',
  '    hq:',
  '      base_url: https://misp.hq.example',
  '      api_key: …',
  '    cert:',
  '      base_url: https://misp.cert.example',
  '      api_key: …',
  '      max_tlp: AMBER',
  '      weight: 0.6',
  '```',
  '',
  'Each is a provider like any other, with the id `misp.hq`: settings, limits, budgets, health, figures, cached answers and weight of its own, and a',
  'line of its own in every answer. Nothing is passed on from `providers.misp`: what is set there and applies to none of them stops the start. A',
  'key may come from the environment (`MISP_HQ_API_KEY`; also every other setting: `MISP_CERT_MAX_TLP`), under a profile, or in Splunk: `[providers.misp.hq]`',
  'in `local/ismalicious.conf`, its key as `providers.misp.hq.api_key` in the credential store. The block has to be there for the environment to',
  'count (`hq: {}`). Names: 1 to 32 of a-z, 0-9 and _, a letter first. `providers=misp`, `--providers misp` ask all of them (and `misp`, if it has a key of its own), `misp.hq` one.',
  '',
];

/** `docs/providers.md`, made from the registry: a new provider has its section without anybody writing it. */
export function renderProvidersDoc(all: readonly Provider[] = providers): string {
  return `${[...introduction(all), ...all.flatMap(section)].join('\n').trimEnd()}\n`;
}

function introduction(all: readonly Provider[]): string[] {
  return [
    '# Providers',
    '',
    'Made by `scripts/generate/providers-doc.ts` from `src/providers/registry.ts`; do not edit.',
    '',
    'A provider is asked as soon as it has its key (`providers.<id>.api_key` or `<ID>_API_KEY`). One that needs no key is asked when',
    '`providers.<id>.enabled` is true. Besides the settings below each has the common ones (`enabled`, `types`, `fields`, `timeout_ms`, `concurrency`,',
    '`per_minute`, `per_day`, `budget_per_day`, `budget_per_month`, `max_tlp`, `send_url`, `send_email`, `weight`, `proxy`, `ca_file`, `cert_file`, `key_file`).',
    '',
    '"Not listed" means that a provider answered and does not know the value. It is never read as clean.',
    '',
    ...table(
      ['id', 'name', 'asked about', 'limits by default', 'credits', 'up to TLP', 'weight', 'many at once'],
      all.map((provider) => [
        `[${provider.id}](#${anchor(provider)})`,
        provider.title,
        provider.types.join(' '),
        limitsOf(provider),
        String(provider.cost),
        provider.maxTlp,
        String(provider.weight ?? 1),
        provider.bulk ? String(provider.bulk.maxSize) : '—',
      ]),
    ),
    '',
    ...INSTANCES,
    'Your own sources can be declared without code: see [custom providers](custom-providers.md).',
    '',
  ];
}

function section(provider: Provider): string[] {
  const settings = Object.entries(provider.settings.shape);
  return [
    `## ${heading(provider)}`,
    '',
    ...(provider.retired ? [`**Off unless enabled by hand.** ${provider.retired}`, ''] : []),
    ...(provider.scale ? [`Score: ${provider.scale}`, ''] : []),
    ...(provider.terms ? [`Terms: ${provider.terms}`, ''] : []),
    `API: <${provider.docs}>`,
    '',
    ...table(
      ['setting', 'environment', 'default', 'what'],
      settings.map(([key, schema]) => {
        const meta = settingMeta.get(schema);
        return [`\`${toSnakeCase(key)}\``, `\`${meta?.env ?? ''}\``, defaultOf(schema, meta?.secret === true), meta?.doc ?? ''];
      }),
    ),
    '',
  ];
}

function heading({ id, title }: Provider): string {
  return `${title} (${id})`;
}

/** GitHub's rule: lower case, punctuation dropped, blanks as hyphens. */
function anchor(provider: Provider): string {
  return heading(provider)
    .toLowerCase()
    .replace(/[^\w\- ]/g, '')
    .replaceAll(' ', '-');
}

function limitsOf({ quotas, concurrency }: Provider): string {
  const limits = (quotas ?? []).map(({ requests, perMs }: Quota) => `${requests} per ${unitOf(perMs)}`);
  return [...limits, ...(concurrency ? [`${concurrency} in flight`] : [])].join(', ');
}

function unitOf(perMs: number): string {
  return UNITS.find(([ms]) => ms === perMs)?.[1] ?? `${perMs / 1000} seconds`;
}

function defaultOf(schema: z.ZodMiniType, isSecret: boolean): string {
  const given = schema.safeParse(undefined);
  if (!given.success) return 'required';
  if (given.data === undefined || isSecret) return '—';
  return `\`${String(given.data)}\``;
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string[] {
  const line = (cells: readonly string[]) => `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`;
  return [line(head), line(head.map(() => '---')), ...rows.map(line)];
}

if (import.meta.main) writeOrCheck(new Map([[PROVIDERS_DOC, renderProvidersDoc()]]));
