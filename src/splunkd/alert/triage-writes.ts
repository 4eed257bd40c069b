import { createHash } from 'node:crypto';
import { type RiskEvent, type ThreatIntelRow, toRiskEvent, toThreatIntelRow } from '../../mapping/splunk-risk.ts';
import { type Enrichment, isFailure } from '../../model/enrichment.ts';
import { isPlaceholder } from '../../model/parsing/placeholder.ts';
import type { TriageJson } from '../../pipeline/triage/triage.ts';
import type { AlertPayload } from './alert-payload.ts';
import { sendInBatches } from '../kv-batches.ts';
import type { Splunkd } from '../splunkd.ts';

/** One result of the alert with what triage said about it. */
export interface TriagedResult {
  readonly result: Readonly<Record<string, unknown>>;
  readonly decision: TriageJson;
  /** The enrichment that decided; `null`: no indicator. */
  readonly enrichment: Enrichment | null;
  /** All that is bad in the result, the worst first. */
  readonly accused: readonly Enrichment[];
}

/** What the action wants written into Splunk. */
export interface TriageWrites {
  readonly events: readonly string[];
  readonly risks: readonly string[];
  /** Risk events beyond the bound. */
  readonly leftOut: number;
  readonly intel: readonly ThreatIntelRow[];
  readonly watched: readonly Readonly<Record<string, string | number>>[];
}

const KV_BATCH = 500;
/** Pairs of hosts and bad addresses multiply: more than this no analyst reads. */
const MAX_RISKS = 10_000;
/** The action's name, as Splunk knows it. */
export const ACTION = 'ismalicious_triage';

/** What is to be written for the results, by the action's parameters. Times in seconds since 1970 (UTC). */
export function planWrites(triaged: readonly TriagedResult[], payload: AlertPayload, nowS: number): TriageWrites {
  const { params } = payload;
  const risks = params.risk ? triaged.flatMap((one) => risksOf(one, params.riskObjectFields)) : [];
  const intel = params.threatIntel ? triaged.flatMap(({ accused }) => accused.flatMap((one) => toThreatIntelRow(one) ?? [])) : [];
  return {
    events: params.index === null ? [] : triaged.map((one) => JSON.stringify(eventOf(one, payload, nowS))),
    risks: [...new Set(risks.map((risk) => riskText(risk, payload, nowS)))].slice(0, MAX_RISKS),
    leftOut: Math.max(0, risks.length - MAX_RISKS),
    intel: [...new Map(intel.map((row) => [JSON.stringify(row), row])).values()],
    watched: params.watchlist ? watchedRows(triaged, payload, nowS) : [],
  };
}

/** How many of each kind were written. */
export type WriteCounts = { -readonly [Part in Exclude<keyof TriageWrites, 'leftOut'>]: number };

/** Before anything is written. */
export const NOTHING_WRITTEN: Readonly<WriteCounts> = { events: 0, risks: 0, intel: 0, watched: 0 };

/** Writes the plan; answers what failed, one line each. What one part may not do does not keep the others from being done. */
export async function carryOutWrites(
  writes: TriageWrites,
  splunkd: Splunkd,
  payload: AlertPayload,
): Promise<{ readonly written: WriteCounts; readonly faults: string[] }> {
  const { params } = payload;
  const faults: string[] = [];
  const written = { ...NOTHING_WRITTEN };
  // What was taken is counted as it is taken: the log says what is there, also when the rest failed.
  const attempt = async (part: keyof WriteCounts, what: string, work: (isWritten: (rows: number) => void) => Promise<void>) => {
    try {
      await work((rows) => void (written[part] += rows));
    } catch (error) {
      const all = writes[part].length;
      const rest = written[part] === 0 ? '' : `${all - written[part]} of ${all} `;
      faults.push(`${rest}${what} not written: ${error instanceof Error ? error.message : 'unknown fault'}`);
    }
  };
  const source = payload.searchName || ACTION;
  const send = (index: string, sourcetype: string, lines: readonly string[]) => async (isWritten: (rows: number) => void) => {
    await receive(splunkd, { index, sourcetype, source }, lines);
    isWritten(lines.length);
  };
  if (writes.events.length > 0) await attempt('events', 'events', send(params.index ?? '', 'ismalicious:triage', writes.events));
  if (writes.risks.length > 0) await attempt('risks', 'risk events', send(params.riskIndex, 'stash', writes.risks));
  if (writes.intel.length > 0)
    await attempt('intel', 'rows of threat intelligence', (isWritten) => addIntel(splunkd, writes.intel, isWritten));
  if (writes.watched.length > 0)
    await attempt('watched', 'rows of the watchlist', (isWritten) => saveRows(splunkd, 'ismalicious_watchlist', writes.watched, isWritten));
  return { written, faults };
}

