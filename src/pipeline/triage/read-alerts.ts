import { createHash } from 'node:crypto';
import { isNestedWithin, prunedTo } from '../../model/formats/nesting.ts';
import type { Sighting } from '../../store/sightings.ts';
import { createSightingReader } from '../sightings/sighting-reader.ts';
import { ALERT_FIELDS, type AlertFacts, readAlert } from './read-alert.ts';

/** Brackets that may be open at once in an alert; the fields that are read lie no deeper than a few. */
const MAX_NESTING = 64;

/** An alert, as whoever wrote it sent it. */
export type Alert = Readonly<Record<string, unknown>>;

/** All that triage wants of an alert. */
export interface AlertReading {
  readonly facts: AlertFacts;
  /** Its own id, or one made of what it holds. */
  readonly id: string;
  /** Who of ours was seen with its indicators; none where nobody notes that. */
  readonly sightings: readonly Sighting[];
}

/** Reads an alert. What nests deeper than any field that is read is left out: whoever wrote it into one alert holds up none of them. */
export function readAlertWhole(
  given: Alert,
  { notesSightings, nowS }: { readonly notesSightings: boolean; readonly nowS: number },
): AlertReading {
  const alert = isNestedWithin(given, MAX_NESTING) ? given : (prunedTo(given, MAX_NESTING) as Alert);
  const facts = readAlert(alert);
  const id = facts.id ?? createHash('sha256').update(JSON.stringify(alert)).digest('hex').slice(0, 32);
  if (!notesSightings) return { facts, id, sightings: [] };
  const reader = createSightingReader({ fields: ALERT_FIELDS, nowS: () => nowS });
  reader.add(alert);
  return { facts, id, sightings: reader.drain() };
}

/** The alerts of a parsed text: one as a JSON object, an array of them, or `{"alerts":[…]}`; `null`: no alerts. */
export function alertsOf(parsed: unknown): readonly Alert[] | null {
  const given = isObject(parsed) && Array.isArray(parsed['alerts']) ? parsed['alerts'] : parsed;
  const alerts = Array.isArray(given) ? (given as unknown[]) : [given];
  return alerts.every(isObject) ? alerts : null;
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
