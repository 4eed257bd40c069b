import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { openEngine } from '../../../compose/open-engine.ts';
import { EcsSettings, ecsDetailOf } from '../../../config/ecs-settings.ts';
import { stateFolder } from '../../../compose/state-folder.ts';
import { type BackfillOptions, type BackfillReport, backfill } from '../../../search-engine/backfill/backfill.ts';
import { planBackfill } from '../../../search-engine/backfill/plan-backfill.ts';
import { WHOLE_INDEX } from '../../../search-engine/backfill/progress.ts';
import { type BackfillCounts, createStateFile } from '../../../search-engine/backfill/state-file.ts';
import { DEFAULT_FIELDS } from '../../../events/wanted-fields.ts';
import { inertText } from '../../../model/formats/inert-text.ts';
import { type Command, EXIT, type Io, UsageError, parseAge, parseCount } from '../command.ts';
import { parseOptions } from '../parse-options.ts';
import { openProgress } from '../waiting/progress.ts';
import { BACKFILL_BUDGET, backfillSynopsis } from '../synopses/engines.ts';
import type { ValuesOf } from '../synopsis.ts';
import { warn } from '../messages.ts';
import { openEngineAccess } from '../search-engine-options.ts';
import { readUnicode } from '../../../model/formats/text-encoding.ts';

type Values = ValuesOf<(typeof backfillSynopsis)['options']>;

/** `ismalicious backfill` */
export const backfillCommand: Command = {
  synopsis: backfillSynopsis,
  async run(args, io) {
    const { values } = parseOptions(args, backfillSynopsis);
    const asked = readOptions(values);
    const { engine: search, close } = openEngineAccess(values, io);
    const opening = { env: io.env, configPath: values.config, profile: values.profile, blocks: { ecs: EcsSettings } };
    const { engine, config, warnings } = await openEngine(opening);
    const options = { ...asked, detail: ecsDetailOf(config.blocks) };
    warn(io, warnings);
    try {
      if (values['dry-run']) return await sayPlan(io, values.json === true, await planBackfill(search, engine, options));
      const stop = stopOnSignal();
      const progress = await openProgress(io);
      const path = values.state ?? join(stateFolder(io.env, false), `backfill-${nameOf(search.name, options)}.json`);
      const wait = (ms: number, signal?: AbortSignal) => delay(ms, undefined, signal ? { signal } : {});
      const onProgress = (tally: BackfillCounts, total: number) =>
        progress.show(saidOf(tally, total), total === 0 ? 1 : tally.scanned / total);
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
  const { index, since, budget } = values;
  if (!index) throw new UsageError('backfill needs --index: an index, data stream or pattern.');
  const fields = (values.field ?? [])
    .flatMap((one) => one.split(','))
    .map((name) => name.trim())
    .filter((name) => name !== '');
  return {
    query: {
      index,
      fields: fields.length > 0 ? fields : DEFAULT_FIELDS,
      timeField: values['time-field'] ?? '@timestamp',
      since: since === undefined ? null : `now-${parseAge(since, '--since')}s`,
      until: null,
      filter: readQuery(values.query),
      withFailures: values['retry-failures'] === true,
    },
    pageSize: within(values['page-size'], '--page-size', { least: 1, most: 1000, usual: 250 }),
    parallel: within(values.parallel, '--parallel', { least: 1, most: 8, usual: 2 }),
    budget: budget === 'all' ? null : budget === undefined ? BACKFILL_BUDGET : parseCount(budget, '--budget'),
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
    const query = JSON.parse(readUnicode(readFileSync(path))) as unknown;
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

function saidOf(tally: BackfillCounts, total: number): string {
  return `of ${total}, ${tally.updated} enriched, ${tally.later} for later, ${tally.paid} look-ups paid`;
}

async function sayPlan(io: Io, asJson: boolean, plan: Awaited<ReturnType<typeof planBackfill>>): Promise<number> {
  const { documents, read, cost, unreadable } = plan;
  const facts = [
    `documents           ${documents}`,
    `read for this       ${read}`,
    `unique values       ${cost.unique}`,
    `never sent out      ${cost.refused}`,
    `in the cache        ${cost.cached}`,
    `credits to pay      ${cost.toPay}`,
  ];
  io.stdout.write(asJson ? `${JSON.stringify({ documents, read, plan: cost, unreadable })}\n` : `${facts.join('\n')}\n`);
  for (const index of unreadable)
    io.stderr.write(`left out: ${inertText(index)} keeps no _source: its documents can be neither read nor updated\n`);
  return unreadable.length === 0 ? EXIT.ok : EXIT.partial;
}

function sayReport(io: Io, { end, total, tally, refusals }: BackfillReport, { asJson, path }: { asJson: boolean; path: string }): number {
  if (asJson) io.stdout.write(`${JSON.stringify({ end, total, ...tally, refusals })}\n`);
  else {
    io.stdout.write(
      `${Object.entries(tally)
        .map(([name, count]) => `${name.padEnd(16)}${count}`)
        .join('\n')}\n`,
    );
    for (const { index, id, reason } of refusals) {
      const what = id === WHOLE_INDEX ? index : `${index}/${id}`;
      io.stderr.write(`refused: ${inertText(`${what}: ${reason}`)}\n`);
    }
  }
  if (end === 'budget') io.stderr.write('the budget is spent: run it again with a higher --budget to go on\n');
  if (end === 'stopped') io.stderr.write(`stopped: run it again to go on (${path})\n`);
  return end === 'done' && tally.later + tally.conflicts + tally.refused === 0 ? EXIT.ok : EXIT.partial;
}
