// src/pipeline/triage/: an alert in, what to do about it out.
import { createHash } from 'node:crypto';
import { enrichInTurns } from '../../engine/enrich-in-turns.ts';
import type { Enricher } from '../../engine/enricher.ts';
import type { Store } from '../../store/store-client.ts';
import { mapInTurns } from '../../engine/turns.ts';
import type { Enrichment } from '../../model/enrichment.ts';
import { isNestedWithin, prunedTo } from '../../model/formats/nesting.ts';
import type { OutputItem } from '../../outputs/output.ts';
import { indicatorId } from '../delivery/output-item.ts';
import { nowS, type PipelineClock } from '../pipeline-clock.ts';
import { deliveriesOf, type Recipient } from '../route-judgements.ts';
import { createSightingReader } from '../sightings/sighting-reader.ts';
import { decideTriage, type TriageDecision } from './decide-triage.ts';
import { ALERT_FIELDS, type AlertFacts, readAlert } from './read-alert.ts';
import type { TriageRules } from './triage-settings.ts';

const DAY_S = 86_400;
/** Brackets that may be open at once in an alert; the fields that are read lie no deeper than a few. */
const MAX_NESTING = 64;

/** What triage works with. `store` and `outputs` are optional parts: without them it only decides. */
export interface Triage {
  readonly enricher: Enricher;
  readonly rules: TriageRules;
  readonly clock: PipelineClock;
  /** Where decisions are journalled for the outputs and indicators are put on the watchlist; `null`: it only decides. */
  readonly store: Store | null;
  readonly outputs: readonly (Recipient & { readonly isDry?: boolean })[];
  /** Whether the alerts are noted as sightings; left out: they are, where there is a store. */
  readonly recordsSightings?: boolean;
  readonly maxPending: number;
}

/** One decision as `/v1/triage` answers it. */
export interface TriageJson {
  readonly alert_id: string;
  readonly tier: string;
  readonly actions: readonly string[];
  readonly auto_resolve: boolean;
  readonly score: number | null;
  readonly verdict: string;
  readonly status: string;
  readonly indicator: string | null;
  readonly field: string | null;
  readonly reasons: readonly string[];
  /** One line to write into the alert. */
  readonly note: string;
}

/**
 * Triages alerts: one decision each, in order. All their indicators are looked up together. What nests deeper than any field that is read
 * is left out: whoever wrote it into one alert holds up none of them.
 */
export async function triageAlerts(
  given: readonly Readonly<Record<string, unknown>>[],
  triage: Triage,
  options: { timeoutMs?: number; signal?: AbortSignal } = {},
): Promise<TriageJson[]> {
  const alerts = given.map((alert) => (isNestedWithin(alert, MAX_NESTING) ? alert : (prunedTo(alert, MAX_NESTING) as typeof alert)));
  const facts = await mapInTurns(alerts, (alert) => readAlert(alert), options.signal);
  const values = new Set(facts.flatMap(({ observables }) => observables.map(({ value }) => value)));
  const found = await enrichInTurns(triage.enricher, values, options);
  const decisions = facts.map((alert) => {
    const enrichments = alert.observables.map(({ value }) => found.get(value)).filter((one): one is Enrichment => one !== undefined);
    return { alert, decision: decideTriage(alert, enrichments, triage.rules) };
  });
  const ids = alerts.map((alert, n) => facts[n]?.id ?? createHash('sha256').update(JSON.stringify(alert)).digest('hex').slice(0, 32));
  if (triage.store && triage.recordsSightings !== false) await noteSightings(alerts, triage.store, triage.clock);
  if (triage.store)
    for (const [n, { decision }] of decisions.entries()) await carryOut(decision, ids[n] ?? '', { ...triage, store: triage.store });
  return decisions.map(({ alert, decision }, n) => toJson(alert, decision, ids[n] ?? ''));
}

/** An alert names who of ours was seen with its indicators. */
async function noteSightings(alerts: readonly Readonly<Record<string, unknown>>[], store: Store, clock: PipelineClock): Promise<void> {
  const reader = createSightingReader({ fields: ALERT_FIELDS, nowS: () => nowS(clock) });
  for (const alert of alerts) reader.add(alert);
  if (reader.size > 0) await store.recordSightings(reader.drain());
}

/** Journals the decision for the outputs, and watches what is to be watched. Nothing else is done. */
async function carryOut(
  decision: TriageDecision,
  alertId: string,
  { store, outputs, clock, maxPending, rules }: Triage & { store: Store },
): Promise<void> {
  const { decisive, tier } = decision;
  const indicator = decisive?.indicator;
  if (!decisive || !indicator) return;
  const atS = nowS(clock);
  if (decision.actions.includes('add_to_watchlist')) {
    await store.watch(
      { indicator, reason: `triage of alert ${alertId}`.slice(0, 200), by: 'triage', everyS: DAY_S, untilS: atS + rules.watchDays * DAY_S },
      atS,
    );
  }
  const id = indicatorId(indicator.type, indicator.value);
  const item: OutputItem = {
    key: `ismalicious:triage:${createHash('sha256').update(`${alertId}\n${id}`).digest('hex').slice(0, 32)}`,
    id,
    event: 'triage',
    indicator,
    enrichment: { ...decisive, answer: { ...decisive.answer, tier } },
    sources: ['alert'],
    tags: [],
    tlp: null,
    addedS: atS,
    firstSeenS: atS,
    lastSeenS: atS,
    validUntilS: null,
    isRevoked: false,
    atS,
    before: null,
    note: `alert ${alertId}: ${decision.reasons.join('; ')}`,
  };
  await store.route(
    [
      {
        routed: null,
        deliveries: deliveriesOf(
          item,
          outputs.filter(({ isDry }) => isDry !== true),
        ),
      },
    ],
    atS,
    maxPending,
  );
}

function toJson({ observables }: AlertFacts, decision: TriageDecision, alertId: string): TriageJson {
  const { decisive, tier, actions, autoResolve, reasons } = decision;
  return {
    alert_id: alertId,
    tier,
    actions,
    auto_resolve: autoResolve,
    score: decisive?.answer.score ?? null,
    verdict: decisive?.answer.verdict ?? 'unknown',
    status: decisive?.answer.status ?? 'invalid',
    indicator: decisive?.indicator?.value ?? null,
    field: observables.find(({ value }) => value === decisive?.input)?.field ?? null,
    reasons,
    note: `isMalicious triage: ${tier}${autoResolve ? ', safe to resolve' : ''} (${reasons.join('; ')})`,
  };
}
