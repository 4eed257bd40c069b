import * as z from 'zod/mini';

/** `YOUR_API_KEY`, `<key>`, `${KEY}`, `https://misp.example.org`, and the like. */
const PLACEHOLDER = /^(YOUR[_ -]|<|\$\{|xxx|changeme|change[_-]me|replace)|\bYOUR[_-]/i;

const text = z.optional(z.union([z.string(), z.number()]));
const SeedConfig = z.looseObject({
  misp: z.optional(z.looseObject({ url: text, key: text })),
  otx: z.optional(z.looseObject({ key: text })),
  virustotal: z.optional(z.looseObject({ key: text })),
  shodan: z.optional(z.looseObject({ key: text })),
  abuseipdb: z.optional(z.looseObject({ key: text })),
  outputs: z.optional(
    z.looseObject({ splunk_hec_url: text, splunk_hec_token: text, crowdstrike_client_id: text, crowdstrike_client_secret: text }),
  ),
});

/** What a seed pipeline's `config.yaml` becomes, and what a person should know about it. */
export interface ImportedConfig {
  /** Ours, ready to be written as YAML. Holds the secrets of the old one. */
  readonly config: Readonly<Record<string, unknown>>;
  readonly notes: readonly string[];
}

/** Turns the parsed `config.yaml` of the public IOC enrichment pipeline into ours. Throws when it is none. */
export function importSeedConfig(parsed: unknown): ImportedConfig {
  const result = SeedConfig.safeParse(parsed);
  if (!result.success)
    throw new TypeError(
      'this is not the config.yaml of the IOC enrichment pipeline, which has misp, otx, virustotal, shodan, abuseipdb and outputs',
    );
  const { misp, otx, virustotal, shodan, abuseipdb, outputs } = result.data;
  const notes: string[] = [];
  const feeds: Record<string, unknown> = {};
  const told: Record<string, unknown> = {};
  const providers: Record<string, unknown> = {};
  if (isSet(misp?.url) && isSet(misp.key)) {
    feeds.misp = { enabled: true, base_url: String(misp.url), api_key: String(misp.key), since_days: 1 };
    told.misp = { enabled: true, base_url: String(misp.url), api_key: String(misp.key) };
    notes.push('MISP gets its feedback by outputs.misp, as before; set enabled: false to stop that');
  }
  if (isSet(otx?.key)) feeds.otx = { enabled: true, api_key: String(otx.key) };
  for (const [id, block] of Object.entries({ virustotal, shodan, abuseipdb }))
    if (isSet(block?.key)) providers[id] = { api_key: String(block.key) };
  if (isSet(outputs?.splunk_hec_url) && isSet(outputs.splunk_hec_token)) {
    told.splunk_hec = {
      enabled: true,
      base_url: String(outputs.splunk_hec_url).replace(/\/services\/collector.*$/, ''),
      token: String(outputs.splunk_hec_token),
      min_score: 70,
    };
    notes.push('TLS of Splunk HEC is checked now; name a private certificate authority in outputs.splunk_hec.ca_file');
  }
  if (isSet(outputs?.crowdstrike_client_id) && isSet(outputs.crowdstrike_client_secret)) {
    told.crowdstrike = {
      enabled: true,
      client_id: String(outputs.crowdstrike_client_id),
      client_secret: String(outputs.crowdstrike_client_secret),
      min_score: 70,
    };
    notes.push('CrowdStrike detects and does not block');
  }
  for (const name of placeholdersIn(result.data)) notes.push(`${name} still holds a placeholder: it was left out`);
  const unread = Object.keys(result.data).filter((key) => !['misp', 'otx', 'virustotal', 'shodan', 'abuseipdb', 'outputs'].includes(key));
  if (unread.length > 0) notes.push(`not taken over: ${unread.join(', ')}`);
  notes.push('set ISMALICIOUS_API_KEY and ISMALICIOUS_API_SECRET to ask isMalicious too');
  const hasSecrets = [feeds, told, providers].some((part) => Object.keys(part).length > 0);
  if (hasSecrets) notes.push('the new file holds secrets: keep it readable for yourself only');
  const blocks = { feeds, providers, outputs: told, pipeline: { every_minutes: 240 } };
  return { config: Object.fromEntries(Object.entries(blocks).filter(([, block]) => Object.keys(block).length > 0)), notes };
}

/** Dotted names of the settings that hold a placeholder of the published example. */
function placeholdersIn(data: object, prefix = ''): string[] {
  return Object.entries(data).flatMap(([key, value]: [string, unknown]) => {
    if (typeof value === 'object' && value !== null) return placeholdersIn(value, `${prefix}${key}.`);
    return typeof value === 'string' && isPlaceholder(value) ? [`${prefix}${key}`] : [];
  });
}

function isPlaceholder(value: string): boolean {
  return PLACEHOLDER.test(value);
}

/** Placeholders of the published example count as not set. */
function isSet(value: string | number | undefined): value is string | number {
  return value !== undefined && value !== '' && !isPlaceholder(String(value));
}
