const LF = 0x0a;
const QUOTE = 0x22;

/** A part of a table that is a table itself: header and whole rows, with one LF more behind it that the scanner relies on. */
export interface CsvBlock {
  readonly bytes: Buffer;
  /** Bytes of the header with its line end. */
  readonly headerLine: number;
  /** Bytes of the input that it took. */
  readonly inputBytes: number;
}

/** Cuts the rows of a table into parts of about `blockBytes` at row ends; line breaks in quotes are no row ends. */
export async function* createCsvBlocks(input: AsyncIterable<Uint8Array>, blockBytes: number, header: Buffer): AsyncGenerator<CsvBlock> {
  let parts: Uint8Array[] = [];
  let size = 0;
  let wanted = blockBytes;
  for await (const part of input) {
    parts.push(Buffer.from(part));
    size += part.length;
    if (size < wanted) continue;
    const held = Buffer.concat(parts);
    const end = findLastRowEnd(held);
    if (end > 0) yield blockOf(header, held.subarray(0, end));
    const rest = Buffer.from(held.subarray(end));
    parts = [rest];
    size = rest.length;
    // A row that is longer than a block is not looked through again with each part.
    wanted = Math.max(blockBytes, size * 2);
  }
  if (size > 0) yield blockOf(header, Buffer.concat(parts));
}

/** A header and rows as a table of their own. */
export function blockOf(header: Buffer, rows: Buffer): CsvBlock {
  return { bytes: Buffer.concat([header, rows, Buffer.of(LF)]), headerLine: header.length, inputBytes: rows.length };
}

/** Whether a line ends outside of quotes. */
export function holdsRow(bytes: Buffer): boolean {
  return findLastRowEnd(bytes) > 0;
}

/** Past the last line end that stands outside of quotes; 0: there is none. */
function findLastRowEnd(bytes: Buffer): number {
  let found = 0;
  let from = 0;
  while (from <= bytes.length) {
    const quote = bytes.indexOf(QUOTE, from);
    const end = quote < 0 ? bytes.length : quote;
    const feed = bytes.subarray(from, end).lastIndexOf(LF);
    if (feed >= 0) found = from + feed + 1;
    if (quote < 0) return found;
    const closing = bytes.indexOf(QUOTE, quote + 1);
    if (closing < 0) return found;
    from = closing + 1;
  }
  return found;
}
