import { startOf } from '../../events/enrich-text.ts';
import { BACKSLASH, CLOSE_ARRAY, CLOSE_OBJECT, OPEN_ARRAY, OPEN_OBJECT, QUOTE, skipSpace } from '../../events/json/json-bytes.ts';

const LF = 0x0a;
const CR = 0x0d;
const RECORD_SEPARATOR = 0x1e;

/** The beginning of an input, and all of it. */
export interface PeekedInput {
  readonly head: Buffer;
  readonly all: AsyncIterable<Uint8Array>;
}

/** Reads at least `size` bytes ahead, less where the input ends before. */
export async function peekInput(input: AsyncIterable<Uint8Array>, size: number): Promise<PeekedInput> {
  const parts = input[Symbol.asyncIterator]();
  const read: Uint8Array[] = [];
  let length = 0;
  let isOver = false;
  while (length < size && !isOver) {
    const part = await parts.next();
    isOver = part.done === true;
    if (part.done === true) continue;
    // The source may use the room of its part again.
    read.push(Buffer.from(part.value));
    length += part.value.length;
  }
  const head = Buffer.concat(read);
  return { head, all: chain(head, parts) };
}

async function* chain(head: Uint8Array, rest: AsyncIterator<Uint8Array>): AsyncGenerator<Uint8Array> {
  try {
    if (head.length > 0) yield head;
    for (let part = await rest.next(); part.done !== true; part = await rest.next()) yield part.value;
  } finally {
    await rest.return?.();
  }
}

/** What follows the first `size` bytes. */
export async function* behind(input: AsyncIterable<Uint8Array>, size: number): AsyncGenerator<Uint8Array> {
  let left = size;
  for await (const part of input) {
    if (left < part.length) yield part.subarray(left);
    left = Math.max(0, left - part.length);
  }
}

/** The byte that ends the lines of a text: LF, or CR where its beginning has no other. */
export function lineEndOf(head: Uint8Array): number {
  return head.includes(LF) || !head.includes(CR) ? LF : CR;
}

/** Whether the first event of a text goes on beyond its line: then it is no NDJSON, but events one after another. */
export function beginsSpread(head: Buffer): boolean {
  let start = skipSpace(head, startOf(head), head.length);
  if (head[start] === RECORD_SEPARATOR) start = skipSpace(head, start + 1, head.length);
  const end = head.indexOf(LF, start);
  if (head[start] !== OPEN_OBJECT || end < 0) return false;
  let depth = 0;
  let isText = false;
  for (let pos = start; pos < end; pos++) {
    const byte = head[pos];
    if (isText && byte === BACKSLASH) pos++;
    else if (byte === QUOTE) isText = !isText;
    else if (isText) continue;
    else if (byte === OPEN_OBJECT || byte === OPEN_ARRAY) depth++;
    else if (byte === CLOSE_OBJECT || byte === CLOSE_ARRAY) depth--;
  }
  return depth > 0 && !isText;
}
