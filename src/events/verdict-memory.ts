import type { Clock } from '../engine/clock.ts';
import type { Enricher } from '../engine/enricher.ts';
import { questionOf } from '../model/question.ts';
import { isFailure } from '../model/enrichment.ts';
import type { Answer, Enrichment } from '../model/enrichment.ts';
import { attach, clearCache, createFrontCache, fetchSlots, findSlot, isFresh, keep, NOT_FOUND, summaryAt, tickAt } from './front-cache.ts';
import { summaryOf, renderVerdict } from './rendered-verdict.ts';
import type { RenderedVerdict } from './rendered-verdict.ts';
import { createEventMap, endOf, fieldOf, hashAt, startOf } from './json/event-map.ts';
import type { EventMap } from './json/event-map.ts';
import { textOfString } from './json/scan-event.ts';

/** How long, and for how many values, the answers of memory are kept beside their renderings. */
export interface VerdictMemoryOptions {
  readonly enricher: Enricher;
  readonly clock: Clock;
  /** Names of the fields, by their numbers: what is known of a value may depend on where it stands. */
  readonly fields: readonly string[];
  /** A power of two. */
  readonly size: number;
  readonly ttlMs: number;
}

/** What is known of values, asked for by their bytes in an event. */
export interface VerdictMemory {
  /** By field number; fields of one route know the same of a value. `null`: all do. */
  readonly routes: readonly string[] | null;
  /** Starts a text. `answers`: those that were fetched for it, by question. */
  begin(text: Buffer, answers: ReadonlyMap<string, RenderedVerdict>): void;
  /** Starts an event whose values will be looked up. The number says nothing: it is there so that nobody takes the reading for idle. */
  prefetch(map: EventMap): number;
  /**
   * Looks the n-th value of an event up: its summary (see `summaryOf`), or `UNKNOWN` when nobody knows yet and the text has to be
   * fetched.
   */
  find(map: EventMap, n: number): number;
  /**
   * All that is known of the value that was looked up last. Most events need that of one value only, so it is not kept for the
   * others. `undefined`: forgotten meanwhile, the text has to be fetched.
   */
  current(): RenderedVerdict | undefined;
}

/** What `find` gives for a value that nobody knows. */
export const UNKNOWN = -1;

/** A cache of summaries and renderings in front of the engine's memory. */
export function createVerdictMemory(options: VerdictMemoryOptions): VerdictMemory {
  const { routeOf } = options.enricher;
  return routeOf === undefined ? createMemoryOf(options, (text) => text) : createRoutedMemory(options, options.fields.map(routeOf));
}

/** A memory for each route, each asked about what stands in its fields. `routes`: by field number. */
function createRoutedMemory(options: VerdictMemoryOptions, routes: readonly string[]): VerdictMemory {
  const byRoute = new Map(routes.map((route) => [route, createMemoryOf(options, (text) => questionOf(route, text))]));
  const all = [...byRoute.values()];
  const byField = routes.map((route) => byRoute.get(route) as VerdictMemory);
  const memoryOf = (map: EventMap, n: number) => byField[fieldOf(map, n)] as VerdictMemory;
  let last: VerdictMemory | undefined;
  return {
    routes,
    begin: (text, answers) => all.forEach((memory) => memory.begin(text, answers)),
    prefetch: (map) => all.reduce((read, memory) => read | memory.prefetch(map), 0),
    find(map, n) {
      last = memoryOf(map, n);
      return last.find(map, n);
    },
    current: () => last?.current(),
  };
}

