import { BatchError } from '../batch-error.ts';

const LINE_START = Buffer.from('\n{');
const RECORD_SEPARATOR = 0x1e;
/** Longest event. */
const MAX_HELD_BYTES = 64 * 1024 * 1024;

/** Cuts events that go over several lines into blocks of about `blockBytes`, before lines that begin with `{` or with a record separator. */
export async function* valueBlocks(input: AsyncIterable<Uint8Array>, blockBytes: number): AsyncGenerator<Buffer> {
  let parts: Uint8Array[] = [];
  let size = 0;
  let wanted = blockBytes;
  for await (const part of input) {
    parts.push(Buffer.from(part));
    size += part.length;
    if (size < wanted) continue;
    const held = Buffer.concat(parts);
    const end = Math.max(held.lastIndexOf(LINE_START) + 1, held.lastIndexOf(RECORD_SEPARATOR));
    if (end <= 0 && size > MAX_HELD_BYTES) throw new BatchError(`an event of more than ${MAX_HELD_BYTES} bytes: is it JSON?`);
    if (end > 0) yield held.subarray(0, end);
    parts = [held.subarray(Math.max(0, end))];
    size -= Math.max(0, end);
    // What holds one event is not looked through again with each part.
    wanted = Math.max(blockBytes, size * 2);
  }
  if (size > 0) yield Buffer.concat(parts);
}
