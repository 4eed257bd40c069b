import type { Clock } from '../../../engine/clock.ts';
import type { Enricher } from '../../../engine/enricher.ts';
import { isFailure } from '../../../model/enrichment.ts';
import type { Answer, Enrichment } from '../../../model/enrichment.ts';
import { createFrontCache, NOT_FOUND } from './front-cache.ts';
import { toKnown } from './known.ts';
import type { Known } from './known.ts';
import { textOfString } from '../json/scan.ts';

/** How long, and for how many values, the answers of memory are kept beside their renderings. */
export interface KnownValuesOptions {
  readonly enricher: Enricher;
  readonly clock: Clock;
  /** A power of two. */
  readonly size: number;
  readonly ttlMs: number;
  /** Longer values are not looked up. */
  readonly maxValueBytes: number;
}

/** What is known of values, asked for by their bytes in an event. */
export interface KnownValues {
  /**
   * Looks the value up whose bytes are from `start` to `end`: its `Known.summary`, or `UNKNOWN` when nobody knows yet and the text has
   * to be fetched. `current` gives all that is known of the value that was looked up last.
   */
  find(bytes: Uint8Array, start: number, end: number): number;
  current(): Known;
  /** Starts a text: everything that is asked until the next one is asked now. `fetched`: answers that were got for it, by text. */
  begin(fetched: ReadonlyMap<string, Known>): void;
}

/** What `find` gives for a value that nobody knows. */
export const UNKNOWN = -1;

/** A cache of renderings in front of the engine's memory. */
export function createKnownValues({ enricher, clock, size, ttlMs, maxValueBytes }: KnownValuesOptions): KnownValues {
  const cache = createFrontCache(size, clock.monotonicMs());
  const tooLong = tooLongEnrichment('', maxValueBytes);
  let nowMs = 0;
  let fetched: ReadonlyMap<string, Known> = new Map();
  let slot = NOT_FOUND;
  let known: Known | undefined;

  function ask(bytes: Uint8Array, start: number, end: number): number {
    const text = textOfString(bytes, start, end);
    known = fetched.get(text);
    if (known !== undefined) return known.summary;
    if (end - start > maxValueBytes) return give(toKnown({ ...tooLong, input: text.slice(0, SHOWN) }));
    const enrichment = enricher.peek(text);
    if (enrichment === undefined) return UNKNOWN;
    const untilMs = nowMs + Math.min(ttlMs, lifetimeOf(enrichment, clock.epochMs()));
    const before = slot === NOT_FOUND ? undefined : cache.knownAt(slot);
    if (before !== undefined && isSame(before.enrichment, enrichment)) {
      cache.renew(slot, untilMs);
      return before.summary;
    }
    const fresh = toKnown(enrichment.input === text ? enrichment : { ...enrichment, input: text });
    if (isKeepable(enrichment.answer)) slot = cache.keep(bytes, [start, end], fresh, untilMs);
    return give(fresh);
  }

  function give(one: Known): number {
    known = one;
    return one.summary;
  }

  return {
    begin(answers) {
      nowMs = clock.monotonicMs();
      fetched = answers;
    },
    find(bytes, start, end) {
      known = undefined;
      slot = cache.find(bytes, start, end);
      return slot !== NOT_FOUND && fetched.size === 0 && cache.isFresh(slot, nowMs) ? cache.summaryAt(slot) : ask(bytes, start, end);
    },
    current() {
      const one = known ?? cache.knownAt(slot);
      if (one === undefined) throw new Error('no value was looked up, or nobody knows it');
      return one;
    },
  };
}

/** Whether an answer that was asked for anew says what the one before said, so that its renderings still hold. Answers are shared, so identity tells. */
function isSame(before: Enrichment, now: Enrichment): boolean {
  return before.answer === now.answer && before.source === now.source && before.checkedAtS === now.checkedAtS;
}

/** Characters of an overlong value that are repeated in the answer. */
const SHOWN = 64;
const STALE_MS = 1000;

function isKeepable({ status }: Answer): boolean {
  return status === 'invalid' || !isFailure(status);
}

/** Milliseconds an answer may still be used; one that has run out is given for a moment while the engine asks anew. */
function lifetimeOf({ expiresAtS }: Enrichment, epochMs: number): number {
  const lifetime = expiresAtS === null ? Infinity : expiresAtS * 1000 - epochMs;
  return lifetime > 0 ? lifetime : STALE_MS;
}

/** The answer about a value that is too long to be looked up; it repeats the beginning only. */
export function tooLongEnrichment(input: string, maxValueBytes: number): Enrichment {
  const message = `longer than ${maxValueBytes} bytes: not looked up (sidecar.max_value_bytes)`;
  const answer: Answer = {
    verdict: 'unknown',
    status: 'invalid',
    score: null,
    confidence: null,
    tier: 'review',
    autoResolve: false,
    categories: [],
    attributes: [],
    sightings: null,
    firstSeen: null,
    lastSeen: null,
    reference: null,
    message,
    providers: [],
  };
  return { input: input.slice(0, SHOWN), indicator: null, answer, source: 'none', checkedAtS: null, expiresAtS: null };
}
