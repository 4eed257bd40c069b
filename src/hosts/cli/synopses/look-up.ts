import { flag, type Synopsis, text, texts } from '../synopsis.ts';
import { ENGINE_OPTIONS, EXIT_CODE } from './shared-options.ts';

const GROUP = 'Look up';

/** What `enrich` reads and writes. */
export const ENRICH_FORMATS = ['csv', 'ndjson', 'json', 'log', 'list', 'playbook'] as const;

/** `ismalicious check VALUE…` */
export const checkSynopsis = {
  name: 'check',
  group: GROUP,
  summary: 'Look up IP addresses, domains, URLs and hashes, as they stand in an alert.',
  words: { takes: 'VALUE…', doc: 'also defanged; - reads stdin and FILE a file, one value a line' },
  options: {
    json: flag('one JSON object a line'),
    explain: flag('what each provider contributed to the score; with --json as a member explain'),
    trace: flag('where each answer comes from: sources, when they answered, ids for `ismalicious trace`; with --json as a member trace'),
    'exit-code': EXIT_CODE,
    ...ENGINE_OPTIONS,
    timeout: text('S', 'seconds for the whole answer (default: 30; none: wait as long as it takes)'),
  },
  examples: [
    ['check 198.51.100.7 hxxp://login-portal[.]example/reset', 'two values as they stand in an alert'],
    ['check 198.51.100.7 --explain', 'how the score came about'],
    ['check iocs.txt --json', 'a list, for a program to read'],
    ['extract mail.eml | ismalicious check -', 'everything a mail holds'],
  ],
} satisfies Synopsis;

/** `ismalicious enrich [FILE|-]` */
export const enrichSynopsis = {
  name: 'enrich',
  group: GROUP,
  summary: 'Enrich files of events, logs or lists of indicators; everything else in them stays as it is.',
  words: { takes: '[FILE…|-]', doc: 'files, or patterns in quotes, packed (.gz, .zst) or not; - or nothing reads stdin' },
  options: {
    field: texts('F', 'column or dotted field to look up; repeat or separate by commas (CSV: needed; events: ECS fields by default)'),
    format: text(
      'FORMAT',
      "by default the file's ending; ndjson for stdin. log: any lines → the same lines and, behind tabs, verdict, status, score and indicator; list: a value a line → one JSON object a line; playbook: a value a line → the JSON array of the vendor's batch script",
      ENRICH_FORMATS,
    ),
    out: text(
      'FILE',
      'write there instead of stdout; a run from file to file that broke off goes on where it stopped when it is started again (its place is in FILE.journal)',
    ),
    'out-dir': text('DIR', 'write each file there under its own name: for several files'),
    delimiter: text('CHAR', 'between the cells of a CSV: one character, or tab; by default it is detected'),
    follow: flag('read on as lines are added, like tail -F (log, ndjson): from the beginning, across rotation, until Ctrl-C'),
    restart: flag('start again from the beginning, whatever FILE.journal says'),
    store: flag("note in the pipeline's store who was seen with what (see: watch who)"),
    budget: text('N', 'look-ups this run may pay'),
    trace: flag('where each answer comes from, for `ismalicious trace`: a column im_trace, in events ismalicious.trace (see ecs.trace)'),
    'exit-code': EXIT_CODE,
    ...ENGINE_OPTIONS,
  },
  examples: [
    ['enrich events.csv --field src_ip,dest_ip --out enriched.csv', 'two columns of a CSV file'],
    ['enrich events.ndjson', 'ECS events, to stdout'],
    ['enrich access.log --follow --out judged.log', 'a log as it grows, its verdicts behind each line'],
    ["enrich '/var/log/nginx/*.log.gz' --out-dir judged", 'several packed files'],
  ],
} satisfies Synopsis;

/** `ismalicious extract [FILE|-]` */
export const extractSynopsis = {
  name: 'extract',
  group: GROUP,
  summary: 'Find indicators in a text, a log, an e-mail, a page, a document or an archive, defanged ones too.',
  words: { takes: '[FILE|-]', doc: '- or nothing reads stdin' },
  options: {
    json: flag('one JSON object a line: type, value, original, offset (in characters from the start)'),
    unique: flag('each indicator once'),
  },
  examples: [['extract mail.eml --unique', 'every indicator of a mail, once']],
} satisfies Synopsis;

/** `ismalicious plan [FILE|-]` */
export const planSynopsis = {
  name: 'plan',
  group: GROUP,
  summary: 'Show what looking up a list would cost. Spends nothing.',
  words: { takes: '[FILE|-]', doc: 'one value a line, or CSV; - or nothing reads stdin' },
  options: {
    field: text('F', 'CSV: the columns that hold the indicators, separated by commas'),
    json: flag('one JSON object'),
    ...ENGINE_OPTIONS,
  },
  examples: [
    ['plan iocs.txt', 'look-ups to pay, and how long they take at the limits'],
    ['plan events.csv --field src_ip,dest_ip', 'two columns of a CSV file'],
  ],
} satisfies Synopsis;
