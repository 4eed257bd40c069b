import { isNestedWithin } from '../../../model/formats/nesting.ts';
import { parseIndicator } from '../../../model/parse-indicator.ts';
import { isPlaceholder } from '../../../model/parsing/placeholder.ts';
import { readForLookup } from '../../../model/read-for-lookup.ts';
import type { WantedFields } from '../../../events/wanted-fields.ts';
import { clearEventMap, createEventMap, endOf, fieldOf, startOf } from '../../../events/json/event-map.ts';
import { wordsIn } from '../../../events/json/json-bytes.ts';
import { scanEvent, textOfString } from '../../../events/json/scan-event.ts';

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
/** Lists, and texts that hold JSON, inside each other. */
const DEPTH = 8;
/** Stands for a value that nests too deep: no indicator, so that its field is answered as invalid and its event never as clean. */
const TOO_DEEP = '[[…]]';

/**
 * The values that the Logstash `http` filter sent. Its two forms differ by `@timestamp`, which every whole event has: of a
 * whole event the wanted fields are taken; of a hash every member is one, whatever its name, and of an object inside it (Logstash
 * writes those as text) the wanted fields. A body that is no JSON is a value itself.
 */
export function readLogstashBody(body: Buffer, wanted: WantedFields): LogstashInput {
  const text = decode(body).trim();
  const parsed = parseJson(text);
  if (!isObject(parsed)) return inputOf(valuesOf('value', parsed === undefined ? text : parsed, wanted), false);
  if ('@timestamp' in parsed || '@version' in parsed) {
    const values = wantedValues(text, wanted);
    return inputOf(values ?? [{ field: '', value: TOO_DEEP }], true);
  }
  return inputOf(
    Object.entries(parsed).flatMap(([field, value]) => valuesOf(field, value, wanted)),
    true,
  );
}

function inputOf(values: readonly FieldValue[], isRead: boolean): LogstashInput {
  return { values, isRead, tooDeep: values.filter(({ value }) => value === TOO_DEEP).map(({ field }) => field) };
}

/** The filter says no charset: it sends ISO-8859-1 or UTF-8, whichever the text fits. */
function decode(body: Buffer): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(body);
  } catch {
    return body.toString('latin1');
  }
}

function valuesOf(field: string, value: unknown, wanted: WantedFields, depth = 0): FieldValue[] {
  const tooDeep = [{ field, value: TOO_DEEP }];
  if (Array.isArray(value)) return depth > DEPTH ? tooDeep : value.flatMap((item) => valuesOf(field, item, wanted, depth + 1));
  // Writing a value down recurses once for each bracket.
  if (isObject(value) && !isNestedWithin(value, MAX_NESTING)) return tooDeep;
  if (isObject(value)) return wantedValues(JSON.stringify(nest(field, value)), wanted) ?? tooDeep;
  if (typeof value !== 'string') return [];
  const text = value.trim();
  if (isPlaceholder(text) || UNRESOLVED.test(text)) return [];
  const inner = /^[[{]/.test(text) ? parseJson(text) : undefined;
  if (inner !== undefined) return depth > DEPTH ? tooDeep : valuesOf(field, inner, wanted, depth + 1);
  return splitList(text)
    .filter((part) => !isPlaceholder(part) && !isPassedOver(wanted, field, part))
    .map((part) => ({ field, value: part }));
}

/** Logstash joins lists with commas. What is one indicator with commas in it (a URL) stays one. */
function splitList(text: string): string[] {
  if (!text.includes(',')) return [text];
  const parts = text
    .split(',')
    .map((part) => part.trim())
    .filter((part) => !isPlaceholder(part) && !UNRESOLVED.test(part));
  if (parts.length > MANY_VALUES) return parts;
  if (SCHEME.test(text)) return joinedUrls(text);
  return parts.some((part) => parseIndicator(part).kind !== 'invalid') ? parts : [text];
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
  return field === 'value' ? value : { [field.replace(/^\[|\]$/g, '').replaceAll('][', '.')]: value };
}

/** `null`: it nests too deep to be read. */
function wantedValues(text: string, wanted: WantedFields): FieldValue[] | null {
  const bytes = Buffer.from(text);
  const map = createEventMap();
  clearEventMap(map);
  if (scanEvent({ bytes, words: wordsIn(bytes), end: bytes.length, maxDepth: MAX_NESTING, map }, wanted.tree, 0, 0) < 0) return null;
  const values = Array.from({ length: map.valueCount }, (_, n) => ({
    field: wanted.names[fieldOf(map, n)] ?? '',
    value: textOfString(bytes, startOf(map, n), endOf(map, n)),
  }));
  return values.length > MANY_VALUES
    ? values
    : values.filter(({ field, value }) => !isPlaceholder(value) && !isPassedOver(wanted, field, value));
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
