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
import type { RenderedVerdict } from './rendered-verdict.ts';
import type { VerdictMemory } from './verdict-memory.ts';
import { createRelatedAdditions } from './related-fields.ts';
import { type FindInText, openTexts } from './text-values.ts';
import { writeEvent } from './write-event.ts';

const NO_BYTES = Buffer.alloc(0);

/** What events are enriched with. */
export interface EventEnricherOptions {
  readonly wanted: WantedFields;
  readonly known: VerdictMemory;
  readonly rules: WritingRules;
  /** Brackets that may be open at once. */
  readonly maxDepth: number;
  readonly clock: Clock;
  /** Finds the indicators in the values of text fields; left out: there are no such fields. */
  readonly findInText?: FindInText | undefined;
}

/** Everything that works on one text of events, and on the next one after it: nothing is made anew for each. */
export interface EventEnricher {
  readonly scan: Scan;
  readonly lookup: Lookup;
  readonly writing: EventWriting;
  readonly findInText: FindInText | undefined;
  events: number;
  /** Lines that are no event, or not wholly; whoever reads lines counts them. */
  invalidLines: number;
  /** How many events have which verdict (its place in `VERDICT_WORDS`) as their worst. */
  readonly worsts: number[];
}

/** An event enricher, with no text in it. */
export function createEventEnricher({ wanted, known, rules, maxDepth, clock, findInText }: EventEnricherOptions): EventEnricher {
  const map = createEventMap();
  const related = createRelatedAdditions();
  return {
    scan: { bytes: NO_BYTES, words: wordsIn(NO_BYTES), end: 0, maxDepth, map },
    lookup: { wanted, known, missing: new Set() },
    writing: {
      bytes: NO_BYTES,
      map,
      edits: createEdits(),
      rules,
      finding: createFinding(),
      related,
      clock,
      isInFull: false,
      now: null,
      nowMs: 0,
    },
    findInText,
    events: 0,
    invalidLines: 0,
    worsts: VERDICT_WORDS.map(() => 0),
  };
}

/** Takes up a text; `answers`: what was fetched for it. */
export function beginText(eventEnricher: EventEnricher, text: Buffer, answers: ReadonlyMap<string, RenderedVerdict>): void {
  eventEnricher.scan.bytes = eventEnricher.writing.bytes = text;
  eventEnricher.scan.words = wordsIn(text);
  eventEnricher.scan.end = text.length;
  eventEnricher.lookup.known.begin(text, answers);
  if (eventEnricher.lookup.missing.size > 0) eventEnricher.lookup.missing = new Set();
  eventEnricher.events = 0;
  eventEnricher.invalidLines = 0;
  for (let n = 0; n < eventEnricher.worsts.length; n++) eventEnricher.worsts[n] = 0;
  clearEdits(eventEnricher.writing.edits);
}

/** The text with everything added that was planned; the very text when that is nothing. */
export function finishText(eventEnricher: EventEnricher, text: Buffer, allocate: (size: number) => Buffer): Buffer {
  return finishPart(eventEnricher, 0, text.length, allocate);
}

/** The same of a part of the text that was read, in which everything planned lies. */
export function finishPart({ scan, writing }: EventEnricher, from: number, end: number, allocate: (size: number) => Buffer): Buffer {
  const { bytes } = scan;
  if (writing.edits.count > 0) return applyEdits(writing.edits, bytes, { from, end }, allocate);
  return from === 0 && end === bytes.length ? bytes : bytes.subarray(from, end);
}

/** Reads the event at `from` and plans what is added to it; past its end, or a fault. One that stands alone has to end its text. */
export function enrichEvent(eventEnricher: EventEnricher, from: number, depth: number, standsAlone: boolean): number {
  const { scan, lookup, writing } = eventEnricher;
  clearEventMap(scan.map);
  const end = scanEvent(scan, lookup.wanted.tree, from, depth);
  if (end < 0) return end;
  if (standsAlone) {
    const rest = skipSpace(scan.bytes, end, scan.end);
    if (rest !== scan.end) return ~rest;
  }
  eventEnricher.events++;
  if (lookup.wanted.isText !== null) searchTexts(eventEnricher, lookup.wanted.isText);
  if (scan.map.valueCount > 0) addFindings(eventEnricher, lookup, writing);
  return end;
}

function searchTexts({ scan, findInText }: EventEnricher, isText: readonly boolean[]): void {
  if (findInText !== undefined) openTexts(scan.bytes, scan.map, { isText, find: findInText });
}

function addFindings(eventEnricher: EventEnricher, lookup: Lookup, writing: EventWriting): void {
  findAll(writing, lookup);
  const { worst } = writing.finding;
  if (worst === null || lookup.missing.size > 0) return;
  const verdict = verdictIn(worst.summary);
  eventEnricher.worsts[verdict] = (eventEnricher.worsts[verdict] ?? 0) + 1;
  const first = writing.edits.count;
  writeEvent(writing, worst);
  sortEdits(writing.edits, first);
}
