import { randomBytes } from 'node:crypto';
import type { RedisAddress } from '../../../model/parsing/redis-address.ts';
import { windowWaitMs } from '../call-windows.ts';
import { createMemoryVerdictStore } from '../memory-verdict-store.ts';
import type { StoredVerdict, VerdictStore } from '../verdict-store.ts';
import { BookedCalls } from './booked-calls.ts';
import { HeldLeases } from './held-leases.ts';
import { NoteExchange } from './note-exchange.ts';
import { OwnDeeds } from './own-deeds.ts';
import { createShares } from './own-share.ts';
import { createRedisKeys, type RedisKeys, verdictOfRow } from './redis-keys.ts';
import { RedisLink } from './redis-link.ts';
import { ReplacedAnswers } from './replaced-answers.ts';
import { Roster, spanOf, sumKeys } from './roster.ts';
import { CLAIM, EXCHANGE, KEEP, LEAVE, MOVE, NOTE, RENEW, REPLACED, SETTLE } from './redis-scripts.ts';
import type { Claim, ClaimRequest, OwnShare, Payer, RegisterPlace, SharedCache, SharedHealth } from './shared-cache.ts';
import { createRegisters, type Registers } from './shared-register.ts';
import { SharedVerdictStore } from './shared-verdict-store.ts';

const SCRIPTS = [CLAIM, KEEP, MOVE, RENEW, NOTE, SETTLE, LEAVE, REPLACED, EXCHANGE];
const CHUNK = 500;
/** How often this process shows that it is there, and asks what the others have done. */
const BEAT_MS = 1000;
/** Processes that are reckoned with when none was ever seen and the setting says nothing. */
const SUPPOSED_REPLICAS = 2;

/** What a shared cache is opened with. */
export interface RedisSharedCacheOptions {
  readonly address: RedisAddress;
  readonly caFile: string | null;
  readonly prefix: string;
  /** Processes that share it; `null`: as many as are seen there. */
  readonly replicas: number | null;
  /** Told in one sentence when it goes, and when it is back. */
  readonly onFault: (message: string) => void;
}

class RedisSharedCache implements SharedCache {
  readonly #options: RedisSharedCacheOptions;
  readonly #instance = randomBytes(8).toString('hex');
  readonly #keys: RedisKeys;
  readonly #link: RedisLink;
  readonly #leases: HeldLeases;
  readonly #notes: NoteExchange;
  readonly #booked: BookedCalls;
  readonly #deeds: OwnDeeds;
  readonly #shares = createShares();
  readonly #roster: Roster;
  readonly #replaced: ReplacedAnswers;
  readonly #registers: Registers;
  readonly #listeners: ((values: readonly string[]) => void)[] = [];
  #local: VerdictStore = createMemoryVerdictStore(null);
  #beat: NodeJS.Timeout | null = null;
  #fault: string | null = null;
  #losses = 0;

