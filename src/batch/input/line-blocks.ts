// src/batch/input/: how a file is read: unpacked, decoded, and cut into blocks of whole lines, rows, items or values.

const LF = 0x0a;
/** Room for what arrives with the end of a block. */
const MARGIN_BYTES = 64 * 1024;

/**
 * Cuts a text into blocks of whole lines, each of about `blockBytes`, or of one line that is longer; the last one may end without a line
 * end (`lineEnd`: its byte). A block holds until the next one is asked for: they all stand in the same place.
 */
export async function* lineBlocks(input: AsyncIterable<Uint8Array>, blockBytes: number, lineEnd = LF): AsyncGenerator<Buffer> {
  let held = Buffer.allocUnsafeSlow(blockBytes + MARGIN_BYTES);
  let filled = 0;
  for await (const bytes of input) {
    if (filled + bytes.length > held.length) held = enlarged(held, filled, filled + bytes.length);
    held.set(bytes, filled);
    filled += bytes.length;
    const end = filled < blockBytes ? 0 : held.subarray(0, filled).lastIndexOf(lineEnd) + 1;
    if (end === 0) continue;
    yield held.subarray(0, end);
    held.copyWithin(0, end, filled);
    filled -= end;
  }
  if (filled > 0) yield held.subarray(0, filled);
}

function enlarged(held: Buffer, filled: number, needed: number): Buffer<ArrayBuffer> {
  const larger = Buffer.allocUnsafeSlow(Math.max(needed, held.length * 2));
  held.copy(larger, 0, 0, filled);
  return larger;
}
