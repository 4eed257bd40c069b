// src/events/: JSON events in, the same bytes with our fields out.
import { CLOSE_ARRAY, COMMA, OPEN_ARRAY, OPEN_OBJECT, skipSpace } from './json/json-bytes.ts';
import { endOfRecords, openRecords } from './json/records.ts';
import type { RenderedVerdict } from './rendered-verdict.ts';
import { beginText, createEventEnricher, enrichEvent, finishPart } from './event-enricher.ts';
import type { EventEnricher, EventEnricherOptions } from './event-enricher.ts';

const LINE_FEED = 0x0a;
const NO_ANSWERS: ReadonlyMap<string, RenderedVerdict> = new Map();

/** What a text of events, or a part of one that ends at `end`, became. */
export type EnrichedText =
  /**
   * `isMade`: `text` stands in room of its own. `worsts`: how many events have which verdict as their worst in the order of `VERDICT_WORDS`; it
   * holds until the next text. Lines that are no JSON object, not wholly, are `invalidLines`; what is no event in them stays as it was.
   */
  | {
      readonly kind: 'enriched';
      readonly text: Buffer;
      readonly isMade: boolean;
      readonly end: number;
      readonly events: number;
      readonly invalidLines: number;
      readonly worsts: readonly number[];
    }
  /** Questions that nobody knows the answer to yet: fetch them and come again with the answers. */
  | { readonly kind: 'missing'; readonly values: ReadonlySet<string>; readonly end: number; readonly events: number }
  /** Not what JSON is, from the byte at `offset` on. */
  | { readonly kind: 'fault'; readonly offset: number }
  | { readonly kind: 'too-many' };

/**
 * `json`: one event or an array of events; `ndjson`: an event a line; `sequence`: one event after another, which may go over several lines. An
 * object whose `Records` (or `records`) is an array of objects is not an event but as many as it holds.
 */
export type TextForm = 'json' | 'ndjson' | 'sequence';

/** A part of a text: whole events, and what stands around them. Where it ends depends on nothing but the text and this. */
export interface TextPart {
  readonly form: TextForm;
  /** 0, or the end of the part before it. */
  readonly from: number;
  /** It ends with the first line, or behind the first comma between the items of an array, that ends here or later; a text that can be cut nowhere is one part. */
  readonly least: number;
}

/** Enriches texts of events, one at a time, without waiting: everything it works with is one for all texts. */
export interface TextEnricher {
  /** `answers`: those that were missing; `allocate`: where room for this answer comes from. */
  enrich(text: Buffer, form: TextForm, answers?: ReadonlyMap<string, RenderedVerdict>, allocate?: (size: number) => Buffer): EnrichedText;
  /** The same of a part of a text: all its parts, one behind the other, are the whole. */
  enrichPart(
    text: Buffer,
    part: TextPart,
    answers?: ReadonlyMap<string, RenderedVerdict>,
    allocate?: (size: number) => Buffer,
  ): EnrichedText;
}

/** What a text enricher needs. */
export interface TextEnricherOptions extends EventEnricherOptions {
  /** Most events in one text. */
  readonly maxEvents: number;
  /** Where room for the answer comes from. */
  readonly allocate: (size: number) => Buffer;
}

/** A text enricher. */
export function createTextEnricher(options: TextEnricherOptions): TextEnricher {
  const { maxEvents } = options;
  const eventEnricher = createEventEnricher(options);
  const enrichPart: TextEnricher['enrichPart'] = (text, part, answers = NO_ANSWERS, allocate = options.allocate) => {
    beginText(eventEnricher, text, answers);
    const end = enrichUpTo(eventEnricher, text, part, maxEvents);
    if (end < 0) return { kind: 'fault', offset: ~end };
    const { events, invalidLines, worsts, lookup, writing } = eventEnricher;
    if (events > maxEvents) return { kind: 'too-many' };
    if (lookup.missing.size > 0) return { kind: 'missing', values: lookup.missing, end, events };
    const made = finishPart(eventEnricher, part.from, end, allocate);
    return { kind: 'enriched', text: made, isMade: writing.edits.count > 0, end, events, invalidLines, worsts };
  };
  return {
    enrich: (text, form, answers, allocate) => enrichPart(text, { form, from: 0, least: text.length }, answers, allocate),
    enrichPart,
  };
}

/** Past the byte order mark, if there is one. */
export function startOf(text: Uint8Array): number {
  return text[0] === 0xef && text[1] === 0xbb && text[2] === 0xbf ? 3 : 0;
}

/** Enriches what stands in a part; where that ends, or the fault. */
function enrichUpTo(eventEnricher: EventEnricher, text: Buffer, { form, from, least }: TextPart, maxEvents: number): number {
  const reach = { from: from === 0 ? startOf(text) : from, least, maxEvents };
  if (form === 'ndjson') return enrichLines(eventEnricher, text, reach);
  if (form === 'json')
    return from === 0 ? enrichJson(eventEnricher, text, reach) : toTextEnd(text, enrichItems(eventEnricher, text, reach));
  eventEnricher.invalidLines = enrichSequence(eventEnricher, text, { ...reach, end: text.length });
  return text.length;
}

interface Reach {
  readonly from: number;
  readonly maxEvents: number;
}

