import type { EnrichOptions } from '../../engine/enricher.ts';
import { openEngine } from '../compose/open-engine.ts';
import { askOptions, checkProviders } from './ask-options.ts';
import { type Command, ENGINE_HELP, ENGINE_OPTIONS, EXIT, parseCount, parseOptions, UsageError } from './command.ts';
import { openRunFiles } from './enrich-files.ts';
import type { EnrichJob } from './enrich-job.ts';
import { exitCodeOf } from './outcome-code.ts';
import { progressLine, warn } from './words.ts';
import { createYoungGenerationBound } from './young-generation.ts';

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
  --out FILE          write there instead of stdout; a run from file to file that broke off goes on where it
                      stopped when it is started again (its place is in FILE.journal)
  --restart           begin anew, whatever FILE.journal says
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
      restart: { type: 'boolean' },
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
    const enrichFormat = await ENRICHERS[format]();
    const { engine, config, warnings } = await openEngine({ env: io.env, configPath: values.config, profile: values.profile });
    warn(io, warnings);
    try {
      checkProviders(asked, config);
      const tally = { total: 0, failed: 0, malicious: 0 };
      const files = await openRunFiles(
        {
          inputPath: positionals[0],
          outPath: values.out,
          options: JSON.stringify([format, fields, asked.providers ?? null, asked.maxAgeS ?? null, values.profile ?? null]),
          startsOver: values.restart === true,
          tally,
          budget: asked.budget,
        },
        io,
      );
      if (files.resumedFrom !== null) io.stderr.write(`going on at byte ${files.resumedFrom.inputBytes} of ${positionals[0]}\n`);
      const notes = values.store ? await (await import('./note-sightings.ts')).openSightingNotes(config, fields) : null;
      try {
        const job = { ...files, engine, fields, asked, note: notes?.note, tally, progress: progressLine(io) };
        await enrichFormat({ ...job, done: withBoundMemory(files.done) });
        await files.finish();
      } catch (error) {
        await files.leave();
        throw error;
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

function withBoundMemory(done: EnrichJob['done']): EnrichJob['done'] {
  const boundYoungGeneration = createYoungGenerationBound();
  return (inputBytes) => {
    boundYoungGeneration();
    return done(inputBytes);
  };
}

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
