import * as z from 'zod/mini';
import { isoTime } from '../../model/formats/iso-time.ts';
import { TLP_LABELS, type Tlp } from '../../model/tlp.ts';
import { looseConfidence, looseFlag, looseText, looseWords } from './loose-fields.ts';
import { type ItemFacts, type PageCollector } from './collect-page.ts';
import { valuesOfObservable } from '../../model/formats/stix-observable.ts';
import { isOwnObject, isOwnTag, readOwnJudgement, type WrittenObject } from '../../model/formats/own-export.ts';
import { readPattern } from '../../model/formats/stix-pattern.ts';

/** Marking definitions that every STIX 2.1 tool knows: TLP 1 (STIX 2.1 §7.2.1.4) and TLP 2.0 (OASIS extension). */
const TLP_MARKINGS: ReadonlyMap<string, Tlp> = new Map(
  Object.entries({
    'marking-definition--613f2e26-407d-48c7-9eca-b8e91df99dc9': 'CLEAR',
    'marking-definition--34098fce-860f-48ae-8e50-ebd3cc5e41da': 'GREEN',
    'marking-definition--f88d31f6-486f-44da-b317-01333bde0b82': 'AMBER',
    'marking-definition--5e57c739-391a-4eb3-b6be-7d15ca92d5ed': 'RED',
    'marking-definition--94868c89-83c2-464b-929b-a1a8aa3c8487': 'CLEAR',
    'marking-definition--bab4a63c-aed9-4cf5-a766-dfca5abac2bb': 'GREEN',
    'marking-definition--55d920b0-5e8b-4f79-9ee9-91f868d9b421': 'AMBER',
    'marking-definition--939a9414-2ddd-4d32-a0cd-375ea402b003': 'AMBER+STRICT',
    'marking-definition--e828b379-4e03-4974-9ac4-e53a884c97c1': 'RED',
  } as const),
);

/** Only the fields we use. A type makes it an object; the rest is decoration, or judged where it names the indicator. */
const StixObject = z.object({
  type: z.string(),
  created: looseText,
  modified: looseText,
  created_by_ref: looseText,
  description: looseText,
  revoked: looseFlag,
  confidence: looseConfidence,
  labels: looseWords,
  indicator_types: looseWords,
  object_marking_refs: looseWords,
  pattern: z.optional(z.unknown()),
  pattern_type: looseText,
  valid_from: looseText,
  valid_until: looseText,
});
const NO_SYSTEMS: ReadonlyMap<unknown, string> = new Map();

/**
 * Adds the indicators of one STIX object: an indicator with a pattern, an observable or a vulnerability. `systems`: AS numbers that count, by
 * their object; who does not see the whole bundle cannot tell them from those that only stand beside an address.
 */
export function addStixObject(page: PageCollector, raw: unknown, systems = NO_SYSTEMS): void {
  const parsed = StixObject.safeParse(raw);
  if (!parsed.success) return page.reject('no STIX object: its type is missing', raw);
  const object = parsed.data;
  if (isSilent(object)) return page.ignore();
  if (object.type === 'indicator') return addIndicator(page, object, raw);
  const system = systems.get(raw);
  const values = system === undefined ? (valuesOfObservable(raw as Readonly<Record<string, unknown>>) ?? []) : [system];
  if (values.length === 0) return page.ignore();
  for (const value of values) page.add(value, factsOf(object));
}

/** What calls a value benign, or repeats a judgement of ours without saying which, accuses nobody. */
function isSilent(object: z.output<typeof StixObject>): boolean {
  const written = writtenOf(object);
  if (!isOwnObject(written)) return object.indicator_types.includes('benign') && !object.indicator_types.includes('malicious-activity');
  const judged = readOwnJudgement(written);
  return judged === null || judged.score === null || judged.verdict === 'unknown';
}

function writtenOf({ created_by_ref: createdBy, labels, description }: z.output<typeof StixObject>): WrittenObject {
  return { createdBy, labels, description };
}

function addIndicator(page: PageCollector, object: z.output<typeof StixObject>, raw: unknown): void {
  if (object.pattern_type !== null && object.pattern_type.toLowerCase() !== 'stix') return page.ignore();
  if (typeof object.pattern !== 'string' || object.pattern === '') return page.reject('STIX indicator without a pattern', raw);
  const found = readPattern(object.pattern);
  if ('reason' in found) return page.reject(found.reason, object.pattern);
  for (const value of found.values) page.add(value, factsOf(object));
  const [first, ...more] = found.left;
  if (first !== undefined)
    page.reject(`a part of the pattern is left out: ${first}${more.length > 0 ? `, and ${more.length} more` : ''}`, object.pattern);
}

function factsOf(object: z.output<typeof StixObject>): ItemFacts {
  const written = writtenOf(object);
  return {
    judged: isOwnObject(written) ? readOwnJudgement(written) : null,
    tags: [...object.labels.filter((label) => !isOwnTag(label)), ...object.indicator_types],
    tlp: tlpOfMarkings(object.object_marking_refs),
    confidence: object.confidence,
    firstSeen: isoTime(object.valid_from) ?? isoTime(object.created),
    lastSeen: isoTime(object.modified),
    validUntil: isoTime(object.valid_until),
    isRevoked: object.revoked === true,
  };
}

function tlpOfMarkings(refs: readonly string[]): Tlp | null {
  const labels = refs.flatMap((ref) => TLP_MARKINGS.get(ref) ?? []);
  const worst = Math.max(-1, ...labels.map((label) => TLP_LABELS.indexOf(label)));
  return TLP_LABELS[worst] ?? null;
}
