import { LRUCache } from 'lru-cache';
import type { StoredVerdict, VerdictStore } from './verdict-store.ts';

const MAX_ROWS = 100_000;
const MAX_NOTES = 1000;
const MAX_DAYS = 100;

/** Waits until the oldest call that keeps a window full leaves it. */
export function windowWaitMs(
  callsMs: readonly number[],
  windows: readonly { requests: number; perMs: number }[],
  calls: number,
  nowMs: number,
): number {
  let waitMs = 0;
  for (const { requests, perMs } of windows) {
    const inside = callsMs.filter((at) => at > nowMs - perMs);
    const mustLeave = inside.length + calls - requests;
    if (mustLeave > 0) waitMs = Math.max(waitMs, (inside[mustLeave - 1] ?? nowMs) + perMs - nowMs);
  }
  return waitMs;
}

/** The store where no disk can be had: same promises within one process, nothing outlives it. `fault` says why, for `doctor`. */
export function createMemoryVerdictStore(fault: string | null): VerdictStore {
  const rows = new LRUCache<string, StoredVerdict>({ max: MAX_ROWS });
  const notes = new LRUCache<string, { text: string; atS: number }>({ max: MAX_NOTES });
  const booked = new Map<string, number[]>();
  const figuresByDay = new Map<string, Map<string, number>>();
  const spending = new Map<string, number>();
  const key = (provider: string, value: string) => `${provider}\n${value}`;
  const spent = (provider: string, day: string) => spending.get(key(provider, day)) ?? 0;
  return {
    getMany(provider, values) {
      const found = new Map<string, StoredVerdict>();
      for (const value of values) {
        const row = rows.get(key(provider, value));
        if (row) found.set(value, row);
      }
      return found;
    },
    readMany(provider, values, take) {
      for (const value of values) {
        const row = rows.get(key(provider, value));
        if (row) take(value, row.answer, row.checkedAtS, row.expiresAtS);
      }
    },
    put: (provider, value, verdict) => void rows.set(key(provider, value), verdict),
    lease: (_provider, values) => new Set(values),
    release: () => {},
    book(provider, windows, calls, nowMs) {
      const longestMs = Math.max(0, ...windows.map((window) => window.perMs));
      const recent = (booked.get(provider) ?? []).filter((at) => at > nowMs - longestMs);
      const waitMs = windowWaitMs(recent, windows, calls, nowMs);
      if (waitMs === 0) for (let n = 0; n < calls; n++) recent.push(nowMs);
      booked.set(provider, recent);
      return waitMs;
    },
    spent,
    spend(provider, day, credits, limit) {
      const total = spent(provider, day) + credits;
      if (limit !== null && total > limit) return false;
      spending.set(key(provider, day), total);
      return true;
    },
    note: (name) => notes.get(name) ?? null,
    setNote: (name, text, atS) => void notes.set(name, { text, atS }),
    addFigures(day, counts) {
      const sums = figuresByDay.get(day) ?? new Map<string, number>();
      for (const [name, count] of counts) sums.set(name, (sums.get(name) ?? 0) + count);
      figuresByDay.set(day, sums);
      for (const old of [...figuresByDay.keys()].toSorted().slice(0, -MAX_DAYS)) figuresByDay.delete(old);
    },
    figures(from, to) {
      const sums = new Map<string, number>();
      for (const [day, counts] of figuresByDay)
        if (day >= from && day <= to) for (const [name, count] of counts) sums.set(name, (sums.get(name) ?? 0) + count);
      return sums;
    },
    purge(beforeS) {
      let count = 0;
      for (const [name, row] of rows.entries()) if (row.expiresAtS < beforeS && rows.delete(name)) count++;
      return count;
    },
    flush: () => {},
    stats: () => ({ kind: 'memory', path: null, rows: rows.size, sizeBytes: 0, fault }),
    close: () => {},
  };
}
