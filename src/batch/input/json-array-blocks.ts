import { BatchError } from '../batch-error.ts';
import { startOf } from '../../events/enrich-text.ts';
import { BACKSLASH, CLOSE_ARRAY, CLOSE_OBJECT, COMMA, OPEN_ARRAY, OPEN_OBJECT, QUOTE, skipSpace } from '../../events/json/json-bytes.ts';

/** Longest event. */
const MAX_HELD_BYTES = 64 * 1024 * 1024;

/**
 * A part of a JSON text. `items`: whole items of the array, with the commas between them; `between`: bytes that stay as they are (the
 * brackets, the comma behind items); `rest`: what is no array, or behind one: all there is.
 */
export interface JsonBlock {
  readonly kind: 'items' | 'between' | 'rest';
  readonly bytes: Buffer;
}

/** Cuts a JSON array into parts of about `blockBytes` between its items. `isInside`: the text begins behind one of its commas. */
export async function* jsonArrayBlocks(
  input: AsyncIterable<Uint8Array>,
  { blockBytes, isInside }: { readonly blockBytes: number; readonly isInside: boolean },
): AsyncGenerator<JsonBlock> {
  let held: Buffer = Buffer.alloc(0);
  let state: 'before' | 'inside' | 'behind' = isInside ? 'inside' : 'before';
  let cut = createCut();
  for await (const part of input) {
    held = held.length === 0 ? Buffer.from(part) : Buffer.concat([held, Buffer.from(part)]);
    if (held.length > MAX_HELD_BYTES + blockBytes)
      throw new BatchError(`an event of more than ${MAX_HELD_BYTES} bytes: is it an array of events?`);
    if (state === 'before') {
      const open = skipSpace(held, startOf(held), held.length);
      if (open === held.length) continue;
      state = held[open] === OPEN_ARRAY ? 'inside' : 'behind';
      if (state === 'inside') yield { kind: 'between', bytes: held.subarray(0, open + 1) };
      if (state === 'inside') held = Buffer.from(held.subarray(open + 1));
    }
    if (state === 'behind') continue;
    findCut(cut, held);
    if (cut.close < 0 && (held.length < blockBytes || cut.comma < 0)) continue;
    const end = cut.close < 0 ? cut.comma : cut.close;
    yield { kind: 'items', bytes: held.subarray(0, end) };
    yield { kind: 'between', bytes: held.subarray(end, end + 1) };
    if (cut.close >= 0) state = 'behind';
    held = Buffer.from(held.subarray(end + 1));
    cut = createCut();
    if (state === 'inside') findCut(cut, held);
  }
  if (held.length > 0) yield { kind: 'rest', bytes: held };
}

/** How far a text was read, and what was found in it: the last comma between items, and the array's end. -1: none yet. */
interface Cut {
  read: number;
  depth: number;
  isText: boolean;
  comma: number;
  close: number;
}

function createCut(): Cut {
  return { read: 0, depth: 0, isText: false, comma: -1, close: -1 };
}

/** Reads on to the end of what is there, or of the array. A backslash at the very end waits for what it stands before. */
function findCut(cut: Cut, bytes: Buffer): void {
  let { read } = cut;
  for (; read < bytes.length && cut.close < 0; read++) {
    const byte = bytes[read];
    if (cut.isText) {
      if (byte === QUOTE) cut.isText = false;
      else if (byte === BACKSLASH && read + 1 === bytes.length) break;
      else if (byte === BACKSLASH) read++;
    } else if (byte === QUOTE) cut.isText = true;
    else if (byte === OPEN_OBJECT || byte === OPEN_ARRAY) cut.depth++;
    else if (byte === CLOSE_ARRAY && cut.depth === 0) cut.close = read;
    else if (byte === CLOSE_OBJECT || byte === CLOSE_ARRAY) cut.depth--;
    else if (byte === COMMA && cut.depth === 0) cut.comma = read;
  }
  cut.read = read;
}
