import { enrichInTurns } from '../engine/enrich-in-turns.ts';
import { nextTurn, SLICE_MS } from '../engine/turns.ts';
import type { LateEnrichment } from './enrich-later.ts';
import type { EnrichedText, TextForm, TextPart } from './enrich-text.ts';
import { renderVerdict } from './rendered-verdict.ts';
import type { RenderedVerdict } from './rendered-verdict.ts';

/** From here on a text is enriched in slices. */
export const LONG_TEXT_BYTES = 512 * 1024;
/** A slice is about this long; an event that is longer is one. */
const SLICE_BYTES = 64 * 1024;
/** Distinct values that one text may ask about. */
export const MAX_VALUES = 100_000;

/** A long text. */
export interface LongText {
  readonly text: Buffer;
  readonly form: TextForm;
  /** Most events in it. */
  readonly maxEvents: number;
  /** When the answer is due, by the clock that only grows. */
  readonly dueMs: number;
  readonly signal: AbortSignal;
  /** Where room for a slice's answer comes from. */
  readonly allocate: (size: number) => Buffer;
  /** Takes note of every part of the answer as it is made (`isMade`: in room of its own); `false`: there is no room for it. */
  readonly keep: (part: Buffer, isMade: boolean) => boolean;
}

/** What a long text became: as `EnrichedText`, but the text in parts; or why it went no further. */
export type EnrichedSlices =
  | (Omit<Extract<EnrichedText, { kind: 'enriched' }>, 'text' | 'isMade' | 'end'> & { readonly parts: readonly Buffer[] })
  | Exclude<EnrichedText, { kind: 'enriched' | 'missing' }>
  | { readonly kind: 'too-many-values' }
  | { readonly kind: 'no-room' };

type Stop = Exclude<EnrichedSlices, { kind: 'enriched' }>;

interface Done {
  readonly parts: Buffer[];
  events: number;
  invalidLines: number;
  readonly worsts: number[];
}

/** What is on the way: `waiting` are slices with values that nobody knew yet: where each begins, and its place among the parts. */
interface Writing {
  readonly work: LateEnrichment;
  readonly long: LongText;
  readonly done: Done;
  readonly answers: Map<string, RenderedVerdict>;
  readonly missing: Set<string>;
  readonly waiting: { readonly from: number; readonly place: number }[];
}

const NO_BYTES = Buffer.alloc(0);
const NO_ROOM: Stop = { kind: 'no-room' };

/**
 * Enriches a long text a slice at a time, with everything else answered between them. All of it is read before anything is asked, so that a
 * text with a fault costs nothing; slices with values that are not known are read once more when those are.
 */
export async function enrichSlices(work: LateEnrichment, long: LongText): Promise<EnrichedSlices> {
  const done: Done = { parts: [], events: 0, invalidLines: 0, worsts: [] };
  const writing: Writing = { work, long, done, answers: new Map(), missing: new Set(), waiting: [] };
  const turn = createTurn(long.signal);
  let events = 0;
  for (let from = 0; from < long.text.length;) {
    const result = work.texts.enrichPart(long.text, sliceFrom(long, from), undefined, long.allocate);
    if (result.kind === 'fault' || result.kind === 'too-many') return result;
    if (result.kind === 'missing') waitFor(writing, result.values, from);
    else if (!settle(writing, result, done.parts.length)) return NO_ROOM;
    from = result.end;
    events += result.events;
    if (events > long.maxEvents) return { kind: 'too-many' };
    if (writing.missing.size > MAX_VALUES) return { kind: 'too-many-values' };
    await turn();
  }
  if (writing.missing.size > 0) await fetchInto(writing, writing.missing);
  for (const { from, place } of writing.waiting) {
    const stop = await writeAgain(writing, from, place);
    if (stop !== null) return stop;
    await turn();
  }
  return { kind: 'enriched', ...done };
}

function sliceFrom({ form }: LongText, from: number): TextPart {
  return { form, from, least: from + SLICE_BYTES };
}

/** Keeps the place of a slice that begins at `from` until its values are known. */
function waitFor({ done, missing, waiting }: Writing, values: ReadonlySet<string>, from: number): void {
  for (const value of values) missing.add(value);
  waiting.push({ from, place: done.parts.length });
  done.parts.push(NO_BYTES);
}

/** Writes a slice whose values were fetched; memory may have forgotten meanwhile what else it knew, then that is fetched as well. */
async function writeAgain(writing: Writing, from: number, place: number): Promise<Stop | null> {
  const { work, long, answers } = writing;
  for (;;) {
    const result = work.texts.enrichPart(long.text, sliceFrom(long, from), answers, long.allocate);
    if (result.kind === 'enriched') return settle(writing, result, place) ? null : NO_ROOM;
    if (result.kind !== 'missing') return { kind: 'too-many' };
    await fetchInto(writing, result.values);
  }
}

/** Takes note of a slice that is written; `false`: there is no room for it. */
function settle({ long, done }: Writing, result: Extract<EnrichedText, { kind: 'enriched' }>, place: number): boolean {
  done.events += result.events;
  done.invalidLines += result.invalidLines;
  for (const [n, count] of result.worsts.entries()) done.worsts[n] = (done.worsts[n] ?? 0) + count;
  done.parts[place] = result.text;
  return long.keep(result.text, result.isMade);
}

async function fetchInto({ work: { enricher, clock }, long, answers }: Writing, values: ReadonlySet<string>): Promise<void> {
  const { dueMs, signal } = long;
  const timeoutMs = Math.max(1, Math.ceil(dueMs - clock.monotonicMs()));
  for (const [text, enrichment] of await enrichInTurns(enricher, values, { timeoutMs, signal }))
    answers.set(text, renderVerdict(enrichment));
  // Its bytes are somebody else's as soon as the caller is gone.
  signal.throwIfAborted();
}

/** Gives way once a slice's time is used up. */
function createTurn(signal: AbortSignal): () => Promise<void> {
  let sinceMs = performance.now();
  return async () => {
    if (performance.now() - sinceMs < SLICE_MS) return;
    await nextTurn();
    signal.throwIfAborted();
    sinceMs = performance.now();
  };
}
