import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { openEngine } from '../../compose/open-engine.ts';
import { stateFolder } from '../../compose/state-folder.ts';
import { type BackfillOptions, type BackfillReport, backfill } from '../../pipeline/backfill/backfill.ts';
import { planBackfill } from '../../pipeline/backfill/plan-backfill.ts';
import { type Tally, createStateFile } from '../../pipeline/backfill/state-file.ts';
import { DEFAULT_FIELDS } from '../../sidecar/enrich/fields.ts';
import { type Command, EXIT, type Io, UsageError, parseAge, parseCount, parseOptions } from '../command.ts';
import { progressLine, warn } from '../words.ts';
import { ENGINE_ACCESS_HELP, ENGINE_ACCESS_OPTIONS, openEngineAccess } from './engine-options.ts';
import { inertText } from '../../../model/inert-text.ts';

const DEFAULT_BUDGET = 1000;

const OPTIONS = {
  ...ENGINE_ACCESS_OPTIONS,
  config: { type: 'string' },
  index: { type: 'string' },
  since: { type: 'string' },
  query: { type: 'string' },
  field: { type: 'string', multiple: true },
  'time-field': { type: 'string' },
  budget: { type: 'string' },
  'page-size': { type: 'string' },
  parallel: { type: 'string' },
  'retry-failures': { type: 'boolean' },
  state: { type: 'string' },
  'dry-run': { type: 'boolean' },
  json: { type: 'boolean' },
} as const;

type Values = { readonly [name in keyof typeof OPTIONS]?: string | string[] | boolean | undefined };

/** `ismalicious backfill` */
export const backfillCommand: Command = {
  name: 'backfill',
  usage: 'backfill --url URL --index I [--since 30d] [--budget N] [--dry-run]',
  summary: 'Enrich documents that are in Elasticsearch or OpenSearch already.',
  help: `  --index I           index, data stream or pattern, as a search takes it
  --since AGE         events not older than this: 24h, 30d (default: all)
  --query FILE        only documents of this query, in the engine's query DSL
  --field F           dotted field to look up; repeat or separate by commas (default: ECS fields)
  --time-field F      when an event was (default @timestamp); newest first
  --retry-failures    also documents that carry a failure tag
  --budget N          look-ups this run may pay, ${DEFAULT_BUDGET} by default; "all": no limit
  --page-size N       documents in one call, 1 to 1000 (default 250)
  --parallel N        parts read and written at once, 1 to 8 (default 2)
  --state FILE        where the run keeps its place (default: in the state folder)
  --dry-run           say how many documents there are and what they would cost
  --json              the report as one JSON object
  --config FILE       settings (default: ISMALICIOUS_CONFIG)
${ENGINE_ACCESS_HELP}
Can be stopped and started again: what is written is not done twice, and no change of anybody else is overwritten.`,
  async run(args, io) {
    const { values } = parseOptions(args, OPTIONS);
    const options = readOptions(values);
    const { engine: search, close } = openEngineAccess(values, io);
    const { engine, warnings } = await openEngine({ env: io.env, configPath: values.config });
    warn(io, warnings);
    try {
      if (values['dry-run']) return await sayPlan(io, values.json === true, await planBackfill(search, engine, options));
      const stop = stopOnSignal();
      const progress = progressLine(io);
      const path = values.state ?? join(stateFolder(io.env, false), `backfill-${nameOf(search.name, options)}.json`);
      const wait = (ms: number, signal?: AbortSignal) => delay(ms, undefined, signal ? { signal } : {});
      const onProgress = (tally: Tally, total: number) => progress.show(bar(tally, total));
      const surroundings = {
        engine: search,
        enricher: engine,
        state: createStateFile(path),
        now: Date.now,
        wait,
        signal: stop.signal,
        onProgress,
      };
      const report = await backfill(options, surroundings).finally(() => {
        progress.end();
        stop.off();
      });
      return sayReport(io, report, { asJson: values.json === true, path });
    } finally {
      await engine.close();
      await close();
    }
  },
};

