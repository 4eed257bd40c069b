import { COMMA, CR, CsvError, endOfCell, LF, readHeader } from '../../rows/csv-cells.ts';
import { startOf } from '../../events/enrich-text.ts';
import { BatchError } from '../batch-error.ts';

/** How a table begins, and how it is written. */
export interface CsvStart {
  /** Bytes before the header: what tells Excel the delimiter (`sep=;`), and what PowerShell writes (`#TYPE …`). */
  readonly preamble: Buffer;
  /** The header with its line end; a name (`extra_1` …) is added for each cell that rows have beyond it. */
  readonly header: Buffer;
  /** Where the rows begin in the input. */
  readonly rowsFrom: number;
  /** The byte between cells. */
  readonly delimiter: number;
}

const SEMICOLON = 0x3b;
const TAB = 0x09;
const BAR = 0x7c;
/** Delimiters that are looked for, the likeliest first. */
const DELIMITERS = [COMMA, SEMICOLON, TAB, BAR];
const SEPARATOR_LINE = /^"?sep=([^\r\n])"?\r?\n$/i;
const TYPE_LINE = /^"?#TYPE [^\r\n]*\r?\n$/;
const MAX_PREAMBLE_LINES = 3;
/** A longer line is no preamble. */
const MAX_PREAMBLE_BYTES = 4096;

/** What is known before the table is read. */
export interface CsvWishes {
  readonly fields: readonly string[];
  /** `null`: it is found out. */
  readonly delimiter: number | null;
}

/** Reads how a table begins: `head` is its first rows, or all of it. Throws a usage error where a field is no column. */
export function readCsvStart(head: Buffer, wishes: CsvWishes): CsvStart {
  const { end: preambleEnd, delimiter: told } = readPreamble(head);
  // The scanner relies on a line end behind the last byte.
  const bytes = Buffer.concat([head, Buffer.of(LF)]);
  const delimiter = wishes.delimiter ?? told ?? findDelimiter(bytes, preambleEnd, wishes.fields);
  const { cells, contentEnd, rowsFrom } = readHeader(bytes, preambleEnd, head.length, delimiter);
  const names = cells.map(({ name }) => name);
  const missing = wishes.fields.filter((field) => !names.includes(field));
  if (missing.length > 0) throw new BatchError(`no column ${missing.join(', ')}; the columns are ${names.join(', ')}`);
  const extra = Math.max(0, mostCells(bytes, rowsFrom, delimiter) - cells.length);
  const between = String.fromCharCode(delimiter);
  const added = extraNames(names, extra).map((name) => between + name);
  return {
    preamble: head.subarray(0, preambleEnd),
    header: Buffer.concat([bytes.subarray(preambleEnd, contentEnd), Buffer.from(added.join('')), head.subarray(contentEnd, rowsFrom)]),
    rowsFrom,
    delimiter,
  };
}

function readPreamble(head: Buffer): { readonly end: number; readonly delimiter: number | null } {
  let end = 0;
  let delimiter: number | null = null;
  for (let lines = 0; lines < MAX_PREAMBLE_LINES; lines++) {
    const from = end === 0 ? startOf(head) : end;
    const feed = head.indexOf(LF, from);
    if (feed < 0 || feed - from > MAX_PREAMBLE_BYTES) break;
    const line = head.toString('latin1', from, feed + 1);
    const separator = SEPARATOR_LINE.exec(line)?.[1];
    if (separator === undefined && !TYPE_LINE.test(line)) break;
    if (separator !== undefined) delimiter = separator.charCodeAt(0);
    end = feed + 1;
  }
  return { end, delimiter };
}

/** The first delimiter with which every field is a column; where there is none, the one that makes the most columns. */
function findDelimiter(bytes: Buffer, from: number, fields: readonly string[]): number {
  let best = COMMA;
  let most = 0;
  for (const delimiter of DELIMITERS) {
    const names = namesOf(bytes, from, delimiter);
    if (fields.every((field) => names.includes(field))) return delimiter;
    if (names.length > most) [best, most] = [delimiter, names.length];
  }
  return best;
}

function namesOf(bytes: Buffer, from: number, delimiter: number): string[] {
  try {
    return readHeader(bytes, from, bytes.length - 1, delimiter).cells.map(({ name }) => name);
  } catch (error) {
    // A quote that does not close: with another delimiter it may be none.
    if (error instanceof CsvError) return [];
    throw error;
  }
}

/** The cells of the longest row; what follows a quote that is not closed within these bytes is left out. */
function mostCells(bytes: Buffer, from: number, delimiter: number): number {
  const end = bytes.length - 1;
  let most = 0;
  let cells = 1;
  try {
    for (let at = from; at < end; at++) {
      at = endOfCell(bytes, at, end, delimiter);
      if (bytes[at] === delimiter) cells++;
      else {
        most = Math.max(most, cells);
        cells = 1;
      }
    }
  } catch (error) {
    if (!(error instanceof CsvError)) throw error;
  }
  return most;
}

function extraNames(names: readonly string[], count: number): string[] {
  const added: string[] = [];
  for (let n = 1; added.length < count; n++) if (!names.includes(`extra_${n}`)) added.push(`extra_${n}`);
  return added;
}

/** Reads an option or a setting for the byte between cells. */
export function parseDelimiter(text: string): number {
  if (/^(?:tab|\\t)$/i.test(text)) return TAB;
  const code = text.charCodeAt(0);
  if (text.length === 1 && code < 0x80 && code !== CR && code !== LF && text !== '"') return code;
  throw new BatchError('--delimiter has to be one character of ASCII, or tab');
}
