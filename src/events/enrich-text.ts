// src/events/: JSON events in, the same bytes with our fields out.
import { CLOSE_ARRAY, COMMA, OPEN_ARRAY, OPEN_OBJECT, skipSpace } from './json/json-bytes.ts';
import { endOfRecords, openRecords } from './json/records.ts';
import type { RenderedVerdict } from './rendered-verdict.ts';
import { beginText, createEventEnricher, enrichEvent, finishText } from './event-enricher.ts';
import type { EventEnricher, EventEnricherOptions } from './event-enricher.ts';

const LINE_FEED = 0x0a;
const NO_ANSWERS: ReadonlyMap<string, RenderedVerdict> = new Map();

/** What a text of events became. */
export type EnrichedText =
  /** `worsts`: how many events have which verdict as their worst in the order of `VERDICT_WORDS`; it holds until the next text. Lines that are no JSON object, not wholly, are `invalidLines`; what is no event in them stays as it was. */
  | {
      readonly kind: 'enriched';
      readonly text: Buffer;
      readonly events: number;
      readonly invalidLines: number;
      readonly worsts: readonly number[];
    }
  /** Questions that nobody knows the answer to yet: fetch them and come again with the answers. */
  | { readonly kind: 'missing'; readonly values: ReadonlySet<string>; readonly events: number }
  /** Not what JSON is, from the byte at `offset` on. */
  | { readonly kind: 'fault'; readonly offset: number }
  | { readonly kind: 'too-many' };

/**
 * `json`: one event or an array of events; `ndjson`: an event a line; `sequence`: one event after another, which may go over several lines. An
 * object whose `Records` (or `records`) is an array of objects is not an event but as many as it holds.
 */
export type TextForm = 'json' | 'ndjson' | 'sequence';

/** Enriches texts of events, one at a time, without waiting: everything it works with is one for all texts. */
export interface TextEnricher {
  /** `answers`: those that were missing; `allocate`: where room for this answer comes from. */
  enrich(text: Buffer, form: TextForm, answers?: ReadonlyMap<string, RenderedVerdict>, allocate?: (size: number) => Buffer): EnrichedText;
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
  return {
    enrich(text, form, answers = NO_ANSWERS, allocate = options.allocate) {
      beginText(eventEnricher, text, answers);
      const from = startOf(text);
      let invalidLines = 0;
      let fault = 0;
      if (form === 'ndjson') invalidLines = enrichLines(eventEnricher, text, { from, maxEvents });
      else if (form === 'json') fault = enrichJson(eventEnricher, text, { from, maxEvents });
      else invalidLines = enrichSequence(eventEnricher, text, { from, end: text.length, maxEvents });
      if (fault < 0) return { kind: 'fault', offset: ~fault };
      if (eventEnricher.events > maxEvents) return { kind: 'too-many' };
      if (eventEnricher.lookup.missing.size > 0)
        return { kind: 'missing', values: eventEnricher.lookup.missing, events: eventEnricher.events };
      return {
        kind: 'enriched',
        text: finishText(eventEnricher, text, allocate),
        events: eventEnricher.events,
        invalidLines,
        worsts: eventEnricher.worsts,
      };
    },
  };
}

/** Past the byte order mark, if there is one. */
export function startOf(text: Uint8Array): number {
  return text[0] === 0xef && text[1] === 0xbb && text[2] === 0xbf ? 3 : 0;
}

interface Reach {
  readonly from: number;
  readonly maxEvents: number;
}

/** Enriches one event, or an array of events: 0, or the fault. */
function enrichJson(eventEnricher: EventEnricher, text: Buffer, { from, maxEvents }: Reach): number {
  const start = skipSpace(text, from, text.length);
  if (text[start] !== OPEN_OBJECT && text[start] !== OPEN_ARRAY) return ~start;
  const end =
    text[start] === OPEN_OBJECT ? enrichObject(eventEnricher, text, start, maxEvents) : enrichItems(eventEnricher, text, start, maxEvents);
  if (end < 0) return end;
  const rest = skipSpace(text, end, text.length);
  return rest === text.length ? 0 : ~rest;
}

function enrichItems(eventEnricher: EventEnricher, text: Buffer, open: number, maxEvents: number): number {
  let pos = skipSpace(text, open + 1, text.length);
  if (text[pos] === CLOSE_ARRAY) return pos + 1;
  while (text[pos] === OPEN_OBJECT) {
    if (eventEnricher.events > maxEvents) return text.length;
    pos = enrichEvent(eventEnricher, pos, 1, false);
    if (pos < 0) return pos;
    pos = skipSpace(text, pos, text.length);
    if (text[pos] === CLOSE_ARRAY) return pos + 1;
    if (text[pos] !== COMMA) break;
    pos = skipSpace(text, pos + 1, text.length);
  }
  return ~pos;
}

/** One event, or those in its `Records`; past its end, or the fault. */
function enrichObject(eventEnricher: EventEnricher, text: Buffer, start: number, maxEvents: number): number {
  const array = openRecords(eventEnricher.scan, eventEnricher.lookup.wanted.tree, start);
  if (array < 0) return enrichEvent(eventEnricher, start, 0, false);
  const end = enrichItems(eventEnricher, text, array, maxEvents);
  return end < 0 || eventEnricher.events > maxEvents ? end : endOfRecords(eventEnricher.scan, end);
}

/** Enriches an event a line; gives the number of lines that are no event. */
function enrichLines(eventEnricher: EventEnricher, text: Buffer, { from, maxEvents }: Reach): number {
  const { scan } = eventEnricher;
  const { tree } = eventEnricher.lookup.wanted;
  let invalidLines = 0;
  for (let pos = from; pos < text.length && eventEnricher.events <= maxEvents; pos = scan.end + 1) {
    const feed = text.indexOf(LINE_FEED, pos);
    scan.end = feed < 0 ? text.length : feed;
    const start = skipSpace(text, pos, scan.end);
    if (start === scan.end) continue;
    if (text[start] === OPEN_OBJECT && openRecords(scan, tree, start) < 0 && enrichEvent(eventEnricher, start, 0, true) >= 0) continue;
    if (enrichSequence(eventEnricher, text, { from: pos, end: scan.end, maxEvents }) > 0) invalidLines++;
  }
  return invalidLines;
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
