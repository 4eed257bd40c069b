import { put, putByte, putRange } from './json/byte-edits.ts';
import { endOf, Place, startOf } from './json/event-map.ts';
import { CLOSE_ARRAY, COMMA, QUOTE } from './json/json-bytes.ts';
import { beginItems, beginMembers, endItems, endMembers, startOfPlace } from './insertions.ts';
import type { Editing } from './insertions.ts';

const LISTED_INTS = 3;
const FIRST = Place.relatedIp;
const NAMES = ['ip', 'hosts', 'hash'].map((name) => Buffer.from(`"${name}":[`));
const RELATED = Buffer.from(',"related":{');

/** Comparing each with each is quickest for few; when there are more comparisons than this, a set does it. */
const MANY = 4096;

/** A value for one of the lists: the n-th of the event, and its canonical spelling as a JSON string; `null`: that is the event's own. */
interface Addition {
  list: number;
  n: number;
  text: Buffer | null;
}

/** What an event's `related.*` lists get, in the order it was found. Filled anew for each event: `items` past `count` are left over. */
export interface RelatedAdditions {
  count: number;
  readonly items: Addition[];
  /** All that is listed or added, once there is too much to compare; by list and text. */
  seen: Set<string> | null;
}

/** No additions. */
export function createRelatedAdditions(): RelatedAdditions {
  return { count: 0, items: [], seen: null };
}

/** Forgets the last event. */
export function clearRelated(additions: RelatedAdditions): void {
  additions.count = 0;
  additions.seen = null;
}

/** An event that gets additions to its `related.*`. */
export interface RelatedEditing extends Editing {
  readonly related: RelatedAdditions;
}

/** Adds the n-th value to a list (a `Place`), unless the event or an earlier addition has it; `text`: see `Addition`. */
export function addRelated(editing: RelatedEditing, list: number, n: number, text: Buffer | null): void {
  const { map, related } = editing;
  if (map.valueCount * (map.listedCount + related.count) > MANY) {
    if (!isNew(editing, list, text ?? rawText(editing, n))) return;
  } else if (isValueListed(editing, list, n) || (text !== null && isTextListed(editing, list, text)) || isAdded(editing, list, n, text))
    return;
  const item = related.items[related.count++];
  if (item === undefined) related.items.push({ list, n, text });
  else {
    item.list = list;
    item.n = n;
    item.text = text;
  }
}

/** Writes the additions where they belong. */
export function writeRelated(editing: RelatedEditing): void {
  let rest = false;
  for (let list = FIRST; list < FIRST + NAMES.length; list++) {
    if (!hasAdditions(editing.related, list)) continue;
    if (startOfPlace(editing.map, list) < 0) rest = true;
    else if (beginItems(editing, list, QUOTE)) {
      putItems(editing, list);
      endItems(editing, list);
    }
  }
  if (!rest || !beginMembers(editing, Place.related, RELATED)) return;
  let isFirst = true;
  for (let list = FIRST; list < FIRST + NAMES.length; list++) {
    if (startOfPlace(editing.map, list) >= 0 || !hasAdditions(editing.related, list)) continue;
    if (!isFirst) putByte(editing.edits, COMMA);
    put(editing.edits, NAMES[list - FIRST] as Buffer);
    putItems(editing, list);
    putByte(editing.edits, CLOSE_ARRAY);
    isFirst = false;
  }
  endMembers(editing, Place.related);
}

function putItems({ related, edits, map, bytes }: RelatedEditing, list: number): void {
  let isFirst = true;
  for (let k = 0; k < related.count; k++) {
    const item = related.items[k] as Addition;
    if (item.list !== list) continue;
    if (!isFirst) putByte(edits, COMMA);
    if (item.text === null) putRange(edits, bytes, startOf(map, item.n) - 1, endOf(map, item.n) + 1);
    else put(edits, item.text);
    isFirst = false;
  }
}

function hasAdditions({ items, count }: RelatedAdditions, list: number): boolean {
  for (let k = 0; k < count; k++) {
    if ((items[k] as Addition).list === list) return true;
  }
  return false;
}

/** Whether the event's list holds the n-th value just as it is spelled there. */
function isValueListed({ map, bytes }: Editing, list: number, n: number): boolean {
  const start = startOf(map, n);
  const length = endOf(map, n) - start;
  const { listed } = map;
  for (let at = 0; at < map.listedCount * LISTED_INTS; at += LISTED_INTS) {
    const other = listed[at + 1] as number;
    if (listed[at] !== list || (listed[at + 2] as number) - other !== length) continue;
    let same = 0;
    while (same < length && bytes[other + same] === bytes[start + same]) same++;
    if (same === length) return true;
  }
  return false;
}

/** Whether the event's list holds the text (a JSON string, quotes included). */
function isTextListed({ map, bytes }: Editing, list: number, text: Buffer): boolean {
  for (let at = 0; at < map.listedCount * LISTED_INTS; at += LISTED_INTS) {
    const start = (map.listed[at + 1] as number) - 1;
    const end = (map.listed[at + 2] as number) + 1;
    if (map.listed[at] === list && end - start === text.length && text.compare(bytes, start, end) === 0) return true;
  }
  return false;
}

/** Whether the n-th value (spelled as `text`, if that is given) is among the additions already. */
function isAdded(editing: RelatedEditing, list: number, n: number, text: Buffer | null): boolean {
  const { items, count } = editing.related;
  const length = lengthOf(editing, n, text);
  for (let k = 0; k < count; k++) {
    const item = items[k] as Addition;
    if (item.list !== list || lengthOf(editing, item.n, item.text) !== length) continue;
    if ((item.text ?? rawText(editing, item.n)).equals(text ?? rawText(editing, n))) return true;
  }
  return false;
}

function lengthOf({ map }: Editing, n: number, text: Buffer | null): number {
  return text === null ? endOf(map, n) - startOf(map, n) + 2 : text.length;
}

/** The n-th value of the event as it stands there, quotes included. */
function rawText({ map, bytes }: Editing, n: number): Buffer {
  return bytes.subarray(startOf(map, n) - 1, endOf(map, n) + 1);
}

/** The same by a set of everything that is listed or added. */
function isNew(editing: RelatedEditing, list: number, text: Buffer): boolean {
  const { map, bytes, related } = editing;
  if (related.seen === null) {
    related.seen = new Set();
    for (let at = 0; at < map.listedCount * LISTED_INTS; at += LISTED_INTS) {
      const [place = 0, start = 0, end = 0] = map.listed.subarray(at, at + LISTED_INTS);
      related.seen.add(`${place}${bytes.toString('latin1', start - 1, end + 1)}`);
    }
    for (const item of related.items.slice(0, related.count))
      related.seen.add(`${item.list}${(item.text ?? rawText(editing, item.n)).toString('latin1')}`);
  }
  const key = `${list}${text.toString('latin1')}`;
  if (related.seen.has(key)) return false;
  related.seen.add(key);
  return true;
}
