import { enrichInTurns } from '../engine/enrich-in-turns.ts';
import { nextTurn, SLICE_MS } from '../engine/turns.ts';
import type { LateEnrichment } from './enrich-later.ts';
import type { EnrichedText, TextForm } from './enrich-text.ts';
import { renderVerdict } from './rendered-verdict.ts';
import type { RenderedVerdict } from './rendered-verdict.ts';
import { slicesOf } from './text-slices.ts';
import type { TextSlice } from './text-slices.ts';

/** From here on a text is enriched in slices. */
export const LONG_TEXT_BYTES = 512 * 1024;
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
  | (Omit<Extract<EnrichedText, { kind: 'enriched' }>, 'text'> & { readonly parts: readonly Buffer[] })
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

type Events = Extract<TextSlice, { kind: 'events' }>;

/** What is on the way: `waiting` are slices with values that nobody knew yet, each with its place among the parts. */
interface Writing {
  readonly work: LateEnrichment;
  readonly long: LongText;
  readonly done: Done;
  readonly answers: Map<string, RenderedVerdict>;
  readonly missing: Set<string>;
  readonly waiting: { readonly slice: Events; readonly place: number }[];
}

const NO_BYTES = Buffer.alloc(0);

/**
 * Enriches a long text a slice at a time, with everything else answered between them. All of it is read before anything is asked, so that a
 * text with a fault costs nothing; slices with values that are not known are read once more when those are.
 */
export async function enrichSlices(work: LateEnrichment, long: LongText): Promise<EnrichedSlices> {
  const done: Done = { parts: [], events: 0, invalidLines: 0, worsts: [] };
  const writing: Writing = { work, long, done, answers: new Map(), missing: new Set(), waiting: [] };
  const turn = createTurn(long.signal);
  let events = 0;
  for (const slice of slicesOf(long.text, long.form)) {
    if (slice.kind === 'fault') return slice;
    const result = slice.kind === 'between' ? keepPart(done, slice.bytes, long) : tryFirst(writing, slice);
    if (typeof result !== 'number') return result;
    events += result;
    if (events > long.maxEvents) return { kind: 'too-many' };
    if (writing.missing.size > MAX_VALUES) return { kind: 'too-many-values' };
    await turn();
  }
  if (writing.missing.size > 0) await fetchInto(writing, writing.missing);
  for (const { slice, place } of writing.waiting) {
    const stop = await writeAgain(writing, slice, place);
    if (stop !== null) return stop;
    await turn();
  }
  return { kind: 'enriched', ...done };
}

/** Writes a slice if all its values are known, else notes what is not; the number of its events, or why it goes no further. */
function tryFirst(writing: Writing, slice: Events): number | Stop {
  const { work, long, done, missing, waiting } = writing;
  const result = work.texts.enrich(slice.bytes, long.form, undefined, long.allocate);
  if (result.kind === 'fault') return { kind: 'fault', offset: slice.offset + result.offset - slice.margin };
  if (result.kind === 'too-many') return result;
  if (result.kind === 'missing') {
    for (const value of result.values) missing.add(value);
    waiting.push({ slice, place: done.parts.length });
    done.parts.push(NO_BYTES);
    return result.events;
  }
  const stop = settle(writing, slice, { result, place: done.parts.length });
  return stop ?? result.events;
}

/** Writes a slice whose values were fetched; memory may have forgotten meanwhile what else it knew, then that is fetched as well. */
async function writeAgain(writing: Writing, slice: Events, place: number): Promise<Stop | null> {
  const { work, long, answers } = writing;
  for (;;) {
    const result = work.texts.enrich(slice.bytes, long.form, answers, long.allocate);
    if (result.kind === 'enriched') return settle(writing, slice, { result, place });
    if (result.kind !== 'missing') return { kind: 'too-many' };
    await fetchInto(writing, result.values);
  }
}

interface Settled {
  readonly result: Extract<EnrichedText, { kind: 'enriched' }>;
  readonly place: number;
}

function settle({ long, done }: Writing, { bytes, margin }: Events, { result, place }: Settled): Stop | null {
  done.events += result.events;
  done.invalidLines += result.invalidLines;
  for (const [n, count] of result.worsts.entries()) done.worsts[n] = (done.worsts[n] ?? 0) + count;
  const part = margin === 0 ? result.text : result.text.subarray(margin, -margin);
  if (!long.keep(part, result.text !== bytes)) return { kind: 'no-room' };
  done.parts[place] = part;
  return null;
}

function keepPart({ parts }: Done, part: Buffer, { keep }: LongText): number | Stop {
  if (!keep(part, false)) return { kind: 'no-room' };
  parts.push(part);
  return 0;
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
