import { EXPORT_FORMATS } from '../../../pipeline/export-formats.ts';
import { flag, type Synopsis, text } from '../synopsis.ts';
import { ENGINE_ACCESS_OPTIONS, SETTINGS_OPTIONS } from './shared-options.ts';

const GROUP = 'Stored data';

/** `ismalicious cache stats|purge|export|import` */
export const cacheSynopsis = {
  name: 'cache',
  group: GROUP,
  summary: 'Show the verdict cache, delete what is out of date, or carry it to another site.',
  actions: {
    stats: { takes: '', doc: 'file, rows and size' },
    purge: { takes: '', doc: 'delete answers whose lifetime ended before --older-than' },
    export: { takes: 'FILE', doc: 'write answers and lists into one signed file, for a site without a network' },
    import: { takes: 'FILE', doc: 'take such a file, if it is signed with the key of --verify' },
  },
  options: {
    sign: text('KEYFILE', 'for export: private Ed25519 key (PEM)'),
    verify: text('FILE', 'for import: public Ed25519 key (PEM)'),
    type: text('T,…', 'for export: only these types of indicators, such as ipv4-addr'),
    tier: text('T,…', 'for export: only these tiers, such as p1,p2'),
    tlp: text('LABEL', 'for export: nothing stricter; what is not marked counts as AMBER'),
    'older-than': text('AGE', 'default 7d; 0s deletes everything that is out of date'),
    json: flag('one JSON object'),
    ...SETTINGS_OPTIONS,
  },
  examples: [
    ['cache purge --older-than 24h', 'what ended more than a day ago'],
    ['cache export known.ndjson --sign key.pem --tlp GREEN', 'what may be shared in the community'],
  ],
} satisfies Synopsis;

/** `ismalicious store stats|check|export|purge|quarantine|replay` */
export const storeSynopsis = {
  name: 'store',
  group: GROUP,
  summary: 'Look into the indicator store of the pipeline, export it, clean it up, send quarantined messages again.',
  actions: {
    stats: { takes: '', doc: "what is in it, and how each output's journal stands" },
    check: { takes: '', doc: 'read the whole file and list what is broken; exit 1 when something is' },
    export: { takes: '', doc: 'all indicators in --format' },
    purge: { takes: '', doc: 'delete indicators not confirmed within --older-than (365d)' },
    quarantine: {
      takes: '',
      doc: 'with their reasons: messages of --output ID that were given up, or what --feeds sent that could not be taken',
    },
    replay: { takes: '', doc: 'put quarantined messages of --output ID back; they go with the next run' },
  },
  options: {
    format: text('F', 'ndjson (default), csv, stix, seed (SHA-256 keyed table of the seed pipeline)', EXPORT_FORMATS),
    out: text('FILE', 'write there instead of stdout'),
    'older-than': text('AGE', 'for purge: 90d, 52w'),
    output: text('ID', 'an output of the pipeline, like splunk_hec'),
    feeds: flag('for quarantine: items of feeds'),
    feed: text('ID', 'for quarantine: items of that feed only, like csv'),
    limit: text('N', 'most messages or items to show or put back (1000)'),
  },
  examples: [
    ['store export --format stix --out indicators.json', 'everything that was judged'],
    ['store replay --output splunk_hec', 'send again what was given up'],
    ['store quarantine --feeds', 'what of the feeds could not be taken, and why'],
  ],
} satisfies Synopsis;

/** `ismalicious feedback add|list|remove` */
export const feedbackSynopsis = {
  name: 'feedback',
  group: GROUP,
  summary: "Override a value: an analyst's decision counts instead of the providers' answers, until it ends.",
  actions: {
    add: { takes: 'VALUE…', doc: 'take an override; an earlier one on the same value ends' },
    list: { takes: '', doc: 'overrides in force; --all: also those that ended' },
    remove: { takes: 'VALUE…', doc: 'take an override back' },
  },
  options: {
    verdict: text('WORD', 'malicious, suspicious or clean', ['malicious', 'suspicious', 'clean']),
    reason: text('TEXT', 'why; shown with every answer'),
    author: text('NAME', 'who decides (default: USER)'),
    score: text('N', '0 to 100 (default 95, 55 or 0 by the verdict)'),
    for: text('AGE', 'how long it counts: 12h, 30d (default: until it is taken back)'),
    all: flag('for list: also overrides that ended'),
    json: flag('one JSON object a line'),
    ...SETTINGS_OPTIONS,
  },
  examples: [['feedback add 198.51.100.7 --verdict clean --reason "our scanner" --for 30d', 'a false alarm, for thirty days']],
} satisfies Synopsis;

/** `ismalicious lists show|update` */
export const listsSynopsis = {
  name: 'lists',
  group: GROUP,
  summary:
    'Fetch MISP warning lists of clouds, CDNs, public resolvers, sinkholes and scanners: their members get an attribute, no verdict.',
  actions: {
    show: { takes: '', doc: 'what was fetched, and when' },
    update: { takes: '[NAME…]', doc: 'fetch these lists of MISP/misp-warninglists, by default those of infrastructure' },
  },
  options: { from: text('URL', 'a mirror: the folder that holds lists/<name>/list.json') },
  examples: [['lists update', 'from cron, once a day']],
  note: 'Exit code 3: some lists could not be fetched; those that were there stay.',
} satisfies Synopsis;

/** `ismalicious trace ID…` */
export const traceSynopsis = {
  name: 'trace',
  group: GROUP,
  summary: 'Show what was sent to which provider, when, by which program, user and search: the audit log, older files included.',
  words: {
    takes: 'ID…',
    doc: 'a value, also defanged; what im_trace or ismalicious.trace says of a row or document; or a run, search or user as a line of the log names it',
  },
  options: {
    since: text('AGE', 'only calls of the last 12h, 30d, …'),
    json: flag('the records as they are, one JSON object a line'),
    csv: flag('a table for a spreadsheet'),
  },
  examples: [
    ['trace 198.51.100.7 --since 7d', 'who asked whom about it in the last week'],
    ["trace 'virustotal@2026-11-21T10:00:00Z#0f3a9c21b7de' --json", 'the call that an answer came from'],
  ],
  note: 'Exit code 1: none of it is in the log; 3: some of it is not.',
} satisfies Synopsis;

/** `ismalicious report` */
export const reportSynopsis = {
  name: 'report',
  group: GROUP,
  summary:
    "The week's figures against their targets: true-positive rate, latency, success rate, calls and cost per provider, by whom; and eight weeks of them.",
  options: {
    days: text('N', 'how many days (UTC), today included (default 7)'),
    json: flag('one JSON object'),
    index: flag('write the last eight whole weeks into the search engine, for its dashboard; each week once'),
    ...SETTINGS_OPTIONS,
    ...ENGINE_ACCESS_OPTIONS,
  },
  examples: [
    ['report --days 30', 'the last thirty days'],
    ['report --index --url http://127.0.0.1:9200', 'weekly, from cron'],
  ],
} satisfies Synopsis;
