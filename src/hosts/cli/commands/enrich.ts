import type { EnrichOptions } from '../../../engine/enricher.ts';
import type { Engine } from '../../../engine/engine.ts';
import { boundHeap } from '../../../compose/process/bound-heap.ts';
import { openEngine } from '../../../compose/open-engine.ts';
import { EcsSettings, ecsDetailOf } from '../../../config/ecs-settings.ts';
import type { LoadedConfig } from '../../../compose/engine-config.ts';
import { DEFAULT_FIELDS } from '../../../events/wanted-fields.ts';
import type { MarkRule } from '../../../model/formats/text-encoding.ts';
import { askOptions, checkProviders, noteOnlyLocal, paidIds } from '../ask-options.ts';
import { type Command, EXIT, type Io, parseCount, UsageError } from '../command.ts';
import { parseDelimiter } from '../../../batch/input/csv-start.ts';
import { openRunFiles } from '../../../batch/enrich-files.ts';
import type { EnrichJob } from '../../../batch/enrich-job.ts';
import { filesOf, type RunPaths } from '../../../batch/input/input-files.ts';
import { newRunCounts, type RunCounts, summaryOf } from '../../../batch/run-counts.ts';
import { exitCodeOf } from '../exit-code.ts';
import { finishCalls } from '../waiting/finish-calls.ts';
import { watchLookUps } from '../waiting/look-up-watch.ts';
import { parseOptions } from '../parse-options.ts';
import { ENRICH_FORMATS, enrichSynopsis } from '../synopses/look-up.ts';
import type { ValuesOf } from '../synopsis.ts';
import { openReadMeter } from '../waiting/progress.ts';
import { openInput } from '../text-input.ts';
import { warn } from '../messages.ts';

type Format = (typeof ENRICH_FORMATS)[number];

/** What reads and writes each format, loaded when it is called for. */
const ENRICHERS: Readonly<Record<Format, () => Promise<(job: EnrichJob) => Promise<void>>>> = {
  csv: async () => (await import('../../../batch/enrich-csv.ts')).enrichCsv,
  ndjson: async () => (await import('../../../batch/enrich-events.ts')).enrichNdjson,
  json: async () => (await import('../../../batch/enrich-events.ts')).enrichJson,
  log: async () => (await import('../../../batch/enrich-log.ts')).enrichLog,
  list: async () => (await import('../../../batch/enrich-list.ts')).enrichList,
  playbook: async () => (await import('../../../batch/enrich-list.ts')).enrichPlaybook,
};

/** Excel needs its mark to see that a CSV is in UTF-8; JSON has none (RFC 8259, 8.1); in a list it would belong to the first value. */
const MARKS: Readonly<Record<Format, MarkRule>> = {
  csv: 'keep',
  ndjson: 'keep-utf8',
  json: 'keep-utf8',
  log: 'keep-utf8',
  list: 'drop',
  playbook: 'drop',
};

/** What `enrich` was asked for, checked; the same for all its files. */
interface Request {
  readonly values: ValuesOf<typeof enrichSynopsis.options>;
  readonly files: readonly (RunPaths & { readonly format: Format })[];
  readonly fields: readonly string[];
  readonly asked: EnrichOptions;
  readonly delimiter: number | null;
}

/** `ismalicious enrich [FILE…|-]` */
export const enrich: Command = {
  synopsis: enrichSynopsis,
  async run(args, io) {
    const request = await readRequest(args);
    const { values, files, fields, asked } = request;
    const { engine, config, warnings } = await openEngine({
      env: io.env,
      configPath: values.config,
      profile: values.profile,
      blocks: { ecs: EcsSettings },
      ...(values.trace && { traces: true }),
    });
    warn(io, warnings);
    const stop = values.follow === true ? createStop() : null;
    const unbound = boundHeap();
    try {
      checkProviders(asked, config);
      noteOnlyLocal(io, config);
      const tally = newRunCounts();
      for (const file of files) await enrichFile({ ...request, file, engine, config, tally, follows: stop?.signal ?? null }, io);
      io.stderr.write(`${summaryOf(tally)}${unreadOf(tally)}\n`);
      await finishCalls(engine, io);
      if (tally.total === 0) io.stderr.write(nothingFound(tally, fields));
      return tally.total === 0 && noneUnread(tally) ? EXIT.ok : exitCodeOf(tally, values['exit-code'] === true);
    } finally {
      stop?.release();
      unbound();
      await engine.close();
    }
  },
};

async function readRequest(args: readonly string[]): Promise<Request> {
  const { values, words } = parseOptions(args, enrichSynopsis);
  const paths = await filesOf({ words, out: values.out, outFolder: values['out-dir'] });
  const files = paths.map((file) => ({ ...file, format: formatOf(values.format, file.inputPath) }));
  const fields = (values.field ?? [])
    .flatMap((text) => text.split(','))
    .map((name) => name.trim())
    .filter((name) => name !== '');
  const delimiter = values.delimiter === undefined ? null : parseDelimiter(values.delimiter);
  for (const { format } of files) checkFormat(format, { values, fields, isAlone: files.length === 1 || values['out-dir'] !== undefined });
  if (values.follow && files.length > 1) throw new UsageError('--follow reads one file');
  const asked: EnrichOptions = {
    ...askOptions(values),
    ...(values.budget === undefined ? {} : { budget: { remaining: parseCount(values.budget, '--budget') } }),
  };
  return { values, files, fields, asked, delimiter };
}

interface Shape extends Pick<Request, 'values' | 'fields'> {
  /** Whether each file has an output of its own. */
  readonly isAlone: boolean;
}

