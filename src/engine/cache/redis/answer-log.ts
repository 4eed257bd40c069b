import type { VerdictStore } from '../verdict-store.ts';
import type { RedisKeys } from './redis-keys.ts';
import type { RedisLink } from './redis-link.ts';
import { CHANGES } from './redis-scripts.ts';

/** Changes that are read with one call. */
const MOST_CHANGES = 500;

/** What answers of the server are read with. */
export interface AnswerLogParts {
  readonly link: RedisLink;
  readonly keys: RedisKeys;
  readonly local: () => VerdictStore;
}

interface Log extends AnswerLogParts {
  /** What the log is called in notes of this machine. */
  readonly name: string;
  /** Keys of the changed answers, and of the number that grows with them. */
  readonly keysOf: (provider: string) => readonly [string, string];
  /** Takes what changed; `false`: the server is away, and the same values come again. */
  readonly take: (provider: string, values: readonly string[]) => Promise<boolean>;
}

/** Values whose answers have changed at the server, in the order of that: each machine reads on from where it was. */
export class AnswerLog {
  readonly #log: Log;
  /** By provider, the number up to which it is known. */
  readonly #upTo = new Map<string, string>();
  readonly #running = new Set<string>();

  constructor(log: Log) {
    this.#log = log;
  }

  /** `number`: the server's, that grows with each change. */
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
    const { link, keys, keysOf, take, local } = this.#log;
    const said = await link.run(CHANGES, keysOf(provider), [this.#known(provider), MOST_CHANGES]);
    if (!Array.isArray(said) || !Array.isArray(said[1])) return false;
    const head = keys.answer(provider, '').length;
    const values = said[1].map((name) => String(name).slice(head));
    if (values.length > 0 && !(await take(provider, values))) return false;
    const upTo = String(said[0]);
    this.#upTo.set(provider, upTo);
    // The next process on this machine begins there.
    local().setNote(this.#noteOf(provider), upTo, Math.floor(Date.now() / 1000));
    return values.length === MOST_CHANGES;
  }

  #known(provider: string): string {
    return this.#upTo.get(provider) ?? this.#log.local().note(this.#noteOf(provider))?.text ?? '0';
  }

  #noteOf(provider: string): string {
    return `${provider} ${this.#log.name}`;
  }
}
