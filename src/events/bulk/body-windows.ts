import type { BufferPool } from '../buffer-pool.ts';

const LINE_FEED = 0x0a;
/** Windows are about this long: enough lines to pay for the work around them, few enough to stay in the processor's cache. */
const WINDOW_BYTES = 256 * 1024;
/** Room for a window and what arrives with its end. */
const ROOM_BYTES = WINDOW_BYTES + 128 * 1024;

/** A part of a body: whole lines; or, of a line that is too long to be held, a piece (`isFirst`, `ends`: its first one, its last one). */
export type BodyWindow =
  | { readonly kind: 'lines'; readonly bytes: Buffer }
  | { readonly kind: 'piece'; readonly bytes: Buffer; readonly isFirst: boolean; readonly ends: boolean };

/** How a body is cut. */
export interface WindowCut {
  /** A longer line goes through in pieces. */
  readonly maxLineBytes: number;
  /** Whether whole lines go on as they come, however few. */
  readonly isLive: boolean;
}

/**
 * Cuts a body into windows at line ends, holding no more of it than one window, or one line. The bytes come from `pool`; whoever takes a
 * window gives them back.
 */
export async function* windowsOf(source: AsyncIterable<Buffer>, pool: BufferPool, cut: WindowCut): AsyncGenerator<BodyWindow> {
  const { maxLineBytes, isLive } = cut;
  let held = pool.take(ROOM_BYTES);
  let filled = 0;
  /** Behind the last whole line that is held: found as parts come, for a long line may come in very many. */
  let lineEnd = 0;
  let isLongLine = false;
  for await (const chunk of source) {
    let part = chunk;
    if (isLongLine) {
      const end = part.indexOf(LINE_FEED) + 1;
      yield { kind: 'piece', bytes: end === 0 ? part : part.subarray(0, end), isFirst: false, ends: end > 0 };
      if (end === 0) continue;
      isLongLine = false;
      part = part.subarray(end);
    }
    if (filled + part.length > held.length) held = enlarged(pool, held, filled, filled + part.length);
    held.set(part, filled);
    const feed = part.lastIndexOf(LINE_FEED);
    if (feed >= 0) lineEnd = filled + feed + 1;
    filled += part.length;
    if (filled < WINDOW_BYTES && !isLive) continue;
    const end = lineEnd;
    if (end === 0 && filled <= maxLineBytes) continue;
    const full = held;
    const size = filled;
    lineEnd = 0;
    held = pool.take(Math.max(ROOM_BYTES, size - end));
    isLongLine = end === 0;
    filled = isLongLine ? 0 : full.copy(held, 0, end, size);
    if (isLongLine) yield { kind: 'piece', bytes: full.subarray(0, size), isFirst: true, ends: false };
    else yield { kind: 'lines', bytes: full.subarray(0, end) };
  }
  if (filled > 0) yield { kind: 'lines', bytes: held.subarray(0, filled) };
  else pool.give(held);
}

function enlarged(pool: BufferPool, held: Buffer, filled: number, needed: number): Buffer {
  const larger = pool.take(Math.max(needed, held.length * 2));
  held.copy(larger, 0, 0, filled);
  pool.give(held);
  return larger;
}