function checkFormat(format: Format, { values, fields, isAlone }: Shape): void {
  if (format === 'csv' && fields.length === 0) throw new UsageError('enrich needs --field for CSV: the column that holds the indicators.');
  if (format === 'log' && fields.length > 0) throw new UsageError('--field is for events: in a log every indicator of a line is looked up');
  if (values.store && (format === 'list' || format === 'playbook' || format === 'log'))
    throw new UsageError(`--store wants events: a ${format} does not say who was seen`);
  if (values.trace && (format === 'log' || format === 'playbook'))
    throw new UsageError(`--trace has no place in a ${format}: use csv, ndjson, json or list`);
  if (values.delimiter !== undefined && format !== 'csv') throw new UsageError('--delimiter is for CSV');
  if (values.follow && format !== 'log' && format !== 'ndjson') throw new UsageError(`--follow reads lines (log, ndjson), not ${format}`);
  if (!isAlone && (format === 'csv' || format === 'json' || format === 'playbook'))
    throw new UsageError(`several files of ${format} do not make one: name a folder with --out-dir`);
}

interface FileRun extends Request {
  readonly file: RunPaths & { readonly format: Format };
  readonly engine: Engine;
  readonly config: LoadedConfig;
  readonly tally: EnrichJob['tally'];
  readonly follows: AbortSignal | null;
}

async function enrichFile(run: FileRun, io: Io): Promise<void> {
  const { values, file, fields, asked, delimiter, engine, config, tally, follows } = run;
  const { format, inputPath: path } = file;
  const enrichFormat = await ENRICHERS[format]();
  const detail = ecsDetailOf(config.blocks);
  const options: unknown[] = [format, fields, asked.providers ?? null, asked.maxAgeS ?? null, values.profile ?? null];
  if (delimiter !== null) options.push(delimiter);
  if (values.trace) options.push('trace');
  const files = await openRunFiles(
    {
      ...file,
      options: JSON.stringify(options),
      startsOver: values.restart === true,
      tally,
      budget: asked.budget,
      marks: MARKS[format],
      follows,
    },
    { openInput: () => openInput(path, io.stdin), stdout: io.stdout },
  );
  if (files.resumedFrom !== null) io.stderr.write(`going on at byte ${files.resumedFrom.inputBytes} of ${path}\n`);
  const notes = values.store ? await (await import('../note-sightings.ts')).openSightingNotes(config, fields) : null;
  const watch = await watchLookUps(io, engine, { paid: paidIds(config), values: null });
  // A log that is followed ends at Ctrl-C by itself.
  const forget = follows === null ? io.onInterrupt?.(() => endInterrupted(tally, file.outPath, io)) : undefined;
  try {
    const read = await openReadMeter(watch, path, files.resumedFrom?.inputBytes ?? 0);
    const progress = { show: read.progress.show, end: () => {} };
    const job = {
      ...files,
      engine,
      fields,
      asked,
      detail,
      note: notes?.note,
      tally,
      progress,
      isLive: follows !== null,
      delimiter,
      traces: values.trace === true,
    };
    const warnUser = (text: string) => void io.stderr.write(`warning: ${path === '-' ? '' : `${path}: `}${text}\n`);
    await enrichFormat({ ...job, warn: warnUser, done: read.counting(files.done) });
    await files.finish();
  } catch (error) {
    await files.leave();
    throw error;
  } finally {
    watch.end();
    forget?.();
    await notes?.close();
  }
}

/** Ctrl-C: what was done is kept; says how to go on. */
function endInterrupted(tally: RunCounts, out: string | undefined, io: Io): void {
  const how =
    out === undefined
      ? 'Run the same command again: what was answered is in the cache and costs nothing.'
      : `Run the same command again to go on where it stopped (${out}.journal).`;
  io.stderr.write(`\nStopped. ${summaryOf(tally)}. ${how}\n`);
  process.exit(EXIT.interrupted);
}

/** Ends the following of a file at Ctrl-C, or when the system asks for it: what was read is written, and the run sums up. */
function createStop() {
  const controller = new AbortController();
  const stop = () => controller.abort();
  for (const name of ['SIGINT', 'SIGTERM'] as const) process.once(name, stop);
  return {
    signal: controller.signal,
    release() {
      for (const name of ['SIGINT', 'SIGTERM'] as const) process.off(name, stop);
    },
  };
}

function formatOf(given: string | undefined, path: string | undefined): Format {
  const known = ENRICH_FORMATS.find((format) => format === given);
  if (known) return known;
  const name = path?.replace(/\.(?:gz|zst|bz2|xz)$/i, '');
  if (name === undefined || name === '-' || /\.(ndjson|jsonl)$/i.test(name)) return 'ndjson';
  if (/\.(csv|tsv)$/i.test(name)) return 'csv';
  if (/\.json$/i.test(name)) return 'json';
  if (/\.(txt|list)$/i.test(name)) return 'list';
  if (/\.log(\.\d+)?$/i.test(name)) return 'log';
  throw new UsageError(`the format of ${path} is not known by its ending: give --format ${ENRICH_FORMATS.join('|')}`);
}

function unreadOf({ unread = 0 }: RunCounts): string {
  return unread === 0 ? '' : `; ${unread} lines not read (no JSON event, or not wholly): they are as they were`;
}

function noneUnread({ unread = 0 }: EnrichJob['tally']): boolean {
  return unread === 0;
}

/** Events without a value are no fault; that none has one often is. */
function nothingFound({ events = 0 }: EnrichJob['tally'], fields: readonly string[]): string {
  if (events === 0) return '';
  const names = fields.length > 0 ? fields.join(', ') : `${DEFAULT_FIELDS.slice(0, 4).join(', ')} and other ECS fields`;
  return `warning: none of the ${events} events has a value in ${names}: name the fields to look up with --field\n`;
}
