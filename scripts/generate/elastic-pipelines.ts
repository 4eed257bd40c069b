/**
 * Ingest pipelines. The sidecar does the work; a pipeline only guards what somebody else may have sent, hands over to the
 * user's `@custom` pipelines, and (Elasticsearch only) asks the enrich policy. Painless is kept to what 7.10 knows.
 */
import type { Asset, Target } from '../../src/search-engine/assets/asset.ts';
import { ASSET_VERSION, describePipeline } from './elastic-meta.ts';
import { ENRICH_POLICY } from './elastic-streams.ts';

type Processor = Readonly<Record<string, unknown>>;

/** Fields that the enrich policy is asked about, in the order in which the worst is sought. */
const ENRICHED_FIELDS = [
  'source.ip',
  'destination.ip',
  'client.ip',
  'server.ip',
  'dns.question.name',
  'destination.domain',
  'tls.client.server_name',
  'url.domain',
  'url.full',
  'file.hash.sha256',
  'file.hash.sha1',
  'file.hash.md5',
  'process.hash.sha256',
  'email.from.address',
] as const;

/** Pipelines of one target; each comes after those it calls. */
export function pipelineAssets(target: Target): Asset[] {
  const customs = target === 'elasticsearch' ? [] : [userPipeline('logs-ismalicious@custom'), userPipeline('logs-ti_ismalicious@custom')];
  const enrich = target === 'elasticsearch' ? [enrichMerge(), enrichLookups(), hookPipeline()] : [];
  return [normalise(), ...customs, ...enrich, eventDefault(target), iocDefault(target)];
}

function pipeline(name: string, about: string, processors: readonly Processor[], onFailure: readonly Processor[] = FAILED): Asset {
  const body = { description: describePipeline(about), version: ASSET_VERSION, processors, on_failure: onFailure };
  return { kind: 'ingest_pipeline', name, owner: 'pack', body };
}

/** A document whose pipeline failed is kept and says so. */
const FAILED: readonly Processor[] = [
  { append: { field: 'tags', value: ['_ismalicious_pipeline_failure'] } },
  {
    append: {
      field: 'error.message',
      value: [
        'Processor {{{_ingest.on_failure_processor_type}}} with tag {{{_ingest.on_failure_processor_tag}}} in pipeline {{{_ingest.pipeline}}} failed: {{{_ingest.on_failure_message}}}',
      ],
    },
  },
];

const GUARD = `
void relate(Map ctx, String list, def value) {
  if (!(value instanceof String)) { return; }
  if (ctx.related == null) { ctx.related = [:]; }
  if (!(ctx.related instanceof Map)) { return; }
  def there = ctx.related.get(list);
  if (there == null) { there = []; }
  if (there instanceof String) { there = [there]; }
  if (there instanceof List && !there.contains(value)) { there.add(value); ctx.related.put(list, there); }
}
// threat.enrichments: always a list of objects, whatever was sent.
if (ctx.threat instanceof Map && ctx.threat.containsKey('enrichments')) {
  def sent = ctx.threat.enrichments;
  def kept = [];
  if (sent instanceof Map) { kept.add(sent); }
  if (sent instanceof List) { for (def entry : sent) { if (entry instanceof Map) { kept.add(entry); } } }
  if (kept.isEmpty()) { ctx.threat.remove('enrichments'); } else { ctx.threat.enrichments = kept; }
  // related: what the entries name, once each.
  for (def entry : kept) {
    def indicator = entry.get('indicator');
    if (!(indicator instanceof Map)) { continue; }
    relate(ctx, 'ip', indicator.get('ip'));
    if (indicator.get('type') == 'domain-name' && indicator.get('url') instanceof Map) { relate(ctx, 'hosts', indicator.url.get('domain')); }
    if (indicator.get('file') instanceof Map && indicator.file.get('hash') instanceof Map) {
      for (def hash : indicator.file.hash.values()) { relate(ctx, 'hash', hash); }
    }
  }
}
// ismalicious: an object. Text there is an answer that could not be read: kept as words, marked as a failure.
if (ctx.ismalicious != null && !(ctx.ismalicious instanceof Map)) {
  def words = ctx.ismalicious.toString();
  ctx.ismalicious = ['verdict': 'unknown', 'status': 'bad_response', 'tier': 'review', 'message': words.length() > 1024 ? words.substring(0, 1024) : words];
  if (ctx.tags == null) { ctx.tags = []; }
  if (ctx.tags instanceof List && !ctx.tags.contains('_ismalicious_failure')) { ctx.tags.add('_ismalicious_failure'); }
}`.trim();

/** Most events have neither: a script that does nothing still costs a third of what the whole pipeline does (each one walks the document). */
const NEEDS_GUARD =
  "(ctx.threat instanceof Map && ctx.threat.containsKey('enrichments')) || (ctx.ismalicious != null && !(ctx.ismalicious instanceof Map))";