/** A risk event for each pair of an entity of ours and something bad, as Enterprise Security makes them: the first field that names one says whom. */
function risksOf({ result, accused }: TriagedResult, fields: readonly string[]): RiskEvent[] {
  const inputs = new Set(accused.flatMap(({ input, indicator }) => [input, indicator?.value ?? input]));
  for (const field of fields) {
    const entities = textsOf(result[field]).filter((value) => !isPlaceholder(value) && !inputs.has(value));
    if (entities.length === 0) continue;
    return accused.flatMap((one) => entities.flatMap((value) => toRiskEvent(one, { field, value }) ?? []));
  }
  return [];
}

/** The values of a field, each once; Splunk joins those of a multivalue by line breaks. */
function textsOf(value: unknown): string[] {
  const texts = [value].flat().filter((one) => typeof one === 'string');
  return [...new Set(texts.flatMap((text) => text.split(/\r?\n/)))];
}

/** As Enterprise Security keeps risk events: pairs of name and quoted value behind the time. */
function riskText(risk: RiskEvent, { searchName, sid }: AlertPayload, nowS: number): string {
  const pairs = { search_name: searchName, orig_sid: sid, orig_action_name: ACTION, ...risk };
  const text = Object.entries(pairs).map(
    ([name, value]) => `${name}="${String(value).replaceAll(/["\\]/g, '\\$&').replaceAll(/\s+/g, ' ')}"`,
  );
  return `${nowS}, ${text.join(', ')}`;
}

function eventOf(triaged: TriagedResult, { searchName, sid, owner, params }: AlertPayload, nowS: number) {
  const { decision, enrichment } = triaged;
  const [risk = null] = risksOf(triaged, params.riskObjectFields);
  const { answer } = enrichment ?? {};
  return {
    time: nowS,
    search_name: searchName,
    orig_sid: sid,
    orig_action_name: ACTION,
    orig_rid: typeof triaged.result['rid'] === 'string' ? triaged.result['rid'] : '',
    action_status: enrichment !== null && isFailure(enrichment.answer.status) ? 'failure' : 'success',
    user: owner,
    alert_id: decision.alert_id,
    tier: decision.tier,
    actions: decision.actions,
    auto_resolve: decision.auto_resolve,
    note: decision.note,
    im_indicator: decision.indicator,
    im_type: enrichment?.indicator?.type ?? null,
    im_verdict: decision.verdict,
    im_score: decision.score,
    im_status: decision.status,
    im_category: answer?.categories.join(', ') ?? '',
    ...(risk === null ? {} : risk),
  };
}

function watchedRows(triaged: readonly TriagedResult[], { searchName, owner }: AlertPayload, nowS: number): TriageWrites['watched'] {
  const rows = triaged.flatMap(({ decision, enrichment }) => {
    const indicator = enrichment?.indicator;
    if (!indicator || !decision.actions.includes('add_to_watchlist')) return [];
    return [
      {
        _key: createHash('sha256').update(indicator.value).digest('hex'),
        im_indicator: indicator.value,
        im_type: indicator.type,
        im_verdict: decision.verdict,
        ...(decision.score === null ? {} : { im_score: decision.score }),
        im_tier: decision.tier,
        added_at: nowS,
        added_by: owner,
        search_name: searchName,
      },
    ];
  });
  return [...new Map(rows.map((row) => [row._key, row])).values()];
}

/** Has splunkd index lines. Throws `SplunkdError`. */
export async function receive(
  splunkd: Splunkd,
  query: { index: string; sourcetype: string; source: string },
  lines: readonly string[],
): Promise<void> {
  const body = `${lines.join('\n')}\n`;
  await splunkd.request({ path: '/services/receivers/simple', method: 'POST', query, body, type: 'text/plain', needs: 'edit_tcp' });
}

async function addIntel(splunkd: Splunkd, intel: readonly ThreatIntelRow[], isWritten: (rows: number) => void): Promise<void> {
  for (const { collection, row } of intel) {
    await splunkd.request({
      path: `/services/data/threat_intel/item/${collection}`,
      method: 'POST',
      body: new URLSearchParams({ item: JSON.stringify(row) }).toString(),
      type: 'application/x-www-form-urlencoded',
      needs: 'edit_threat_intel_collections',
    });
    isWritten(1);
  }
}

/** Saves rows of a collection of this app by their `_key`. `isWritten` is told after each call how many rows it saved. */
export async function saveRows(
  splunkd: Splunkd,
  collection: string,
  rows: readonly object[],
  isWritten: (rows: number) => void = () => undefined,
): Promise<void> {
  await sendInBatches(rows, KV_BATCH, async (batch) => {
    await splunkd.request({
      path: `/servicesNS/nobody/ismalicious/storage/collections/data/${collection}/batch_save`,
      method: 'POST',
      body: JSON.stringify(batch),
      needs: `to write the collection ${collection}`,
    });
    isWritten(batch.length);
  });
}
