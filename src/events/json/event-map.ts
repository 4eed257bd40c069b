import { grown } from '../../model/tables/grown.ts';

/** What else of an event has to be known, besides the wanted values, to add something to it. */
export const Place = {
  root: 0,
  threat: 1,
  enrichments: 2,
  ismalicious: 3,
  related: 4,
  relatedIp: 5,
  relatedHosts: 6,
  relatedHash: 7,
  tags: 8,
  playbook: 9,
} as const;

/** Set beside a field's index when the value cannot be copied with the quotes around it: its text holds a backslash, or it stands inside a longer one. */
export const ESCAPED = 1 << 16;

const PLACES = 10;
/** A value is four integers: field, first byte inside the quotes, closing quote, hash of what is between. */
const INTS = 4;
/** A listed string is three: place, first byte inside the quotes, closing quote. */
const LISTED_INTS = 3;

/**
 * Where things are in one event: its wanted values, what `related.*` lists already, and the places where something can be
 * added. It is one for all events, filled anew for each, so that an event costs no object.
 */
export interface EventMap {
  values: Int32Array;
  valueCount: number;
  listed: Int32Array;
  listedCount: number;
  /** First byte of the value at each `Place` (quotes and brackets included) and the one behind it; -1: it is not there. */
  readonly places: Int32Array;
  /** Bits of the members that `ismalicious` has already. */
  members: number;
}

/** A map of nothing. */
export function createEventMap(): EventMap {
  return {
    values: new Int32Array(64 * INTS),
    valueCount: 0,
    listed: new Int32Array(64 * LISTED_INTS),
    listedCount: 0,
    places: new Int32Array(PLACES * 2),
    members: 0,
  };
}

/** Forgets the last event. */
export function clearEventMap(map: EventMap): void {
  map.valueCount = 0;
  map.listedCount = 0;
  map.members = 0;
  const { places } = map;
  for (let n = 0; n < places.length; n++) places[n] = -1;
}

/** Notes a wanted value; `field` may carry `ESCAPED`. Its hash is noted apart. */
export function noteValue(map: EventMap, field: number, start: number, end: number): void {
  const at = map.valueCount * INTS;
  if (at === map.values.length) map.values = grown(map.values, new Int32Array(at * 2));
  map.values[at] = field;
  map.values[at + 1] = start;
  map.values[at + 2] = end;
  map.valueCount++;
}

/** Notes the hash of the last value's bytes (see `hashOf`). */
export function noteHash(map: EventMap, hash: number): void {
  map.values[map.valueCount * INTS - 1] = hash;
}

/** Notes a string that one of the `related.*` lists holds already. */
export function noteListed(map: EventMap, place: number, start: number, end: number): void {
  const at = map.listedCount * LISTED_INTS;
  if (at === map.listed.length) map.listed = grown(map.listed, new Int32Array(at * 2));
  map.listed[at] = place;
  map.listed[at + 1] = start;
  map.listed[at + 2] = end;
  map.listedCount++;
}

/** Notes the value that stands at `place`. */
export function notePlace(map: EventMap, place: number, start: number, end: number): void {
  map.places[place * 2] = start;
  map.places[place * 2 + 1] = end;
}

/** Where a text stands in the event. */
export interface TextPlace {
  readonly field: number;
  readonly start: number;
  readonly end: number;
  readonly isEscaped: boolean;
}

/** Takes the values of those fields out of the map. */
export function takeTexts(map: EventMap, isText: readonly boolean[]): TextPlace[] {
  const texts: TextPlace[] = [];
  let kept = 0;
  for (let n = 0; n < map.valueCount; n++) {
    const field = fieldOf(map, n);
    if (isText[field] === true) texts.push({ field, start: startOf(map, n), end: endOf(map, n), isEscaped: isEscaped(map, n) });
    else map.values.copyWithin(kept++ * INTS, n * INTS, (n + 1) * INTS);
  }
  map.valueCount = kept;
  return texts;
}

/** Field of the n-th value, without `ESCAPED`. */
export function fieldOf(map: EventMap, n: number): number {
  return (map.values[n * INTS] as number) & (ESCAPED - 1);
}

/** Whether the n-th value cannot be copied as it stands, see `ESCAPED`. */
export function isEscaped(map: EventMap, n: number): boolean {
  return ((map.values[n * INTS] as number) & ESCAPED) !== 0;
}

/** First byte of the n-th value, inside the quotes. */
export function startOf(map: EventMap, n: number): number {
  return map.values[n * INTS + 1] as number;
}

/** Hash of the n-th value's bytes. */
export function hashAt(map: EventMap, n: number): number {
  return map.values[n * INTS + 3] as number;
}

/** Closing quote of the n-th value. */
export function endOf(map: EventMap, n: number): number {
  return map.values[n * INTS + 2] as number;
}
