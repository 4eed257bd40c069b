// src/hosts/splunk/alert/: the alert action: results of an alert in, triage written back.
import type { Engine } from '../../../engine/engine.ts';
import { openEngine } from '../../../compose/open-engine.ts';
import { deliver } from '../../../pipeline/delivery/deliver.ts';
import { pipelineTransports } from '../../../compose/pipeline-transports.ts';
import { loadPipelineConfig, type OpenedPipeline, openPipeline, type PipelineConfig } from '../../../pipeline/open-pipeline.ts';
import { systemPipelineClock } from '../../../pipeline/pipeline-clock.ts';
import { textsAt } from '../../../pipeline/triage/read-alert.ts';
import { triageWithEvidence } from '../../../pipeline/triage/triage.ts';
import { type AlertPayload, readAlertResults } from '../../../splunkd/alert/alert-payload.ts';
import { openAppSplunkd, readAppSettings } from '../../../splunkd/credentials.ts';
import { SPLUNK_BLOCKS } from '../../../splunkd/splunk-settings.ts';
import type { Splunkd } from '../../../splunkd/splunkd.ts';
import { planNotables, responseLines, updateNotables } from '../../../splunkd/alert/enterprise-security.ts';
import {
  ACTION,
  carryOutWrites,
  NOTHING_WRITTEN,
  planWrites,
  receive,
  type TriagedResult,
  type WriteCounts,
} from '../../../splunkd/alert/triage-writes.ts';

/** Where the action runs. */
export interface ActionPlace {
  readonly program: string | undefined;
  readonly env: Readonly<Record<string, string | undefined>>;
}

/** What the action did, for the log. */
export interface ActionReport {
  readonly lines: readonly string[];
  readonly faults: readonly string[];
}

const KEPT_FIELDS = ['action', 'vendor_action', 'outcome', 'bytes_out', 'sent_bytes', 'event_id', 'alert_id', 'notable_id', '_time'];

function originOf({ owner, sid }: AlertPayload) {
  return { program: 'splunk alert', user: owner, search: sid };
}

/**
 * Triages an alert's results: looks their indicators up, decides the tier of each, tells the outputs that are switched on and writes into
 * Splunk what the parameters ask for. In a dry run it only says what it would do. It blocks and deletes nothing.
 */
export async function runTriageAction(payload: AlertPayload, place: ActionPlace): Promise<ActionReport> {
  const { params } = payload;
  const { results, faults: unread, note } = readAlertResults(payload);
  const taken = results.slice(0, params.maxResults);
  const nowS = Math.trunc(Date.now() / 1000);
  const { conf, fault } = await readAppSettings({ ...place, session: payload.session, nowS });
  const config = loadPipelineConfig({ conf, env: place.env });
  const opened = await openEngine({ env: place.env, isSplunk: true, conf, blocks: SPLUNK_BLOCKS, origin: originOf(payload) });
  const pipeline = await openForOutputs(payload, config, { folder: opened.config.stateFolder, engine: opened.engine, env: place.env });
  try {
    const triaged = await triageResults(taken, payload, { engine: opened.engine, config, pipeline });
    const writes = planWrites(triaged, payload, nowS);
    const notables = planNotables(triaged, payload);
    const lines = [
      ...(note === null ? [] : [note]),
      ...(results.length > taken.length ? [`${results.length - taken.length} results beyond max_results were not triaged`] : []),
      summaryOf(triaged, params.dryRun),
    ];
    const faults = [
      ...unread,
      ...(writes.leftOut > 0 ? [`${writes.leftOut} more risk events were not written: too many pairs of hosts and indicators`] : []),
      ...opened.warnings,
      ...(fault !== null && opened.config.wanted.length === 0 ? [fault] : []),
    ];
    if (params.dryRun)
      return {
        lines: [...lines, `dry run, would write ${countsOf(plannedOf(writes))}`, ...wouldUpdate(notables), ...wouldTell(config, payload)],
        faults,
      };
    faults.push(...(await tellOutputs(pipeline)));
    const { written, updated, faults: unwritten } = await writeAll({ writes, notables, triaged, payload, faults }, place);
    const told = params.notable ? [`updated ${updated} notable events, ${notables.unnamed} results name none`] : [];
    return { lines: [...lines, `wrote ${countsOf(written)}`, ...told], faults: [...faults, ...unwritten] };
  } finally {
    await pipeline?.close();
    await opened.engine.close();
  }
}

/** The store and the outputs, where something is to be told or watched. */
async function openForOutputs(
  { params }: AlertPayload,
  config: PipelineConfig,
  { folder, engine, env }: { folder: string; engine: Engine; env: ActionPlace['env'] },
): Promise<OpenedPipeline | null> {
  if (params.dryRun) return null;
  const outputs = params.outputs ? config.outputs : {};
  return openPipeline({ ...config, outputs, feeds: {} }, { stateFolder: folder, enricher: engine, transportTo: pipelineTransports(env) });
}

async function triageResults(
  results: readonly Readonly<Record<string, unknown>>[],
  { params }: AlertPayload,
  { engine, config, pipeline }: { engine: Engine; config: PipelineConfig; pipeline: OpenedPipeline | null },
): Promise<TriagedResult[]> {
  const alerts = results.map((result) => (params.fields.length === 0 ? result : narrowed(result, params.fields)));
  const options = { timeoutMs: params.timeoutMs };
  const fieldsOf = (n: number, value: string) => params.fields.filter((field) => textsAt(results[n] ?? {}, field).includes(value));
  const decisions = await triageWithEvidence(
    alerts,
    {
      enricher: engine,
      rules: params.watchlist ? config.triage : withoutWatching(config.triage),
      clock: systemPipelineClock,
      store: pipeline?.store ?? null,
      outputs: pipeline?.outputs ?? [],
      recordsSightings: config.watchlist.recordSightings,
      maxPending: config.pipeline.maxPending,
    },
    options,
    params.fields.length === 0 ? undefined : fieldsOf,
  );
  return decisions.flatMap(({ decision, decisive, accused }, n) => {
    const result = results[n];
    return result ? [{ result, decision, enrichment: decisive, accused }] : [];
  });
}