/** Where a part begins, and from where on it may end. */
interface PartReach extends Reach {
  readonly least: number;
}

/** Enriches one event, or the first part of an array of events. */
function enrichJson(eventEnricher: EventEnricher, text: Buffer, reach: PartReach): number {
  const start = skipSpace(text, reach.from, text.length);
  if (text[start] === OPEN_OBJECT) return toTextEnd(text, enrichObject(eventEnricher, text, start, reach.maxEvents));
  return text[start] === OPEN_ARRAY ? toTextEnd(text, enrichArray(eventEnricher, text, { ...reach, from: start })) : ~start;
}

/** From the end of a value, which nothing may follow, to that of the text; behind a comma between items a part ends. */
function toTextEnd(text: Buffer, end: number): number {
  if (end < 0 || text[end - 1] === COMMA) return end;
  const rest = skipSpace(text, end, text.length);
  return rest === text.length ? rest : ~rest;
}

/** The array whose bracket is at `from`, as far as `enrichItems` goes. */
function enrichArray(eventEnricher: EventEnricher, text: Buffer, reach: PartReach): number {
  const first = skipSpace(text, reach.from + 1, text.length);
  return text[first] === CLOSE_ARRAY ? first + 1 : enrichItems(eventEnricher, text, { ...reach, from: first });
}

/** Enriches the items of an array; past its bracket, past the comma behind which the next part begins, or the fault. */
function enrichItems(eventEnricher: EventEnricher, text: Buffer, { from, least, maxEvents }: PartReach): number {
  let pos = skipSpace(text, from, text.length);
  while (text[pos] === OPEN_OBJECT) {
    if (eventEnricher.events > maxEvents) return text.length;
    pos = enrichEvent(eventEnricher, pos, 1, false);
    if (pos < 0) return pos;
    pos = skipSpace(text, pos, text.length);
    if (text[pos] === CLOSE_ARRAY) return pos + 1;
    if (text[pos] !== COMMA) break;
    pos++;
    if (pos >= least && pos < text.length) return pos;
    pos = skipSpace(text, pos, text.length);
  }
  return ~pos;
}

/** One event, or those in its `Records`; past its end, or the fault. */
function enrichObject(eventEnricher: EventEnricher, text: Buffer, start: number, maxEvents: number): number {
  const array = openRecords(eventEnricher.scan, eventEnricher.lookup.wanted.tree, start);
  if (array < 0) return enrichEvent(eventEnricher, start, 0, false);
  const end = enrichArray(eventEnricher, text, { from: array, least: text.length, maxEvents });
  return end < 0 || eventEnricher.events > maxEvents ? end : endOfRecords(eventEnricher.scan, end);
}

/** Enriches an event a line, and counts lines that are no event; the end of the last one. */
function enrichLines(eventEnricher: EventEnricher, text: Buffer, { from, least, maxEvents }: PartReach): number {
  const { scan } = eventEnricher;
  const { tree } = eventEnricher.lookup.wanted;
  for (let pos = from; pos < text.length && eventEnricher.events <= maxEvents; pos = scan.end + 1) {
    if (pos >= least) return pos;
    const feed = text.indexOf(LINE_FEED, pos);
    scan.end = feed < 0 ? text.length : feed;
    const start = skipSpace(text, pos, scan.end);
    if (start === scan.end) continue;
    if (text[start] === OPEN_OBJECT && openRecords(scan, tree, start) < 0 && enrichEvent(eventEnricher, start, 0, true) >= 0) continue;
    if (enrichSequence(eventEnricher, text, { from: pos, end: scan.end, maxEvents }) > 0) eventEnricher.invalidLines++;
  }
  return text.length;
}

interface Stretch extends Reach {
  readonly end: number;
}

/** Enriches events that stand one after another; gives how often something was no event. Reading goes on with the next line that begins like one. */
function enrichSequence(eventEnricher: EventEnricher, text: Buffer, { from, end, maxEvents }: Stretch): number {
  let invalid = 0;
  let pos = skipBetween(text, from, end);
  while (pos < end && eventEnricher.events <= maxEvents) {
    const past = text[pos] === OPEN_OBJECT ? enrichObject(eventEnricher, text, pos, maxEvents) : -1;
    if (past < 0) invalid++;
    pos = skipBetween(text, past < 0 ? nextStart(text, pos, end) : past, end);
  }
  return invalid;
}

const RECORD_SEPARATOR = 0x1e;
/** The next line that begins like an event, or like one of RFC 7464. */
function nextStart(text: Buffer, from: number, end: number): number {
  for (let pos = from + 1; pos < end; pos++) {
    const byte = text[pos];
    if (byte === RECORD_SEPARATOR || (byte === OPEN_OBJECT && text[pos - 1] === LINE_FEED)) return pos;
  }
  return end;
}

/** Past what stands between events: white space, the commas of an array without brackets, separators of records (RFC 7464), marks. */
function skipBetween(text: Buffer, from: number, end: number): number {
  let pos = from;
  for (;;) {
    pos = skipSpace(text, pos, end);
    if (pos >= end) return end;
    const byte = text[pos];
    if (byte === COMMA || byte === RECORD_SEPARATOR) pos++;
    else if (byte === 0xef && text[pos + 1] === 0xbb && text[pos + 2] === 0xbf) pos += 3;
    else return pos;
  }
}
