import { flag, type Synopsis, text } from '../synopsis.ts';
import { SETTINGS_OPTIONS } from './shared-options.ts';

const GROUP = 'Run';

/** `ismalicious serve` */
export const serveSynopsis = {
  name: 'serve',
  group: GROUP,
  summary: 'Run the sidecar: HTTP API, Logstash endpoint, metrics, console page.',
  options: {
    host: text('H', 'address to listen on (default 127.0.0.1; another one needs sidecar.token)'),
    port: text('P', 'port (default 8787; 0: any free one, printed on stdout as "listening PORT")'),
    workers: text('N', 'processes that share the port (default 1)'),
    ...SETTINGS_OPTIONS,
  },
  examples: [['serve --config /etc/ismalicious.yaml', 'on 127.0.0.1:8787']],
} satisfies Synopsis;

/** `ismalicious pipeline run|schedule` */
export const pipelineSynopsis = {
  name: 'pipeline',
  group: GROUP,
  summary: 'Read the feeds, look up what is new, send to the outputs; once, or on a schedule.',
  actions: {
    run: {
      takes: '',
      doc: 'one run; exit 0 all done, 1 no feed could be read, 3 some of it failed and is kept for the next run, 4 another run is under way and nothing was done',
    },
    schedule: {
      takes: '',
      doc: 'run by pipeline.schedule or every pipeline.every_minutes until stopped; one leader of several processes',
    },
  },
  options: {
    'dry-run': flag('read the feeds and count; keep, look up and send nothing'),
    only: text('watchlist', 'check the watched indicators that are due and send to the outputs; read no feed'),
    json: flag('the run report as last line on stdout'),
    report: text('FILE', 'the run report as a page (.html) or as JSON'),
    ...SETTINGS_OPTIONS,
  },
  examples: [
    ['pipeline run --dry-run', 'see what the feeds hold before anything is sent'],
    ['pipeline run --report run.html', 'one run, with a page for people'],
  ],
} satisfies Synopsis;

/** `ismalicious watch add|remove|list|who` */
export const watchSynopsis = {
  name: 'watch',
  group: GROUP,
  summary: 'Watch indicators: the pipeline checks them and sends to the outputs when a verdict changes.',
  actions: {
    add: { takes: 'VALUE…', doc: 'watch these' },
    remove: { takes: 'VALUE…', doc: 'stop watching these' },
    list: { takes: '', doc: 'all watched indicators' },
    who: { takes: 'VALUE', doc: 'who was seen with it, by the sighting index' },
  },
  options: {
    reason: text('TEXT', 'why, for people'),
    by: text('NAME', 'who asks (default: cli)'),
    days: text('N', 'stop after so many days; for who: how far back (default: watchlist.look_back_days)'),
    every: text('HOURS', 'hours between two checks (default: watchlist.every_hours)'),
    ...SETTINGS_OPTIONS,
  },
  examples: [['watch add ismalicious.com --reason "case 4711" --days 30', 'for thirty days']],
} satisfies Synopsis;

/** `ismalicious deliver` */
export const deliverSynopsis = {
  name: 'deliver',
  group: GROUP,
  summary: 'Send what waits in the journal to the outputs; looks nothing up and reads no feed.',
  options: {
    follow: flag('go on until stopped: what is journalled later goes out as soon as it is there'),
    json: flag('what became of it as last line on stdout'),
    ...SETTINGS_OPTIONS,
  },
  examples: [['deliver', 'from cron, where no sidecar runs']],
  note: 'Exit code 0: nothing is left; 3: something waits or was given up, stderr says why.',
} satisfies Synopsis;

/** `ismalicious triage [FILE|-] | --alerts` */
export const triageSynopsis = {
  name: 'triage',
  group: GROUP,
  summary: 'Decide what to do with alerts: tier, actions and reasons; blocks and closes nothing.',
  words: { takes: '[FILE|-]', doc: 'alerts as NDJSON; one decision a line on stdout, in order' },
  options: {
    alerts: flag('alerts of triage.alerts_url that have no decision yet; it is written into each'),
    tell: flag('tell the outputs, and watch what is to be watched'),
    limit: text('N', 'most alerts of --alerts (1000)'),
    ...SETTINGS_OPTIONS,
  },
  examples: [['triage alerts.ndjson', 'one decision an alert, nothing is sent']],
} satisfies Synopsis;
