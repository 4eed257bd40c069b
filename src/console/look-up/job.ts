import type { EnrichmentJson } from '../../mapping/enrichment-json.ts';
import { CallError, callJson, wordsFor } from '../page/call.ts';
import { cutValues } from './cut-text.ts';
import type { Input } from './input.ts';
import { addPlan, NO_PRICE, planOf } from './price.ts';
import type { Price } from './price.ts';
import { type Row, wordOf } from './rank.ts';
import { readInput } from './read-input.ts';
import type { Find } from './read-text.ts';

/** Values in a call: few first, then as many as the sidecar takes. */
const FREE_PARTS = [100, 400, 1000];
/** Values in a call that is paid for: what has come is shown, and stopping stops soon. */
const PAID_PARTS = [25, 100];
/** How long the sidecar may take for one part that is paid for. */
const PAID_TIMEOUT_MS = 60_000;
/** Free sources that take longer are asked in small parts, too. */
const SLOW_S = 5;
const LOCAL_TIMEOUT_MS = 2000;
/** Most distinct values of one job; a page that holds more is of no use to anybody. */
const MOST_VALUES = 50_000;

/** Answers that come in quick succession are shown together. */
const SHOWN_EVERY_MS = 60;

/** Where a job stands. `priced`: the rest costs something, and waits for a click. */
export type Phase = 'idle' | 'working' | 'priced' | 'done' | 'stopped' | 'failed';

/** What the page shows of a job. */
export interface JobState {
  readonly phase: Phase;
  readonly inputs: readonly Input[];
  /** By input. */
  readonly finds: readonly (readonly Find[])[];
  readonly rows: readonly Row[];
  readonly price: Price;
  readonly answered: number;
  /** Of all inputs, in characters or bytes: for the progress. */
  readonly read: number;
  readonly toRead: number;
  /** What to know of all answers. */
  readonly notes: readonly string[];
  readonly fault: string | null;
}

/** Nothing was asked yet. */
export const NO_JOB: JobState = {
  phase: 'idle',
  inputs: [],
  finds: [],
  rows: [],
  price: NO_PRICE,
  answered: 0,
  read: 0,
  toRead: 0,
  notes: [],
  fault: null,
};

/** A job: reads inputs, looks up what costs nothing at once, and the rest when it is told to. */
export interface Job {
  readonly begin: (inputs: readonly Input[]) => Promise<void>;
  /** Looks up what waits. */
  readonly pay: () => Promise<void>;
  /** Asks once more about values. */
  readonly askAgain: (values: readonly string[]) => Promise<void>;
  readonly stop: () => void;
}

/** What a job has noted so far. */
interface Book {
  state: JobState;
  readonly rows: Map<string, Row>;
  /** What costs something, and was not asked yet. */
  waiting: string[];
  readonly set: (change: Partial<JobState>) => void;
}

/** Makes a job; `tell` gets its state whenever that changed. */
export function createJob(tell: (state: JobState) => void): Job {
  let stopper = new AbortController();
  const book: Book = {
    state: NO_JOB,
    rows: new Map(),
    waiting: [],
    set(change) {
      book.state = { ...book.state, ...change };
      if (change.phase === undefined) {
        timer ??= setTimeout(show, SHOWN_EVERY_MS);
      } else {
        clearTimeout(timer);
        show();
      }
    },
  };
  let timer: ReturnType<typeof setTimeout> | undefined;
  function show(): void {
    timer = undefined;
    tell(book.state);
  }

  /** Ends what goes on, and does this. */
  async function run(work: (signal: AbortSignal) => Promise<void>): Promise<void> {
    stopper.abort();
    stopper = new AbortController();
    const { signal } = stopper;
    book.set({ phase: 'working', fault: null });
    try {
      await work(signal);
      if (!signal.aborted) book.set({ phase: book.waiting.length > 0 ? 'priced' : 'done' });
    } catch (error) {
      if (!signal.aborted) book.set({ phase: 'failed', fault: wordsFor(error) });
    }
  }

  return {
    async begin(inputs) {
      book.rows.clear();
      book.waiting = [];
      book.state = { ...NO_JOB, inputs, finds: inputs.map(() => []), toRead: inputs.reduce((sum, { size }) => sum + size, 0) };
      await run((signal) => readAll(book, signal));
    },
    async pay() {
      const { waiting } = book;
      book.waiting = [];
      book.set({ price: NO_PRICE });
      await run((signal) => ask(book, waiting, PAID_PARTS, signal));
    },
    async askAgain(values) {
      book.waiting = [];
      book.set({ price: NO_PRICE });
      await run((signal) => askOrPrice(book, values, signal));
    },
    stop() {
      stopper.abort();
      book.set({ phase: 'stopped' });
    },
  };
}

