import type { StoredVerdict, TakeVerdict, VerdictStore } from '../verdict-store.ts';

/** What leaves this machine for the others. */
export interface Outbound {
  put(provider: string, value: string, verdict: StoredVerdict): void;
  noted(name: string, text: string, atS: number): void;
  /** Credits that all machines have paid, as far as is known here. */
  paid(account: string, day: string): number;
  /** From now on the store takes nothing any more. */
  closing(): void;
}

/** The store of this machine with what it tells the others: reads stay here, and cost what they did. */
export class SharedVerdictStore implements VerdictStore {
  readonly #local: VerdictStore;
  readonly #outbound: Outbound;

  constructor(local: VerdictStore, outbound: Outbound) {
    this.#local = local;
    this.#outbound = outbound;
  }

  getMany = (provider: string, values: readonly string[]) => this.#local.getMany(provider, values);
  readMany = (provider: string, values: readonly string[], take: TakeVerdict) => this.#local.readMany(provider, values, take);
  lease = (provider: string, values: readonly string[], untilS: number, nowS: number) => this.#local.lease(provider, values, untilS, nowS);
  leasable = (provider: string, values: readonly string[], nowS: number) => this.#local.leasable(provider, values, nowS);
  release = (provider: string, values: readonly string[]) => this.#local.release(provider, values);
  book: VerdictStore['book'] = (provider, windows, calls, nowMs) => this.#local.book(provider, windows, calls, nowMs);
  booked = (provider: string, sinceMs: number) => this.#local.booked(provider, sinceMs);
  spend: VerdictStore['spend'] = (provider, day, credits, limit) => this.#local.spend(provider, day, credits, limit);
  note = (name: string) => this.#local.note(name);
  addFigures = (day: string, counts: ReadonlyMap<string, number>) => this.#local.addFigures(day, counts);
  figures = (from: string, to: string) => this.#local.figures(from, to);
  epoch = () => this.#local.epoch();
  purge = (beforeS: number) => this.#local.purge(beforeS);
  flush = () => this.#local.flush();
  stats = () => this.#local.stats();
  health = () => this.#local.health();
  close(): void {
    this.#outbound.closing();
    this.#local.close();
  }

  put(provider: string, value: string, verdict: StoredVerdict): void {
    this.#local.put(provider, value, verdict);
    this.#outbound.put(provider, value, verdict);
  }

  setNote(name: string, text: string, atS: number): void {
    this.#local.setNote(name, text, atS);
    this.#outbound.noted(name, text, atS);
  }

  spent(provider: string, day: string): number {
    return Math.max(this.#local.spent(provider, day), this.#outbound.paid(provider, day));
  }
}
