// src/pipeline/triage/: an alert in, what to do about it out.
import { createHash } from 'node:crypto';
import { enrichInTurns } from '../../engine/enrich-in-turns.ts';
import type { Enricher } from '../../engine/enricher.ts';
import { questionIn } from '../../engine/field-routes.ts';
import type { Store } from '../../store/store-client.ts';
import { mapInTurns } from '../../engine/turns.ts';
import { type Enrichment, isLeftAlone } from '../../model/enrichment.ts';
import { placeOf } from '../../model/worst-answer.ts';
import type { OutputItem } from '../../outputs/output.ts';
import { unlistedItem } from '../delivery/output-item.ts';
import { nowS, type PipelineClock } from '../pipeline-clock.ts';
import { deliveriesOf, type Recipient } from '../route-judgements.ts';
import { decideTriage, type TriageDecision } from './decide-triage.ts';
import type { Observable } from './read-alert.ts';
import { type Alert, type AlertReading, readAlertWhole } from './read-alerts.ts';
import type { TriageRules } from './triage-settings.ts';

const DAY_S = 86_400;

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

/** How long the look-ups of a triage may take, and who waits for it. */
export interface TriageWait {
  readonly timeoutMs?: number;
  readonly signal?: AbortSignal;
}

/** A decision, and all that is bad in its alert, the worst first. */
export interface TriagedAlert {
  readonly decision: TriageJson;
  /** The enrichment that decided; `null`: no indicator. */
  readonly decisive: Enrichment | null;
  readonly accused: readonly Enrichment[];
}

/** An output's journal takes nothing more: the alert has to be sent again. */
export class JournalFullError extends Error {
  override readonly name = 'JournalFullError';
}

/** Whether triage notes who was seen with what. */
export function notesSightings({ store, recordsSightings }: Pick<Triage, 'store' | 'recordsSightings'>): boolean {
  return store !== null && recordsSightings !== false;
}

/** Triages alerts: one decision each, in order. All their indicators are looked up together. */
export async function triageAlerts(alerts: readonly Alert[], triage: Triage, wait: TriageWait = {}): Promise<TriageJson[]> {
  return (await triageWithEvidence(alerts, triage, wait)).map(({ decision }) => decision);
}

/** The same, with what is bad in each alert. `fieldsOf`: where a value of the n-th alert stood, when that is not the alert as it is given here. */
export async function triageWithEvidence(
  alerts: readonly Alert[],
  triage: Triage,
  wait: TriageWait = {},
  fieldsOf?: (n: number, value: string) => readonly string[],
): Promise<TriagedAlert[]> {
  const what = { notesSightings: notesSightings(triage), nowS: nowS(triage.clock) };
  const readings = await mapInTurns(alerts, (alert) => readAlertWhole(alert, what), wait.signal);
  return await triageReadings(
    fieldsOf ? readings.map((reading, n) => standingIn(reading, (value) => fieldsOf(n, value))) : readings,
    triage,
    wait,
  );
}

function standingIn(reading: AlertReading, fieldsOf: (value: string) => readonly string[]): AlertReading {
  const observables = reading.facts.observables.map((observable) => {
    const fields = fieldsOf(observable.value);
    return fields.length === 0 ? observable : { ...observable, fields };
  });
  return { ...reading, facts: { ...reading.facts, observables } };
}

