import { randomBytes } from 'node:crypto';
import type { RedisAddress } from '../../../model/parsing/redis-address.ts';
import { windowWaitMs } from '../call-windows.ts';
import { createMemoryVerdictStore } from '../memory-verdict-store.ts';
import type { StoredVerdict, VerdictStore } from '../verdict-store.ts';
import { Absence, type AwayHabit, type AwayRule } from './absence.ts';
import type { AnswerLog } from './answer-log.ts';
import { AnswerReader } from './answer-reader.ts';
import { BookedCalls } from './booked-calls.ts';
import { HeldLeases } from './held-leases.ts';
import { KnownMachines, processName } from './known-machines.ts';
import { createMirroredAnswers } from './mirrored-answers.ts';
import { NoteExchange } from './note-exchange.ts';
import { OwnDeeds } from './own-deeds.ts';
import { createShares } from './own-share.ts';
import { createRedisKeys, type RedisKeys, verdictOfRow } from './redis-keys.ts';
import { RedisLink } from './redis-link.ts';
import { createReplacedAnswers } from './replaced-answers.ts';
import { RetoldAnswers } from './retold-answers.ts';
import { Roster, spanOf, sumKeys } from './roster.ts';
import { CHANGES, CLAIM, EXCHANGE, KEEP, LEAVE, MOVE, NOTE, RENEW, SETTLE } from './redis-scripts.ts';
import type { Claim, ClaimRequest, OwnShare, Payer, RegisterPlace, SharedCache, SharedHealth } from './shared-cache.ts';
import { createRegisters, type Registers } from './shared-register.ts';
import { SharedVerdictStore } from './shared-verdict-store.ts';

const SCRIPTS = [CLAIM, KEEP, MOVE, RENEW, NOTE, SETTLE, LEAVE, CHANGES, EXCHANGE];
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
  /** Stands for this machine, whatever process of it asks: letters and digits. */
  readonly machine: string;
  /** What becomes of new look-ups while it is away, once they have waited so many milliseconds for it. */
  readonly away: { readonly habit: AwayHabit; readonly patienceMs: number };
  /** Told in one sentence when it goes, and when it is back. */
  readonly onFault: (message: string) => void;
}

class RedisSharedCache implements SharedCache {
  readonly #options: RedisSharedCacheOptions;
  readonly #instance: string;
  readonly #keys: RedisKeys;
  readonly #link: RedisLink;
  readonly #leases: HeldLeases;
  readonly #notes: NoteExchange;
  readonly #booked: BookedCalls;
  readonly #deeds: OwnDeeds;
  readonly #shares = createShares();
  readonly #roster: Roster;
  readonly #replaced: AnswerLog;
  readonly #mirrored: AnswerLog;
  readonly #retold: RetoldAnswers;
  readonly #machines: KnownMachines;
  readonly #absence: Absence;
  readonly #answers: AnswerReader;
  readonly #registers: Registers;
  readonly #listeners: ((values: readonly string[]) => void)[] = [];
  #local: VerdictStore = createMemoryVerdictStore(null);
  #beat: NodeJS.Timeout | null = null;
  #fault: string | null = null;
  #losses = 0;

