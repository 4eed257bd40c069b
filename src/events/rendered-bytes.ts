/** Pieces are cut from slabs of this length. */
const SLAB_BYTES = 64 * 1024;
/** A piece above this length stands alone. */
const LONG_BYTES = 8 * 1024;

let slab = Buffer.alloc(0);
let used = 0;

/**
 * Bytes of a text that are kept for long. Node's own pool is for what passes: a piece that stays would hold on to a whole 8 KiB of it,
 * and every answer in between.
 */
export function renderedBytes(text: string): Buffer {
  const length = Buffer.byteLength(text);
  if (length > LONG_BYTES) {
    const alone = Buffer.allocUnsafeSlow(length);
    alone.write(text);
    return alone;
  }
  if (used + length > slab.length) {
    slab = Buffer.allocUnsafeSlow(SLAB_BYTES);
    used = 0;
  }
  slab.write(text, used);
  used += length;
  return slab.subarray(used - length, used);
}