/** Reads all inputs; look-ups go on beside that, and the first fault ends both. */
async function readAll(book: Book, signal: AbortSignal): Promise<void> {
  const { rows, set } = book;
  let asking = Promise.resolve();
  for (const [at, input] of book.state.inputs.entries())
    for await (const { finds, read, notes } of readInput(input, signal)) {
      signal.throwIfAborted();
      const fresh = noteFinds(rows, finds);
      set({
        finds: book.state.finds.map((known, n) => (n === at ? [...known, ...finds] : known)),
        rows: [...rows.values()],
        read: book.state.read + read,
        notes: withNotes(book.state.notes, notes),
      });
      asking = asking.then(() => askOrPrice(book, fresh, signal));
      asking.catch(() => undefined);
    }
  await asking;
  const isFull = rows.size >= MOST_VALUES;
  if (isFull) set({ notes: withNotes(book.state.notes, [`Only the first ${MOST_VALUES.toLocaleString('en-US')} values are looked up.`]) });
}

/** Asks about values that cost nothing; notes the price of the others. */
async function askOrPrice(book: Book, values: readonly string[], signal: AbortSignal): Promise<void> {
  for (const part of cutValues(values, FREE_PARTS)) {
    const plan = await planOf(part, signal);
    signal.throwIfAborted();
    if (plan.to_pay === 0) {
      await ask(book, part, (plan.estimated_s ?? 0) > SLOW_S ? PAID_PARTS : FREE_PARTS, signal);
      continue;
    }
    await askLocal(book, part, signal);
    book.waiting.push(...part);
    book.set({ price: addPlan(book.state.price, plan, part.length) });
  }
}

/** What local lists say is shown while the rest waits: a known threat is on top before anything is spent. */
async function askLocal(book: Book, values: readonly string[], signal: AbortSignal): Promise<void> {
  const body = { indicators: values, explain: true, providers: ['local'], timeout_ms: LOCAL_TIMEOUT_MS };
  const { enrichments } = await callJson<{ enrichments: EnrichmentJson[] }>('v1/lookup', { body, signal });
  signal.throwIfAborted();
  enrichments.forEach((answer, n) => {
    const row = book.rows.get(values[n] ?? '');
    // That no local list knows a value says nothing: it goes on waiting.
    if (row?.answer === null && !['unknown', 'failed'].includes(wordOf(answer))) book.rows.set(row.value, { ...row, answer });
  });
  book.set({ rows: [...book.rows.values()], answered: countAnswered(book.rows) });
}

async function ask(book: Book, values: readonly string[], sizes: readonly number[], signal: AbortSignal): Promise<void> {
  const { rows } = book;
  for (const part of cutValues(values, sizes))
    for await (const { values: asked, answers, note } of lookUp(part, sizes === PAID_PARTS, signal)) {
      signal.throwIfAborted();
      answers.forEach((answer, n) => {
        const row = rows.get(asked[n] ?? '');
        if (row) rows.set(row.value, { ...row, answer });
      });
      const notes = withNotes(book.state.notes, note === undefined ? [] : [note]);
      book.set({ rows: [...rows.values()], answered: countAnswered(rows), notes });
    }
}

interface Part {
  readonly values: readonly string[];
  readonly answers: readonly EnrichmentJson[];
  readonly note: string | undefined;
}

/** One call; where the sidecar takes fewer values at once, two. */
async function* lookUp(values: readonly string[], isPaid: boolean, signal: AbortSignal): AsyncGenerator<Part> {
  const body = { indicators: values, explain: true, ...(isPaid ? { timeout_ms: PAID_TIMEOUT_MS } : {}) };
  try {
    const { enrichments, note } = await callJson<{ enrichments: EnrichmentJson[]; note?: string }>('v1/lookup', { body, signal });
    yield { values, answers: enrichments, note };
  } catch (error) {
    if (!(error instanceof CallError) || error.code !== 'too_many_indicators' || values.length < 2) throw error;
    const half = Math.ceil(values.length / 2);
    yield* lookUp(values.slice(0, half), isPaid, signal);
    yield* lookUp(values.slice(half), isPaid, signal);
  }
}

function withNotes(notes: readonly string[], more: readonly string[]): readonly string[] {
  return [...new Set([...notes, ...more])];
}

function countAnswered(rows: ReadonlyMap<string, Row>): number {
  let count = 0;
  for (const { answer } of rows.values()) if (answer !== null) count += 1;
  return count;
}

/** Adds finds to the rows; gives the values that are new. */
function noteFinds(rows: Map<string, Row>, finds: readonly Find[]): string[] {
  const fresh: string[] = [];
  let outer: Find | null = null;
  for (const find of finds) {
    const isInside: boolean = outer !== null && find.part === outer.part && find.offset < outer.offset + outer.original.length;
    const within = isInside && outer !== null && outer.value !== find.value ? outer.value : null;
    if (!isInside) outer = find;
    const row = rows.get(find.value);
    if (row) {
      rows.set(find.value, { ...row, places: row.places + 1, within: within === null ? null : row.within });
    } else if (rows.size < MOST_VALUES) {
      rows.set(find.value, { value: find.value, type: find.type, original: find.original, places: 1, within, answer: null });
      fresh.push(find.value);
    }
  }
  return fresh;
}
