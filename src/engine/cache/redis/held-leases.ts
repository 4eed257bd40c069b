import type { StoredVerdict } from '../verdict-store.ts';
import { type RedisKeys, rowOf } from './redis-keys.ts';
import type { RedisLink } from './redis-link.ts';
import { KEEP, RENEW } from './redis-scripts.ts';

/** Answers that wait for the server; the oldest go. */
const MAX_WAITING = 20_000;
/** Answers that nobody holds a lease for are gathered so long. */
const GATHER_MS = 20;
/** Values handed over with one script. */
const CHUNK = 250;
/** A lease is renewed when a third of its time is over. */
const RENEWALS = 3;

interface Held {
  readonly provider: string;
  readonly value: string;
  readonly fence: number;
  readonly leaseMs: number;
  sinceMs: number;
}

/** The leases of this process, and the answers that go out before they are given free. */
export class HeldLeases {
  readonly #link: RedisLink;
  readonly #keys: RedisKeys;
  readonly #held = new Map<string, Held>();
  readonly #answers = new Map<string, { readonly provider: string; readonly value: string; readonly verdict: StoredVerdict }>();
  #timer: NodeJS.Timeout | null = null;

  constructor(link: RedisLink, keys: RedisKeys) {
    this.#link = link;
    this.#keys = keys;
  }

  hold(lease: Omit<Held, 'sinceMs'>): void {
    this.#held.set(`${lease.provider}\n${lease.value}`, { ...lease, sinceMs: Date.now() });
  }

  /** The numbers under which these are held. */
  fencesOf(provider: string, values: readonly string[]): ReadonlySet<number> {
    return new Set(values.flatMap((value) => this.#held.get(`${provider}\n${value}`)?.fence ?? []));
  }

  put(provider: string, value: string, verdict: StoredVerdict): void {
    this.#answers.set(`${provider}\n${value}`, { provider, value, verdict });
    if (this.#answers.size > MAX_WAITING) {
      const [oldest] = this.#answers.keys();
      if (oldest !== undefined) this.#answers.delete(oldest);
    }
    this.#timer ??= setTimeout(() => this.flush(), GATHER_MS);
  }

  /** Gives these free, their answers first; both in one step of the server. */
  release(provider: string, values: readonly string[]): void {
    for (let at = 0; at < values.length; at += CHUNK) this.#keep(provider, values.slice(at, at + CHUNK));
  }

  /** Hands over what waits. While the server is away it goes on waiting. */
  flush(): void {
    if (this.#timer) clearTimeout(this.#timer);
    this.#timer = null;
    if (!this.#link.isUp) return;
    const byProvider = Map.groupBy(this.#answers.values(), ({ provider }) => provider);
    for (const [provider, waiting] of byProvider)
      this.release(
        provider,
        // What is held goes out with its lease.
        waiting.map(({ value }) => value).filter((value) => !this.#held.has(`${provider}\n${value}`)),
      );
  }

  /** Makes those last longer that are needed longer. */
  renew(): void {
    const nowMs = Date.now();
    const due = [...this.#held.values()].filter(({ sinceMs, leaseMs }) => nowMs - sinceMs > leaseMs / RENEWALS);
    for (const one of due) one.sinceMs = nowMs;
    const groups = Map.groupBy(due, ({ provider, leaseMs }) => `${leaseMs} ${provider}`);
    for (const [name, leases] of groups)
      void this.#link.run(
        RENEW,
        leases.map(({ provider, value }) => this.#keys.lease(provider, value)),
        [name.slice(0, name.indexOf(' ')), ...leases.map(({ fence }) => fence)],
      );
  }

  /** The server is gone, and what was held there with it, at the latest when its time is over. */
  lose(): void {
    this.#held.clear();
  }

  close(): void {
    for (const [provider, held] of Map.groupBy(this.#held.values(), (one) => one.provider))
      this.release(
        provider,
        held.map(({ value }) => value),
      );
    this.flush();
  }

  #keep(provider: string, values: readonly string[]): void {
    const keys: string[] = [...this.#keys.replaced(provider)];
    const args: (string | number)[] = [];
    const nowS = Date.now() / 1000;
    for (const value of values) {
      const name = `${provider}\n${value}`;
      const held = this.#held.get(name);
      const said = this.#answers.get(name)?.verdict;
      this.#held.delete(name);
      if (!held && !said) continue;
      // Away: the answer waits, the lease runs out.
      if (!this.#link.isUp) continue;
      this.#answers.delete(name);
      const fence = held?.fence ?? 0;
      keys.push(this.#keys.answer(provider, value), this.#keys.lease(provider, value));
      if (said) args.push(fence, rowOf(said, fence), said.checkedAtS, Math.ceil((said.expiresAtS - nowS) * 1000));
      else args.push(fence, '', 0, 0);
    }
    if (args.length > 0) void this.#link.run(KEEP, keys, args);
  }
}