/** A memory of one route, or of all fields. `asked`: what is asked about a value. */
function createMemoryOf({ enricher, clock, size, ttlMs }: VerdictMemoryOptions, asked: (text: string) => string): VerdictMemory {
  const cache = createFrontCache(size, clock.monotonicMs());
  const peek = peekAs(enricher, asked);
  let generation = enricher.generation?.() ?? 0;
  let nowMs = 0;
  let tick = 0;
  let hasFetched = false;
  let fetched: ReadonlyMap<string, RenderedVerdict> = new Map();
  /** The value that was looked up last: where it is, its slot, and what was found beyond the slot's summary. */
  let bytes: Buffer = Buffer.alloc(0);
  let map = createEventMap();
  let value = 0;
  let slot = NOT_FOUND;
  let known: RenderedVerdict | undefined;
  let enrichment: Enrichment | undefined;

  function ask(): number {
    const text = textOfString(bytes, startOf(map, value), endOf(map, value));
    known = fetched.get(asked(text));
    if (known !== undefined) return known.summary;
    enrichment = peek(text);
    if (enrichment === undefined) return UNKNOWN;
    const summary = summaryOf(enrichment);
    const untilMs = nowMs + Math.min(ttlMs, lifetimeOf(enrichment, clock.epochMs()), isSettled(enrichment.answer) ? ttlMs : UNSETTLED_MS);
    known = slot === NOT_FOUND ? undefined : stillTrue(cache.knowns[slot], enrichment);
    const own = bytes.subarray(startOf(map, value), endOf(map, value));
    if (!isKeepable(enrichment.answer) || own.length > LONGEST_KEPT) slot = NOT_FOUND;
    else slot = keep(cache, slot, { bytes: own, hash: hashAt(map, value) }, { summary, known, untilMs });
    return summary;
  }

  return {
    routes: null,
    begin(text, answers) {
      bytes = text;
      const now = enricher.generation?.() ?? 0;
      if (now !== generation) clearCache(cache);
      generation = now;
      nowMs = clock.monotonicMs();
      tick = tickAt(cache, nowMs);
      fetched = answers;
      hasFetched = answers.size > 0;
    },
    prefetch: (event) => fetchSlots(cache, event),
    find(event, n) {
      map = event;
      value = n;
      if (known !== undefined) known = undefined;
      if (enrichment !== undefined) enrichment = undefined;
      slot = findSlot(cache, bytes, event, n);
      return slot !== NOT_FOUND && !hasFetched && isFresh(cache, slot, tick) ? summaryAt(cache, slot) : ask();
    },
    current() {
      known ??= slot === NOT_FOUND ? undefined : cache.knowns[slot];
      if (known !== undefined) return known;
      enrichment ??= peek(textOfString(bytes, startOf(map, value), endOf(map, value)));
      if (enrichment === undefined) return undefined;
      known = renderVerdict(enrichment);
      if (slot !== NOT_FOUND) attach(cache, slot, known);
      return known;
    },
  };
}

/** The engine's answer from memory about a value, under the value's own spelling. */
function peekAs(enricher: Enricher, asked: (text: string) => string): (text: string) => Enrichment | undefined {
  return (text) => {
    const found = enricher.peek(asked(text));
    return found === undefined || found.input === text || text.length > LONGEST_KEPT ? found : { ...found, input: text };
  };
}

/** What was known before, when an answer that was asked for anew says the same, so that its renderings still hold. Answers are shared: identity tells. */
function stillTrue(before: RenderedVerdict | undefined, now: Enrichment): RenderedVerdict | undefined {
  if (before === undefined) return undefined;
  const { answer, source, checkedAtS, trace } = before.enrichment;
  const isSame = answer === now.answer && source === now.source && checkedAtS === now.checkedAtS;
  return isSame && trace?.origins === now.trace?.origins ? before : undefined;
}

/** Longer values, in bytes, are read anew each time: the room for keys is for those that come again. */
const LONGEST_KEPT = 2048;
const UNSETTLED_MS = 1000;

/** Whether the answer is the last word for now; one that is being worked on may be another one any moment. */
function isSettled({ status }: Answer): boolean {
  return status !== 'pending' && status !== 'partial' && status !== 'stale';
}

function isKeepable({ status }: Answer): boolean {
  return status === 'invalid' || !isFailure(status);
}

/** Milliseconds an answer may still be used; one that has run out is given for a moment while the engine asks anew. */
function lifetimeOf({ expiresAtS }: Enrichment, epochMs: number): number {
  const lifetime = expiresAtS === null ? Infinity : expiresAtS * 1000 - epochMs;
  return lifetime > 0 ? lifetime : UNSETTLED_MS;
}
