import { CR, LF, QUOTE, endOfLongQuotes, endOfQuotes, wordsOf } from './csv-cells.ts';
import { CUT } from './row-layout.ts';
import type { ScanLayout } from './row-layout.ts';

// As many rows as Splunk sends at once; a page that is never touched costs nothing.
const FIRST_ROWS = 1 << 16;

/**
 * Finds the rows of a chunk and the cells that matter in each: positions into the chunk's bytes, no strings.
 * One object serves all chunks of a search; a scan overwrites what the one before it found.
 */
export class RowScanner {
  /** Rows found. */
  count = 0;
  /** Per row, where its last cell ends. */
  contentEnds = new Int32Array(FIRST_ROWS);
  /** Per row, where its line end begins: behind `contentEnds` only when the row has more cells than the header. */
  lineEnds = new Int32Array(FIRST_ROWS);
  /** Per row `cutsPerRow` positions. */
  cuts = new Int32Array(0);
  /** Per row and column of `spanColumns`, where the cell begins and ends. */
  spans = new Int32Array(0);
  /** Commas that a row is short of, by row; most chunks have none. */
  readonly shortBy = new Map<number, number>();

  /** Whether any cell that is read holds something. */
  holdsText({ spanColumns }: ScanLayout): boolean {
    const { spans, count } = this;
    for (let span = 0; span < count * spanColumns.length * 2; span += 2) if (spans[span] !== spans[span + 1]) return true;
    return false;
  }

  /**
   * Scans the rows in `bytes[from, end)`; `bytes[end]` has to be a LF. Throws `CsvError` for a cell that is not closed.
   * The cells are walked in one plain loop: it sees every byte of the search, and most of them before it is compiled.
   */
  scan(bytes: Buffer, layout: ScanLayout, from: number, end: number): void {
    const { columns, delimiter, roles, firstKept, cutsPerRow } = layout;
    const words = wordsOf(bytes);
    const spansPerRow = layout.spanColumns.length * 2;
    this.shortBy.clear();
    this.#reserve(layout, 0);
    let { contentEnds, lineEnds, cuts, spans } = this;
    let row = 0;
    let at = from;
    while (at < end) {
      let cut = row * cutsPerRow;
      let span = row * spansPerRow;
      let start = at;
      let column = 0;
      let contentEnd = -1;
      for (;;) {
        let byte = bytes[at];
        if (byte === QUOTE) {
          at = words === null ? endOfQuotes(bytes, at, end) : endOfLongQuotes(bytes, words, at, end);
          byte = bytes[at];
        }
        while (byte !== delimiter && byte !== LF) byte = bytes[++at];
        if (column >= columns) {
          if (contentEnd < 0) contentEnd = start - 1;
        } else if (roles[column] !== 0) {
          if (((roles[column] as number) & CUT) !== 0) cuts[cut++] = column <= firstKept ? start : start - 1;
          if ((roles[column] as number) > CUT) {
            spans[span++] = start;
            spans[span++] = at;
          }
        }
        if (byte === LF) break;
        start = ++at;
        column++;
      }
      let lineEnd = at;
      if (at > start && bytes[at - 1] === CR) {
        lineEnd--;
        if (spans[span - 1] === at) spans[span - 1] = lineEnd;
      }
      at++;
      // A row of one column may be empty; in a wider table an empty line is no row (as for Python's csv).
      if (column === 0 && lineEnd === start && columns > 1) continue;
      contentEnds[row] = contentEnd < 0 ? lineEnd : contentEnd;
      lineEnds[row] = lineEnd;
      if (column < columns - 1) this.#completeShortRow(layout, row, column);
      if (++row < contentEnds.length) continue;
      this.#reserve(layout, row);
      ({ contentEnds, lineEnds, cuts, spans } = this);
    }
    this.count = row;
  }

  /** A row with fewer cells than the header: the missing ones are empty. */
  #completeShortRow(layout: ScanLayout, row: number, lastColumn: number): void {
    const { cutsPerRow, firstKept, keptAfter, roles, spanColumns } = layout;
    const missing = keptAfter[lastColumn] as number;
    const commas = firstKept > lastColumn ? missing - 1 : missing;
    if (commas > 0) this.shortBy.set(row, commas);
    const cutsHere = roles.subarray(0, lastColumn + 1).filter((role) => (role & CUT) !== 0).length;
    this.cuts.fill(this.contentEnds[row] as number, row * cutsPerRow + cutsHere, (row + 1) * cutsPerRow);
    const spansHere = spanColumns.filter((column) => column <= lastColumn).length;
    this.spans.fill(0, (row * spanColumns.length + spansHere) * 2, (row + 1) * spanColumns.length * 2);
  }

  /** Room for more than `rows` rows. */
  #reserve(layout: ScanLayout, rows: number): void {
    const size = rows < this.contentEnds.length ? this.contentEnds.length : rows * 2;
    this.contentEnds = enlarge(this.contentEnds, size);
    this.lineEnds = enlarge(this.lineEnds, size);
    this.cuts = enlarge(this.cuts, size * layout.cutsPerRow);
    this.spans = enlarge(this.spans, size * layout.spanColumns.length * 2);
  }
}

/** The same values with room for `size`. */
export function enlarge(values: Int32Array<ArrayBuffer>, size: number): Int32Array<ArrayBuffer> {
  return values.length >= size ? values : movedTo(new Int32Array(size), values);
}

/** The larger array with the values at its beginning. Not the `grown` of the tables: a search would read one more file before its first answer. */
export function movedTo<Values extends Float64Array | Int32Array | Uint8Array>(larger: Values, values: Values): Values {
  larger.set(values);
  return larger;
}
