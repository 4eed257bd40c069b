import { TARGETS } from '../../../search-engine/assets/targets.ts';
import { flag, type Synopsis, text, texts } from '../synopsis.ts';
import { SETTINGS_OPTIONS, ENGINE_ACCESS_OPTIONS } from './shared-options.ts';

const GROUP = 'Elasticsearch, OpenSearch, Logstash';

/** Look-ups that `backfill` pays when it is not told otherwise. */
export const BACKFILL_BUDGET = 1000;

/** `ismalicious elastic install|diff|uninstall|refresh` */
export const elasticSynopsis = {
  name: 'elastic',
  group: GROUP,
  summary: 'Put templates, pipelines and what belongs to them into Elasticsearch or OpenSearch.',
  actions: {
    install: { takes: '', doc: 'put what is missing or different; what is equal, or not ours, is not touched' },
    diff: { takes: '', doc: 'name what differs; exit 1 when something does' },
    uninstall: { takes: '', doc: 'remove what was put; data and @custom assets stay' },
    refresh: { takes: '', doc: "rebuild what Elasticsearch's enrich processors read (for a timer)" },
  },
  options: {
    target: text('T', 'the engine', TARGETS),
    'dry-run': flag('show what would be done, do nothing'),
    hooks: flag('also logs@custom, which acts on every logs-*-* data stream'),
    assets: text('DIR', "the pack's elastic/ folder (default: beside the program)"),
    ...ENGINE_ACCESS_OPTIONS,
  },
  examples: [
    ['elastic install --target elasticsearch --url https://es:9200 --dry-run', 'see first what would be put'],
    ['elastic diff --target opensearch --url https://os:9200', 'what was changed since'],
  ],
} satisfies Synopsis;

/** `ismalicious backfill` */
export const backfillSynopsis = {
  name: 'backfill',
  group: GROUP,
  summary: 'Enrich documents that are in Elasticsearch or OpenSearch already.',
  options: {
    index: text('I', 'index, data stream or pattern, as a search takes it'),
    since: text('AGE', 'events not older than this: 24h, 30d (default: all)'),
    query: text('FILE', "only documents of this query, in the engine's query DSL"),
    field: texts('F', 'dotted field to look up; repeat or separate by commas (default: ECS fields)'),
    'time-field': text('F', 'when an event was (default @timestamp); newest first'),
    'retry-failures': flag('also documents that carry a failure tag'),
    budget: text('N', `look-ups this run may pay, ${BACKFILL_BUDGET} by default; "all": no limit`),
    'page-size': text('N', 'documents in one call, 1 to 1000 (default 250)'),
    parallel: text('N', 'parts read and written at once, 1 to 8 (default 2)'),
    state: text('FILE', 'where the run keeps its place (default: in the state folder)'),
    'dry-run': flag('show how many documents there are and what they would cost'),
    json: flag('the report as one JSON object'),
    ...SETTINGS_OPTIONS,
    ...ENGINE_ACCESS_OPTIONS,
  },
  examples: [['backfill --url https://es:9200 --index logs-x --since 7d --dry-run', 'what the last seven days would cost']],
  note: 'Can be stopped and started again: what is written is not done twice, and changes made by others are not overwritten.',
} satisfies Synopsis;

/** `ismalicious replay FILE…` */
export const replaySynopsis = {
  name: 'replay',
  group: GROUP,
  summary: 'Look up again what Logstash spooled, write what is answered now, and keep the rest for later.',
  words: { takes: 'FILE…', doc: 'spool files, an event a line; Logstash may be writing to them' },
  options: { out: text('FILE', 'append there instead of stdout'), ...SETTINGS_OPTIONS },
  examples: [['replay spool-2026-11-20.ndjson --out answered.ndjson', 'one day of the spool']],
  note: 'What fails again is kept in FILE.kept.ndjson. After a kill run it again: it goes on, and tags events that may be out already _ismalicious_repeated.',
} satisfies Synopsis;