const PLAYBOOK = `
// The playbook's pipeline writes text, and literal %{...} when the API did not answer.
def old = ctx.threat.enrichment;
for (def name : ['malicious', 'score', 'category']) {
  if (old.containsKey(name) && old.get(name) instanceof String && old.get(name).startsWith('%{')) { old.remove(name); }
}
if (ctx.ismalicious == null) {
  def flat = [:];
  def said = old.containsKey('malicious') ? old.malicious.toString() : '';
  if (said == 'true') { flat.malicious = true; flat.verdict = 'malicious'; flat.status = 'ok'; }
  if (said == 'false') { flat.malicious = false; flat.verdict = 'clean'; flat.status = 'ok'; }
  if (said != 'true' && said != 'false') { flat.verdict = 'unknown'; flat.status = 'bad_response'; flat.tier = 'review'; }
  if (old.containsKey('score') && old.score != null) {
    try { flat.score = (long) Math.round(Double.parseDouble(old.score.toString())); } catch (NumberFormatException e) { flat.message = 'score is not a number'; }
  }
  if (old.containsKey('category') && old.category != null) {
    def words = [];
    if (old.category instanceof List) { words.addAll(old.category); }
    else { for (def word : old.category.toString().splitOnToken(',')) { if (!word.trim().isEmpty()) { words.add(word.trim()); } } }
    if (!words.isEmpty()) { flat.categories = words; }
  }
  ctx.ismalicious = flat;
}
if (old.isEmpty()) { ctx.threat.remove('enrichment'); }`.trim();

function normalise(): Asset {
  return pipeline('ismalicious@normalise', 'puts threat.enrichments and ismalicious.* into the shape that the mapping takes', [
    {
      script: {
        tag: 'guard',
        description: 'lists of objects where the mapping wants them',
        if: NEEDS_GUARD,
        lang: 'painless',
        source: GUARD,
      },
    },
    {
      script: {
        tag: 'playbook',
        description: "reads the vendor playbook's threat.enrichment.* (singular) where nothing newer is there",
        if: 'ctx.threat instanceof Map && ctx.threat.enrichment instanceof Map',
        lang: 'painless',
        source: PLAYBOOK,
      },
    },
  ]);
}

function eventDefault(target: Target): Asset {
  const hooks =
    target === 'elasticsearch'
      ? ['global@custom', 'logs@custom', 'logs-ismalicious@custom'].map(optionalHook)
      : [{ pipeline: { tag: 'custom', name: 'logs-ismalicious@custom' } }];
  return pipeline('logs-ismalicious@default', 'default pipeline of logs-ismalicious.*', [
    { set: { tag: 'timestamp', if: "ctx['@timestamp'] == null", field: '@timestamp', value: '{{{_ingest.timestamp}}}' } },
    { set: { tag: 'ingested', field: 'event.ingested', value: '{{{_ingest.timestamp}}}' } },
    { pipeline: { tag: 'normalise', name: 'ismalicious@normalise' } },
    ...hooks,
  ]);
}

const DROP_EMPTY = `
boolean isEmpty(def value) {
  return value == null || (value instanceof String && value.isEmpty()) || (value instanceof Map && value.isEmpty()) || (value instanceof List && value.isEmpty());
}
void dropEmpty(def value) {
  if (value instanceof Map) { for (def one : value.values()) { dropEmpty(one); } value.values().removeIf(one -> isEmpty(one)); }
  if (value instanceof List) { for (def one : value) { dropEmpty(one); } value.removeIf(one -> isEmpty(one)); }
}
for (def root : ['threat', 'ismalicious', 'related', 'event', 'labels']) {
  if (ctx.containsKey(root)) { dropEmpty(ctx.get(root)); if (isEmpty(ctx.get(root))) { ctx.remove(root); } }
}`.trim();

function iocDefault(target: Target): Asset {
  const constant = (field: string, value: unknown) => ({ set: { tag: field, field, value, override: false } });
  const hook =
    target === 'elasticsearch'
      ? optionalHook('logs-ti_ismalicious@custom')
      : { pipeline: { tag: 'custom', name: 'logs-ti_ismalicious@custom' } };
  return pipeline(
    'logs-ti_ismalicious@default',
    'default pipeline of logs-ti_ismalicious.*',
    [
      { set: { tag: 'ingested', field: 'event.ingested', value: '{{{_ingest.timestamp}}}' } },
      constant('@timestamp', '{{{_ingest.timestamp}}}'),
      constant('event.kind', 'enrichment'),
      { append: { tag: 'category', if: 'ctx.event?.category == null', field: 'event.category', value: ['threat'] } },
      { append: { tag: 'type', if: 'ctx.event?.type == null', field: 'event.type', value: ['indicator'] } },
      constant('event.module', 'ti_ismalicious'),
      constant('event.dataset', 'ti_ismalicious.indicator'),
      constant('threat.feed.name', 'isMalicious'),
      { script: { tag: 'drop-empty', description: 'leaves out what is not known', lang: 'painless', source: DROP_EMPTY } },
      hook,
    ],
    [{ set: { field: 'event.kind', value: 'pipeline_error' } }, ...FAILED],
  );
}

