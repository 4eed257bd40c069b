/**
 * What is to be put into a text: pieces of bytes at rising positions, each in place of `cuts` bytes. It is one for all
 * texts, filled anew for each.
 */
export interface Edits {
  count: number;
  at: Int32Array;
  cuts: Int32Array;
  pieces: Uint8Array[];
  /** Bytes that all pieces add, less those that are cut. */
  growth: number;
}

const EMPTY = new Uint8Array(0);
/** No edits. */
export function createEdits(): Edits {
  return { count: 0, at: new Int32Array(1024), cuts: new Int32Array(1024), pieces: new Array<Uint8Array>(1024).fill(EMPTY), growth: 0 };
}

/** Forgets all edits. Pieces are let go, so that no text outlives its request. */
export function clearEdits(edits: Edits): void {
  dropEdits(edits, 0);
}

/** Forgets the edits from the `count`-th on: an event that turned out to be broken stays as it is. */
export function dropEdits(edits: Edits, count: number): void {
  for (let n = count; n < edits.count; n++) {
    edits.growth -= pieceAt(edits, n).length - (edits.cuts[n] as number);
    edits.pieces[n] = EMPTY;
  }
  edits.count = count;
}

/** Puts `piece` before the byte at `at`. */
export function insert(edits: Edits, at: number, piece: Uint8Array): void {
  replace(edits, at, piece, 0);
}

/** Puts `piece` in place of the `cut` bytes at `at`. */
export function replace(edits: Edits, at: number, piece: Uint8Array, cut: number): void {
  const n = edits.count;
  if (n === edits.at.length) grow(edits);
  edits.at[n] = at;
  edits.cuts[n] = cut;
  edits.pieces[n] = piece;
  edits.growth += piece.length - cut;
  edits.count = n + 1;
}

/** Puts the edits from the `first`-th on in order of position; those of one position keep theirs. They are few and nearly in order. */
export function sortEdits(edits: Edits, first: number): void {
  const { at, cuts, pieces } = edits;
  for (let n = first + 1; n < edits.count; n++) {
    const position = at[n] as number;
    if ((at[n - 1] as number) <= position) continue;
    const cut = cuts[n] as number;
    const piece = pieceAt(edits, n);
    let slot = n;
    for (; slot > first && (at[slot - 1] as number) > position; slot--) {
      at[slot] = at[slot - 1] as number;
      cuts[slot] = cuts[slot - 1] as number;
      pieces[slot] = pieceAt(edits, slot - 1);
    }
    at[slot] = position;
    cuts[slot] = cut;
    pieces[slot] = piece;
  }
}

/** The text with all edits made: every byte of it is copied once. */
export function applyEdits(edits: Edits, text: Buffer): Buffer {
  const result = Buffer.allocUnsafe(text.length + edits.growth);
  let read = 0;
  let write = 0;
  for (let n = 0; n < edits.count; n++) {
    const position = edits.at[n] as number;
    if (position > read) {
      text.copy(result, write, read, position);
      write += position - read;
    }
    const piece = pieceAt(edits, n);
    result.set(piece, write);
    write += piece.length;
    read = position + (edits.cuts[n] as number);
  }
  text.copy(result, write, read);
  return result;
}

function pieceAt(edits: Edits, n: number): Uint8Array {
  return edits.pieces[n] ?? EMPTY;
}

function grow(edits: Edits): void {
  const size = edits.at.length * 2;
  const at = new Int32Array(size);
  const cuts = new Int32Array(size);
  at.set(edits.at);
  cuts.set(edits.cuts);
  edits.at = at;
  edits.cuts = cuts;
}
