import type { Payer } from './shared-cache.ts';

/** Calls of one account that are remembered; a server that was emptied is told no more of them. */
const MAX_CALLS = 5000;
const MAX_DAYS = 100;

/** What this process has called and paid, so that a server that forgot it can be told; and what all have paid, as it was last said. */
export class OwnDeeds {
  readonly instance: string;
  readonly #calls = new Map<string, { readonly name: string; readonly atMs: number }[]>();
  readonly #paid = new Map<string, number>();
  readonly #byAll = new Map<string, number>();
  #count = 0;

  constructor(instance: string) {
    this.instance = instance;
  }

  /** A number that no other call of this process has. */
  nextCall(): number {
    return ++this.#count;
  }

  called(account: string, name: string, atMs: number): void {
    const calls = this.#calls.get(account) ?? [];
    calls.push({ name: `${this.instance}:${name}`, atMs });
    if (calls.length > MAX_CALLS) calls.splice(0, MAX_CALLS / 2);
    this.#calls.set(account, calls);
  }

  /** It was made later than it was booked. */
  moved(account: string, name: string, atMs: number): void {
    const calls = this.#calls.get(account) ?? [];
    const at = calls.findLastIndex((call) => call.name === name);
    if (at >= 0) calls[at] = { name, atMs };
  }

  /** Time and name of each call that is in the longest window, in turn. */
  callsOf(account: string, longestMs: number): (number | string)[] {
    const sinceMs = Date.now() - longestMs;
    return (this.#calls.get(account) ?? []).flatMap(({ name, atMs }) => (atMs > sinceMs ? [atMs, name] : []));
  }

  paid({ account, budgets }: Payer, credits: number): void {
    for (const [day] of budgets) bump(this.#paid, `${account}\n${day}`, credits);
  }

  /** Paid by this process on the day and in the month. */
  paidOf({ account, budgets }: Payer): readonly number[] {
    return budgets.map(([day]) => this.#paid.get(`${account}\n${day}`) ?? 0);
  }

  paidByAll({ account, budgets }: Payer, said: readonly number[]): void {
    if (this.#byAll.size > MAX_DAYS) this.#byAll.clear();
    for (const [n, [day]] of budgets.entries()) this.#byAll.set(`${account}\n${day}`, said[n] ?? 0);
  }

  knownOf(account: string, day: string): number {
    return this.#byAll.get(`${account}\n${day}`) ?? 0;
  }
}

function bump(sums: Map<string, number>, name: string, more: number): void {
  if (sums.size > MAX_DAYS) for (const [old] of [...sums].slice(0, MAX_DAYS / 2)) sums.delete(old);
  sums.set(name, (sums.get(name) ?? 0) + more);
}
