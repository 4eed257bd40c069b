import type { VerdictStore } from '../verdict-store.ts';
import type { OwnDeeds } from './own-deeds.ts';
import type { RedisKeys } from './redis-keys.ts';
import type { RedisLink } from './redis-link.ts';
import { MOVE } from './redis-scripts.ts';
import { spanOf } from './roster.ts';
import type { ClaimRequest, Payer } from './shared-cache.ts';

interface Parts {
  readonly link: RedisLink;
  readonly keys: RedisKeys;
  readonly deeds: OwnDeeds;
  readonly local: () => VerdictStore;
}

/** A call as the server booked it. */
interface Booked {
  readonly call: number;
  /** The number of the leases it was booked with. */
  readonly fence: number;
  readonly atMs: number;
  readonly credits: number;
}

/**
 * Calls that the server has booked. A busy machine sends one long after that, and the provider counts it by then: with its end it counts as made
 * at that time, so that no window holds more calls at the provider than here.
 */
export class BookedCalls {
  readonly #parts: Parts;
  readonly #underWay = new Map<string, { readonly payer: Payer; readonly call: number }>();

  constructor(parts: Parts) {
    this.#parts = parts;
  }

  begin(request: ClaimRequest, { call, fence, atMs, credits }: Booked): void {
    const { provider, account, windows, wanted } = request;
    this.#parts.deeds.called(account, String(call), atMs);
    this.#record(request, credits);
    if (windows.length > 0 && wanted.length > 0) this.#underWay.set(`${provider} ${fence}`, { payer: request, call });
  }

  /** `fences`: of the leases that are given back. */
  end(provider: string, fences: ReadonlySet<number>): void {
    for (const fence of fences) {
      const found = this.#underWay.get(`${provider} ${fence}`);
      if (found !== undefined) void this.#move(found);
      this.#underWay.delete(`${provider} ${fence}`);
    }
  }

  /** The server is gone: when it is back it is told of what was called as it was booked. */
  lose(): void {
    this.#underWay.clear();
  }

  async #move({ payer: { provider, account, windows }, call }: { readonly payer: Payer; readonly call: number }): Promise<void> {
    const { link, keys, deeds } = this.#parts;
    const name = `${deeds.instance}:${call}`;
    const longestMs = Math.max(...windows.map(({ perMs }) => spanOf(perMs)));
    const nowMs = await link.run(MOVE, [keys.calls(provider, account)], [name, longestMs]);
    if (typeof nowMs === 'number') deeds.moved(account, name, nowMs);
  }

  /** The store of this machine knows its own calls and credits, for the time when it is alone. */
  #record(payer: Payer, credits: number): void {
    const { account, windows, budgets } = payer;
    const local = this.#parts.local();
    const unbounded = windows.map(({ perMs }) => ({ requests: Infinity, perMs }));
    if (windows.length > 0) local.book(account, unbounded, 1, Date.now());
    if (credits === 0) return;
    for (const [day] of budgets) local.spend(account, day, credits, null);
    this.#parts.deeds.paid(payer, credits);
  }
}
