// A chunk below this is over before loading `node:v8` pays for itself.
const SMALL_CHUNK_BYTES = 1 << 14;
// One chunk of this size is a large part of its search.
const LARGE_CHUNK_BYTES = 1 << 20;
// From here on a search is long: what compiling costs comes back.
const LONG_SEARCH_BYTES = 128 << 20;

/**
 * Keeps V8's last optimiser (TurboFan) out of short searches: Sparkplug and Maglev code walks 27 MB in 40 ms, and compiling
 * it once more takes a third as long again as the whole search. Measured on the streams of `scripts/bench/splunk.ts`: 0.8× the CPU for 50,000 rows
 * in one chunk, 0.75× for 12,000 values in one of 250 kB. A search in many small chunks has its first one sooner, and is optimised after it.
 */
export class CodeTiers {
  #bytes = 0;
  #isQuick = false;
  #hasLarge = false;

  /** Told of every chunk before its rows are read. */
  async prepare(bytes: number): Promise<void> {
    const before = this.#bytes;
    this.#bytes += bytes;
    const isFirstLarge = !this.#hasLarge && bytes >= LARGE_CHUNK_BYTES;
    this.#hasLarge ||= isFirstLarge;
    const isQuick = this.#hasLarge ? before < LONG_SEARCH_BYTES : before === 0 && bytes >= SMALL_CHUNK_BYTES;
    if (isQuick !== this.#isQuick) await this.#set(isQuick);
    if (isFirstLarge && isQuick) await saveMemory();
  }

  async #set(isQuick: boolean): Promise<void> {
    this.#isQuick = isQuick;
    const { setFlagsFromString } = await import('node:v8');
    setFlagsFromString(isQuick ? '--no-turbofan' : '--turbofan');
  }
}

async function saveMemory(): Promise<void> {
  const { setFlagsFromString } = await import('node:v8');
  // Thousands of answers come while the first chunk is held: garbage of the young generation would grow to 100 MB beside it.
  setFlagsFromString('--semi-space-growth-factor=1');
  // So small a generation is collected sooner than helpers are awake: 0.93× the CPU, in the same time.
  setFlagsFromString('--no-parallel-scavenge');
}
