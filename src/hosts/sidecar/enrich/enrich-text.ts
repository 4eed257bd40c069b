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
  /** `answers`: those that were missing; `allocate`: where room for this answer comes from. */
  enrich(text: Buffer, form: TextForm, answers?: ReadonlyMap<string, Known>, allocate?: (size: number) => Buffer): EnrichedText;
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

/** Everything that works on one text, and on the next one after it. */
interface Workshop {
  readonly scan: Scan;
  readonly lookup: Lookup;
  readonly writing: EventWriting;
  readonly maxEvents: number;
  events: number;
  invalidLines: number;
  worsts: Record<string, number>;
}

/** A text enricher. */
export function createTextEnricher({
  wanted,
  known,
  rules,
  maxDepth,
  maxEvents,
  clock,
  allocate: allocateByDefault,
}: TextEnricherOptions): TextEnricher {
  const map = createEventMap();
  const edits = createEdits();
  const shop: Workshop = {
    scan: { bytes: NO_BYTES, end: 0, maxDepth, map },
    lookup: { wanted, known, missing: new Set() },
    writing: { bytes: NO_BYTES, map, edits, rules, finding: createFinding(), related: createRelatedAdditions(), clock, now: null },
    maxEvents,
    events: 0,
    invalidLines: 0,
    worsts: {},
  };
  return {
    enrich(text, form, answers = NO_ANSWERS, allocate = allocateByDefault) {
      known.begin(answers);
      begin(shop, text);
      if (form === 'ndjson') enrichLines(shop, text);
      else {
        const fault = enrichJson(shop, text);
        if (fault < 0) return { kind: 'fault', offset: ~fault };
      }
      if (shop.events > maxEvents) return { kind: 'too-many' };
      if (shop.lookup.missing.size > 0) return { kind: 'missing', values: shop.lookup.missing };
      const result = edits.count === 0 ? text : applyEdits(edits, text, allocate);
      return { kind: 'enriched', text: result, events: shop.events, invalidLines: shop.invalidLines, worsts: shop.worsts };
    },
  };
}

function begin(shop: Workshop, text: Buffer): void {
  shop.scan.bytes = shop.writing.bytes = text;
  shop.scan.end = text.length;
  if (shop.lookup.missing.size > 0) shop.lookup.missing = new Set();
  shop.writing.now = null;
  shop.events = shop.invalidLines = 0;
  shop.worsts = {};
  clearEdits(shop.writing.edits);
}

/** Enriches one event, or an array of events: 0, or the fault. */
function enrichJson(shop: Workshop, text: Buffer): number {
  const start = skipSpace(text, 0, text.length);
  if (text[start] !== OPEN_OBJECT && text[start] !== OPEN_ARRAY) return ~start;
  const end = text[start] === OPEN_OBJECT ? enrichEvent(shop, start, 0) : enrichItems(shop, text, start);
  if (end < 0) return end;
  const rest = skipSpace(text, end, text.length);
  return rest === text.length ? 0 : ~rest;
}

function enrichItems(shop: Workshop, text: Buffer, open: number): number {
  let pos = skipSpace(text, open + 1, text.length);
  if (text[pos] === CLOSE_ARRAY) return pos + 1;
  while (text[pos] === OPEN_OBJECT) {
    if (shop.events > shop.maxEvents) return text.length;
    pos = enrichEvent(shop, pos, 1);
    if (pos < 0) return pos;
    pos = skipSpace(text, pos, text.length);
    if (text[pos] === CLOSE_ARRAY) return pos + 1;
    if (text[pos] !== COMMA) break;
    pos = skipSpace(text, pos + 1, text.length);
  }
  return ~pos;
}

function enrichLines(shop: Workshop, text: Buffer): void {
  const { scan } = shop;
  for (let pos = 0; pos < text.length && shop.events <= shop.maxEvents; pos = scan.end + 1) {
    const feed = text.indexOf(LINE_FEED, pos);
    scan.end = feed < 0 ? text.length : feed;
    const start = skipSpace(text, pos, scan.end);
    if (start === scan.end) continue;
    if (text[start] !== OPEN_OBJECT || enrichEvent(shop, start, 0) < 0) shop.invalidLines++;
  }
}

/** Reads the event at `from` and plans what is added to it; past its end, or a fault. One that stands alone (`depth` 0) has to end its text. */
function enrichEvent(shop: Workshop, from: number, depth: number): number {
  const { scan, lookup, writing } = shop;
  const { map, edits, finding } = writing;
  clearEventMap(map);
  const end = scanEvent(scan, lookup.wanted.tree, from, depth);
  if (end < 0) return end;
  if (depth === 0 && skipSpace(scan.bytes, end, scan.end) !== scan.end) return ~skipSpace(scan.bytes, end, scan.end);
  shop.events++;
  if (map.valueCount === 0) return end;
  findAll(writing, lookup);
  const { worst } = finding;
  if (worst === null || lookup.missing.size > 0) return end;
  const { verdict } = worst.enrichment.answer;
  shop.worsts[verdict] = (shop.worsts[verdict] ?? 0) + 1;
  const first = edits.count;
  writeEvent(writing, worst);
  sortEdits(edits, first);
  return end;
}