function optionalHook(name: string): Processor {
  return { pipeline: { tag: name, name, ignore_missing_pipeline: true } };
}

function userPipeline(name: string): Asset {
  const body = { description: describePipeline('yours: runs last; never changed by an update'), processors: [] };
  return { kind: 'ingest_pipeline', name, owner: 'user', body };
}

/** Where the enrich processors leave what they found: one member a field, dots as underscores. */
const FOUND = '_ismalicious_found';

function enrichLookups(): Asset {
  const lookups = ENRICHED_FIELDS.map((field) => ({
    enrich: {
      tag: `enrich-${field}`,
      policy_name: ENRICH_POLICY,
      field,
      target_field: `${FOUND}.${field.replaceAll('.', '_')}`,
      max_matches: 1,
      ignore_missing: true,
    },
  }));
  return pipeline(
    'ismalicious@enrich',
    'marks events by the indicators in logs-ti_ismalicious_latest.indicator; no call leaves Elasticsearch',
    [...lookups, { pipeline: { tag: 'merge', name: 'ismalicious@enrich-merge' } }],
    [{ remove: { field: FOUND, ignore_missing: true } }, ...FAILED],
  );
}

const MERGE = `
def at = ZonedDateTime.parse(ctx['${FOUND}'].now);
def worst = null;
def worstField = null;
def entries = [];
for (def field : params.fields) {
  def match = ctx['${FOUND}'].get(field.replace('.', '_'));
  if (!(match instanceof Map) || !(match.threat instanceof Map) || !(match.threat.indicator instanceof Map)) { continue; }
  def flat = match.ismalicious instanceof Map ? match.ismalicious : [:];
  if (flat.expires_at != null && ZonedDateTime.parse(flat.expires_at).isBefore(at)) { continue; }
  def value = ctx;
  for (def part : field.splitOnToken('.')) { value = value instanceof Map ? value.get(part) : null; }
  def atomic = value instanceof List ? match.threat.indicator.name : value;
  entries.add(['indicator': match.threat.indicator, 'feed': ['name': 'isMalicious'], 'matched': ['atomic': atomic, 'field': field, 'id': match.threat.indicator.name + '@' + field, 'occurred': at.toString(), 'type': 'indicator_match_rule']]);
  if (worst == null || (flat.score != null && (worst.score == null || flat.score > worst.score))) { worst = flat; worstField = field; worst.indicator = match.threat.indicator.name; }
}
ctx.remove('${FOUND}');
if (!entries.isEmpty()) {
  if (!(ctx.threat instanceof Map)) { ctx.threat = [:]; }
  if (ctx.threat.enrichments instanceof Map) { ctx.threat.enrichments = [ctx.threat.enrichments]; }
  if (ctx.threat.enrichments instanceof List) { ctx.threat.enrichments.addAll(entries); } else { ctx.threat.enrichments = entries; }
  if (ctx.ismalicious == null) {
    ctx.ismalicious = worst;
    ctx.ismalicious.field = worstField;
    ctx.ismalicious.source = 'local';
    ctx.ismalicious.remove('expires_at');
  }
}`.trim();

/** Turns what the enrich processors found into entries and flat twins. Pure, so that every engine can simulate it. */
function enrichMerge(): Asset {
  return pipeline('ismalicious@enrich-merge', 'turns found indicators into threat.enrichments and ismalicious.*', [
    { set: { tag: 'now', if: `ctx['${FOUND}'] != null`, field: `${FOUND}.now`, value: '{{{_ingest.timestamp}}}' } },
    {
      script: {
        tag: 'merge',
        if: `ctx['${FOUND}'] != null`,
        lang: 'painless',
        params: { fields: ENRICHED_FIELDS },
        source: MERGE,
      },
    },
  ]);
}

/** Elastic's hook for every `logs-*-*` data stream: indicators of the index, then the guard. */
function hookPipeline(): Asset {
  const body = {
    description: describePipeline('marks events of every logs-*-* data stream by known indicators'),
    processors: [
      {
        pipeline: {
          tag: 'enrich',
          if: 'ctx.ismalicious == null && ctx.event?.module != "ti_ismalicious"',
          name: 'ismalicious@enrich',
          ignore_missing_pipeline: true,
        },
      },
      {
        pipeline: {
          tag: 'normalise',
          if: 'ctx.ismalicious != null || ctx.threat != null',
          name: 'ismalicious@normalise',
          ignore_missing_pipeline: true,
        },
      },
    ],
  };
  return { kind: 'ingest_pipeline', name: 'logs@custom', owner: 'hook', body };
}
