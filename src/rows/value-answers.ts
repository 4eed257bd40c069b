import type { EnrichOptions, Enricher } from '../engine/enricher.ts';
import { isFailure, unaskedAnswer } from '../model/enrichment.ts';
import type { Answer, Enrichment, Status } from '../model/enrichment.ts';
import { VERDICT_WORDS } from '../model/verdict.ts';
import type { VerdictWord } from '../model/verdict.ts';
import { EMPTY_PLACE, placeOf } from '../model/worst-answer.ts';
import { movedTo } from './row-scanner.ts';
import { FIRST_VALUE_ID, NO_COLUMN } from './value-table.ts';
import type { ValueTable } from './value-table.ts';

// An answer without an end (the user's own lists change while a long search runs) is asked for again after a minute: `peek` is cheap.
const KEEP_S = 60;
const FIRST_IDS = 1 << 15;

/** How the values of this search are looked up. */
export interface LookUpRules extends Pick<EnrichOptions, 'providers' | 'maxAgeS' | 'mode' | 'budget' | 'tlp'> {
  readonly timeoutMs: number;
}

/** Does something that takes a while; its signal aborts, and the promise rejects, when the search was cancelled meanwhile. */
export type Wait = <Result>(work: (signal: AbortSignal) => Promise<Result>) => Promise<Result>;

/** Takes every answer when it comes in. Nobody else keeps the enrichment: ten thousand of them would outlive the chunk. */
export type Taker = (id: number, enrichment: Enrichment) => void;

/** What is known of ids without their answers, by id. */
export interface SnapshotPlaces {
  /** `placeOf` the answer. */
  readonly places: Float64Array;
  /** Until when it may be shown without asking; seconds since 1970, 0: not at all. */
  readonly untilS: Float64Array;
  /** Its verdict, by the place among `VERDICT_WORDS`. */
  readonly verdicts: Uint8Array;
}

/** When it is, and when what an earlier search knew was read; seconds since 1970. */
export interface AdoptionTimes {
  readonly nowS: number;
  readonly readS: number;
}

/**
 * The answer to every value of a search, by its id. Each chunk asks once for the values it has not seen or that grew old;
 * failures are kept for their chunk only.
 */
export class ValueAnswers {
  readonly #values: ValueTable;
  readonly #rules: LookUpRules;
  readonly #take: Taker;
  readonly #startS: number;
  /** The value that a text of the table is about. */
  valueOf: (text: string) => string = (text) => text;
  #answers: (Answer | undefined)[] = [];
  #hasAsked = false;
  /** By id: `placeOf` its answer, until when the answer holds (seconds since 1970), the chunk that saw it last. */
  #places = new Float64Array(FIRST_IDS);
  #freshUntilS = new Float64Array(FIRST_IDS);
  #seen = new Int32Array(FIRST_IDS);
  /** By id: when the answer expires, 0 for one that no later search can show as it is. */
  #expiresAtS = new Float64Array(FIRST_IDS);
  /** By id, for ids that an earlier search knew, which have no answer here: the verdict, by the place among `VERDICT_WORDS`. */
  #verdicts = new Uint8Array(FIRST_IDS);
  /** Ids below it are those of the search that this one went on from. */
  #recalled = 0;

  constructor(values: ValueTable, rules: LookUpRules, startS: number, take: Taker) {
    this.#values = values;
    this.#rules = rules;
    this.#startS = startS;
    this.#take = take;
  }

  /** The answer to an id, which `ask` or `settle` has answered. */
  of(id: number): Answer {
    const answer = this.#answers[id];
    if (answer === undefined) throw new Error('no answer to a value that was asked');
    return answer;
  }