/** The result with the wanted fields alone as its observables. */
function narrowed(result: Readonly<Record<string, unknown>>, fields: readonly string[]): Record<string, unknown> {
  const kept = Object.fromEntries(KEPT_FIELDS.filter((field) => field in result).map((field) => [field, result[field]]));
  return { ...kept, indicator: fields.flatMap((field) => result[field] ?? []) };
}

function withoutWatching(rules: PipelineConfig['triage']): PipelineConfig['triage'] {
  const without = (actions: PipelineConfig['triage']['p1']) => actions.filter((action) => action !== 'add_to_watchlist');
  return {
    ...rules,
    p1: without(rules.p1),
    p2: without(rules.p2),
    watch: without(rules.watch),
    log: without(rules.log),
    review: without(rules.review),
  };
}

async function tellOutputs(pipeline: OpenedPipeline | null): Promise<string[]> {
  if (pipeline === null) return [];
  const { store, clock, random, limits } = pipeline;
  // splunkd ends the action at its maxtime; what is left waits in the journal for the next alert.
  const signal = AbortSignal.timeout(limits.patienceMs);
  const halts = await Promise.all(
    pipeline.outputs
      .filter(({ isDry }) => !isDry)
      .map(async (output) => {
        const halt = await deliver(output, {
          store,
          clock,
          random,
          signal,
          limits: { ...limits, patienceMs: Math.min(limits.patienceMs, 60_000) },
        });
        return halt === null ? [] : [`output ${output.output.id}: ${halt}; the messages wait in the journal`];
      }),
  );
  return halts.flat();
}

function plannedOf({ events, risks, intel, watched }: ReturnType<typeof planWrites>): WriteCounts {
  return { events: events.length, risks: risks.length, intel: intel.length, watched: watched.length };
}

function countsOf({ events, risks, intel, watched }: WriteCounts): string {
  return `${events} events, ${risks} risk events, ${intel} rows of threat intelligence, ${watched} on the watchlist`;
}

/** What is to be written into Splunk, and what failed before. */
interface Writing {
  readonly writes: ReturnType<typeof planWrites>;
  readonly notables: ReturnType<typeof planNotables>;
  readonly triaged: readonly TriagedResult[];
  readonly payload: AlertPayload;
  readonly faults: readonly string[];
}

/** What was written, and why the rest was not. The results of adaptive response come last: they say whether the rest was done. */
async function writeAll({ writes, notables, triaged, payload, faults: before }: Writing, place: ActionPlace) {
  const { events, risks, intel, watched } = writes;
  const { responseIndex } = payload.params;
  const isEmpty = [events, risks, intel, watched, notables.updates].every((part) => part.length === 0);
  if (isEmpty && responseIndex === null) return { written: NOTHING_WRITTEN, updated: 0, faults: [] };
  if (payload.session === null)
    return { written: NOTHING_WRITTEN, updated: 0, faults: ['nothing was written into Splunk: the payload holds no session'] };
  const splunkd = await openAppSplunkd(payload.session, place);
  try {
    const { written, faults } = await carryOutWrites(writes, splunkd, payload);
    const { updated, faults: refused } = await updateNotables(notables, splunkd, payload);
    faults.push(...refused);
    if (notables.leftOut > 0) faults.push(`${notables.leftOut} more notable events were not updated: too many for one alert`);
    const lines = responseLines(triaged, payload, { nowMs: Date.now(), hasFaults: before.length + faults.length > 0 });
    if (responseIndex !== null && lines.length > 0) faults.push(...(await tellResponse(splunkd, responseIndex, lines)));
    return { written, updated, faults };
  } finally {
    await splunkd.close();
  }
}

async function tellResponse(splunkd: Splunkd, index: string, lines: readonly string[]): Promise<string[]> {
  try {
    await receive(splunkd, { index, sourcetype: `modular_alerts:${ACTION}`, source: `${ACTION}_modalert.log` }, lines);
    return [];
  } catch (error) {
    return [`results of adaptive response not written: ${error instanceof Error ? error.message : 'unknown fault'}`];
  }
}

function wouldUpdate({ events, unnamed }: ReturnType<typeof planNotables>): string[] {
  return events + unnamed === 0 ? [] : [`dry run, would update ${events} notable events, ${unnamed} results name none`];
}

function summaryOf(triaged: readonly TriagedResult[], isDry: boolean): string {
  const byTier = Map.groupBy(triaged, ({ decision }) => decision.tier);
  const counts = [...byTier].map(([tier, { length }]) => `${tier} ${length}`).join(', ');
  return `${isDry ? 'dry run, ' : ''}${triaged.length} results triaged${counts === '' ? '' : `: ${counts}`}`;
}

function wouldTell(config: PipelineConfig, { params }: AlertPayload): string[] {
  const outputs = params.outputs ? Object.keys(config.outputs) : [];
  return [outputs.length === 0 ? 'dry run, no output is switched on' : `dry run, would tell ${outputs.join(', ')}`];
}
