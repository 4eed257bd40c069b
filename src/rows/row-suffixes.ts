import type { Enrichment } from '../model/enrichment.ts';
import type { VerdictWord } from '../model/verdict.ts';
import { AnswerCells, type CellForm } from './answer-cells.ts';
import { AnswerFrames, type KeptCells } from './answer-frames.ts';
import { unaskedEnrichment } from './value-answers.ts';
import type { ValueAnswers } from './value-answers.ts';
import { RenderedCells } from './rendered-cells.ts';
import type { RowLayout } from './row-layout.ts';
import { enlarge } from './row-scanner.ts';
import type { ValueReader } from './value-reader.ts';
import { FIRST_VALUE_ID } from './value-table.ts';

/** Stands for a row that is left out (`only=`). */
export const NO_ROW = 0;

/** Which cells rows get. */
export interface SuffixShape extends CellForm {
  /** Rows with these verdicts only; `null`: all. */
  readonly only: readonly VerdictWord[] | null;
}

const FIRST_IDS = 1 << 15;

/**
 * How often a paid answer was shown, and what its next row says of where it came from:
 *
 * | state | the next row | then |
 * |---|---|---|
 * | unpaid | the answer's own word | unpaid |
 * | unshown | `live` | shown |
 * | shown, in the chunk that paid | `coalesced` | shown |
 * | shown, in a later chunk | `cache` | shown before |
 * | shown before | `cache` | shown before |
 */
const UNPAID = 0;
const UNSHOWN = 1;
const SHOWN = 2;
const SHOWN_BEFORE = 3;

/**
 * The cells that each row gets at its end, as ready-made bytes: rendered once for every value, field and source word. It remembers by id
 * what was rendered (`answer-cells.ts` renders), so that a row costs a few look-ups in arrays and no text.
 * With `details` a row's end has several parts (the verdict, one per field, the explanation), else one; with `trace` one more.
 */
export class RowSuffixes {
  readonly #answers: ValueAnswers;
  readonly #shape: SuffixShape;
  readonly #unasked: readonly (readonly Enrichment[])[];
  readonly partsPerRow: number;
  readonly rendered = new RenderedCells();
  readonly #cells: AnswerCells;
  /** Per row `partsPerRow` numbers of renderings; the first is `NO_ROW` for a row that is left out. */
  parts = new Int32Array(0);
  /** By field and id: the rendering of the verdict, 0 when there is none. */
  #main: Int32Array<ArrayBuffer>[];
  /** By id: where its answer comes from; empty without `trace`. */
  #trace: Int32Array<ArrayBuffer>;
  /** By id: the frame of its answer, and the cell `indicator` among the pieces. */
  #frames = new Int32Array(FIRST_IDS);
  #indicators = new Int32Array(FIRST_IDS);
  /** By id: how often a paid answer was shown, and the chunk that paid for it. */
  #paid = new Int32Array(FIRST_IDS);
  #paidIn = new Int32Array(FIRST_IDS);
  /** Frames of what was never asked, by field and id. */
  readonly #unaskedFrames: Int32Array;

  constructor(answers: ValueAnswers, shape: SuffixShape) {
    const { fields, details, trace } = shape;
    this.#answers = answers;
    this.#shape = shape;
    this.partsPerRow = (details ? fields.length + 2 : 1) + (trace === true ? 1 : 0);
    this.#main = fields.map(() => new Int32Array(FIRST_IDS));
    this.#trace = new Int32Array(trace === true ? FIRST_IDS : 0);
    this.#cells = new AnswerCells(this.rendered, shape);
    this.#unasked = fields.map((field) => Array.from({ length: FIRST_VALUE_ID }, (_, id) => unaskedEnrichment(id, field)));
    this.#unaskedFrames = new Int32Array(fields.length * FIRST_VALUE_ID);
  }

  /** Renders for a layout from here on; false when what was rendered before does not fit it. */
  use(layout: RowLayout): boolean {
    return this.#cells.use(layout);
  }

