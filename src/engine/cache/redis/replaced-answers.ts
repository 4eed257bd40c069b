import type { StoredVerdict, VerdictStore } from '../verdict-store.ts';
import { type RedisKeys, verdictOfRow } from './redis-keys.ts';
import type { RedisLink } from './redis-link.ts';
import { REPLACED } from './redis-scripts.ts';

/** Replaced answers that are read with one call. */
const MOST_ANSWERS = 500;

interface Parts {
  readonly link: RedisLink;
  readonly keys: RedisKeys;
  readonly local: () => VerdictStore;
  /** Told of values whose answer on this machine is another one now. */
  readonly onReplaced: (values: readonly string[]) => void;
}

/** Answers that another machine replaced within their lifetime: what this machine keeps of them becomes the new one, and its epoch another. */
export class ReplacedAnswers {
  readonly #parts: Parts;
  /** By provider, the number up to which it is known. */
  readonly #upTo = new Map<string, string>();
  readonly #running = new Set<string>();

  constructor(parts: Parts) {
    this.#parts = parts;
  }

  /** `number`: the server's, that grows with each answer that is replaced. */
  async learn(provider: string, number: string): Promise<void> {
    if (number === '0' || number === this.#known(provider) || this.#running.has(provider)) return;
    this.#running.add(provider);
    try {
      while (await this.#next(provider));
    } finally {
      this.#running.delete(provider);
    }
  }

  /** Whether there is more. */
  async #next(provider: string): Promise<boolean> {
    const { link, keys } = this.#parts;
    const said = await link.run(REPLACED, keys.replaced(provider), [this.#known(provider), MOST_ANSWERS]);
    if (!Array.isArray(said) || !Array.isArray(said[1])) return false;
    const names = said[1].map(String);
    const rows = names.length === 0 ? [] : await link.mget(names);
    if (rows === null) return false;
    const head = keys.answer(provider, '').length;
    const fresh = names.flatMap((name, n): [string, StoredVerdict][] => {
      const verdict = verdictOfRow(rows[n]);
      return verdict === null ? [] : [[name.slice(head), verdict]];
    });
    this.#keep(provider, fresh);
    const upTo = String(said[0]);
    this.#upTo.set(provider, upTo);
    // The next process on this machine begins there.
    this.#parts.local().setNote(noteOf(provider), upTo, Math.floor(Date.now() / 1000));
    return names.length === MOST_ANSWERS;
  }

  #keep(provider: string, fresh: readonly (readonly [string, StoredVerdict])[]): void {
    const local = this.#parts.local();
    const here = local.getMany(
      provider,
      fresh.map(([value]) => value),
    );
    const ours = fresh.filter(([value, { checkedAtS }]) => (here.get(value)?.checkedAtS ?? Infinity) <= checkedAtS);
    for (const [value, verdict] of ours) if (here.get(value)?.answer !== verdict.answer) local.put(provider, value, verdict);
    // Where it is on disk already, the memory of this process may still have the old one.
    if (ours.length > 0) this.#parts.onReplaced(ours.map(([value]) => value));
  }

  #known(provider: string): string {
    return this.#upTo.get(provider) ?? this.#parts.local().note(noteOf(provider))?.text ?? '0';
  }
}

function noteOf(provider: string): string {
  return `${provider} replaced`;
}
