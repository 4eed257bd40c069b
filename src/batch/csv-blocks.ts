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

/** The header of a table, with its line end. */
export async function readCsvHeader(input: NodeJS.ReadableStream): Promise<Buffer> {
  for await (const { bytes, headerLine } of createCsvBlocks(input, 1, null)) return Buffer.from(bytes.subarray(0, headerLine));
  return Buffer.alloc(0);
}

/**
 * Cuts a table into parts of about `blockBytes` at row ends; line breaks in quotes are no row ends. `known`: the header, when the input
 * begins behind it.
 */
export async function* createCsvBlocks(
  input: NodeJS.ReadableStream,
  blockBytes: number,
  known: Buffer | null = null,
): AsyncGenerator<CsvBlock> {
  let header = known;
  let headerBytes = 0;
  let rest: Buffer = Buffer.alloc(0);
  let gathered: Buffer[] = [];
  let size = 0;
  const gather = () => {
    rest = Buffer.concat([rest, ...gathered]);
    gathered = [];
    size = rest.length;
  };
  for await (const part of input) {
    const bytes = Buffer.from(part);
    gathered.push(bytes);
    size += bytes.length;
    if (size < blockBytes) continue;
    gather();
    if (!header) {
      const end = findRowEnd(rest, 'first');
      if (end === 0) continue;
      header = Buffer.from(rest.subarray(0, end));
      rest = rest.subarray(end);
      headerBytes = end;
    }
    const end = findRowEnd(rest, 'last');
    if (end > 0) yield blockOf(header, rest.subarray(0, end), headerBytes + end);
    if (end > 0) headerBytes = 0;
    rest = Buffer.from(rest.subarray(end));
    size = rest.length;
  }
  gather();
  if (rest.length === 0) return;
  if (header) yield blockOf(header, rest, headerBytes + rest.length);
  else {
    const end = findRowEnd(rest, 'first') || rest.length;
    yield blockOf(rest.subarray(0, end), rest.subarray(end), rest.length);
  }
}

function blockOf(header: Buffer, rows: Buffer, inputBytes: number): CsvBlock {
  return { bytes: Buffer.concat([header, rows, Buffer.of(LF)]), headerLine: header.length, inputBytes };
}

/** Past the first or the last line end that stands outside of quotes; 0: there is none. */
function findRowEnd(bytes: Buffer, which: 'first' | 'last'): number {
  let found = 0;
  let from = 0;
  while (from <= bytes.length) {
    const quote = bytes.indexOf(QUOTE, from);
    const end = quote < 0 ? bytes.length : quote;
    const stretch = bytes.subarray(from, end);
    const feed = which === 'first' ? stretch.indexOf(LF) : stretch.lastIndexOf(LF);
    if (feed >= 0) found = from + feed + 1;
    if (feed >= 0 && which === 'first') return found;
    if (quote < 0) return found;
    const closing = bytes.indexOf(QUOTE, quote + 1);
    if (closing < 0) return found;
    from = closing + 1;
  }
  return found;
}
