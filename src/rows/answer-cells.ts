import { toExplainLine } from '../mapping/explain-line.ts';
import { toTrace } from '../mapping/trace.ts';
import { SPLUNK_DETAIL_FIELDS, SPLUNK_FIELDS, toAnswerCells, toIndicatorCell } from '../mapping/splunk.ts';
import type { Answer, Enrichment, Source } from '../model/enrichment.ts';
import { AnswerFrames, type AnswerFramesState } from './answer-frames.ts';
import { COMMA, encodeCell, endOfCell, quoteCell } from './csv-cells.ts';
import type { RenderedCells } from './rendered-cells.ts';
import type { RowLayout } from './row-layout.ts';
import { enlarge } from './row-scanner.ts';

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

/** What a frame was rendered from. */
interface FramedAnswer {
  readonly answer: Answer;
  readonly source: Source;
  readonly type: string;
}

const NOTHING = Buffer.alloc(0);
const BEHIND_FIELD = SPLUNK_FIELDS.indexOf('field') + 1;
const DETAIL_PLACES = SPLUNK_DETAIL_FIELDS.map((name) => SPLUNK_FIELDS.indexOf(name));

/**
 * Renders answers as cells, each a piece of a row's end. Many indicators share an answer, and so all its cells but one: they are rendered
 * once, as a frame, and put together with indicator and field for this search.
 */
export class AnswerCells {
  readonly frames = new AnswerFrames();
  readonly #rendered: RenderedCells;
  /** Whether the verdict is the last part of a row, or the explanation. */
  readonly #endsAtVerdict: boolean;
  readonly #endsAtExplanation: boolean;
  readonly #encode: (text: string) => string;
  readonly #delimiter: number;
  readonly #fieldCells: readonly Buffer[];
  /** Frames that were rendered here, by answer, and what each was rendered from; those of an earlier search come before them. */
  #framesOf = new Map<Answer, number[]>();
  #framed: FramedAnswer[] = [];
  #firstFramed = 1;
  /** By frame: a field's own cells, and the explanation; 0 where they are not rendered. */
  #details = new Int32Array(0);
  #explanations = new Int32Array(0);
  #skipsLead = false;
  #tail = NOTHING;

  constructor(rendered: RenderedCells, { fields, details, trace = false, guard, delimiter = COMMA }: CellForm) {
    this.#rendered = rendered;
    this.#endsAtVerdict = !details && !trace;
    this.#endsAtExplanation = !trace;
    this.#delimiter = delimiter;
    const part = this.#part;
    const encode = delimiter === COMMA ? encodeCell : (text: string) => (text.includes(part) ? quoteCell(text) : encodeCell(text));
    this.#encode = guard === undefined ? encode : (text) => encode(guard(text));
    this.#fieldCells = fields.map((field) => Buffer.from(part + this.#encode(field)));
  }

  get #part(): string {
    return String.fromCharCode(this.#delimiter);
  }

  /** Renders for a layout from here on; false when what was rendered before does not fit it. */
  use(layout: RowLayout): boolean {
    const skipsLead = layout.firstKept >= layout.columns;
    const fits = skipsLead === this.#skipsLead && layout.clearedColumns === this.#tail.length;
    this.#skipsLead = skipsLead;
    if (!fits) this.#tail = Buffer.alloc(layout.clearedColumns, this.#delimiter);
    return fits;
  }

  /** The frame of an answer, with this word for where it came from. */
  frameOf({ answer, indicator }: Enrichment, source: Source): number {
    return this.#frameOf(answer, source, indicator === null ? '' : indicator.type);
  }

  /** The frame of the same answer with another word for where it came from; only of those that were rendered here. */
  frameAs(frame: number, source: Source): number {
    const { answer, type } = this.#framedIn(frame);
    return this.#frameOf(answer, source, type);
  }

