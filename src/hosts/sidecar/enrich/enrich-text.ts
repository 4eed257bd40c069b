import type { Clock } from '../../../engine/clock.ts';
import { applyEdits, clearEdits, createEdits, sortEdits } from '../json/edits.ts';
import { clearEventMap, createEventMap } from '../json/event-map.ts';
import { COMMA, OPEN_ARRAY, OPEN_OBJECT, skipSpace } from '../json/lex.ts';
import { scanEvent } from '../json/scan.ts';
import type { Scan } from '../json/scan.ts';
import type { WantedFields } from './fields.ts';
import { createFinding, findAll } from './finding.ts';
import type { Lookup } from './finding.ts';
import type { Known } from './known.ts';
import type { KnownValues } from './known-values.ts';
import { createRelatedAdditions } from './related.ts';
import { writeEvent } from './write-event.ts';
import type { EventWriting, WritingRules } from './write-event.ts';

const LINE_FEED = 0x0a;
const CLOSE_ARRAY = 0x5d;
const NO_ANSWERS: ReadonlyMap<string, Known> = new Map();
const NO_BYTES = Buffer.alloc(0);

/** What a text of events became. */
export type EnrichedText =
  /** `worsts`: how many events have which verdict as their worst. Lines that are no JSON object are `invalidLines`; they stay as they were. */
  | {
      readonly kind: 'enriched';
      readonly text: Buffer;
      readonly events: number;
      readonly invalidLines: number;
      readonly worsts: Readonly<Record<string, number>>;
    }
  /** Texts that nobody knows yet: fetch them and come again with the answers. */
  | { readonly kind: 'missing'; readonly values: ReadonlySet<string> }
  /** Not what JSON is, from the byte at `offset` on. */
  | { readonly kind: 'fault'; readonly offset: number }
  | { readonly kind: 'too-many' };

/** `json`: one event or an array of events; `ndjson`: an event a line. */
export type TextForm = 'json' | 'ndjson';

/** Enriches texts of events, one at a time, without waiting: everything it works with is one for all texts. */
export interface TextEnricher {
  enrich(text: Buffer, form: TextForm, answers?: ReadonlyMap<string, Known>): EnrichedText;
}

/** What a text enricher needs. */
export interface TextEnricherOptions {
  readonly wanted: WantedFields;
  readonly known: KnownValues;
  readonly rules: WritingRules;
  readonly maxDepth: number;
  /** Most events in one text. */
  readonly maxEvents: number;
  readonly clock: Clock;
  /** Where room for the answer comes from. */
  readonly allocate: (size: number) => Buffer;
}

/** A text enricher. */
export function createTextEnricher({ wanted, known, rules, maxDepth, maxEvents, clock, allocate }: TextEnricherOptions): TextEnricher {
  const map = createEventMap();
  const edits = createEdits();
  const scan: Scan = { bytes: NO_BYTES, end: 0, maxDepth, map };
  const lookup: Lookup = { wanted, known, missing: new Set() };
  const writing: EventWriting = {
    bytes: NO_BYTES,
    map,
    edits,
    rules,
    finding: createFinding(),
    related: createRelatedAdditions(),
    clock,
    now: null,
  };
  const counts = { events: 0, invalidLines: 0, worsts: {} as Record<string, number> };

  /** Reads the event at `from` and plans what is added to it; past its end, or a fault. */
  function enrichEvent(from: number, depth: number, mustEnd: boolean): number {
    clearEventMap(map);
    const end = scanEvent(scan, wanted.tree, from, depth);
    if (end < 0) return end;
    if (mustEnd && skipSpace(scan.bytes, end, scan.end) !== scan.end) return ~end;
    counts.events++;
    if (map.valueCount === 0) return end;
    findAll(writing, lookup);
    const { worst } = writing.finding;
    if (worst === null || lookup.missing.size > 0) return end;
    const { verdict } = worst.enrichment.answer;
    counts.worsts[verdict] = (counts.worsts[verdict] ?? 0) + 1;
    const first = edits.count;
    writeEvent(writing, worst);
    sortEdits(edits, first);
    return end;
  }

  /** 0, or the fault. */
  function enrichJson(text: Buffer): number {
    const start = skipSpace(text, 0, text.length);
    if (text[start] === OPEN_OBJECT) {
      const end = enrichEvent(start, 0, true);
      return end < 0 ? end : 0;
    }
    if (text[start] !== OPEN_ARRAY) return ~start;
    const end = enrichItems(text, start);
    if (end < 0) return end;
    const rest = skipSpace(text, end, text.length);
    return rest === text.length ? 0 : ~rest;
  }

  function enrichItems(text: Buffer, open: number): number {
    let pos = skipSpace(text, open + 1, text.length);
    if (text[pos] === CLOSE_ARRAY) return pos + 1;
    while (counts.events < maxEvents || text[pos] !== OPEN_OBJECT) {
      if (text[pos] !== OPEN_OBJECT) return ~pos;
      pos = enrichEvent(pos, 1, false);
      if (pos < 0) return pos;
      pos = skipSpace(text, pos, text.length);
      if (text[pos] === CLOSE_ARRAY) return pos + 1;
      if (text[pos] !== COMMA) return ~pos;
      pos = skipSpace(text, pos + 1, text.length);
    }
    counts.events++;
    return text.length;
  }

  function enrichLines(text: Buffer): void {
    for (let pos = 0; pos < text.length && counts.events <= maxEvents; pos = scan.end + 1) {
      const feed = text.indexOf(LINE_FEED, pos);
      scan.end = feed < 0 ? text.length : feed;
      const start = skipSpace(text, pos, scan.end);
      if (start === scan.end) continue;
      if (text[start] !== OPEN_OBJECT || enrichEvent(start, 0, true) < 0) counts.invalidLines++;
    }
  }

  return {
    enrich(text, form, answers = NO_ANSWERS) {
      scan.bytes = writing.bytes = text;
      scan.end = text.length;
      known.begin(answers);
      if (lookup.missing.size > 0) lookup.missing = new Set();
      writing.now = null;
      counts.events = counts.invalidLines = 0;
      counts.worsts = {};
      clearEdits(edits);
      if (form === 'ndjson') enrichLines(text);
      else {
        const fault = enrichJson(text);
        if (fault < 0) return { kind: 'fault', offset: ~fault };
      }
      if (counts.events > maxEvents) return { kind: 'too-many' };
      if (lookup.missing.size > 0) return { kind: 'missing', values: lookup.missing };
      const result = edits.count === 0 ? text : applyEdits(edits, text, allocate);
      return { kind: 'enriched', text: result, events: counts.events, invalidLines: counts.invalidLines, worsts: counts.worsts };
    },
  };
}
