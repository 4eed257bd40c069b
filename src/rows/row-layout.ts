import { COMMA, encodeCell } from './csv-cells.ts';
import type { CsvHeader } from './csv-cells.ts';

const MULTIVALUE_PREFIX = '__mv_';

/** What the scanner notes at a column: nothing, or one or both of these. */
export const CUT = 1;
export const SPAN = 2;

/** What the scanner has to know of a table. */
export interface ScanLayout {
  readonly columns: number;
  /** The byte between cells. */
  readonly delimiter: number;
  /** Bits `CUT` and `SPAN` of each column. */
  readonly roles: Uint8Array;
  /** Columns whose cells are read, in the order of the row: looked-up fields and their `__mv_` columns. */
  readonly spanColumns: readonly number[];
  /** Per looked-up field the place of its column in `spanColumns`, -1 when the events do not have it. */
  readonly fieldSpans: readonly number[];
  /** Per looked-up field the place of its `__mv_` column, or -1. */
  readonly multivalueSpans: readonly number[];
  /** Cuts of a row: the bytes are copied up to the first, left out up to the second, copied up to the third, and so on. */
  readonly cutsPerRow: number;
  /** The first column that stays; `columns` when none does. A cut up to here leaves out no comma, since nothing stands before it. */
  readonly firstKept: number;
  /** Per column, how many of the columns after it stay: what a row that ends here is short of. */
  readonly keptAfter: Int32Array;
}

/** How the rows of a chunk become the rows of its reply: which bytes stay, where the looked-up cells are, what is added. */
export interface RowLayout extends ScanLayout {
  /** The reply's header, without line end. */
  readonly head: Buffer;
  /** How many `__mv_` columns of replaced fields are handed back empty, behind the outputs: old values would outlive the new ones. */
  readonly clearedColumns: number;
}

/**
 * Lays out a chunk. `outputs` come after the columns that stay; a column of the same name in the input, and its `__mv_`
 * column, is left out there, so that no name comes twice.
 */
export function layOutRows(header: CsvHeader, fields: readonly string[], outputs: readonly string[], delimiter = COMMA): RowLayout {
  const names = header.cells.map((cell) => cell.name);
  const replaced = new Set(outputs.flatMap((name) => [name, MULTIVALUE_PREFIX + name]));
  const kept = names.map((name) => !replaced.has(name));
  const cleared = outputs.map((name) => MULTIVALUE_PREFIX + name).filter((name) => names.includes(name));
  const keptCells = header.cells.filter((_, column) => kept[column]).map((cell) => cell.raw);
  const added = [...outputs, ...cleared].map((name) => encodeCell(name));

  const fieldColumns = fields.map((field) => names.indexOf(field));
  const multivalueColumns = fields.map((field) => names.indexOf(MULTIVALUE_PREFIX + field));
  const spanColumns = [...new Set([...fieldColumns, ...multivalueColumns])].filter((column) => column >= 0).sort((a, b) => a - b);
  const roles = new Uint8Array(names.length);
  for (const [column, isKept] of kept.entries()) if (isKept !== (kept[column - 1] ?? true)) roles[column] = CUT;
  const cutsPerRow = roles.filter((role) => role === CUT).length;
  for (const column of spanColumns) roles[column] = (roles[column] as number) | SPAN;
  return {
    columns: names.length,
    delimiter,
    roles,
    spanColumns,
    fieldSpans: fieldColumns.map((column) => spanColumns.indexOf(column)),
    multivalueSpans: multivalueColumns.map((column) => spanColumns.indexOf(column)),
    cutsPerRow,
    firstKept: kept.includes(true) ? kept.indexOf(true) : names.length,
    keptAfter: countAfter(kept),
    head: Buffer.from([...keptCells, ...added].join(String.fromCharCode(delimiter))),
    clearedColumns: cleared.length,
  };
}

function countAfter(kept: readonly boolean[]): Int32Array {
  const after = new Int32Array(kept.length);
  for (let column = kept.length - 2; column >= 0; column--) {
    after[column] = (after[column + 1] as number) + (kept[column + 1] ? 1 : 0);
  }
  return after;
}