  /** Keeps the cell `indicator` among the pieces of the frames; answers its number. */
  indicator(enrichment: Enrichment): number {
    return this.frames.pieces.add(this.#encode(toIndicatorCell(enrichment)));
  }

  /** The verdict on the value of a field (by its place): a frame around the piece `indicator`. */
  verdict(frame: number, indicator: number, field: number): number {
    const rendered = this.#rendered;
    const { frames } = this;
    const { pieces } = frames;
    const fieldCell = this.#fieldCells[field] as Buffer;
    rendered.appendFrom(pieces, frames.before(frame), this.#skipsLead ? 1 : 0);
    rendered.appendFrom(pieces, indicator);
    rendered.append(fieldCell, 0, fieldCell.length);
    rendered.appendFrom(pieces, frames.behind(frame));
    return this.#endsAtVerdict ? this.#end() : rendered.close();
  }

  /** A field's own cells, with `details`. */
  detail(frame: number): number {
    if (frame >= this.#details.length) this.#details = enlarge(this.#details, frame * 2);
    return (this.#details[frame] ||= this.#cut(frame));
  }

  /** The explanation at the end of a row, with `details`. */
  explanation(frame: number): number {
    if (frame >= this.#explanations.length) this.#explanations = enlarge(this.#explanations, frame * 2);
    return (this.#explanations[frame] ||= this.#explain(frame));
  }

  /** Has the explanation among the frame's pieces. */
  explainFrame(frame: number): number {
    return this.frames.explanation(frame, (one) => this.#part + this.#encode(toExplainLine(this.#framedIn(one).answer)));
  }

  /** Where the answer comes from, at the very end of a row, with `trace`. */
  trace(enrichment: Enrichment): number {
    this.#rendered.appendText(this.#part + this.#encode(toTrace(enrichment).join(' ')));
    return this.#end();
  }

  /** Goes on with the frames of an earlier search. */
  restore(frames: AnswerFramesState): void {
    this.frames.restore(frames);
    this.#firstFramed = this.frames.count + 1;
  }

  /** Forgets what was rendered; the renderings themselves are their owner's to forget. */
  forget(): void {
    this.frames.clear();
    this.#framesOf.clear();
    this.#framed = [];
    this.#firstFramed = 1;
    this.#details.fill(0);
    this.#explanations.fill(0);
  }

  #frameOf(answer: Answer, source: Source, type: string): number {
    let frames = this.#framesOf.get(answer);
    if (frames === undefined) this.#framesOf.set(answer, (frames = []));
    for (const frame of frames) {
      const framed = this.#framedIn(frame);
      if (framed.source === source && framed.type === type) return frame;
    }
    const { before, after } = toAnswerCells(answer);
    const part = this.#part;
    const frame = this.frames.add(
      `${part}${[...before.map(this.#encode), source, type, ''].join(part)}`,
      `${part}${after.map(this.#encode).join(part)}`,
    );
    this.#framed[frame - this.#firstFramed] = { answer, source, type };
    frames.push(frame);
    return frame;
  }

  #framedIn(frame: number): FramedAnswer {
    const framed = this.#framed[frame - this.#firstFramed];
    if (framed === undefined) throw new Error('a frame of an earlier search says nothing of its answer');
    return framed;
  }

  /** Cuts a field's own cells out of the frame: they are among those of the verdict. */
  #cut(frame: number): number {
    const [before, behind] = [this.#cellsOf(this.frames.before(frame)), this.#cellsOf(this.frames.behind(frame))];
    for (const place of DETAIL_PLACES) {
      this.#rendered.appendText(this.#part);
      this.#rendered.appendText((place < BEHIND_FIELD ? before[place] : behind[place - BEHIND_FIELD]) ?? '');
    }
    return this.#rendered.close();
  }

  /** The cells of a piece, each with a delimiter before it. */
  #cellsOf(piece: number): string[] {
    const { bytes, ends } = this.frames.pieces;
    // A line end has to stand behind the last cell.
    const row = Buffer.from(`${bytes.toString('utf8', ends[piece - 1], ends[piece])}\n`);
    const cells: string[] = [];
    for (let at = 0; at < row.length - 1;) {
      const end = endOfCell(row, at + 1, row.length - 1, this.#delimiter);
      cells.push(row.toString('utf8', at + 1, end));
      at = end;
    }
    return cells;
  }

  #explain(frame: number): number {
    this.#rendered.appendFrom(this.frames.pieces, this.explainFrame(frame));
    return this.#endsAtExplanation ? this.#end() : this.#rendered.close();
  }

  /** Ends a row. */
  #end(): number {
    this.#rendered.append(this.#tail, 0, this.#tail.length);
    return this.#rendered.close();
  }
}
