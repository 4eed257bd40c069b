/** The arguments of a command of SPL: `name=value` pairs and what stands without a name. */
export interface SplArguments {
  readonly named: ReadonlyMap<string, string>;
  readonly bare: readonly string[];
  /** As it was written, behind the name of the command. */
  readonly written: string;
}

/** What a command becomes; a text says why it stays. */
export type Rewrite = { readonly is: string; readonly meaning: readonly string[] } | string;

/** A command of another app. */
export interface ForeignCommand {
  readonly app: string;
  rewrite(args: SplArguments): Rewrite;
}

const ADDRESS = /^[\da-f.:]*[.:][\da-f.:]*$/i;
const FIELD = /^[A-Za-z_][\w.{}:]*$/;

const SHARED = [
  'a value is asked once, also over several searches, and not at all while the cache knows it; private addresses are never sent',
  'what is not listed and what failed has an empty im_malicious and im_verdict="unknown", which is not clean; im_status says how it went',
];

const MEANING: ReadonlyMap<string, readonly string[]> = new Map(
  Object.entries({
    greynoise: [
      'GreyNoise’s classification is read into im_verdict; noise and RIOT have no field of their own, they are in im_category and im_attributes',
      ...SHARED,
    ],
    virustotal: ['im_score is made of the engines that accuse; the counts of engines have no field of their own', ...SHARED],
    abuseipdb: [
      'im_score is the abuse confidence score; an address that was never reported has no score instead of 0',
      'reports of how many days count is a setting: max_age_days of abuseipdb',
      ...SHARED,
    ],
    misp: [
      'attributes are not copied into the event: im_category has their tags, im_reference a page; the worst of several values speaks',
      ...SHARED,
    ],
  }),
);

function meaningOf(provider: string): readonly string[] {
  return MEANING.get(provider) ?? SHARED;
}

/** `ismalicious` on fields. */
function onFields(fields: readonly string[], provider: string, prefix?: string): Rewrite {
  const odd = fields.find((field) => !FIELD.test(field));
  if (odd !== undefined) return `"${odd}" is not a field name that can be taken over: write | ismalicious FIELD providers=${provider}`;
  const shown = prefix === undefined ? '' : ` prefix=${prefix}`;
  return { is: `ismalicious ${fields.join(' ')} providers=${provider}${shown}`, meaning: meaningOf(provider) };
}

/** `ismaliciouscheck` on a value that is typed in. */
function onValue(value: string, provider: string): Rewrite {
  return {
    is: `ismaliciouscheck value="${value.replaceAll('"', '\\"')}" providers=${provider}`,
    meaning: ['one row for each provider and a merged one, in im_* fields', ...meaningOf(provider)],
  };
}

/** A command that takes a typed value or, by another option, a field. */
function valueOrField(app: string, provider: string): ForeignCommand {
  return {
    app,
    rewrite({ named }) {
      const field = named.get('ip_field');
      const value = named.get('ip');
      if (field !== undefined) return onFields([field], provider);
      return value === undefined ? 'it names neither ip nor ip_field' : onValue(value, provider);
    },
  };
}

/** A command on fields, by the names of the options that name them. */
function byOptions(app: string, provider: string, options: readonly string[]): ForeignCommand {
  return {
    app,
    rewrite({ named }) {
      const fields = options.flatMap((option) => named.get(option) ?? []);
      return fields.length === 0 ? `it names none of ${options.join(', ')}` : onFields(fields, provider);
    },
  };
}

function never(app: string, reason: string): ForeignCommand {
  return { app, rewrite: () => reason };
}

function abuseipdb({ named }: SplArguments): Rewrite {
  const mode = named.get('mode') ?? 'check';
  if (mode !== 'check') return `mode=${mode} does something else than look up: keep that app for it`;
  const ip = named.get('ip');
  if (ip === undefined) return 'it names no ip';
  const prefix = named.get('prefix');
  if (ADDRESS.test(ip)) {
    const looked = onFields(['im_asked'], 'abuseipdb', prefix);
    return typeof looked === 'string' ? looked : { ...looked, is: `eval im_asked="${ip}" | ${looked.is}` };
  }
  return onFields([ip], 'abuseipdb', prefix);
}

const GN = 'GreyNoise';
const MISP = 'misp42splunk';
const MISP_FEED = 'attributes that are fetched whole are a feed here: see the feed misp in docs/pipeline.md';

/** The commands of other apps that are known, as their public documents give them in November 2026. */
export const FOREIGN_COMMANDS: Readonly<Record<string, ForeignCommand>> = {
  gnenrich: byOptions(GN, 'greynoise', ['ip_field']),
  gnmulti: byOptions(GN, 'greynoise', ['ip_field']),
  gnquick: valueOrField(GN, 'greynoise'),
  gnriot: valueOrField(GN, 'greynoise'),
  gncontext: valueOrField(GN, 'greynoise'),
  gnip: valueOrField(GN, 'greynoise'),
  gnfilter: never(GN, 'it keeps events by noise alone, which has no field here: write | ismalicious FIELD providers=greynoise | where …'),
  gnquery: never(GN, 'there is no query language of GreyNoise here'),
  gnstats: never(GN, 'there is no query language of GreyNoise here'),
  gnoverview: never(GN, 'it shows the account’s own data; see | ismaliciousquota for credits'),
  gniptimeline: never(GN, 'there is no history by day here'),
  gnipsimilar: never(GN, 'similar addresses are not looked for here'),
  gncve: never(GN, 'it is about vulnerabilities, not about who is seen in events'),
  vt4splunk: byOptions('VT4Splunk', 'virustotal', ['ip', 'hash', 'url', 'domain']),
  abuseipdb: { app: 'AbuseIPDB', rewrite: abuseipdb },
  abuseipdbcheck: { app: 'AbuseIPDB', rewrite: abuseipdb },
  abuseipdbreports: never('AbuseIPDB', 'single reports are not fetched here'),
  mispsearch: byOptions(MISP, 'misp', ['field']),
  mispsight: never(MISP, 'sightings of MISP are not read here; ismalicious watch who says which machines met a value'),
  mispgetioc: never(MISP, MISP_FEED),
  mispgetevent: never(MISP, MISP_FEED),
  mispapireport: never(MISP, MISP_FEED),
  mispcollect: never(MISP, MISP_FEED),
  misprest: never(MISP, 'it calls any path of MISP; only look-ups and feeds are known here'),
};

/** Fields of those apps that have a counterpart, and those that have none (with what to use). */
export const FOREIGN_FIELDS: readonly { readonly of: RegExp; readonly is?: string; readonly meaning: string }[] = [
  {
    of: /^abuseConfidenceScore$|^abuseipdb_abuse_?[sS]core$/,
    is: 'im_score',
    meaning: 'empty instead of 0 when the address was never reported',
  },
  { of: /^(?:greynoise_)?classification$/, is: 'im_verdict', meaning: 'benign reads clean' },
  { of: /^vt_(?:detections|total_engines|malicious)$/, meaning: 'counts of engines have no field: use im_verdict or im_score' },
  { of: /^(?:greynoise|gn)_\w+$/, meaning: 'no counterpart: see docs/fields.md' },
  { of: /^vt_\w+$/, meaning: 'no counterpart: see docs/fields.md' },
  { of: /^abuseipdb_\w+$/, meaning: 'no counterpart: see docs/fields.md' },
  { of: /^misp_\w+$/, meaning: 'attributes of MISP are not copied into events: see im_category, im_reference' },
];
