import { createHash } from 'node:crypto';
import { type RiskEvent, type ThreatIntelRow, toRiskEvent, toThreatIntelRow } from '../../../mapping/splunk-risk.ts';
import type { Enrichment } from '../../../model/enrichment.ts';
import type { TriageJson } from '../../../pipeline/triage/triage.ts';
import type { AlertPayload } from './alert-payload.ts';
import type { Splunkd } from '../splunkd/splunkd.ts';

/** One result of the alert with what triage said about it. */
export interface TriagedResult {
  readonly result: Readonly<Record<string, unknown>>;
  readonly decision: TriageJson;
  /** The enrichment that decided; `null`: no indicator. */
  readonly enrichment: Enrichment | null;
}

/** What the action wants written into Splunk. */
export interface TriageWrites {
  readonly events: readonly string[];
  readonly risks: readonly string[];
  readonly intel: readonly ThreatIntelRow[];
  readonly watched: readonly Readonly<Record<string, string | number>>[];
}

const KV_BATCH = 500;
const ACTION = 'ismalicious_triage';

/** What is to be written for the results, by the action's parameters. Times in seconds since 1970 (UTC). */
export function planWrites(triaged: readonly TriagedResult[], payload: AlertPayload, nowS: number): TriageWrites {
  const { params } = payload;
  const risks = params.risk ? triaged.flatMap((one) => riskOf(one, params.riskObjectFields) ?? []) : [];
  const intel = params.threatIntel ? triaged.flatMap(({ enrichment }) => (enrichment && toThreatIntelRow(enrichment)) ?? []) : [];
  return {
    events: params.index === null ? [] : triaged.map((one) => JSON.stringify(eventOf(one, payload, nowS))),
    risks: [...new Set(risks.map((risk) => riskText(risk, payload, nowS)))],
    intel: [...new Map(intel.map((row) => [JSON.stringify(row), row])).values()],
    watched: params.watchlist ? watchedRows(triaged, payload, nowS) : [],
  };
}

/** Writes the plan; answers what failed, one line each. What one part may not do does not keep the others from being done. */
export async function carryOutWrites(writes: TriageWrites, splunkd: Splunkd, payload: AlertPayload): Promise<string[]> {
  const { params } = payload;
  const faults: string[] = [];
  const attempt = async (what: string, work: () => Promise<void>) => {
    try {
      await work();
    } catch (error) {
      faults.push(`${what} not written: ${error instanceof Error ? error.message : 'unknown fault'}`);
    }
  };
  const source = payload.searchName || ACTION;
  if (writes.events.length > 0)
    await attempt('events', () => receive(splunkd, { index: params.index ?? '', sourcetype: 'ismalicious:triage', source }, writes.events));
  if (writes.risks.length > 0)
    await attempt('risk events', () => receive(splunkd, { index: params.riskIndex, sourcetype: 'stash', source }, writes.risks));
  if (writes.intel.length > 0) await attempt('threat intelligence', () => addIntel(splunkd, writes.intel));
  if (writes.watched.length > 0) await attempt('watchlist', () => saveRows(splunkd, 'ismalicious_watchlist', writes.watched));
  return faults;
}

function riskOf({ result, enrichment }: TriagedResult, fields: readonly string[]): RiskEvent | null {
  if (enrichment === null) return null;
  for (const field of fields) {
    const value = [result[field]].flat()[0];
    if (typeof value === 'string' && value !== '' && value !== enrichment.input) return toRiskEvent(enrichment, { field, value });
  }
  return null;
}

/** As Enterprise Security keeps risk events: pairs of name and quoted value behind the time. */
function riskText(risk: RiskEvent, { searchName, sid }: AlertPayload, nowS: number): string {
  const pairs = { search_name: searchName, orig_sid: sid, orig_action_name: ACTION, ...risk };
  const text = Object.entries(pairs).map(
    ([name, value]) => `${name}="${String(value).replaceAll(/["\\]/g, '\\$&').replaceAll(/\s+/g, ' ')}"`,
  );
  return `${nowS}, ${text.join(', ')}`;
}

function eventOf({ result, decision, enrichment }: TriagedResult, { searchName, sid, owner, params }: AlertPayload, nowS: number) {
  const risk = riskOf({ result, decision, enrichment }, params.riskObjectFields);
  const { answer } = enrichment ?? {};
  return {
    time: nowS,
    search_name: searchName,
    orig_sid: sid,
    orig_action_name: ACTION,
    action_status: 'success',
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

async function receive(splunkd: Splunkd, query: { index: string; sourcetype: string; source: string }, lines: readonly string[]) {
  const body = `${lines.join('\n')}\n`;
  await splunkd.request({ path: '/services/receivers/simple', method: 'POST', query, body, type: 'text/plain', needs: 'edit_tcp' });
}

async function addIntel(splunkd: Splunkd, intel: readonly ThreatIntelRow[]): Promise<void> {
  for (const { collection, row } of intel) {
    await splunkd.request({
      path: `/services/data/threat_intel/item/${collection}`,
      method: 'POST',
      body: new URLSearchParams({ item: JSON.stringify(row) }).toString(),
      type: 'application/x-www-form-urlencoded',
      needs: 'edit_threat_intel_collections',
    });
  }
}

/** Saves rows of a collection of this app by their `_key`. */
export async function saveRows(splunkd: Splunkd, collection: string, rows: readonly object[]): Promise<void> {
  for (let from = 0; from < rows.length; from += KV_BATCH) {
    await splunkd.request({
      path: `/servicesNS/nobody/ismalicious/storage/collections/data/${collection}/batch_save`,
      method: 'POST',
      body: JSON.stringify(rows.slice(from, from + KV_BATCH)),
      needs: `to write the collection ${collection}`,
    });
  }
}