  /** Takes a new answer to an id. */
  take(id: number, enrichment: Enrichment, chunk: number): void {
    const { source } = enrichment;
    this.#set(id, this.#cells.frameOf(enrichment, source), this.#cells.indicator(enrichment));
    this.#paid[id] = source === 'live' ? UNSHOWN : UNPAID;
    this.#paidIn[id] = chunk;
    if (this.#shape.trace === true) this.#trace[id] = this.#cells.trace(enrichment);
  }

  /** Chooses the end of every row that was read. */
  choose(values: ValueReader, rows: number, chunk: number): void {
    const fields = this.#main.length;
    const { partsPerRow } = this;
    const { ids, multivalues } = values;
    if (this.parts.length < rows * partsPerRow) this.parts = new Int32Array(ids.length * partsPerRow);
    const worst = new Int32Array(fields);
    for (let row = 0; row < rows; row++) {
      let winner = 0;
      for (let field = 0; field < fields; field++) {
        const id = ids[row * fields + field] as number;
        worst[field] = id < 0 ? this.#answers.worstOf(multivalues[-id - 1] ?? []) : id;
        if (field > 0 && this.#answers.placeOf(worst[field] as number) < this.#answers.placeOf(worst[winner] as number)) winner = field;
      }
      this.#fill(row * partsPerRow, winner, worst, chunk);
    }
  }

  /** Whether the answer to an id was paid for in this search. */
  isPaid(id: number): boolean {
    return this.#paid[id] !== UNPAID;
  }

  /** Gathers what later searches may show of ids: each becomes the next one of what is kept. */
  keep(ids: readonly number[]): KeptCells {
    const kept = new AnswerFrames();
    const copyOf = kept.copierFrom(this.#cells.frames);
    const frames = new Int32Array(FIRST_VALUE_ID + ids.length);
    const indicators = new Int32Array(FIRST_VALUE_ID + ids.length);
    for (const [n, id] of ids.entries()) {
      const shown = this.#frames[id] as number;
      // What was paid for comes from the cache from now on.
      const frame = this.isPaid(id) ? this.#cells.frameAs(shown, 'cache') : shown;
      this.#cells.explainFrame(frame);
      frames[FIRST_VALUE_ID + n] = copyOf(frame);
      indicators[FIRST_VALUE_ID + n] = kept.pieces.addFrom(this.#cells.frames.pieces, this.#indicators[id] as number);
    }
    return { answers: kept.state(), frames, indicators };
  }

  /** Goes on with the cells of an earlier search, whose ids are those of the table of values. */
  restore({ answers, frames, indicators }: KeptCells): void {
    this.#cells.restore(answers);
    this.#frames = enlarge(frames, FIRST_IDS);
    this.#indicators = enlarge(indicators, FIRST_IDS);
    this.#fit(frames.length);
  }

  /** What takes cells of an earlier search: those of the id `known` of its table, for the id `id` here. */
  adopterOf({ answers, frames, indicators }: KeptCells): (id: number, known: number) => void {
    const kept = new AnswerFrames();
    kept.restore(answers);
    const own = this.#cells.frames;
    const copyOf = own.copierFrom(kept);
    return (id, known) => {
      this.#set(id, copyOf(frames[known] as number), own.pieces.addFrom(kept.pieces, indicators[known] as number));
      this.#paid[id] = UNPAID;
    };
  }

  /** Forgets all renderings and all ids. */
  forget(): void {
    this.rendered.clear();
    this.#cells.forget();
    for (const byId of [...this.#main, this.#trace]) byId.fill(0);
    this.#paid.fill(UNPAID);
    this.#unaskedFrames.fill(0);
  }

  #fill(at: number, winner: number, worst: Int32Array, chunk: number): void {
    const id = worst[winner] as number;
    const { only, details, trace, fields } = this.#shape;
    if (only !== null && !only.includes(this.#verdictOf(id, winner))) {
      this.parts[at] = NO_ROW;
      return;
    }
    this.parts[at] = this.#mainOf(id, winner, chunk);
    if (trace === true) this.parts[at + this.partsPerRow - 1] = this.#traceOf(id, winner);
    if (!details) return;
    for (let field = 0; field < fields.length; field++)
      this.parts[at + 1 + field] = this.#cells.detail(this.#frameOf(worst[field] as number, field));
    this.parts[at + 1 + fields.length] = this.#cells.explanation(this.#frameOf(id, winner));
  }

  #set(id: number, frame: number, indicator: number): void {
    if (id >= this.#paid.length) this.#fit(id);
    this.#frames[id] = frame;
    this.#indicators[id] = indicator;
    for (const byId of this.#main) byId[id] = 0;
  }

  /** Rendered with its answer, but for what was never asked. */
  #traceOf(id: number, field: number): number {
    return (this.#trace[id] ||= this.#cells.trace(this.#unaskedOf(id, field)));
  }

  #mainOf(id: number, field: number, chunk: number): number {
    const byId = this.#main[field] as Int32Array;
    const paid = this.#paid[id] as number;
    if (paid === UNPAID) return (byId[id] as number) || (byId[id] = this.#verdict(id, field, this.#frameOf(id, field)));
    if (paid === UNSHOWN) {
      this.#paid[id] = SHOWN;
      return this.#verdict(id, field, this.#frameOf(id, field));
    }
    if (paid === SHOWN && this.#paidIn[id] !== chunk) {
      this.#paid[id] = SHOWN_BEFORE;
      for (const other of this.#main) other[id] = 0;
    }
    const source = this.#paid[id] === SHOWN ? 'coalesced' : 'cache';
    return (byId[id] as number) || (byId[id] = this.#verdict(id, field, this.#cells.frameAs(this.#frameOf(id, field), source)));
  }

  #verdict(id: number, field: number, frame: number): number {
    const indicator = id < FIRST_VALUE_ID ? this.#cells.indicator(this.#unaskedOf(id, field)) : (this.#indicators[id] as number);
    return this.#cells.verdict(frame, indicator, field);
  }

  #frameOf(id: number, field: number): number {
    if (id >= FIRST_VALUE_ID) return this.#frames[id] as number;
    return (this.#unaskedFrames[field * FIRST_VALUE_ID + id] ||= this.#cells.frameOf(this.#unaskedOf(id, field), 'none'));
  }

  /** Room for the id and those after it. */
  #fit(id: number): void {
    const size = (id + 1) * 2;
    this.#main = this.#main.map((byId) => enlarge(byId, size));
    this.#frames = enlarge(this.#frames, size);
    this.#indicators = enlarge(this.#indicators, size);
    if (this.#shape.trace === true) this.#trace = enlarge(this.#trace, size);
    this.#paid = enlarge(this.#paid, size);
    this.#paidIn = enlarge(this.#paidIn, size);
  }

  #verdictOf(id: number, field: number): VerdictWord {
    return id < FIRST_VALUE_ID ? this.#unaskedOf(id, field).answer.verdict : this.#answers.verdictOf(id);
  }

  #unaskedOf(id: number, field: number): Enrichment {
    const enrichment = this.#unasked[field]?.[id];
    if (enrichment === undefined) throw new Error('a value has no answer that is still to be shown');
    return enrichment;
  }
}
