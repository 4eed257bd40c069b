// src/hosts/splunk/lookup/: the external lookup: a table with gaps in, the table filled out.
import type { Enricher } from '../engine/enricher.ts';
import { SPLUNK_FIELDS, toSplunkCells } from '../mapping/splunk.ts';
import type { Enrichment } from '../model/enrichment.ts';
import { ValueAnswers, unaskedEnrichment } from './value-answers.ts';
import { BlockWriter } from './block-writer.ts';
import type { ByteSink } from './byte-streams.ts';
import { COMMA, encodeCell, readHeader } from './csv-cells.ts';
import { SPAN } from './row-layout.ts';
import type { ScanLayout } from './row-layout.ts';
import { RowScanner } from './row-scanner.ts';
import type { SearchNotes } from './search-notes.ts';
import { ValueReader } from './value-reader.ts';
import { EMPTY_CELL, NO_COLUMN, ValueTable } from './value-table.ts';

const PREFIX = 'im_';
const DEFAULT_KEY = 'query';
// As for one chunk of the search command (design §3.4).
const TIMEOUT_MS = 60_000;
const COMMA_BYTES = Buffer.from(',');

/** What a lookup needs besides its table. */
export interface LookupContext {
  /** The key's field comes first among the program's arguments; Splunk hands them on from `external_cmd`. */
  readonly args: readonly string[];
  /** Opens the engine; called only when there is something to look up and somewhere to put it. */
  readonly open: () => Promise<Enricher>;
  readonly output: ByteSink;
  /** Failed look-ups are counted here. */
  readonly notes: SearchNotes;
  /** Seconds since 1970. */
  readonly nowS: number;
}

/** Columns of the table that are filled: its column, and the place of its value among `SPLUNK_FIELDS`. */
interface FilledColumn {
  readonly column: number;
  readonly field: number;
}

/**
 * Fills the `im_*` columns of an external lookup's table and writes it: every row, in order, all other bytes as they were.
 * `bytes[0, end)` is the table, and `bytes[end]` has to be a LF. Throws `CsvError` for a table that cannot be read.
 */
export async function fillLookupTable(bytes: Buffer, end: number, context: LookupContext): Promise<void> {
  const header = readHeader(bytes, 0, end);
  const names = header.cells.map((cell) => cell.name);
  const key = findKey(names, context.args);
  const filled = names.flatMap((name, column) => {
    const field = SPLUNK_FIELDS.findIndex((known) => PREFIX + known === name);
    return field < 0 || column === key ? [] : [{ column, field }];
  });
  const rows = new RowScanner();
  const layout = layOut(names.length, key, filled);
  rows.scan(bytes, layout, header.rowsFrom, end);
  const cells = filled.length === 0 ? [] : await answerRows({ bytes, layout, rows }, names[key] ?? DEFAULT_KEY, context);
  writeTable({ bytes, end, headerEnd: header.contentEnd }, { layout, rows, filled, cells }, context.output);
}

/** The named key; else the playbook's; else the first column. -1 only for a table without columns. */
function findKey(names: readonly string[], args: readonly string[]): number {
  const wanted = [args[0], DEFAULT_KEY].map((name) => (name === undefined ? -1 : names.indexOf(name)));
  return wanted.find((column) => column >= 0) ?? 0;
}

function layOut(columns: number, key: number, filled: readonly FilledColumn[]): ScanLayout {
  const spanColumns = [key, ...filled.map(({ column }) => column)].sort((a, b) => a - b);
  const roles = new Uint8Array(columns);
  for (const column of spanColumns) roles[column] = SPAN;
  return {
    columns,
    delimiter: COMMA,
    roles,
    spanColumns,
    fieldSpans: [spanColumns.indexOf(key)],
    multivalueSpans: [-1],
    cutsPerRow: 0,
    firstKept: 0,
    keptAfter: Int32Array.from(roles, (_, column) => columns - 1 - column),
  };
}

/** The cells of each row, by row; one array for all rows with the same value. */
async function answerRows(
  { bytes, layout, rows }: { bytes: Buffer; layout: ScanLayout; rows: RowScanner },
  field: string,
  { open, nowS, notes }: LookupContext,
): Promise<readonly (readonly Buffer[])[]> {
  const values = new ValueTable();
  const reader = new ValueReader(values);
  const cellsOf = (enrichment: Enrichment) => toSplunkCells(enrichment, field).map((cell) => Buffer.from(encodeCell(cell)));
  const byId = [EMPTY_CELL, NO_COLUMN].map((id) => cellsOf(unaskedEnrichment(id, field)));
  const answers = new ValueAnswers(values, { timeoutMs: TIMEOUT_MS }, nowS, (id, enrichment) => {
    byId[id] = cellsOf(enrichment);
    notes.count(enrichment.input, enrichment.answer);
  });
  reader.read(bytes, layout, rows);
  const ids = reader.ids.subarray(0, rows.count);
  const asked = answers.collect(ids, reader.multivalues, 1, nowS);
  if (asked.length > 0) await answers.ask(asked, await open(), { nowS, wait: (work) => work(new AbortController().signal) });
  const worstOf = (id: number) => (id >= 0 ? id : answers.worstOf(reader.multivalues[-id - 1] ?? []));
  return Array.from(ids, (id) => byId[worstOf(id)] ?? []);
}

/** Writes the table with the cells in place. */
function writeTable(
  { bytes, end, headerEnd }: { bytes: Buffer; end: number; headerEnd: number },
  {
    layout,
    rows,
    filled,
    cells,
  }: { layout: ScanLayout; rows: RowScanner; filled: readonly FilledColumn[]; cells: readonly (readonly Buffer[])[] },
  output: ByteSink,
): void {
  const blocks = new BlockWriter(output);
  blocks.reserve(end * 2);
  const places = filled.map(({ column }) => layout.spanColumns.indexOf(column));
  const spansPerRow = layout.spanColumns.length;
  let from = 0;
  blocks.append(bytes, from, headerEnd);
  from = headerEnd;
  for (let row = 0; row < rows.count && cells.length > 0; row++) {
    const lastColumn = layout.columns - 1 - (rows.shortBy.get(row) ?? 0);
    const rowCells = cells[row] ?? [];
    for (const [n, { column, field }] of filled.entries()) {
      if (column > lastColumn) break;
      const span = (row * spansPerRow + (places[n] ?? 0)) * 2;
      blocks.append(bytes, from, rows.spans[span] as number);
      blocks.appendAll(rowCells[field] as Buffer);
      from = rows.spans[span + 1] as number;
    }
    blocks.append(bytes, from, rows.lineEnds[row] as number);
    from = rows.lineEnds[row] as number;
    for (let column = lastColumn + 1; column < layout.columns; column++) {
      blocks.appendAll(COMMA_BYTES);
      const missing = filled.find((candidate) => candidate.column === column);
      if (missing) blocks.appendAll(rowCells[missing.field] as Buffer);
    }
  }
  blocks.append(bytes, from, end);
  blocks.flush();
}
