import type { EnrichOptions } from '../../../engine/enricher.ts';
import { openEngine } from '../../../compose/open-engine.ts';
import { askOptions, checkProviders } from '../ask-options.ts';
import { type Command, EXIT, parseCount, UsageError } from '../command.ts';
import { openRunFiles } from '../../../batch/enrich-files.ts';
import type { EnrichJob } from '../../../batch/enrich-job.ts';
import { exitCodeOf } from '../exit-code.ts';
import { parseOptions } from '../parse-options.ts';
import { ENRICH_FORMATS, enrichSynopsis } from '../synopses/look-up.ts';
import { openReadMeter } from '../progress.ts';
import { openInput } from '../text-input.ts';
import { warn } from '../messages.ts';
import { createYoungGenerationBound } from '../../../batch/v8-young-generation.ts';

type Format = (typeof ENRICH_FORMATS)[number];

/** What reads and writes each format, loaded when it is called for. */
const ENRICHERS: Readonly<Record<Format, () => Promise<(job: EnrichJob) => Promise<void>>>> = {
  csv: async () => (await import('../../../batch/enrich-csv.ts')).enrichCsv,
  ndjson: async () => (await import('../../../batch/enrich-events.ts')).enrichNdjson,
  json: async () => (await import('../../../batch/enrich-events.ts')).enrichJson,
  list: async () => (await import('../../../batch/enrich-list.ts')).enrichList,
  playbook: async () => (await import('../../../batch/enrich-list.ts')).enrichPlaybook,
};

/** `ismalicious enrich [FILE|-]` */
export const enrich: Command = {
  synopsis: enrichSynopsis,
  async run(args, io) {
    const { values, words } = parseOptions(args, enrichSynopsis);
    const [path] = words;
    const format = formatOf(values.format, path);
    const fields = (values.field ?? [])
      .flatMap((text) => text.split(','))
      .map((name) => name.trim())
      .filter((name) => name !== '');
    if (format === 'csv' && fields.length === 0)
      throw new UsageError('enrich needs --field for CSV: the column that holds the indicators.');
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
          inputPath: path,
          outPath: values.out,
          options: JSON.stringify([format, fields, asked.providers ?? null, asked.maxAgeS ?? null, values.profile ?? null]),
          startsOver: values.restart === true,
          tally,
          budget: asked.budget,
        },
        { openInput: () => openInput(path, io.stdin), stdout: io.stdout },
      );
      if (files.resumedFrom !== null) io.stderr.write(`going on at byte ${files.resumedFrom.inputBytes} of ${path}\n`);
      const notes = values.store ? await (await import('../note-sightings.ts')).openSightingNotes(config, fields) : null;
      try {
        const read = await openReadMeter(io, path, files.resumedFrom?.inputBytes ?? 0);
        const job = { ...files, engine, fields, asked, note: notes?.note, tally, progress: read.progress };
        await enrichFormat({ ...job, done: withBoundMemory(read.counting(files.done)) });
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
  const known = ENRICH_FORMATS.find((format) => format === given);
  if (known) return known;
  if (path === undefined || path === '-' || /\.(ndjson|jsonl)$/i.test(path)) return 'ndjson';
  if (/\.csv$/i.test(path)) return 'csv';
  if (/\.json$/i.test(path)) return 'json';
  if (/\.(txt|list)$/i.test(path)) return 'list';
  throw new UsageError(`the ending of ${path} tells no format: say --format ${ENRICH_FORMATS.join('|')}`);
}

function summarise({ total, failed, malicious }: EnrichJob['tally']): string {
  return `${total} values looked at, ${malicious} malicious, ${failed} without an answer\n`;
}
