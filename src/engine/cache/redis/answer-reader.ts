import type { StoredVerdict } from '../verdict-store.ts';
import type { AnswerLogParts } from './answer-log.ts';
import { verdictOfRow } from './redis-keys.ts';
import { chunksOf } from '../../../model/tables/chunks.ts';

const CHUNK = 500;

/** Reads answers and leases of the server. What it knows is kept by the store of this machine. */
export class AnswerReader {
  readonly #parts: AnswerLogParts;

  constructor(parts: AnswerLogParts) {
    this.#parts = parts;
  }

  async read(provider: string, values: readonly string[]): Promise<Map<string, StoredVerdict>> {
    const { link, keys, local } = this.#parts;
    const found = new Map<string, StoredVerdict>();
    const reads = chunksOf(values, CHUNK).map(async (chunk) => {
      const rows = await link.mget(chunk.map((value) => keys.answer(provider, value)));
      for (const [n, row] of (rows ?? []).entries()) {
        const verdict = verdictOfRow(row);
        if (verdict === null) continue;
        const value = chunk[n] as string;
        found.set(value, verdict);
        // The next time it costs no round trip, and it is there when Redis is not.
        local().put(provider, value, verdict);
      }
    });
    await Promise.all(reads);
    return found;
  }

  /** What has become of look-ups that others hold: answers, and those that are free; `null`: the server is away. */
  async watch(
    provider: string,
    values: readonly string[],
  ): Promise<{ answers: ReadonlyMap<string, StoredVerdict>; free: readonly string[] } | null> {
    const { link, keys } = this.#parts;
    const answers = await this.read(provider, values);
    if (!link.isUp) return null;
    const free: string[] = [];
    for (const some of chunksOf(
      values.filter((value) => !answers.has(value)),
      CHUNK,
    )) {
      const leases = await link.mget(some.map((value) => keys.lease(provider, value)));
      if (leases === null) return null;
      free.push(...some.filter((_, n) => leases[n] === null));
    }
    return { answers, free };
  }
}
