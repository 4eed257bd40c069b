import { toExplainLine } from '../mapping/explain-line.ts';
import { toTrace } from '../mapping/trace.ts';
import { toAnswerCells, toDetailCells, toIndicatorCell } from '../mapping/splunk.ts';
import type { Answer, Enrichment, Source } from '../model/enrichment.ts';
import { COMMA, encodeCell, quoteCell } from './csv-cells.ts';
import type { RenderedCells } from './rendered-cells.ts';
import type { RowLayout } from './row-layout.ts';

/** What the cells of an answer are rendered for. */
export interface CellForm {
  readonly fields: readonly string[];
  readonly details: boolean;
  /** See `RowOptions.trace`. */
  readonly trace?: boolean;
  /** How a text becomes a cell; left out: as it is. A file for spreadsheets guards its formulas. */
  readonly guard?: (text: string) => string;
  /** The byte between cells; left out: a comma. */
  readonly delimiter?: number;
}

/** The cells of an answer on both sides of the indicator, by the numbers of their renderings. */
interface CellFrame {
  readonly source: Source;
  readonly type: string;
  /** Place of the looked-up field. */
  readonly field: number;
  readonly before: number;
  readonly after: number;
}

/** Renders answers as cells, each a piece of a row's end; many indicators share an answer, and so all its cells but one. */
export class AnswerCells {
  readonly #rendered: RenderedCells;
  readonly #details: boolean;
  readonly #trace: boolean;
  readonly #encode: (text: string) => string;
  readonly #delimiter: string;
  readonly #fieldCells: readonly string[];
  /** What stands around the indicator, by answer. */
  #frames = new Map<Answer, CellFrame[]>();
  #lead;
  #tail = '';

  constructor(rendered: RenderedCells, { fields, details, trace = false, guard, delimiter = COMMA }: CellForm) {
    this.#rendered = rendered;
    this.#details = details;
    this.#trace = trace;
    this.#delimiter = String.fromCharCode(delimiter);
    this.#lead = this.#delimiter;
    const encode =
      delimiter === COMMA ? encodeCell : (text: string) => (text.includes(this.#delimiter) ? quoteCell(text) : encodeCell(text));
    this.#encode = guard === undefined ? encode : (text) => encode(guard(text));
    this.#fieldCells = fields.map(this.#encode);
  }

  /** Renders for a layout from here on; false when what was rendered before does not fit it. */
  use(layout: RowLayout): boolean {
    const lead = layout.firstKept < layout.columns ? this.#delimiter : '';
    const tail = this.#delimiter.repeat(layout.clearedColumns);
    const fits = lead === this.#lead && tail === this.#tail;
    this.#lead = lead;
    this.#tail = tail;
    return fits;
  }

  /** The verdict on the value of a field (by its place), with this word for where it came from. */
  verdict(enrichment: Enrichment, field: number, source: Source = enrichment.source): number {
    const { answer, indicator } = enrichment;
    let frames = this.#frames.get(answer);
    if (frames === undefined) this.#frames.set(answer, (frames = []));
    const type = indicator === null ? '' : indicator.type;
    let frame = frames.find((one) => one.source === source && one.type === type && one.field === field);
    if (frame === undefined) frames.push((frame = this.#frameOf(answer, { source, type, field })));
    return this.#rendered.addBetween(frame.before, this.#encode(toIndicatorCell(enrichment)), frame.after);
  }

  /** A field's own cells, with `details`. */
  detail(answer: Answer): number {
    return this.#add(toDetailCells(answer), '');
  }

  /** The explanation at the end of a row, with `details`. */
  explanation(answer: Answer): number {
    return this.#add([toExplainLine(answer)], this.#trace ? '' : this.#tail);
  }

  /** Where the answer comes from, at the very end of a row, with `trace`. */
  trace(enrichment: Enrichment): number {
    return this.#add([toTrace(enrichment).join(' ')], this.#tail);
  }

  /** Forgets what was rendered; the renderings themselves are their owner's to forget. */
  forget(): void {
    this.#frames.clear();
  }

  #frameOf(answer: Answer, { source, type, field }: Pick<CellFrame, 'source' | 'type' | 'field'>): CellFrame {
    const { before, after } = toAnswerCells(answer);
    const part = this.#delimiter;
    const head = `${this.#lead}${[...before.map(this.#encode), source, type, ''].join(part)}`;
    const tail = `${['', this.#fieldCells[field], ...after.map(this.#encode)].join(part)}${this.#details || this.#trace ? '' : this.#tail}`;
    return { source, type, field, before: this.#rendered.add(head), after: this.#rendered.add(tail) };
  }

  #add(cells: readonly string[], tail: string): number {
    return this.#rendered.add(`${['', ...cells.map(this.#encode)].join(this.#delimiter)}${tail}`);
  }
}
