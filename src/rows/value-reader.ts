import type * as questions from '../model/question.ts';
import { EQUALS, LF, QUOTE, decodeCell, withoutGuard } from './csv-cells.ts';
import { readMultivalue } from './multivalue.ts';
import type { ScanLayout } from './row-layout.ts';
import { enlarge } from './row-scanner.ts';
import type { RowScanner } from './row-scanner.ts';
import { EMPTY_CELL, NO_COLUMN } from './value-table.ts';
import type { ValueTable } from './value-table.ts';

/** What the reader of a column needs of the table of values. */
type NumberedValues = Pick<ValueTable, 'idOf' | 'idOfText'>;

/** How questions are spelled: read only where there are any. */
export type Questions = typeof questions;

/** Numbers the values of the looked-up cells. A plain cell is never made a string, only looked up by its bytes. */
export class ValueReader {
  readonly #values: ValueTable;
  /** The table as the field that is read needs it; by field, `null`: all need it as it is. */
  #numbered: NumberedValues;
  #byField: readonly NumberedValues[] | null = null;
  /** Per row and field: the id of its value, or `-(n + 1)` for the values `multivalues[n]`. */
  ids = new Int32Array(0);
  multivalues: number[][] = [];

  constructor(values: ValueTable) {
    this.#values = values;
    this.#numbered = values;
  }

  /** From here on a value in a field with a route is numbered as a question. */
  route(routes: readonly string[], words: Questions): void {
    const byRoute = new Map(routes.map((route) => [route, markedValues(this.#values, route, words)]));
    this.#byField = routes.map((route) => byRoute.get(route) ?? this.#values);
  }

  /** Reads the cells that `rows` found in `bytes`. */
  read(bytes: Buffer, layout: ScanLayout, rows: RowScanner): void {
    const fields = layout.fieldSpans.length;
    this.multivalues = [];
    this.ids = enlarge(this.ids, rows.contentEnds.length * fields);
    for (let field = 0; field < fields; field++) {
      const place = layout.fieldSpans[field] as number;
      if (place >= 0) this.#readField({ bytes, layout, rows }, field, place);
      else for (let row = 0; row < rows.count; row++) this.ids[row * fields + field] = NO_COLUMN;
    }
  }

  #readField({ bytes, layout, rows }: { bytes: Buffer; layout: ScanLayout; rows: RowScanner }, field: number, place: number): void {
    const { spans, count } = rows;
    const values = (this.#numbered = this.#byField?.[field] ?? this.#values);
    const fields = layout.fieldSpans.length;
    const step = layout.spanColumns.length * 2;
    const multivaluePlace = layout.multivalueSpans[field] as number;
    const toMultivalue = multivaluePlace < 0 ? 0 : (multivaluePlace - place) * 2;
    for (let row = 0, span = place * 2; row < count; row++, span += step) {
      const from = spans[span] as number;
      const to = spans[span + 1] as number;
      const isMultivalue = toMultivalue !== 0 && spans[span + toMultivalue] !== spans[span + toMultivalue + 1];
      let id: number;
      if (isMultivalue) id = this.#readMultivalue(bytes, spans.subarray(span + toMultivalue), from, to);
      else if (from === to) id = EMPTY_CELL;
      else if (bytes[from] === QUOTE) id = this.#readQuoted(bytes, from, to);
      else if (bytes[from] === EQUALS) id = values.idOfText(withoutGuard(bytes.toString('utf8', from, to)));
      else id = values.idOf(bytes, from, to);
      this.ids[row * fields + field] = id;
    }
  }

  /** `span`: begin and end of the `__mv_` cell; `from`, `to`: of the plain one, for a `__mv_` cell of another shape. */
  #readMultivalue(bytes: Buffer, span: Int32Array, from: number, to: number): number {
    const texts = readMultivalue(decodeCell(bytes.toString('utf8', span[0], span[1])));
    return texts.length > 0 ? this.#idOfTexts(texts) : this.#readQuoted(bytes, from, to);
  }

  #readQuoted(bytes: Buffer, from: number, to: number): number {
    const hasPlainText = to - from > 2 && bytes.indexOf(QUOTE, from + 1) === to - 1 && !bytes.subarray(from, to).includes(LF);
    if (hasPlainText) return this.#numbered.idOf(bytes, from + 1, to - 1);
    // Splunk joins the values of a multivalue by line breaks; no indicator holds one.
    return this.#idOfTexts(
      decodeCell(bytes.toString('utf8', from, to))
        .split(/\r?\n/)
        .map(withoutGuard),
    );
  }

  /** Several values in one cell: the ids of the distinct ones that are not empty. */
  #idOfTexts(texts: readonly string[]): number {
    const ids = [...new Set(texts.filter((text) => text !== '').map((text) => this.#numbered.idOfText(text)))];
    if (ids.length <= 1) return ids[0] ?? EMPTY_CELL;
    this.multivalues.push(ids);
    return -this.multivalues.length;
  }
}

/** The same table for a column with a route: what it numbers are questions. */
function markedValues(values: ValueTable, route: string, { isMarked, markOf, questionOf }: Questions): NumberedValues {
  const mark = Buffer.from(markOf(route));
  let room = Buffer.alloc(0);
  return {
    idOf(source, from, to) {
      if (route === '' && !isMarked(String.fromCharCode(source[from] ?? 0))) return values.idOf(source, from, to);
      const size = mark.length + to - from;
      if (room.length < size) room = Buffer.concat([mark, Buffer.alloc(size * 2)]);
      room.set(source.subarray(from, to), mark.length);
      return values.idOf(room, 0, size);
    },
    idOfText: (text) => values.idOfText(questionOf(route, text)),
  };
}
