// src/events/: JSON events in, the same bytes with our fields out.
import { CLOSE_ARRAY, COMMA, OPEN_ARRAY, OPEN_OBJECT, skipSpace } from './json/json-bytes.ts';
import type { RenderedVerdict } from './rendered-verdict.ts';
import { beginText, createEventEnricher, enrichEvent, finishText } from './event-enricher.ts';
import type { EventEnricher, EventEnricherOptions } from './event-enricher.ts';

const LINE_FEED = 0x0a;
const NO_ANSWERS: ReadonlyMap<string, RenderedVerdict> = new Map();

/** What a text of events became. */
export type EnrichedText =
  /** `worsts`: how many events have which verdict as their worst in the order of `VERDICT_WORDS`; it holds until the next text. Lines that are no JSON object are `invalidLines`; they stay as they were. */
  | {
      readonly kind: 'enriched';
      readonly text: Buffer;
      readonly events: number;
      readonly invalidLines: number;
      readonly worsts: readonly number[];
    }
  /** Texts that nobody knows yet: fetch them and come again with the answers. */
  | { readonly kind: 'missing'; readonly values: ReadonlySet<string>; readonly events: number }
  /** Not what JSON is, from the byte at `offset` on. */
  | { readonly kind: 'fault'; readonly offset: number }
  | { readonly kind: 'too-many' };

/** `json`: one event or an array of events; `ndjson`: an event a line. */
export type TextForm = 'json' | 'ndjson';

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
      const invalidLines = form === 'ndjson' ? enrichLines(eventEnricher, text, maxEvents) : 0;
      const fault = form === 'ndjson' ? 0 : enrichJson(eventEnricher, text, maxEvents);
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

/** Enriches one event, or an array of events: 0, or the fault. */
function enrichJson(eventEnricher: EventEnricher, text: Buffer, maxEvents: number): number {
  const start = skipSpace(text, 0, text.length);
  if (text[start] !== OPEN_OBJECT && text[start] !== OPEN_ARRAY) return ~start;
  const end = text[start] === OPEN_OBJECT ? enrichEvent(eventEnricher, start, 0) : enrichItems(eventEnricher, text, start, maxEvents);
  if (end < 0) return end;
  const rest = skipSpace(text, end, text.length);
  return rest === text.length ? 0 : ~rest;
}

function enrichItems(eventEnricher: EventEnricher, text: Buffer, open: number, maxEvents: number): number {
  let pos = skipSpace(text, open + 1, text.length);
  if (text[pos] === CLOSE_ARRAY) return pos + 1;
  while (text[pos] === OPEN_OBJECT) {
    if (eventEnricher.events > maxEvents) return text.length;
    pos = enrichEvent(eventEnricher, pos, 1);
    if (pos < 0) return pos;
    pos = skipSpace(text, pos, text.length);
    if (text[pos] === CLOSE_ARRAY) return pos + 1;
    if (text[pos] !== COMMA) break;
    pos = skipSpace(text, pos + 1, text.length);
  }
  return ~pos;
}

/** Enriches an event a line; gives the number of lines that are no event. */
function enrichLines(eventEnricher: EventEnricher, text: Buffer, maxEvents: number): number {
  const { scan } = eventEnricher;
  let invalidLines = 0;
  for (let pos = 0; pos < text.length && eventEnricher.events <= maxEvents; pos = scan.end + 1) {
    const feed = text.indexOf(LINE_FEED, pos);
    scan.end = feed < 0 ? text.length : feed;
    const start = skipSpace(text, pos, scan.end);
    if (start === scan.end) continue;
    if (text[start] !== OPEN_OBJECT || enrichEvent(eventEnricher, start, 0) < 0) invalidLines++;
  }
  return invalidLines;
}
