import type { Blocks } from '../../src/config/load.ts';
import { settingMeta, toSnakeCase } from '../../src/config/setting.ts';
import { CORE_BLOCKS } from '../../src/compose/core-blocks.ts';
import { HOST_SETTINGS } from '../../src/compose/host-settings.ts';
import { providerBlock } from '../../src/config/provider-settings.ts';
import { FEEDS } from '../../src/feeds/registry.ts';
import { OUTPUTS } from '../../src/outputs/registry.ts';
import { pipelineBlocks } from '../../src/pipeline/open-pipeline.ts';
import { feedBlock, outputBlock } from '../../src/pipeline/settings/pipeline-settings.ts';
import { loadProviders, providerIds } from '../../src/providers/registry.ts';
import { mutate } from './mutations.ts';

type Random = (below: number) => number;

/** Stands where a secret stands: nothing that is said of a configuration may hold it. */
export const CANARY = 'Canary-7f3a9c51e0b84d26-S3CRET';

/** One setting, as every source spells it. */
export interface KnownSetting {
  /** Dotted, as in YAML. */
  readonly key: string;
  readonly path: string;
  readonly name: string;
  readonly env: string;
  readonly isSecret: boolean;
}

/** Every setting there is, whichever program reads it. */
export async function everySetting(): Promise<KnownSetting[]> {
  const providers = await loadProviders(new Set(providerIds));
  const blocks: Blocks = {
    ...CORE_BLOCKS,
    ...HOST_SETTINGS,
    ...pipelineBlocks({ env: {} }),
    ...Object.fromEntries(providers.map(({ id, settings }) => [`providers.${id}`, providerBlock(id, settings)])),
    ...Object.fromEntries(FEEDS.map((feed) => [`feeds.${feed.id}`, feedBlock(feed)])),
    ...Object.fromEntries(OUTPUTS.map((output) => [`outputs.${output.id}`, outputBlock(output)])),
  };
  return Object.entries(blocks).flatMap(([path, { shape }]) =>
    Object.entries(shape).map(([camel, setting]) => {
      const name = toSnakeCase(camel);
      const meta = settingMeta.get(setting);
      return { key: `${path}.${name}`, path, name, env: meta?.env ?? '', isSecret: meta?.secret === true };
    }),
  );
}

const nested = (depth: number): unknown => JSON.parse(`${'['.repeat(depth)}1${']'.repeat(depth)}`) as unknown;

/** What a hand, a template or a wrong tool puts where a value belongs. */
export const HOSTILE_VALUES: readonly (readonly [name: string, value: unknown])[] = [
  ['a text', CANARY],
  ['a long text', CANARY.repeat(4000)],
  ['control characters', `${CANARY}\u001b[2J\u0000\r\n`],
  ['a negative number', -1],
  ['a huge number', 1e308],
  ['no number', Number.NaN],
  ['infinity', Number.POSITIVE_INFINITY],
  ['a fraction', 0.5],
  ['true', true],
  ['an empty list', []],
  ['a list', [CANARY, 1, null]],
  ['a deep list', nested(500)],
  ['a map', { [CANARY]: CANARY }],
  ['a map of the prototype', JSON.parse(`{"__proto__":{"x":"${CANARY}"},"constructor":"${CANARY}"}`)],
  ['a date', new Date(0)],
  ['an address', `https://user:${CANARY}@evil.example/`],
];

/** Nested maps with one value at a dotted path. */
export function atPath(path: string, value: unknown): Record<string, unknown> {
  return path.split('.').reduceRight<unknown>((inner, key) => ({ [key]: inner }), value) as Record<string, unknown>;
}

const SECRET_SAMPLE = `
sidecar:
  token: ${CANARY}
  port: 8765
  allowed_hosts: [enrich.corp.example]
providers:
  ismalicious:
    x_api_key: "${CANARY}"
    budget_per_day: 5000
  virustotal: { api_key: '${CANARY}', per_minute: 4 }
  abuseipdb:
    api_key: >-
      ${CANARY}
privacy:
  own_domains: [corp.example]
  own_networks: ["203.0.113.0/24", 2001:db8::/32]
scoring:
  p1: 80
feeds:
  otx: &feed
    enabled: true
    api_key: ${CANARY}
outputs:
  splunk_hec:
    enabled: true
    base_url: https://splunk.example:8088
    token: ${CANARY}
  webhook: { enabled: false, base_url: "https://hooks.example/x", secret: ${CANARY} }
profiles:
  soc:
    providers: { greynoise: { api_key: ${CANARY} } }
`;

/** A configuration as somebody has it, with a canary wherever a secret stands. */
export const SAMPLE_YAML = Buffer.from(SECRET_SAMPLE);

const YAML_PIECES = [
  ': ', '- ', '  ', '\t', '\n', '#', '&a ', '*a', '*nobody ', '!!binary ', '!Tag ', '!!js/function ', '|', '>', '---\n', '...\n', '%YAML 9.9\n',
  '<<: *feed', '? ', "'", '"', '{', '}', '[', ']', ',', '~', '.inf', '.nan', '0x', '__proto__:', 'constructor: ', '\u2028', '\uFEFF', '\0', '@', '`',
].map((text) => Buffer.from(text)); // prettier-ignore

/** The sample with one to four changes of bytes or of what means something in YAML. */
export function mutatedYaml(random: Random): Buffer {
  if (random(3) === 0) return mutate(SAMPLE_YAML, random);
  let bytes = SAMPLE_YAML;
  for (let n = 1 + random(3); n > 0; n--) {
    const at = random(bytes.length + 1);
    const piece = YAML_PIECES[random(YAML_PIECES.length)]!;
    bytes = Buffer.concat([bytes.subarray(0, at), piece, bytes.subarray(at + random(2) * random(8))]);
  }
  return bytes;
}
