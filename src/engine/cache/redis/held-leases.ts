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
  /** Grows from one holder to the next. */
  readonly fence: number;
  readonly leaseMs: number;
  sinceMs: number;
}

interface Waiting {
  readonly provider: string;
  readonly value: string;
  readonly verdict: StoredVerdict;
}

/** The leases of this process, and the answers that go out before they are given free. Both outlive an absence of the server. */
export class HeldLeases {
  readonly #link: RedisLink;
  readonly #keys: RedisKeys;
  readonly #instance: string;
  readonly #held = new Map<string, Held>();
  readonly #answers = new Map<string, Waiting>();
  #timer: NodeJS.Timeout | null = null;

  constructor(link: RedisLink, keys: RedisKeys, instance: string) {
    this.#link = link;
    this.#keys = keys;
    this.#instance = instance;
  }

  hold(lease: Omit<Held, 'sinceMs'>): void {
    this.#held.set(`${lease.provider}\n${lease.value}`, { ...lease, sinceMs: Date.now() });
  }

  /** Look-ups to claim, and those that this process is making already, for another account. */
  part<T extends { readonly value: string }>(provider: string, wanted: readonly T[]): readonly [readonly T[], ReadonlySet<string>] {
    const isHeld = ({ value }: T) => this.#held.has(`${provider}\n${value}`);
    return [wanted.filter((one) => !isHeld(one)), new Set(wanted.filter(isHeld).map(({ value }) => value))];
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
    this.#renew([...this.#held.values()].filter(({ sinceMs, leaseMs }) => nowMs - sinceMs > leaseMs / RENEWALS));
  }

  /** The server is there again: it is told what is still being asked, and what was answered meanwhile. */
  resume(): void {
    this.#renew([...this.#held.values()]);
    this.flush();
  }

  /** Hands over answers that are known for longer; `false`: the server is away. */
  async tell(provider: string, answers: readonly (readonly [string, StoredVerdict])[]): Promise<boolean> {
    const [keys, args] = [this.#logKeys(provider), [this.#instance] as (string | number)[]];
    for (const [value, verdict] of answers) {
      keys.push(this.#keys.answer(provider, value), this.#keys.lease(provider, value));
      args.push(...keepArguments(0, verdict));
    }
    return (await this.#link.run(KEEP, keys, args)) !== null;
  }

  close(): void {
    for (const [provider, held] of Map.groupBy(this.#held.values(), (one) => one.provider))
      this.release(
        provider,
        held.map(({ value }) => value),
      );
    this.flush();
  }

  #renew(due: readonly Held[]): void {
    const nowMs = Date.now();
    for (const one of due) one.sinceMs = nowMs;
    const groups = Map.groupBy(due, ({ provider, leaseMs }) => `${leaseMs} ${provider}`);
    for (const leases of groups.values()) {
      const [{ provider, leaseMs }] = leases as [Held, ...Held[]];
      void this.#link.run(
        RENEW,
        [this.#keys.fence(provider), ...leases.map(({ value }) => this.#keys.lease(provider, value))],
        [this.#instance, leaseMs, ...leases.map(({ fence }) => fence)],
      );
    }
  }

  #keep(provider: string, values: readonly string[]): void {
    const keys = this.#logKeys(provider);
    const args: (string | number)[] = [this.#instance];
    const sent: Waiting[] = [];
    for (const value of values) {
      const name = `${provider}\n${value}`;
      const held = this.#held.get(name);
      const answer = this.#answers.get(name);
      this.#held.delete(name);
      if (!held && !answer) continue;
      // Away: the answer waits, the lease runs out.
      if (!this.#link.isUp) continue;
      this.#answers.delete(name);
      if (answer) sent.push(answer);
      keys.push(this.#keys.answer(provider, value), this.#keys.lease(provider, value));
      args.push(...keepArguments(held?.fence ?? 0, answer?.verdict));
    }
    if (args.length > 1) void this.#send(keys, args, sent);
  }

  #logKeys(provider: string): string[] {
    return [...this.#keys.replaced(provider), ...this.#keys.written(provider)];
  }

  async #send(keys: readonly string[], args: readonly (string | number)[], sent: readonly Waiting[]): Promise<void> {
    if ((await this.#link.run(KEEP, keys, args)) !== null) return;
    // Cut off on the way: it goes again when the server is back, unless there is a later answer.
    for (const answer of sent) {
      const name = `${answer.provider}\n${answer.value}`;
      if (!this.#answers.has(name)) this.#answers.set(name, answer);
    }
    // Back already.
    if (this.#link.isUp && sent.length > 0) this.#timer ??= setTimeout(() => this.flush(), GATHER_MS);
  }
}

/** What `KEEP` takes about one value. */
function keepArguments(fence: number, verdict: StoredVerdict | undefined): readonly [number, string, number, number] {
  if (verdict === undefined) return [fence, '', 0, 0];
  return [fence, rowOf(verdict, fence), verdict.checkedAtS, Math.ceil((verdict.expiresAtS - Date.now() / 1000) * 1000)];
}
