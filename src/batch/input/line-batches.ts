const LF = 0x0a;
const CR = 0x0d;

/** Some lines, without their ends, and the bytes of the input that they and the blank lines between them took. */
export interface LineBatch {
  readonly lines: readonly string[];
  readonly bytes: number;
}

/** Reads `size` lines at a time; blank ones are left out. */
export async function* lineBatches(input: AsyncIterable<Uint8Array>, size: number, lineEnd = LF): AsyncGenerator<LineBatch> {
  let rest = Buffer.alloc(0);
  let lines: string[] = [];
  let bytes = 0;
  for await (const part of input) {
    rest = rest.length === 0 ? Buffer.from(part) : Buffer.concat([rest, Buffer.from(part)]);
    let start = 0;
    for (let feed = rest.indexOf(lineEnd); feed >= 0; feed = rest.indexOf(lineEnd, start)) {
      take(lines, rest, start, feed);
      bytes += feed + 1 - start;
      start = feed + 1;
      if (lines.length < size) continue;
      yield { lines, bytes };
      lines = [];
      bytes = 0;
    }
    rest = Buffer.from(rest.subarray(start));
  }
  take(lines, rest, 0, rest.length);
  bytes += rest.length;
  if (bytes > 0) yield { lines, bytes };
}

function take(lines: string[], bytes: Buffer, start: number, feed: number): void {
  const end = feed > start && bytes[feed - 1] === CR ? feed - 1 : feed;
  const line = bytes.toString('utf8', start, end);
  if (line.trim() !== '') lines.push(line);
}
