/** CSV that cannot be read without guessing: nothing of it is passed on. */
export class CsvError extends Error {
  override readonly name = 'CsvError';
}

/** Bytes that CSV gives a meaning. */
export const QUOTE = 34;
export const COMMA = 44;
export const EQUALS = 61;
export const LF = 10;
export const CR = 13;

/**
 * Position of the delimiter or LF that ends the cell which begins at `at`; a CR before that LF counts to the line end.
 * `bytes[end]` has to be a LF (see `FrameReader`), so that no step needs a bounds check: a last row without a line end stops there.
 * A quote has a meaning only at the beginning of a cell; what follows the closing quote is taken as it is, as Python's csv does.
 */
export function endOfCell(bytes: Buffer, at: number, end: number, delimiter = COMMA): number {
  if (bytes[at] === QUOTE) at = endOfQuotes(bytes, at, end);
  while (bytes[at] !== delimiter && bytes[at] !== LF) at++;
  return at;
}

/** Position behind the quote that closes the one at `at`. Throws `CsvError` when there is none before `end`. */
export function endOfQuotes(bytes: Buffer, at: number, end: number): number {
  for (at++; at < end; at++) {
    if (bytes[at] !== QUOTE) continue;
    if (bytes[at + 1] !== QUOTE) return at + 1;
    at++;
  }
  throw new CsvError('a quoted cell is not closed before the end of the chunk');
}

/** The same bytes by fours; `null` for bytes that do not begin where words do. */
export function wordsOf(bytes: Buffer): Int32Array | null {
  return bytes.byteOffset % 4 === 0 ? new Int32Array(bytes.buffer, bytes.byteOffset, bytes.length >> 2) : null;
}

/** `endOfQuotes` for cells that are long most times: four bytes a step. `words`: those of `bytes` (see `wordsOf`). */
export function endOfLongQuotes(bytes: Buffer, words: Int32Array, at: number, end: number): number {
  const lastWord = end >> 2;
  for (at++; ; at += 2) {
    while ((at & 3) !== 0 && at < end && bytes[at] !== QUOTE) at++;
    if ((at & 3) === 0) {
      let word = at >> 2;
      while (word < lastWord && !mayHoldQuote(words[word] as number)) word++;
      at = word << 2;
      while (at < end && bytes[at] !== QUOTE) at++;
    }
    if (at >= end) throw new CsvError('a quoted cell is not closed before the end of the chunk');
    if (bytes[at + 1] !== QUOTE) return at + 1;
  }
}

/** Whether one of four bytes is a quote; now and then yes where none is, never no where one is. Without arithmetic beyond 32 bits. */
function mayHoldQuote(word: number): boolean {
  const differences = (word ^ 0x22222222) & 0x7fffffff;
  return ((differences - 0x01010101) & ~differences & -0x7f7f7f80) !== 0;
}

/** The text of a cell as the program that wrote it meant it: RFC 4180, and like Python's csv where that is silent. */
export function decodeCell(raw: string): string {
  if (!raw.startsWith('"')) return raw;
  // No regular expression: V8's stack ends within a cell of some 10 MB.
  let close = raw.indexOf('"', 1);
  while (close >= 0 && raw[close + 1] === '"') close = raw.indexOf('"', close + 2);
  return close < 0 ? raw.slice(1).replaceAll('""', '"') : raw.slice(1, close).replaceAll('""', '"') + raw.slice(close + 1);
}

/** The text that Excel is told to take for one: `="007"` is 007. Any other text as it is. */
export function withoutGuard(text: string): string {
  return text.startsWith('="') && text.endsWith('"') && text.length > 2 ? text.slice(2, -1) : text;
}

/** A cell's text as CSV, quoted only where it has to be. */
export function encodeCell(text: string): string {
  return text !== '' && /[",\r\n]/.test(text) ? quoteCell(text) : text;
}

/** A cell's text in quotes. */
export function quoteCell(text: string): string {
  return `"${text.replaceAll('"', '""')}"`;
}

/** One column's name: `raw` as it stands in the file, `name` unquoted. */
export interface HeaderCell {
  readonly raw: string;
  readonly name: string;
}

/** The first row of a CSV table. */
export interface CsvHeader {
  readonly cells: readonly HeaderCell[];
  /** Where the header's text ends, before its line end. */
  readonly contentEnd: number;
  /** Where the first row begins. */
  readonly rowsFrom: number;
}

const BOM = '\uFEFF';

/** Reads the header of `bytes[from, end)`; `bytes[end]` has to be a LF. Throws `CsvError` for one that ends inside a quote. */
export function readHeader(bytes: Buffer, from: number, end: number, delimiter = COMMA): CsvHeader {
  const cells: HeaderCell[] = [];
  const hasBom = bytes.toString('utf8', from, Math.min(from + 3, end)) === BOM;
  let start = hasBom ? from + 3 : from;
  let at = endOfCell(bytes, start, end, delimiter);
  while (at < end && bytes[at] === delimiter) {
    cells.push(toHeaderCell(bytes.toString('utf8', start, at)));
    start = at + 1;
    at = endOfCell(bytes, start, end, delimiter);
  }
  const contentEnd = at > start && bytes[at - 1] === CR ? at - 1 : at;
  cells.push(toHeaderCell(bytes.toString('utf8', start, contentEnd)));
  const [first, ...rest] = cells;
  const marked = hasBom && first ? [{ ...first, raw: BOM + first.raw }, ...rest] : cells;
  return { cells: marked, contentEnd, rowsFrom: Math.min(at + 1, end) };
}

function toHeaderCell(raw: string): HeaderCell {
  return { raw, name: decodeCell(raw) };
}
