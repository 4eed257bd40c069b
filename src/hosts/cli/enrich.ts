import { createWriteStream } from 'node:fs';
import { finished } from 'node:stream/promises';
import type { EnrichOptions } from '../../engine/enricher.ts';
import { openEngine } from '../compose/open-engine.ts';
import { askOptions, checkProviders } from './ask-options.ts';
import { type Command, ENGINE_HELP, ENGINE_OPTIONS, EXIT, type Io, parseCount, parseOptions, UsageError } from './command.ts';
import type { EnrichJob } from './enrich-job.ts';
import { exitCodeOf } from './outcome-code.ts';
import { openInput } from './text-input.ts';
import { progressLine, warn } from './words.ts';

const FORMATS = ['csv', 'ndjson', 'json', 'list', 'playbook'] as const;
type Format = (typeof FORMATS)[number];

/** What reads and writes each format, loaded when it is called for. */
const ENRICHERS: Readonly<Record<Format, () => Promise<(job: EnrichJob) => Promise<void>>>> = {
  csv: async () => (await import('./enrich-csv.ts')).enrichCsv,
  ndjson: async () => (await import('./enrich-events.ts')).enrichNdjson,
  json: async () => (await import('./enrich-events.ts')).enrichJson,
  list: async () => (await import('./enrich-list.ts')).enrichList,
  playbook: async () => (await import('./enrich-list.ts')).enrichPlaybook,
};

/** `ismalicious enrich [FILE|-]` */
export const enrich: Command = {
  name: 'enrich',
  usage: 'enrich [FILE|-] [--field F] [--format csv|ndjson|json|list|playbook] [--out F]',
  summary: 'Enrich a file of events or a list of indicators; everything else in it stays as it is.',
  help: `  FILE                - or nothing reads stdin
  --field F           column or dotted field to look up; repeat or separate by commas
                      (CSV: needed; events: ECS fields by default)
  --format FORMAT     by default the file's ending; ndjson for stdin
                      list: a value a line → one JSON object a line
                      playbook: a value a line → the JSON array of the vendor's batch script
  --out FILE          write there instead of stdout
  --store             note in the pipeline's store who was seen with what (see: watch who)
  --budget N          look-ups this run may pay
  --exit-code         exit with 10 when one is malicious
${ENGINE_HELP}`,
  async run(args, io) {
    const { values, positionals } = parseOptions(args, {
      ...ENGINE_OPTIONS,
      field: { type: 'string', multiple: true },
      format: { type: 'string' },
      out: { type: 'string' },
      store: { type: 'boolean' },
      budget: { type: 'string' },
      'exit-code': { type: 'boolean' },
    });
    if (positionals.length > 1) throw new UsageError('enrich takes one file');
    const format = formatOf(values.format, positionals[0]);
    const fields = (values.field ?? [])
      .flatMap((text) => text.split(','))
      .map((name) => name.trim())
      .filter((name) => name !== '');
    if (format === 'csv' && fields.length === 0) throw new UsageError('enrich wants --field for CSV: the column that holds the indicators');
    if (values.store && (format === 'list' || format === 'playbook'))
      throw new UsageError(`--store wants events: a ${format} does not say who was seen`);
    const asked: EnrichOptions = {
      ...askOptions(values),
      ...(values.budget === undefined ? {} : { budget: { remaining: parseCount(values.budget, '--budget') } }),
    };
    const input = await openInput(positionals[0], io.stdin);
    const enrichFormat = await ENRICHERS[format]();
    const { engine, config, warnings } = await openEngine({ env: io.env, configPath: values.config, profile: values.profile });
    warn(io, warnings);
    try {
      checkProviders(asked, config);
      const tally = { total: 0, failed: 0, malicious: 0 };
      const notes = values.store ? await (await import('./note-sightings.ts')).openSightingNotes(config, fields) : null;
      try {
        const job = { engine, input, fields, asked, note: notes?.note, tally, progress: progressLine(io) };
        await writeOut(values.out, io, (write) => enrichFormat({ ...job, write }));
      } finally {
        await notes?.close();
      }
      io.stderr.write(summarise(tally));
      return tally.total === 0 ? EXIT.ok : exitCodeOf(tally, values['exit-code'] === true);
    } finally {
      await engine.close();
    }
  },
};

function formatOf(given: string | undefined, path: string | undefined): Format {
  const known = FORMATS.find((format) => format === given);
  if (known) return known;
  if (given !== undefined) throw new UsageError(`--format ${given} is none of ${FORMATS.join(', ')}`);
  if (path === undefined || path === '-' || /\.(ndjson|jsonl)$/i.test(path)) return 'ndjson';
  if (/\.csv$/i.test(path)) return 'csv';
  if (/\.json$/i.test(path)) return 'json';
  if (/\.(txt|list)$/i.test(path)) return 'list';
  throw new UsageError(`the ending of ${path} tells no format: say --format ${FORMATS.join('|')}`);
}

function summarise({ total, failed, malicious }: EnrichJob['tally']): string {
  return `${total} values looked at, ${malicious} malicious, ${failed} without an answer\n`;
}

/** Gives `work` a writer that waits when the reader is slow. */
async function writeOut(path: string | undefined, io: Io, work: (write: EnrichJob['write']) => Promise<void>): Promise<void> {
  const stream: NodeJS.WritableStream = path === undefined || path === '-' ? io.stdout : createWriteStream(path);
  await work(async (bytes) => {
    if (!stream.write(bytes)) await new Promise<void>((resolve) => stream.once('drain', () => resolve()));
  });
  if (stream !== io.stdout) {
    stream.end();
    await finished(stream);
  }
}