  /** Where the id's answer stands among several of one event: see `placeOf`. */
  placeOf(id: number): number {
    return id < FIRST_VALUE_ID ? EMPTY_PLACE : (this.#places[id] as number);
  }

  /** The verdict on an id that was answered here or by an earlier search. */
  verdictOf(id: number): VerdictWord {
    return this.#answers[id]?.verdict ?? (VERDICT_WORDS[this.#verdicts[id] as number] as VerdictWord);
  }

  /**
   * Until when a later search may show the same without asking: seconds since 1970, `Infinity` for what depends on settings alone, 0 for
   * what is no whole answer, and for what lists and overrides say, which have lifetimes of their own.
   */
  keepUntilS(id: number): number {
    const answer = this.#answers[id];
    if (answer === undefined) return this.#expiresAtS[id] as number;
    if (!isFinal(answer.status) || answer.providers.some(({ provider }) => provider === 'local' || provider === 'feedback')) return 0;
    return this.#expiresAtS[id] as number;
  }

  /** Goes on with what an earlier search knew. Ids are those of the value table, which was restored with it. */
  restore(known: SnapshotPlaces, nowS: number): void {
    this.#recalled = known.untilS.length;
    this.#fit();
    // One gap of thousands would make the array a dictionary.
    this.#answers = Array.from({ length: this.#recalled });
    this.#places.set(known.places);
    this.#expiresAtS.set(known.untilS);
    this.#verdicts.set(known.verdicts);
    for (let id = FIRST_VALUE_ID; id < this.#recalled; id++)
      this.#freshUntilS[id] = Math.min(this.#expiresAtS[id] as number, nowS + KEEP_S);
  }

  /** Takes what an earlier search knew of its id `other`, as it was read at `readS`, for an id here; false: that has run out. */
  adopt(id: number, { places, untilS, verdicts }: SnapshotPlaces, other: number, { nowS, readS }: AdoptionTimes): boolean {
    const expiresAtS = untilS[other] as number;
    const freshUntilS = Math.min(expiresAtS, readS + KEEP_S);
    if (freshUntilS <= nowS) return false;
    this.#answers[id] = undefined;
    this.#places[id] = places[other] as number;
    this.#expiresAtS[id] = expiresAtS;
    this.#verdicts[id] = verdicts[other] as number;
    this.#freshUntilS[id] = freshUntilS;
    return true;
  }

  /** Whether an id was answered in this search. */
  isNew(id: number): boolean {
    return this.#answers[id] !== undefined;
  }

  /** How many values an earlier search knew, how many this one saw, and how many are both. */
  countRecalled(): { readonly recalled: number; readonly seen: number; readonly both: number } {
    const recalled = this.#recalled;
    let [seen, both] = [0, 0];
    for (let id = FIRST_VALUE_ID; id < this.#values.count; id++) {
      if (this.#seen[id] === 0) continue;
      seen++;
      if (id < recalled) both++;
    }
    return { recalled, seen, both };
  }

  /** Whether an id was seen in this search. */
  wasSeen(id: number): boolean {
    return this.#seen[id] !== 0;
  }

  /** The id of the worst answer. */
  worstOf(ids: readonly number[]): number {
    return ids.reduce((worst, id) => (this.placeOf(id) < this.placeOf(worst) ? id : worst));
  }

  /** Ids of a chunk that need an answer. `chunk` counts from 1. */
  collect(ids: Int32Array, multivalues: readonly (readonly number[])[], chunk: number, nowS: number): number[] {
    this.#fit();
    const asked: number[] = [];
    this.#collectOf(ids, chunk, nowS, asked);
    for (const group of multivalues) this.#collectOf(group, chunk, nowS, asked);
    return asked;
  }

  /** Answers `ids`: from memory what is there, the rest by one call. Rejects when the search was cancelled. */
  async ask(ids: readonly number[], enricher: Enricher, { nowS, wait }: { readonly nowS: number; readonly wait: Wait }): Promise<void> {
    const missing = new Map<string, number>();
    // Bytes that are no UTF-8 differ and read the same.
    const twins = new Map<string, number[]>();
    // A new process remembers nothing yet; `peek` knows only what everybody was asked about, marked as the settings say.
    const mayKnow = this.#hasAsked && this.#rules.providers === undefined && this.#rules.tlp === undefined;
    for (const id of ids) {
      const value = this.#values.textOf(id);
      const known = mayKnow ? enricher.peek(value) : undefined;
      if (known !== undefined && this.#isYoung(known)) this.settle(id, known, nowS);
      else if (!missing.has(value)) missing.set(value, id);
      else if (!twins.get(value)?.push(id)) twins.set(value, [id]);
    }
    if (missing.size === 0) return;
    this.#hasAsked = true;
    let left = missing.size;
    for (const id of missing.values()) this.#freshUntilS[id] = UNSETTLED;
    const take = (value: string, enrichment: Enrichment) => {
      this.settle(missing.get(value) as number, enrichment, nowS);
      if (twins.size > 0) for (const id of twins.get(value) ?? []) this.settle(id, enrichment, nowS);
      left--;
    };
    let fault: unknown = null;
    const answers = await wait(async (signal) => {
      try {
        return await enricher.enrichMany(missing.keys(), { ...this.#options(nowS, signal), take });
      } catch (error) {
        signal.throwIfAborted();
        fault = error;
        return new Map<string, Enrichment>();
      }
    });
    for (const [value, enrichment] of answers) take(value, enrichment);
    if (left <= 0) return;
    // A fault of ours costs the values that it left without an answer, not the search: their rows say so.
    for (const [value, id] of missing) if (this.#freshUntilS[id] === UNSETTLED) take(value, faultyEnrichment(this.valueOf(value), fault));
  }

  /** Takes an answer for an id. */
  settle(id: number, enrichment: Enrichment, nowS: number): void {
    const { answer } = enrichment;
    const expiresAtS = enrichment.expiresAtS ?? Infinity;
    this.#answers[id] = answer;
    this.#places[id] = placeOf(answer);
    this.#freshUntilS[id] = isFinal(answer.status) ? Math.min(expiresAtS, nowS + KEEP_S) : 0;
    this.#expiresAtS[id] = enrichment.source === 'local' || enrichment.source === 'coalesced' ? 0 : expiresAtS;
    this.#take(id, enrichment);
  }

  /** Forgets all answers, with the ids. */
  clear(): void {
    this.#answers = [];
    this.#recalled = 0;
    this.#freshUntilS.fill(0);
    this.#expiresAtS.fill(0);
    this.#seen.fill(0);
  }

  #collectOf(ids: Int32Array | readonly number[], chunk: number, nowS: number, asked: number[]): void {
    for (let n = 0; n < ids.length; n++) {
      const id = ids[n] as number;
      if (id < FIRST_VALUE_ID || this.#seen[id] === chunk) continue;
      this.#seen[id] = chunk;
      if ((this.#freshUntilS[id] as number) <= nowS) asked.push(id);
    }
  }

  /** Room for all ids there are. */
  #fit(): void {
    const size = this.#values.count;
    if (size <= this.#seen.length) return;
    this.#places = movedTo(new Float64Array(size * 2), this.#places);
    this.#freshUntilS = movedTo(new Float64Array(size * 2), this.#freshUntilS);
    this.#seen = movedTo(new Int32Array(size * 2), this.#seen);
    this.#expiresAtS = movedTo(new Float64Array(size * 2), this.#expiresAtS);
    this.#verdicts = movedTo(new Uint8Array(size * 2), this.#verdicts);
  }

  // What was asked since the search began is always young enough: a value is never paid for twice in one search.
  #isYoung(enrichment: Enrichment): boolean {
    const { maxAgeS } = this.#rules;
    return maxAgeS === undefined || enrichment.checkedAtS === null || enrichment.checkedAtS >= this.#startS - maxAgeS;
  }

  #options(nowS: number, signal: AbortSignal): EnrichOptions {
    const { maxAgeS, ...rules } = this.#rules;
    return { ...rules, signal, ...(maxAgeS === undefined ? {} : { maxAgeS: maxAgeS + Math.max(0, nowS - this.#startS) }) };
  }
}

/** Until when what nobody has answered yet is fresh. */
const UNSETTLED = -1;

/** The answer to a cell that held nothing or a field that is not there (`NO_COLUMN`). */
export function unaskedEnrichment(id: number, field: string): Enrichment {
  const message =
    id === NO_COLUMN
      ? `the events have no field ${field}: check its spelling, or extract it before this command`
      : `the field ${field} is empty here: nothing was looked up`;
  return toEnrichment('skipped_empty', message, '');
}

/** What a row shows while only the cost is worked out. */
export function plannedEnrichment(value: string): Enrichment {
  return toEnrichment('pending', 'plan: not looked up; run the search again without mode=plan', value);
}

function faultyEnrichment(value: string, fault: unknown): Enrichment {
  const words = fault instanceof Error ? `${fault.name}: ${fault.message}` : 'no answer';
  return toEnrichment(
    'unavailable',
    `the look-up failed inside the program (${words.slice(0, 200)}): report it with the search.log`,
    value,
  );
}

function toEnrichment(status: Status, message: string, input: string): Enrichment {
  return { input, indicator: null, answer: unaskedAnswer(status, message), source: 'none', checkedAtS: null, expiresAtS: null };
}

/** Whether another question could bring no better answer until it expires. */
function isFinal(status: Status): boolean {
  if (status === 'invalid') return true;
  return !isFailure(status) && status !== 'partial' && status !== 'pending' && status !== 'stale';
}
