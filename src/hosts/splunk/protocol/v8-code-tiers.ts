// A chunk below this is over before loading `node:v8` pays for itself.
const LARGE_CHUNK_BYTES = 1 << 20;
// From here on a search is long: what compiling costs comes back.
const LONG_SEARCH_BYTES = 128 << 20;

/**
 * Keeps V8's last optimiser (TurboFan) out of short searches: Sparkplug and Maglev code walks 27 MB in 40 ms, and compiling
 * it once more takes a third as long again as the whole search. Measured on the 50,000-row stream of `scripts/bench/splunk.ts`: 0.8× the CPU.
 */
export class CodeTiers {
  #bytes = 0;
  #isQuick = false;

  /** Told of every chunk before its rows are read. */
  async prepare(bytes: number): Promise<void> {
    const before = this.#bytes;
    this.#bytes += bytes;
    if (!this.#isQuick && bytes >= LARGE_CHUNK_BYTES && before < LONG_SEARCH_BYTES) await this.#set(true);
    else if (this.#isQuick && before >= LONG_SEARCH_BYTES) await this.#set(false);
  }

  async #set(isQuick: boolean): Promise<void> {
    this.#isQuick = isQuick;
    const { setFlagsFromString } = await import('node:v8');
    setFlagsFromString(isQuick ? '--no-turbofan' : '--turbofan');
    // Thousands of answers come while the first chunk is held: garbage of the young generation would grow to 100 MB beside it.
    setFlagsFromString('--semi-space-growth-factor=1');
    // So small a generation is collected sooner than helpers are awake: 0.93× the CPU, in the same time.
    setFlagsFromString('--no-parallel-scavenge');
  }
}
