import { isNestedWithin } from '../../model/formats/nesting.ts';
import { parseIndicator } from '../../model/parse-indicator.ts';
import { isPlaceholder } from '../../model/parsing/placeholder.ts';
import { readForLookup } from '../../model/read-for-lookup.ts';
import type { WantedFields } from '../wanted-fields.ts';
import { clearEventMap, createEventMap, endOf, fieldOf, startOf } from '../json/event-map.ts';
import type { EventMap } from '../json/event-map.ts';
import { excessAtOnce, excessInText } from '../json/parse-body.ts';
import { wordsIn } from '../json/json-bytes.ts';
import { scanEvent, textOfString } from '../json/scan-event.ts';

/** A value to look up, and the field it stood in. */
export interface FieldValue {
  readonly field: string;
  readonly value: string;
}

/** What a body holds. */
export interface LogstashInput {
  readonly values: readonly FieldValue[];
  /** Whether it was read to its end as an event or a hash: if it holds no value then, there was none to look up. */
  readonly isRead: boolean;
  /** Whether it holds more than can be read: whatever else stands here, the event was not read whole. */
  readonly isTooMuch: boolean;
  /** Fields that nest too deep to be read, the empty name for the event itself; each also stands among the values, as one that is invalid. */
  readonly tooDeep: readonly string[];
}

/** A reference that Logstash could not resolve stays as it was written: `%{[source][ip]}`. */
const UNRESOLVED = /^%\{.*\}$/s;
const SCHEME = /^[a-z][a-z\d+.-]*:\/\//i;
/** Brackets that may be open at once in an event, or in a text inside it. */
export const MAX_NESTING = 200;
/** More values than these are refused by the route however they read, so none of them is read. */
const MANY_VALUES = 2000;
/** Lists, objects and texts that are opened for one event, and what its JSON may hold in all: each costs microseconds. */
const MAX_STEPS = 10_000;
const MAX_JSON = { values: 20_000, depth: MAX_NESTING };
/** Lists, and texts that hold JSON, inside each other. */
const DEPTH = 8;
/** Stands for a value that nests too deep: no indicator, so that its field is answered as invalid and its event never as clean. */
const TOO_DEEP = '[[…]]';
const TOO_MUCH: LogstashInput = { values: [], isRead: true, isTooMuch: true, tooDeep: [] };

/** One event on its way. */
interface Reading {
  readonly wanted: WantedFields;
  readonly found: FieldValue[];
  /** Where values stand; `null`: no event and no object was read yet. */
  map: EventMap | null;
  /** What is left of `MAX_STEPS`. */
  steps: number;
}

/**
 * The values that the Logstash `http` filter sent. Its two forms differ by `@timestamp`, which every whole event has: of a
 * whole event the wanted fields are taken; of a hash every member is one, whatever its name, and of an object inside it (Logstash
 * writes those as text) the wanted fields. A body that is no JSON is a value itself.
 */
export function readLogstashBody(body: Buffer, wanted: WantedFields): LogstashInput {
  const excess = excessAtOnce(body, MAX_JSON);
  if (excess === 'values') return TOO_MUCH;
  if (excess === 'depth') return { ...TOO_MUCH, values: [{ field: '', value: TOO_DEEP }], isTooMuch: false, tooDeep: [''] };
  const text = decode(body).trim();
  const parsed = parseJson(text);
  const reading: Reading = { wanted, found: [], map: null, steps: MAX_STEPS };
  if (!isObject(parsed)) readValue(reading, 'value', parsed === undefined ? text : parsed);
  else if ('@timestamp' in parsed || '@version' in parsed) readWanted(reading, '', text);
  else for (const [field, value] of Object.entries(parsed)) readValue(reading, field, value);
  if (reading.steps < 0 || reading.found.length > MANY_VALUES) return TOO_MUCH;
  const tooDeep = reading.found.filter(({ value }) => value === TOO_DEEP).map(({ field }) => field);
  return { values: reading.found, isRead: isObject(parsed), isTooMuch: false, tooDeep };
}

/** The filter says no charset: it sends ISO-8859-1 or UTF-8, whichever the text fits. */
function decode(body: Buffer): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(body);
  } catch {
    return body.toString('latin1');
  }
}