function readOptions(values: Values): BackfillOptions {
  const text = (name: keyof Values) => values[name] as string | undefined;
  const index = text('index');
  if (!index) throw new UsageError('backfill wants --index: an index, data stream or pattern');
  const fields = ((values.field as string[] | undefined) ?? [])
    .flatMap((one) => one.split(','))
    .map((name) => name.trim())
    .filter((name) => name !== '');
  const since = text('since');
  const budget = text('budget');
  return {
    query: {
      index,
      fields: fields.length > 0 ? fields : DEFAULT_FIELDS,
      timeField: text('time-field') ?? '@timestamp',
      since: since === undefined ? null : `now-${parseAge(since, '--since')}s`,
      until: null,
      filter: readQuery(text('query')),
      withFailures: values['retry-failures'] === true,
    },
    pageSize: within(text('page-size'), '--page-size', { least: 1, most: 1000, usual: 250 }),
    parallel: within(text('parallel'), '--parallel', { least: 1, most: 8, usual: 2 }),
    budget: budget === 'all' ? null : budget === undefined ? DEFAULT_BUDGET : parseCount(budget, '--budget'),
    matchedType: 'indicator_match_rule',
  };
}

function within(text: string | undefined, option: string, { least, most, usual }: { least: number; most: number; usual: number }): number {
  const value = text === undefined ? usual : parseCount(text, option, least);
  if (value > most) throw new UsageError(`${option} has to be ${most} at most`);
  return value;
}

function readQuery(path: string | undefined): object | null {
  if (path === undefined) return null;
  try {
    const query = JSON.parse(readFileSync(path, 'utf8')) as unknown;
    if (typeof query === 'object' && query !== null && !Array.isArray(query)) return 'query' in query ? (query.query as object) : query;
  } catch (cause) {
    throw new UsageError(`--query: ${path} ${cause instanceof SyntaxError ? 'is no JSON' : 'cannot be read'}`);
  }
  throw new UsageError(`--query: ${path} has to hold one query, like {"term":{"host.name":"web-1"}}`);
}

/** One state a cluster and question: runs for different things do not get into each other's way. */
function nameOf(engineName: string, { query }: BackfillOptions): string {
  return createHash('sha256')
    .update(JSON.stringify([engineName, query]))
    .digest('hex')
    .slice(0, 16);
}

function stopOnSignal(): { readonly signal: AbortSignal; off(): void } {
  const controller = new AbortController();
  const stop = () => controller.abort();
  const signals = ['SIGINT', 'SIGTERM'] as const;
  for (const signal of signals) process.once(signal, stop);
  return {
    signal: controller.signal,
    off: () => {
      for (const signal of signals) process.off(signal, stop);
    },
  };
}

const BAR_WIDTH = 24;

function bar(tally: Tally, total: number): string {
  const share = total === 0 ? 1 : Math.min(1, tally.scanned / total);
  const full = Math.round(share * BAR_WIDTH);
  return `${'█'.repeat(full)}${'░'.repeat(BAR_WIDTH - full)} ${Math.floor(share * 100)} % of ${total}, ${tally.updated} enriched, ${tally.later} for later, ${tally.paid} look-ups paid`;
}

async function sayPlan(io: Io, asJson: boolean, plan: Awaited<ReturnType<typeof planBackfill>>): Promise<number> {
  const { documents, read, cost } = plan;
  const facts = [
    `documents           ${documents}`,
    `read for this       ${read}`,
    `unique values       ${cost.unique}`,
    `never sent out      ${cost.refused}`,
    `in the cache        ${cost.cached}`,
    `credits to pay      ${cost.toPay}`,
  ];
  io.stdout.write(asJson ? `${JSON.stringify({ documents, read, plan: cost })}\n` : `${facts.join('\n')}\n`);
  return EXIT.ok;
}

function sayReport(io: Io, { end, total, tally, refusals }: BackfillReport, { asJson, path }: { asJson: boolean; path: string }): number {
  if (asJson) io.stdout.write(`${JSON.stringify({ end, total, ...tally, refusals })}\n`);
  else {
    io.stdout.write(
      `${Object.entries(tally)
        .map(([name, count]) => `${name.padEnd(16)}${count}`)
        .join('\n')}\n`,
    );
    for (const { index, id, reason } of refusals) io.stderr.write(`refused: ${inertText(`${index}/${id}: ${reason}`)}\n`);
  }
  if (end === 'budget') io.stderr.write('the budget is spent: run it again with a higher --budget to go on\n');
  if (end === 'stopped') io.stderr.write(`stopped: run it again to go on (${path})\n`);
  return end === 'done' && tally.later + tally.conflicts + tally.refused === 0 ? EXIT.ok : EXIT.partial;
}