  constructor(options: RedisSharedCacheOptions) {
    this.#options = options;
    this.#keys = createRedisKeys(options.prefix);
    this.#deeds = new OwnDeeds(this.#instance);
    this.#link = new RedisLink({
      address: options.address,
      caFile: options.caFile,
      onUp: (run) => void this.#up(run),
      onDown: (why) => this.#down(why),
    });
    this.#leases = new HeldLeases(this.#link, this.#keys);
    this.#notes = new NoteExchange(this.#link, this.#keys);
    this.#booked = new BookedCalls({ link: this.#link, keys: this.#keys, deeds: this.#deeds, local: () => this.#local });
    this.#registers = createRegisters({ link: this.#link, keys: this.#keys, onFault: options.onFault });
    this.#replaced = new ReplacedAnswers({
      link: this.#link,
      keys: this.#keys,
      local: () => this.#local,
      onReplaced: (values) => this.#listeners.forEach((listener) => listener(values)),
    });
    this.#roster = new Roster(
      { link: this.#link, keys: this.#keys, deeds: this.#deeds },
      {
        onNotes: (said, mark) => this.#notes.take(said, mark, this.#local),
        mark: () => this.#notes.mark,
        onReplacements: (provider, number) => void this.#replaced.learn(provider, number),
        onSeen: (payer, used, paid) => this.#shares.saw(payer, used, paid, Date.now()),
      },
    );
  }

  async start(): Promise<void> {
    this.#beat = setInterval(() => this.#pulse(), BEAT_MS).unref();
    await this.#link.start();
  }

  async join(payersNow: readonly (() => Payer)[]): Promise<void> {
    this.#roster.add(payersNow);
    await this.#roster.settle();
  }

  async recall(wanted: ReadonlyMap<string, readonly string[]>): Promise<Map<string, Map<string, StoredVerdict>>> {
    const found = new Map<string, Map<string, StoredVerdict>>();
    const reads = [...wanted].map(async ([provider, values]) => found.set(provider, await this.#answers(provider, values)));
    await Promise.all(reads);
    return found;
  }

  async claim(request: ClaimRequest): Promise<Claim | null> {
    const warmMs = this.#roster.warmMs(request.account);
    if (!this.#link.isUp || warmMs === null) return null;
    const ownWaitMs = warmMs > 0 ? Math.min(warmMs, this.#ownWaitMs(request)) : 0;
    if (ownWaitMs > 0) return { answers: new Map(), held: new Set(), granted: new Set(), waitMs: ownWaitMs, exhausted: null };
    const [mark, call] = [this.#notes.mark, this.#deeds.nextCall()];
    const { provider, wanted, leaseMs, cost, budgets, windows } = request;
    const keys = [...sumKeys(this.#keys, request), this.#keys.notes(provider), this.#keys.fence(provider)];
    for (const { value } of wanted) keys.push(this.#keys.answer(provider, value), this.#keys.lease(provider, value));
    const said = await this.#link.run(CLAIM, keys, [
      this.#instance,
      call,
      leaseMs,
      cost,
      ...budgets.map(([, limit]) => limit ?? -1),
      windows.length,
      ...windows.flatMap(({ requests, perMs }) => [requests, spanOf(perMs)]),
      ...wanted.map(({ sinceS }) => (sinceS === Infinity ? Number.MAX_SAFE_INTEGER : Math.max(-1, sinceS))),
    ]);
    if (!Array.isArray(said)) return null;
    this.#notes.take(said[6], mark, this.#local);
    this.#deeds.paidByAll(request, [Number(said[4]), Number(said[5])]);
    const claim = this.#claimOf(request, said);
    const [atMs, fence, credits] = [Number(said[0]), Number(said[3]), cost * claim.granted.size];
    if (fence > 0) this.#booked.begin(request, { call, fence, atMs, credits });
    return claim;
  }

  async watch(
    provider: string,
    values: readonly string[],
  ): Promise<{ answers: ReadonlyMap<string, StoredVerdict>; free: readonly string[] } | null> {
    const answers = await this.#answers(provider, values);
    const open = values.filter((value) => !answers.has(value));
    if (!this.#link.isUp) return null;
    const free: string[] = [];
    for (const some of chunksOf(open)) {
      const leases = await this.#link.mget(some.map((value) => this.#keys.lease(provider, value)));
      if (leases === null) return null;
      free.push(...some.filter((_, n) => leases[n] === null));
    }
    return { answers, free };
  }

  release(provider: string, values: readonly string[]): void {
    this.#booked.end(provider, this.#leases.fencesOf(provider, values));
    this.#leases.release(provider, values);
  }

  ownShare(payer: Payer, nowMs: number): OwnShare | null {
    return this.#link.isUp && this.#roster.warmMs(payer.account) !== null ? null : this.#shareOf(payer, nowMs);
  }

  calledAlone(payer: Payer, atMs: number): void {
    this.#shares.called(payer.account, atMs);
    this.#deeds.called(payer.account, `${this.#deeds.nextCall()}`, atMs);
  }

  paidAlone(payer: Payer, credits: number): void {
    this.#deeds.paid(payer, credits);
  }

  over(local: VerdictStore): VerdictStore {
    this.#local = local;
    return new SharedVerdictStore(local, {
      put: (provider, value, verdict) => this.#leases.put(provider, value, verdict),
      paid: (account, day) => this.#deeds.knownOf(account, day),
      noted: (name, text, atS) => {
        const provider = this.#roster.providerOf(name);
        if (provider !== undefined) this.#notes.write(provider, name, { text, atS });
      },
    });
  }

  share(register: string, place: RegisterPlace): Promise<void> {
    return this.#registers.add(register, place);
  }

  onReplaced = (listener: (values: readonly string[]) => void): void => void this.#listeners.push(listener);

  health(): SharedHealth {
    return { fault: this.#fault, losses: this.#losses, replicas: this.#replicas() };
  }

  async close(): Promise<void> {
    if (this.#beat) clearInterval(this.#beat);
    this.#leases.close();
    // What was decided last goes out as well.
    await this.#registers.settle();
    for (const provider of this.#roster.providers()) void this.#link.run(LEAVE, [this.#keys.present(provider)], [this.#instance]);
    await this.#link.close();
  }

  async #answers(provider: string, values: readonly string[]): Promise<Map<string, StoredVerdict>> {
    const found = new Map<string, StoredVerdict>();
    const reads = chunksOf(values).map(async (chunk) => {
      const rows = await this.#link.mget(chunk.map((value) => this.#keys.answer(provider, value)));
      for (const [n, row] of (rows ?? []).entries()) {
        const verdict = verdictOfRow(row);
        if (verdict === null) continue;
        const value = chunk[n] as string;
        found.set(value, verdict);
        // The next time it costs no round trip, and it is there when Redis is not.
        this.#local.put(provider, value, verdict);
      }
    });
    await Promise.all(reads);
    return found;
  }

  #claimOf({ provider, wanted, leaseMs }: ClaimRequest, said: readonly unknown[]): Claim {
    const answers = new Map<string, StoredVerdict>();
    const held = new Set<string>();
    const granted = new Set<string>();
    const states = Array.isArray(said[7]) ? (said[7] as unknown[]) : [];
    for (const [n, { value }] of wanted.entries()) {
      const verdict = verdictOfRow(states[n]);
      if (verdict !== null) {
        answers.set(value, verdict);
        this.#local.put(provider, value, verdict);
      } else if (states[n] === 'h') held.add(value);
      else if (states[n] === 'g') {
        granted.add(value);
        this.#leases.hold({ provider, value, fence: Number(said[3]), leaseMs });
      }
    }
    return { answers, held, granted, waitMs: Number(said[1]), exhausted: ([null, 'day', 'month'] as const)[Number(said[2])] ?? null };
  }

  #ownWaitMs(payer: Payer): number {
    if (payer.windows.length === 0) return 0;
    const nowMs = Date.now();
    const { windows, waitMs } = this.#shareOf(payer, nowMs);
    if (waitMs > 0) return waitMs;
    if (windows.some(({ requests }) => requests === 0)) return Infinity;
    const longestMs = Math.max(...windows.map(({ perMs }) => perMs));
    return windowWaitMs(this.#local.booked(payer.account, nowMs - longestMs), windows, 1, nowMs);
  }

  #shareOf(payer: Payer, nowMs: number): OwnShare {
    const { account, budgets } = payer;
    const paid = [this.#local.spent(account, budgets[0][0]), this.#local.spent(account, budgets[1][0])] as const;
    return this.#shares.shareOf(payer, this.#replicas(), paid, nowMs);
  }

  #replicas(): number {
    return this.#options.replicas ?? (this.#roster.replicas || SUPPOSED_REPLICAS);
  }

  async #up(run: string): Promise<void> {
    const wasAway = this.#fault !== null;
    this.#fault = null;
    void this.#link.remember(SCRIPTS);
    await this.#roster.meet(run);
    if (!this.#link.isUp) return;
    this.#shares.over();
    this.#notes.flush();
    this.#leases.flush();
    void this.#registers.settle();
    if (wasAway) this.#options.onFault('Redis is back: answers and limits are shared again');
  }

  #down(why: string): void {
    this.#roster.unsettle();
    this.#leases.lose();
    this.#booked.lose();
    if (this.#fault !== null) return;
    this.#losses++;
    this.#fault = `Redis (cache.redis_url) is away (${why}): answers come from this machine's cache, and look-ups keep to a share of each limit (1 of ${this.#replicas()})`;
    this.#options.onFault(this.#fault);
  }

  #pulse(): void {
    if (!this.#link.isUp) return;
    this.#leases.renew();
    void this.#roster.settle();
    void this.#registers.settle();
  }
}

function chunksOf(values: readonly string[]): (readonly string[])[] {
  return Array.from({ length: Math.ceil(values.length / CHUNK) }, (_, n) => values.slice(n * CHUNK, (n + 1) * CHUNK));
}

/** Opens the shared cache; one that cannot be reached is told through `onFault`, and tried again. */
export async function openRedisSharedCache(options: RedisSharedCacheOptions): Promise<RedisSharedCache> {
  const shared = new RedisSharedCache(options);
  await shared.start();
  return shared;
}