/** The same for alerts that were read already. */
export async function triageReadings(readings: readonly AlertReading[], triage: Triage, wait: TriageWait = {}): Promise<TriagedAlert[]> {
  const values = new Set<string>();
  const askedIn = ({ facts }: AlertReading) => facts.observables.flatMap((observable) => questionsOf(triage.enricher, observable));
  await mapInTurns(readings, (reading) => askedIn(reading).forEach(({ question }) => values.add(question)), wait.signal);
  const found = await enrichInTurns(triage.enricher, values, wait);
  const judge = (reading: AlertReading) => {
    const { facts } = reading;
    const asked = askedIn(reading);
    const enrichments = asked.map(({ question }) => found.get(question)).filter((one): one is Enrichment => one !== undefined);
    const decision = decideTriage(facts, enrichments, triage.rules);
    const { decisive } = decision;
    const field = decisive === null ? null : (asked.find(({ question }) => found.get(question) === decisive)?.field ?? null);
    const accused = enrichments.filter(isAccused).sort((a, b) => placeOf(a.answer) - placeOf(b.answer));
    return { decision, field, accused };
  };
  const judged = await mapInTurns(readings, judge, wait.signal);
  const { store } = triage;
  if (store !== null) {
    const sightings = readings.flatMap((reading) => reading.sightings);
    if (sightings.length > 0) await store.recordSightings(sightings);
    for (const [n, { decision }] of judged.entries()) await carryOut(decision, readings[n]?.id ?? '', { ...triage, store });
  }
  return judged.map(({ decision, field, accused }, n) => ({
    decision: toJson(decision, field, readings[n]?.id ?? ''),
    decisive: decision.decisive,
    accused,
  }));
}

/** What is asked about an observable: it may stand in fields for which different providers are asked. */
function questionsOf(
  enricher: Enricher,
  { field, value, fields = [field] }: Observable,
): { readonly field: string; readonly question: string }[] {
  if (enricher.routeOf === undefined) return [{ field, question: value }];
  const first = new Map<string, string>();
  for (const one of fields) {
    const question = questionIn(enricher, { field: one, value });
    if (!first.has(question)) first.set(question, one);
  }
  return [...first].map(([question, one]) => ({ field: one, question }));
}

/** Journals the decision for the outputs, and watches what is to be watched. Nothing else is done. */
async function carryOut(
  decision: TriageDecision,
  alertId: string,
  { store, outputs, clock, maxPending, rules }: Triage & { store: Store },
): Promise<void> {
  const { decisive, tier } = decision;
  const indicator = decisive?.indicator;
  // Internal values are nobody's business outside.
  if (!decisive || !indicator || isLeftAlone(decisive.answer.status)) return;
  const atS = nowS(clock);
  if (decision.actions.includes('add_to_watchlist')) {
    await store.watch(
      { indicator, reason: `triage of alert ${alertId}`.slice(0, 200), by: 'triage', everyS: DAY_S, untilS: atS + rules.watchDays * DAY_S },
      atS,
    );
  }
  const about = unlistedItem(indicator, atS);
  const item: OutputItem = {
    ...about,
    key: `ismalicious:triage:${createHash('sha256').update(`${alertId}\n${about.id}`).digest('hex').slice(0, 32)}`,
    event: 'triage',
    enrichment: { ...decisive, answer: { ...decisive.answer, tier } },
    sources: ['alert'],
    atS,
    note: `alert ${alertId}: ${decision.reasons.join('; ')}`,
  };
  const { held } = await store.route(
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
  const full = Object.keys(held);
  // Nobody reads the alert again for us: who sent it has to know.
  if (full.length > 0)
    throw new JournalFullError(
      `the journal of ${full.join(', ')} is full (pipeline.max_pending): alert ${alertId} was not sent there; see: ismalicious store stats`,
    );
}

function isAccused({ answer, indicator }: Enrichment): boolean {
  return indicator !== null && (answer.verdict === 'malicious' || answer.verdict === 'suspicious');
}

function toJson(decision: TriageDecision, field: string | null, alertId: string): TriageJson {
  const { decisive, tier, actions, autoResolve, reasons } = decision;
  return {
    alert_id: alertId,
    tier,
    actions,
    auto_resolve: autoResolve,
    score: decisive?.answer.score ?? null,
    verdict: decisive?.answer.verdict ?? 'unknown',
    status: decisive?.answer.status ?? 'skipped_empty',
    indicator: decisive?.indicator?.value ?? null,
    field,
    reasons,
    note: `isMalicious triage: ${tier}${autoResolve ? ', safe to resolve' : ''} (${reasons.join('; ')})`,
  };
}
