import type { Clock } from '../engine/clock.ts';
import { VERDICT_WORDS } from '../model/verdict.ts';
import type { EventWriting, WritingRules } from './event-writing.ts';
import { applyEdits, clearEdits, createEdits, sortEdits } from './json/byte-edits.ts';
import { clearEventMap, createEventMap } from './json/event-map.ts';
import { skipSpace, wordsIn } from './json/json-bytes.ts';
import { scanEvent } from './json/scan-event.ts';
import type { Scan } from './json/scan-event.ts';
import type { WantedFields } from './wanted-fields.ts';
import { createFinding, findAll } from './finding.ts';
import type { Lookup } from './finding.ts';
import { verdictIn } from './rendered-verdict.ts';
import type { Known } from './rendered-verdict.ts';
import type { KnownValues } from './verdict-memory.ts';
import { createRelatedAdditions } from './related-fields.ts';
import { writeEvent } from './write-event.ts';

const NO_BYTES = Buffer.alloc(0);

/** What events are enriched with. */
export interface WorkshopOptions {
  readonly wanted: WantedFields;
  readonly known: KnownValues;
  readonly rules: WritingRules;
  /** Brackets that may be open at once. */
  readonly maxDepth: number;
  readonly clock: Clock;
}

/** Everything that works on one text of events, and on the next one after it: nothing is made anew for each. */
export interface Workshop {
  readonly scan: Scan;
  readonly lookup: Lookup;
  readonly writing: EventWriting;
  events: number;
  /** How many events have which verdict (its place in `VERDICT_WORDS`) as their worst. */
  readonly worsts: number[];
}

/** A workshop, with nothing in it. */
export function createWorkshop({ wanted, known, rules, maxDepth, clock }: WorkshopOptions): Workshop {
  const map = createEventMap();
  const related = createRelatedAdditions();
  return {
    scan: { bytes: NO_BYTES, words: wordsIn(NO_BYTES), end: 0, maxDepth, map },
    lookup: { wanted, known, missing: new Set() },
    writing: { bytes: NO_BYTES, map, edits: createEdits(), rules, finding: createFinding(), related, clock, now: null, nowMs: 0 },
    events: 0,
    worsts: VERDICT_WORDS.map(() => 0),
  };
}

/** Takes up a text; `answers`: what was fetched for it. */
export function beginText(shop: Workshop, text: Buffer, answers: ReadonlyMap<string, Known>): void {
  shop.scan.bytes = shop.writing.bytes = text;
  shop.scan.words = wordsIn(text);
  shop.scan.end = text.length;
  shop.lookup.known.begin(text, answers);
  if (shop.lookup.missing.size > 0) shop.lookup.missing = new Set();
  shop.events = 0;
  for (let n = 0; n < shop.worsts.length; n++) shop.worsts[n] = 0;
  clearEdits(shop.writing.edits);
}

/** The text with everything added that was planned; the very text when that is nothing. */
export function finishText(shop: Workshop, text: Buffer, allocate: (size: number) => Buffer): Buffer {
  const { edits } = shop.writing;
  return edits.count === 0 ? text : applyEdits(edits, text, allocate);
}

/** Reads the event at `from` and plans what is added to it; past its end, or a fault. One that stands alone (`depth` 0) has to end its text. */
export function enrichEvent(shop: Workshop, from: number, depth: number): number {
  const { scan, lookup, writing } = shop;
  clearEventMap(scan.map);
  const end = scanEvent(scan, lookup.wanted.tree, from, depth);
  if (end < 0) return end;
  if (depth === 0) {
    const rest = skipSpace(scan.bytes, end, scan.end);
    if (rest !== scan.end) return ~rest;
  }
  shop.events++;
  if (scan.map.valueCount > 0) addFindings(shop, lookup, writing);
  return end;
}

function addFindings(shop: Workshop, lookup: Lookup, writing: EventWriting): void {
  findAll(writing, lookup);
  const { worst } = writing.finding;
  if (worst === null || lookup.missing.size > 0) return;
  const verdict = verdictIn(worst.summary);
  shop.worsts[verdict] = (shop.worsts[verdict] ?? 0) + 1;
  const first = writing.edits.count;
  writeEvent(writing, worst);
  sortEdits(writing.edits, first);
}