function readValue(reading: Reading, field: string, value: unknown, depth = 0): void {
  if (--reading.steps < 0 || reading.found.length > MANY_VALUES) return;
  if (typeof value === 'string') return readText(reading, field, value.trim(), depth);
  if (!isObject(value) && !Array.isArray(value)) return;
  if (Array.isArray(value) ? depth > DEPTH : !isNestedWithin(value, MAX_NESTING)) {
    reading.found.push({ field, value: TOO_DEEP });
  } else if (Array.isArray(value)) {
    for (const item of value as unknown[]) {
      readValue(reading, field, item, depth + 1);
      if (reading.steps < 0) return;
    }
  } else {
    readWanted(reading, field, JSON.stringify(nest(field, value)));
  }
}

function readText(reading: Reading, field: string, text: string, depth: number): void {
  const { wanted, found } = reading;
  if (isPlaceholder(text) || UNRESOLVED.test(text)) return;
  if (/^[[{]/.test(text)) {
    const excess = excessInText(text, MAX_JSON);
    if (excess === 'values') reading.steps = -1;
    else if (excess === 'depth') found.push({ field, value: TOO_DEEP });
    const inner = excess === null ? parseJson(text) : null;
    if (inner !== undefined && depth > DEPTH) found.push({ field, value: TOO_DEEP });
    else if (inner !== undefined) readValue(reading, field, inner, depth + 1);
    if (inner !== undefined) return;
  }
  const parts = splitList(text);
  if (parts === null) reading.steps = -1;
  for (const part of parts ?? []) if (!isPlaceholder(part) && !isPassedOver(wanted, field, part)) found.push({ field, value: part });
}

/** Logstash joins lists with commas. What is one indicator with commas in it (a URL) stays one. `null`: too many to read. */
function splitList(text: string): string[] | null {
  if (!text.includes(',')) return [text];
  if (hasMoreCommas(text, MAX_STEPS)) return null;
  const parts = text
    .split(',')
    .map((part) => part.trim())
    .filter((part) => !isPlaceholder(part) && !UNRESOLVED.test(part));
  if (parts.length > MANY_VALUES) return null;
  if (SCHEME.test(text)) return joinedUrls(text);
  return parts.some((part) => parseIndicator(part).kind !== 'invalid') ? parts : [text];
}

function hasMoreCommas(text: string, most: number): boolean {
  let count = 0;
  for (let at = text.indexOf(','); at >= 0; at = text.indexOf(',', at + 1)) if (++count > most) return true;
  return false;
}

/** A list of URLs is cut where the next one begins: what stands between may hold commas itself. */
function joinedUrls(text: string): string[] {
  const urls: string[] = [];
  for (const part of text.split(',')) {
    if (SCHEME.test(part.trim()) || urls.length === 0) urls.push(part.trim());
    else urls.push(`${urls.pop() ?? ''},${part}`);
  }
  return urls.map((url) => url.trim()).filter((url) => !UNRESOLVED.test(url));
}

/** `[source]` as a whole arrives under its name: its members are those of `source.*`. */
function nest(field: string, value: object): object {
  return field === 'value' ? value : { [dotted(field)]: value };
}

/** A field's name with dots, as events have it: `[source][ip]` is `source.ip`. */
export function dotted(field: string): string {
  return field.replace(/^\[|\]$/g, '').replaceAll('][', '.');
}

/** Reads the wanted fields of an event, or of an object inside it. */
function readWanted(reading: Reading, field: string, text: string): void {
  const { wanted, found } = reading;
  const map = (reading.map ??= createEventMap());
  const bytes = Buffer.from(text);
  clearEventMap(map);
  if (scanEvent({ bytes, words: wordsIn(bytes), end: bytes.length, maxDepth: MAX_NESTING, map }, wanted.tree, 0, 0) < 0) {
    found.push({ field, value: TOO_DEEP });
    return;
  }
  if (map.valueCount > MANY_VALUES) reading.steps = -1;
  for (let n = 0; n < map.valueCount && reading.steps >= 0; n++) {
    const name = wanted.names[fieldOf(map, n)] ?? '';
    const value = textOfString(bytes, startOf(map, n), endOf(map, n));
    if (!isPlaceholder(value) && !isPassedOver(wanted, name, value)) found.push({ field: name, value });
  }
}

/** What a field that holds other things too carries besides indicators. */
function isPassedOver(wanted: WantedFields, field: string, value: string): boolean {
  return wanted.isLoose[wanted.names.indexOf(field)] === true && readForLookup(value).kind === 'invalid';
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
