import type { OwnDeeds } from './own-deeds.ts';
import type { RedisKeys } from './redis-keys.ts';
import type { RedisLink } from './redis-link.ts';
import { SETTLE } from './redis-scripts.ts';
import type { Payer } from './shared-cache.ts';

/** A server that is new, or started again, may know less than its users, who tell it within this time. Until then each keeps to its share, too. */
const WARM_MS = 2500;
/** A call leaves a little after it was booked: a window at the provider's is so much shorter for us. */
const MARGIN_SHARE = 0.01;
const SHORTEST_MARGIN_MS = 20;
const LONGEST_MARGIN_MS = 1000;

interface Member {
  readonly payerNow: () => Payer;
  /** Whether the server knows what this process has done. */
  isSettled: boolean;
  /** Since when the server is there, by its clock. */
  sinceMs: number;
  /** By our clock, until when it may know too little. */
  warmUntilMs: number;
}

interface RosterEvents {
  readonly mark: () => number;
  readonly onNotes: (said: unknown, mark: number) => void;
  /** The number that grows with what was replaced. */
  readonly onReplaced: (provider: string, number: string) => void;
  /** The number that grows with what was written. */
  readonly onWritten: (provider: string, number: string) => void;
  readonly onSeen: (payer: Payer, used: readonly number[], paid: readonly [number, number]) => void;
  /** Since when the server is there, by its clock: another number is another server, or one that lost its data. */
  readonly onServer: (provider: string, sinceMs: number) => void;
}

/** A window with its margin, in milliseconds. */
export function spanOf(perMs: number): number {
  return perMs + Math.min(LONGEST_MARGIN_MS, Math.max(SHORTEST_MARGIN_MS, Math.round(perMs * MARGIN_SHARE)));
}

/** Where calls and credits of an account are counted. */
export function sumKeys(keys: RedisKeys, { provider, account, budgets }: Payer): string[] {
  const [[day], [month]] = budgets;
  return [keys.calls(provider, account), keys.paid(provider, account, day), keys.paid(provider, account, month)];
}

/** Whose calls and credits are counted at the server, and whether it knows what we have done. */
export class Roster {
  readonly #members = new Map<string, Member>();
  readonly #parts: { readonly link: RedisLink; readonly keys: RedisKeys; readonly deeds: OwnDeeds };
  readonly #events: RosterEvents;
  #run = '';
  #processes: readonly string[] = [];

  constructor(parts: { readonly link: RedisLink; readonly keys: RedisKeys; readonly deeds: OwnDeeds }, events: RosterEvents) {
    this.#parts = parts;
    this.#events = events;
  }

  /** Processes that were last seen there; 0: none. */
  get replicas(): number {
    return this.#processes.length;
  }

  /** Names of those. */
  get processes(): readonly string[] {
    return this.#processes;
  }

  add(payersNow: readonly (() => Payer)[]): void {
    for (const payerNow of payersNow) this.#members.set(payerNow().account, { payerNow, isSettled: false, sinceMs: 0, warmUntilMs: 0 });
  }

  /** For how long the server may still know too little, 0 or less: not any more; `null`: it does not know what we have done. */
  warmMs(account: string): number | null {
    const member = this.#members.get(account);
    return member?.isSettled === true ? member.warmUntilMs - Date.now() : null;
  }

  /** The provider that a note is about; `undefined`: none. */
  providerOf(note: string): string | undefined {
    // `misp.hq` is an instance with an account of its own: the longest name is meant.
    const accounts = [...this.#members.keys()].filter((one) => note.startsWith(`${one}.`)).toSorted((a, b) => b.length - a.length);
    return this.#members.get(accounts[0] ?? '')?.payerNow().provider;
  }

  providers(): Set<string> {
    return new Set([...this.#members.values()].map(({ payerNow }) => payerNow().provider));
  }

  /** A server is there; `run` names its run. */
  async meet(run: string): Promise<void> {
    this.#run = run;
    await this.settle();
  }

  unsettle(): void {
    for (const member of this.#members.values()) member.isSettled = false;
  }

  async settle(): Promise<void> {
    await Promise.all([...this.#members.values()].map((member) => this.#settle(member)));
  }

  /** Tells the server what this process has done, all of it when it may not know, and learns what all have done. */
  async #settle(member: Member): Promise<void> {
    const { link, keys, deeds } = this.#parts;
    const payer = member.payerNow();
    const { provider, windows, account } = payer;
    const mark = this.#events.mark();
    const spans = windows.map(({ perMs }) => spanOf(perMs));
    const calls = member.isSettled ? [] : deeds.callsOf(account, Math.max(0, ...spans));
    const said = await link.run(
      SETTLE,
      [
        ...sumKeys(keys, payer),
        keys.notes(provider),
        keys.server(provider),
        keys.present(provider),
        keys.replaced(provider)[1],
        keys.written(provider)[1],
      ],
      [deeds.instance, this.#run, ...deeds.paidOf(payer), windows.length, ...spans, ...calls],
    );
    if (!Array.isArray(said)) return;
    const [nowMs, sinceMs, day, month, notes, processes, used, replaced, written] = said as [
      number,
      number,
      string,
      string,
      unknown,
      string[],
      number[],
      string,
      string,
    ];
    // Emptied while we were connected: it has to be told anew.
    const isNew = member.isSettled && sinceMs !== member.sinceMs;
    Object.assign(member, { sinceMs, warmUntilMs: Date.now() + sinceMs + WARM_MS - nowMs, isSettled: !isNew });
    this.#processes = processes;
    this.#events.onNotes(notes, mark);
    this.#events.onReplaced(provider, replaced);
    this.#events.onWritten(provider, written);
    this.#events.onServer(provider, sinceMs);
    const paid = [Number(day), Number(month)] as const;
    deeds.paidByAll(payer, paid);
    this.#events.onSeen(payer, used, paid);
    if (isNew) await this.#settle(member);
  }
}