  constructor(options: RedisSharedCacheOptions) {
    this.#options = options;
    this.#instance = processName(options.machine, randomBytes(8).toString('hex'));
    this.#keys = createRedisKeys(options.prefix);
    this.#deeds = new OwnDeeds(this.#instance);
    this.#link = new RedisLink({
      address: options.address,
      caFile: options.caFile,
      onUp: (run) => void this.#up(run),
      onDown: (why) => this.#down(why),
    });
    const local = () => this.#local;
    const parts = { link: this.#link, keys: this.#keys, local };
    const { machine, replicas, away } = options;
    this.#machines = new KnownMachines({ local, processes: () => this.#roster.processes, machine, replicas });
    this.#absence = new Absence({ ...away, machine, machines: () => this.#machines.names() });
    this.#answers = new AnswerReader(parts);
    this.#mirrored = createMirroredAnswers({ ...parts, machine, machines: this.#machines, answers: this.#answers });
    this.#leases = new HeldLeases(this.#link, this.#keys, this.#instance);
    this.#retold = new RetoldAnswers({
      local,
      machines: this.#machines,
      onFault: options.onFault,
      tell: (provider, answers) => this.#leases.tell(provider, answers),
      onTelling: (isTelling) => this.#absence.gathers(isTelling),
    });
    this.#notes = new NoteExchange(this.#link, this.#keys);
    this.#booked = new BookedCalls({ ...parts, deeds: this.#deeds });
    this.#registers = createRegisters({ link: this.#link, keys: this.#keys, onFault: options.onFault });
    this.#replaced = createReplacedAnswers({
      ...parts,
      onReplaced: (values) => this.#listeners.forEach((listener) => listener(values)),
    });
    this.#roster = new Roster(
      { link: this.#link, keys: this.#keys, deeds: this.#deeds },
      {
        onNotes: (said, mark) => this.#notes.take(said, mark, this.#local),
        mark: () => this.#notes.mark,
        onReplaced: (provider, number) => void this.#replaced.learn(provider, number),
        onWritten: (provider, number) => away.habit === 'own' && void this.#mirrored.learn(provider, number),
        onSeen: (payer, used, paid) => this.#shares.saw(payer, used, paid, Date.now()),
        onServer: (provider, sinceMs) => void this.#retold.meet(provider, sinceMs),
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
    const reads = [...wanted].map(async ([provider, values]) => found.set(provider, await this.#answers.read(provider, values)));
    await Promise.all(reads);
    return found;
  }

  async claim(request: ClaimRequest): Promise<Claim | null> {
    const warmMs = this.#roster.warmMs(request.account);
    if (!this.#link.isUp || warmMs === null) return null;
    const ownWaitMs = warmMs > 0 ? Math.min(warmMs, this.#ownWaitMs(request)) : 0;
    if (ownWaitMs > 0) return { answers: new Map(), held: new Set(), granted: new Set(), waitMs: ownWaitMs, exhausted: null };
    const [mark, call] = [this.#notes.mark, this.#deeds.nextCall()];
    const { provider, leaseMs, cost, budgets, windows } = request;
    const [wanted, held] = this.#leases.part(provider, request.wanted);
    if (wanted.length === 0 && held.size > 0) return { answers: new Map(), held, granted: new Set(), waitMs: 0, exhausted: null };
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
    const claim = this.#claimOf({ ...request, wanted }, held, said);
    const [atMs, fence, credits] = [Number(said[0]), Number(said[3]), cost * claim.granted.size];
    if (fence > 0) this.#booked.begin(request, { call, fence, atMs, credits });
    return claim;
  }

  watch: SharedCache['watch'] = (provider, values) => this.#answers.watch(provider, values);

  release(provider: string, values: readonly string[]): void {
    this.#booked.end(provider, this.#leases.fencesOf(provider, values));
    this.#leases.release(provider, values);
  }

  whileAway(): AwayRule | null {
    return this.#absence.rule(performance.now());
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
      closing: () => this.#retold.close(),
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
    return { fault: this.#faultNow(), losses: this.#losses, replicas: this.#replicas() };
  }

  async close(): Promise<void> {
    if (this.#beat) clearInterval(this.#beat);
    this.#leases.close();
    // What was decided last goes out as well.
    await this.#registers.settle();
    for (const provider of this.#roster.providers()) void this.#link.run(LEAVE, [this.#keys.present(provider)], [this.#instance]);
    await this.#link.close();
  }

  #claimOf({ provider, wanted, leaseMs }: ClaimRequest, ours: ReadonlySet<string>, said: readonly unknown[]): Claim {
    const answers = new Map<string, StoredVerdict>();
    const held = new Set<string>(ours);
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

  #faultNow(): string | null {
    return this.#fault === null ? null : this.#absence.words(this.#fault, this.#replicas(), performance.now());
  }

  async #up(run: string): Promise<void> {
    const wasAway = this.#fault !== null;
    this.#fault = null;
    void this.#link.remember(SCRIPTS);
    this.#leases.resume();
    await this.#roster.meet(run);
    if (!this.#link.isUp) return;
    this.#absence.ended(performance.now());
    this.#shares.over();
    this.#notes.flush();
    void this.#registers.settle();
    if (wasAway) this.#options.onFault('Redis is back: answers and limits are shared again');
  }

  #down(why: string): void {
    this.#absence.began(performance.now());
    this.#roster.unsettle();
    this.#booked.lose();
    if (this.#fault !== null) return;
    this.#losses++;
    this.#fault = why;
    this.#options.onFault(this.#absence.words(why, this.#replicas(), performance.now()));
  }

  #pulse(): void {
    if (!this.#link.isUp) return;
    this.#leases.renew();
    void this.#roster.settle();
    void this.#registers.settle();
  }
}

/** Opens the shared cache; one that cannot be reached is told through `onFault`, and tried again. */
export async function openRedisSharedCache(options: RedisSharedCacheOptions): Promise<RedisSharedCache> {
  const shared = new RedisSharedCache(options);
  await shared.start();
  return shared;
}
