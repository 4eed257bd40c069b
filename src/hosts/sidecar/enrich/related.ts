import { endOf, Place, startOf } from '../json/event-map.ts';
import type { EventMap } from '../json/event-map.ts';
import { QUOTE } from '../json/lex.ts';
import { COMMA_PIECE, extendList, extendObject, startOfPlace, withoutComma } from './insertions.ts';
import type { Editing } from './insertions.ts';

const LISTED_INTS = 3;
const FIRST = Place.relatedIp;
const NAMES = ['ip', 'hosts', 'hash'].map((name) => Buffer.from(`,"${name}":[`));
const END_LIST = Buffer.from(']');
const RELATED = Buffer.from(',"related":{');
const END_RELATED = Buffer.from('}');

/** Comparing each with each is quickest for few; when there are more comparisons than this, a set does it. */
const MANY = 4096;

/** What an event's `related.*` lists get: JSON strings with commas between them, by list. */
export interface RelatedAdditions {
  readonly lists: readonly Uint8Array[][];
  count: number;
  /** All that is listed or added, once there is too much to compare; by list and text. */
  seen: Set<string> | null;
}

/** No additions. */
export function createRelatedAdditions(): RelatedAdditions {
  return { lists: NAMES.map(() => []), count: 0, seen: null };
}

/** Forgets the last event. */
export function clearRelated(additions: RelatedAdditions): void {
  additions.seen = null;
  if (additions.count === 0) return;
  additions.count = 0;
  for (const list of additions.lists) list.length = 0;
}

/** Adds a JSON string (quotes included) to the list at `place`, unless the event or an earlier addition has it. */
export function addRelated(additions: RelatedAdditions, editing: Editing, place: number, text: Uint8Array): void {
  const { map, bytes } = editing;
  const list = additions.lists[place - FIRST];
  if (list === undefined) return;
  if (additions.seen === null && map.valueCount * (map.listedCount + additions.count) > MANY)
    additions.seen = seenSoFar(additions, editing);
  if (additions.seen === null) {
    if (isListed(map, bytes, place, text) || isAdded(list, text)) return;
  } else {
    const key = `${place}${textOf(text)}`;
    if (additions.seen.has(key)) return;
    additions.seen.add(key);
  }
  if (list.length > 0) list.push(COMMA_PIECE);
  list.push(text);
  additions.count++;
}

/** Whether the list at `place` holds the n-th value just as it is spelled in the event. */
export function isValueListed({ map, bytes }: Editing, place: number, n: number): boolean {
  const start = startOf(map, n);
  const length = endOf(map, n) - start;
  const { listed } = map;
  for (let at = 0; at < map.listedCount * LISTED_INTS; at += LISTED_INTS) {
    const other = listed[at + 1] as number;
    if (listed[at] !== place || (listed[at + 2] as number) - other !== length) continue;
    let same = 0;
    while (same < length && bytes[other + same] === bytes[start + same]) same++;
    if (same === length) return true;
  }
  return false;
}

/** Writes the additions where they belong; what has to go into the event's root is put at the end of `root`. */
export function writeRelated(additions: RelatedAdditions, editing: Editing, root: Uint8Array[]): void {
  const members: Uint8Array[] = [];
  additions.lists.forEach((list, n) => {
    if (list.length === 0) return;
    const place = FIRST + n;
    if (startOfPlace(editing.map, place) >= 0) extendList(editing, place, list, QUOTE);
    else members.push(NAMES[n] as Uint8Array, ...list, END_LIST);
  });
  if (members.length === 0) return;
  if (startOfPlace(editing.map, Place.related) >= 0) extendObject(editing, Place.related, members);
  else root.push(RELATED, ...withoutComma(members), END_RELATED);
}

function isListed(map: EventMap, bytes: Uint8Array, place: number, text: Uint8Array): boolean {
  const { listed } = map;
  const inner = text.length - 2;
  for (let at = 0; at < map.listedCount * LISTED_INTS; at += LISTED_INTS) {
    const start = listed[at + 1] as number;
    if (listed[at] !== place || (listed[at + 2] as number) - start !== inner) continue;
    let same = 0;
    while (same < inner && bytes[start + same] === text[same + 1]) same++;
    if (same === inner) return true;
  }
  return false;
}

function isAdded(list: readonly Uint8Array[], text: Uint8Array): boolean {
  for (const item of list) {
    if (item === text || (item.length === text.length && Buffer.compare(item, text) === 0)) return true;
  }
  return false;
}

function seenSoFar(additions: RelatedAdditions, { map, bytes }: Editing): Set<string> {
  const seen = new Set<string>();
  for (let at = 0; at < map.listedCount * LISTED_INTS; at += LISTED_INTS) {
    const [place = 0, start = 0, end = 0] = map.listed.subarray(at, at + LISTED_INTS);
    seen.add(`${place}${textOf(bytes.subarray(start - 1, end + 1))}`);
  }
  additions.lists.forEach((list, n) => {
    for (const item of list) seen.add(`${FIRST + n}${textOf(item)}`);
  });
  return seen;
}

function textOf(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('latin1');
}
