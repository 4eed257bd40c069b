import type { Answer, Enrichment } from '../model/enrichment.ts';
import type { VerdictWord } from '../model/verdict.ts';
import { AnswerCells, type CellForm } from './answer-cells.ts';
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
  /** By field and id: the rendering, 0 when there is none. `#main` has the verdict, `#detail` the field's own cells. */
  #main: Int32Array<ArrayBuffer>[];
  #detail: Int32Array<ArrayBuffer>[];
  #explain: Int32Array<ArrayBuffer>[];
  /** By id: where its answer comes from; empty without `trace`. */
  #trace: Int32Array<ArrayBuffer>;
  /** By id: how often a paid answer was shown, and the chunk that paid for it. */
  #paid = new Int32Array(FIRST_IDS);
  #paidIn = new Int32Array(FIRST_IDS);
  /** By id: what may have to be rendered later, for another field or with another source word. */
  #kept: Enrichment[] = [];

  constructor(answers: ValueAnswers, shape: SuffixShape) {
    const { fields, details, trace } = shape;
    this.#answers = answers;
    this.#shape = shape;
    this.partsPerRow = (details ? fields.length + 2 : 1) + (trace === true ? 1 : 0);
    this.#main = fields.map(() => new Int32Array(FIRST_IDS));
    this.#detail = details ? fields.map(() => new Int32Array(FIRST_IDS)) : [];
    this.#explain = details ? fields.map(() => new Int32Array(FIRST_IDS)) : [];
    this.#trace = new Int32Array(trace === true ? FIRST_IDS : 0);
    this.#cells = new AnswerCells(this.rendered, shape);
    this.#unasked = fields.map((field) => Array.from({ length: FIRST_VALUE_ID }, (_, id) => unaskedEnrichment(id, field)));
  }

  /** Renders for a layout from here on; false when what was rendered before does not fit it. */
  use(layout: RowLayout): boolean {
    return this.#cells.use(layout);
  }

  /** Takes a new answer to an id. */
  take(id: number, enrichment: Enrichment, chunk: number): void {
    if (id >= this.#paid.length) this.#fit(id);
    if (this.#main.length === 1 && enrichment.source !== 'live') {
      this.#paid[id] = UNPAID;
      (this.#main[0] as Int32Array)[id] = this.#cells.verdict(enrichment, 0);
    } else {
      this.#kept[id] = enrichment;
      this.#paid[id] = enrichment.source === 'live' ? UNSHOWN : UNPAID;
      this.#paidIn[id] = chunk;
      for (const byId of this.#main) byId[id] = 0;
    }
    if (this.#shape.trace === true) this.#trace[id] = this.#cells.trace(enrichment);
    if (!this.#shape.details) return;
    for (const byId of this.#detail) byId[id] = 0;
    for (const byId of this.#explain) byId[id] = 0;
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

  /** How many renderings `renderAll` gives. */
  get perId(): number {
    return this.#shape.fields.length * (this.#shape.details ? 3 : 1);
  }

  /** Whether the answer to an id was paid for in this search. */
  isPaid(id: number): boolean {
    return this.#paid[id] !== UNPAID;
  }

  /** All that a later search may show of an id, by number: per field the verdict, its own cells, the explanation. `null`: not all is known any more. */
  renderAll(id: number): Int32Array | null {
    const isPaid = this.isPaid(id);
    const fields = this.#shape.fields.length;
    const all = new Int32Array(this.perId);
    for (let field = 0; field < fields; field++) {
      const ready = isPaid ? 0 : (this.#main[field]?.[id] as number);
      if (ready === 0 && this.#kept[id] === undefined) return null;
      // What was paid for comes from the cache from now on.
      all[field] = ready || this.#cells.verdict(this.#enrichmentOf(id, field), field, isPaid ? 'cache' : undefined);
      if (!this.#shape.details) continue;
      all[fields + field] = this.#detailOf(id, field);
      all[2 * fields + field] = this.#explainOf(id, field);
    }
    return all;
  }

  /** Goes on with renderings of an earlier search of the same shape; `all`: what `renderAll` gave, by id. */
  restore(rendered: { readonly bytes: Buffer<ArrayBuffer>; readonly ends: Int32Array<ArrayBuffer> }, all: Int32Array, ids: number): void {
    this.rendered.restore(rendered.bytes, rendered.ends);
    if (ids > this.#paid.length) this.#fit(ids);
    const { perId } = this;
    for (const [n, byId] of [...this.#main, ...this.#detail, ...this.#explain].entries())
      for (let id = FIRST_VALUE_ID; id < ids; id++) byId[id] = all[id * perId + n] as number;
  }

  /** Forgets all renderings and all ids. */
  forget(): void {
    this.rendered.clear();
    this.#cells.forget();
    for (const byField of [this.#main, this.#detail, this.#explain, [this.#trace]]) for (const byId of byField) byId.fill(0);
    this.#paid.fill(UNPAID);
    this.#kept = [];
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
    for (let field = 0; field < fields.length; field++) this.parts[at + 1 + field] = this.#detailOf(worst[field] as number, field);
    this.parts[at + 1 + fields.length] = this.#explainOf(id, winner);
  }

  #detailOf(id: number, field: number): number {
    const byId = this.#detail[field] as Int32Array;
    return (byId[id] ||= this.#cells.detail(this.#answerOf(id, field)));
  }

  #explainOf(id: number, field: number): number {
    const byId = this.#explain[field] as Int32Array;
    return (byId[id] ||= this.#cells.explanation(this.#answerOf(id, field)));
  }

  /** Rendered with its answer, but for what was never asked. */
  #traceOf(id: number, field: number): number {
    return (this.#trace[id] ||= this.#cells.trace(this.#enrichmentOf(id, field)));
  }

  #mainOf(id: number, field: number, chunk: number): number {
    const byId = this.#main[field] as Int32Array;
    const paid = this.#paid[id] as number;
    if (paid === UNPAID) return (byId[id] as number) || (byId[id] = this.#cells.verdict(this.#enrichmentOf(id, field), field));
    if (paid === UNSHOWN) {
      this.#paid[id] = SHOWN;
      return this.#cells.verdict(this.#enrichmentOf(id, field), field, 'live');
    }
    if (paid === SHOWN && this.#paidIn[id] !== chunk) {
      this.#paid[id] = SHOWN_BEFORE;
      for (const other of this.#main) other[id] = 0;
    }
    const source = this.#paid[id] === SHOWN ? 'coalesced' : 'cache';
    return (byId[id] as number) || (byId[id] = this.#cells.verdict(this.#enrichmentOf(id, field), field, source));
  }

  /** Room for the id and those after it. */
  #fit(id: number): void {
    const size = (id + 1) * 2;
    this.#main = this.#main.map((byId) => enlarge(byId, size));
    this.#detail = this.#detail.map((byId) => enlarge(byId, size));
    this.#explain = this.#explain.map((byId) => enlarge(byId, size));
    if (this.#shape.trace === true) this.#trace = enlarge(this.#trace, size);
    this.#paid = enlarge(this.#paid, size);
    this.#paidIn = enlarge(this.#paidIn, size);
  }

  #verdictOf(id: number, field: number): VerdictWord {
    return id < FIRST_VALUE_ID ? this.#enrichmentOf(id, field).answer.verdict : this.#answers.verdictOf(id);
  }

  #answerOf(id: number, field: number): Answer {
    return id < FIRST_VALUE_ID ? this.#enrichmentOf(id, field).answer : this.#answers.of(id);
  }

  #enrichmentOf(id: number, field: number): Enrichment {
    const enrichment = id < FIRST_VALUE_ID ? this.#unasked[field]?.[id] : this.#kept[id];
    if (enrichment === undefined) throw new Error('a value was not kept that is still to be shown');
    return enrichment;
  }
}
