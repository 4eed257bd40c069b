import type { OwnShare, Payer } from './shared-cache.ts';

/** What all had done when Redis was last asked, and what this process has done since. */
interface Seen {
  readonly used: readonly number[];
  readonly paid: readonly [number, number];
  readonly days: readonly [string, string];
  readonly seenMs: number;
}

/** Keeps what is needed to go on alone without exceeding what all together may do. Times are milliseconds since 1970 (UTC). */
export interface Shares {
  saw(payer: Payer, used: readonly number[], paid: readonly [number, number], nowMs: number): void;
  called(account: string, atMs: number): void;
  /** `paidHere`: what this machine has paid, as its own store says. */
  shareOf(payer: Payer, replicas: number, paidHere: readonly [number, number], nowMs: number): OwnShare;
  /** It is there again. */
  over(): void;
}

const MAX_CALLS = 10_000;

/** Nothing was seen yet. */
export function createShares(): Shares {
  const seen = new Map<string, Seen & { base: readonly [number, number] | null }>();
  let since = new Map<string, number[]>();
  return {
    saw(payer, used, paid, seenMs) {
      const days = [payer.budgets[0][0], payer.budgets[1][0]] as const;
      seen.set(payer.account, { used, paid, days, seenMs, base: null });
    },
    called(account, atMs) {
      const calls = since.get(account) ?? [];
      calls.push(atMs);
      if (calls.length > MAX_CALLS) calls.shift();
      since.set(account, calls);
    },
    shareOf({ account, windows, budgets }, replicas, paidHere, nowMs) {
      const last = seen.get(account);
      if (last) last.base ??= paidHere;
      const calls = since.get(account) ?? [];
      let waitMs = 0;
      for (const [n, { requests, perMs }] of windows.entries()) {
        const untilMs = (last?.seenMs ?? -Infinity) + perMs;
        if (nowMs >= untilMs) continue;
        // What the others did is still in the window: only what is left of it is shared.
        const left = Math.max(0, Math.floor((requests - (last?.used[n] ?? 0)) / replicas));
        if (calls.length >= left) waitMs = Math.max(waitMs, untilMs - nowMs);
      }
      const budgetOf = (n: 0 | 1) => {
        const [day, limit] = budgets[n];
        if (limit === null) return null;
        if (last === undefined || last.base === null || last.days[n] !== day) return Math.floor(limit / replicas);
        return last.base[n] + Math.max(0, Math.floor((limit - last.paid[n]) / replicas));
      };
      const shared = windows.map(({ requests, perMs }) => ({ requests: Math.floor(requests / replicas), perMs }));
      return { windows: shared, waitMs, budgets: [budgetOf(0), budgetOf(1)], paid: paidHere };
    },
    over() {
      since = new Map();
      for (const one of seen.values()) one.base = null;
    },
  };
}
