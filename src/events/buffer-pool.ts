/** Shorter buffers are Node's own business: they come from its pool, and their garbage is cheap. */
const LEAST_BYTES = 64 * 1024;
/** From here on lengths are rounded up to a multiple of it, not to a power of two: of 9 MB nearly half would lie idle. */
const STEP_BYTES = 1024 * 1024;

/**
 * Long buffers, used again. A batch needs one for its body and one for its answer; made anew each time, they had the collector walk the
 * whole heap every few dozen batches, for the sake of memory that is not in it.
 */
export interface BufferPool {
  /** A buffer of `size` bytes with anything in it. */
  take(size: number): Buffer;
  /** Whether `take` gave it, and wants it back. */
  owns(buffer: Buffer): boolean;
  /** Gives back what `take` gave, once nobody reads it any more. Other buffers may be given too. */
  give(buffer: Buffer): void;
}

/** A pool that keeps up to `keptBytes` for later. */
export function createBufferPool(keptBytes: number): BufferPool {
  const spare = new Map<number, Buffer[]>();
  // Weakly: what is never given back, because its call broke off, is garbage like anything else.
  const taken = new WeakSet<ArrayBufferLike>();
  let kept = 0;

  return {
    take(size) {
      if (size < LEAST_BYTES) return Buffer.allocUnsafe(size);
      const bytes = size > STEP_BYTES ? Math.ceil(size / STEP_BYTES) * STEP_BYTES : 2 ** Math.ceil(Math.log2(size));
      let whole = spare.get(bytes)?.pop();
      if (whole === undefined) whole = Buffer.allocUnsafeSlow(bytes);
      else kept -= bytes;
      taken.add(whole.buffer);
      return whole.subarray(0, size);
    },
    owns: (buffer) => buffer.length >= LEAST_BYTES && taken.has(buffer.buffer),
    give(buffer) {
      // Only what is out can come back, and only once: two requests must never share one.
      if (!taken.delete(buffer.buffer)) return;
      const bytes = buffer.buffer.byteLength;
      if (kept + bytes > keptBytes) return;
      kept += bytes;
      const same = spare.get(bytes);
      const whole = Buffer.from(buffer.buffer);
      if (same === undefined) spare.set(bytes, [whole]);
      else same.push(whole);
    },
  };
}
