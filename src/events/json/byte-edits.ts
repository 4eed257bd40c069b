import { grown } from '../../model/tables/grown.ts';

/** An edit is four integers: position (doubled, plus one when it goes behind all others there), bytes cut, and its range in `Edits.bytes`. */
const INTS = 4;

const FIRST_EDITS = 1024;
const FIRST_BYTES = 64 * 1024;
/** What a single huge text needed is not kept for ever. */
const KEPT_BYTES = 4 * 1024 * 1024;

/**
 * What is to be put into a text, and where. It is one for all texts, filled anew for each: bytes and integers only, so that an edit
 * costs no object.
 */
export interface Edits {
  ints: Int32Array;
  count: number;
  bytes: Buffer;
  /** End of what is used of `bytes`. */
  end: number;
  /** Bytes cut from the text. */
  cut: number;
}

/** No edits. */
export function createEdits(): Edits {
  return { ints: new Int32Array(FIRST_EDITS * INTS), count: 0, bytes: Buffer.allocUnsafeSlow(FIRST_BYTES), end: 0, cut: 0 };
}

/** Forgets all edits. */
export function clearEdits(edits: Edits): void {
  if (edits.bytes.length > KEPT_BYTES) edits.bytes = Buffer.allocUnsafeSlow(FIRST_BYTES);
  edits.count = 0;
  edits.end = 0;
  edits.cut = 0;
}

/** Starts an edit in place of the `cut` bytes at `at`: what is `put` from now on goes there, behind what the position got before. */
export function openEdit(edits: Edits, at: number, cut: number): void {
  open(edits, at * 2, cut);
}

/** Starts an edit that goes behind all others of its position, whichever comes first. */
export function openLastEdit(edits: Edits, at: number): void {
  open(edits, at * 2 + 1, 0);
}

function open(edits: Edits, key: number, cut: number): void {
  const { count, end } = edits;
  if (count > 0 && cut === 0 && edits.ints[(count - 1) * INTS] === key) return;
  if ((count + 1) * INTS > edits.ints.length) edits.ints = grown(edits.ints, new Int32Array(edits.ints.length * 2));
  const { ints } = edits;
  const n = count * INTS;
  ints[n] = key;
  ints[n + 1] = cut;
  ints[n + 2] = end;
  ints[n + 3] = end;
  edits.cut += cut;
  edits.count = count + 1;
}

/** Puts bytes into the open edit. */
export function put(edits: Edits, piece: Uint8Array): void {
  const end = edits.end + piece.length;
  if (end > edits.bytes.length) enlarge(edits, end);
  edits.bytes.set(piece, edits.end);
  edits.end = end;
  edits.ints[edits.count * INTS - 1] = end;
}

/** Puts one byte into the open edit. */
export function putByte(edits: Edits, byte: number): void {
  const end = edits.end + 1;
  if (end > edits.bytes.length) enlarge(edits, end);
  edits.bytes[edits.end] = byte;
  edits.end = end;
  edits.ints[edits.count * INTS - 1] = end;
}

/** Puts a short range of bytes into the open edit. */
export function putRange(edits: Edits, source: Uint8Array, from: number, to: number): void {
  const end = edits.end + to - from;
  if (end > edits.bytes.length) enlarge(edits, end);
  const { bytes } = edits;
  let write = edits.end;
  for (let read = from; read < to; read++) bytes[write++] = source[read] as number;
  edits.end = end;
  edits.ints[edits.count * INTS - 1] = end;
}

function enlarge(edits: Edits, needed: number): void {
  const larger = Buffer.allocUnsafeSlow(Math.max(needed, edits.bytes.length * 2));
  edits.bytes.copy(larger, 0, 0, edits.end);
  edits.bytes = larger;
}

/** Puts the edits from the `first`-th on in order of position; those of one position keep theirs. They are few and nearly in order. */
export function sortEdits({ ints, count }: Edits, first: number): void {
  for (let n = (first + 1) * INTS; n < count * INTS; n += INTS) {
    const key = ints[n] as number;
    if ((ints[n - INTS] as number) <= key) continue;
    const [, cut = 0, from = 0, to = 0] = ints.subarray(n, n + INTS);
    let slot = n;
    for (; slot > first * INTS && (ints[slot - INTS] as number) > key; slot -= INTS) ints.copyWithin(slot, slot - INTS, slot);
    ints[slot] = key;
    ints[slot + 1] = cut;
    ints[slot + 2] = from;
    ints[slot + 3] = to;
  }
}

/** A range of a text. */
export interface Range {
  readonly from: number;
  readonly end: number;
}

/** A range of the text with all edits made, which lie in it: every byte of it is copied once, into what `allocate` gives. */
export function applyEdits(edits: Edits, text: Buffer, range: Range, allocate: (size: number) => Buffer): Buffer {
  const { ints, count, bytes } = edits;
  const result = allocate(range.end - range.from + edits.end - edits.cut);
  let read = range.from;
  let write = 0;
  for (let n = 0; n < count * INTS; n += INTS) {
    const at = (ints[n] as number) >> 1;
    if (at > read) write += text.copy(result, write, read, at);
    write += bytes.copy(result, write, ints[n + 2], ints[n + 3]);
    read = at + (ints[n + 1] as number);
  }
  text.copy(result, write, read, range.end);
  return result;
}
