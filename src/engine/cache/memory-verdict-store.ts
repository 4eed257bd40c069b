import { windowWaitMs } from './call-windows.ts';
import type { StoredVerdict, VerdictStore } from './verdict-store.ts';

const MAX_ROWS = 100_000;
const MAX_NOTES = 1000;
const MAX_DAYS = 100;

/** The store where no disk can be had: same promises within one process, nothing outlives it. `fault` says why, for `doctor`. */
export function createMemoryVerdictStore(fault: string | null): VerdictStore {
  const rows = new Map<string, StoredVerdict>();
  const notes = new Map<string, { text: string; atS: number }>();
  const booked = new Map<string, number[]>();
  const spending = new Map<string, number>();
  const key = (provider: string, value: string) => `${provider}\n${value}`;
  const spent = (provider: string, day: string) => spending.get(key(provider, day)) ?? 0;
  return {
    getMany: (provider, values) =>
      new Map(
        values.flatMap((value) => {
          const row = rows.get(key(provider, value));
          return row ? [[value, row]] : [];
        }),
      ),
    readMany(provider, values, take) {
      for (const value of values) {
        const row = rows.get(key(provider, value));
        if (row) take(value, row.answer, row.checkedAtS, row.expiresAtS);
      }
    },
    put: (provider, value, verdict) => keep(rows, key(provider, value), verdict, MAX_ROWS),
    lease: (_provider, values) => new Set(values),
    leasable: (_provider, values) => [...values],
    release: () => {},
    book(provider, windows, calls, nowMs) {
      const longestMs = Math.max(0, ...windows.map((window) => window.perMs));
      const recent = (booked.get(provider) ?? []).filter((at) => at > nowMs - longestMs).map((at) => Math.min(at, nowMs));
      const waitMs = windowWaitMs(recent, windows, calls, nowMs);
      if (waitMs === 0) for (let n = 0; n < calls; n++) recent.push(nowMs);
      booked.set(provider, recent);
      return waitMs;
    },
    booked: (provider, sinceMs) => (booked.get(provider) ?? []).filter((at) => at > sinceMs),
    spent,
    spend(provider, day, credits, limit) {
      const total = spent(provider, day) + credits;
      if (limit !== null && total > limit) return false;
      spending.set(key(provider, day), total);
      return true;
    },
    note: (name) => notes.get(name) ?? null,
    setNote: (name, text, atS) => keep(notes, name, { text, atS }, MAX_NOTES),
    ...createFigureSums(),
    epoch: () => null,
    purge(beforeS) {
      let count = 0;
      for (const [name, row] of rows.entries()) if (row.expiresAtS < beforeS && rows.delete(name)) count++;
      return Promise.resolve(count);
    },
    flush: () => {},
    stats: () => ({ kind: 'memory', path: null, rows: rows.size, sizeBytes: 0, fault }),
    health: () => ({ fault, faults: fault === null ? 0 : 1, setAside: 0 }),
    close: () => {},
  };
}

/** The one that was put longest ago goes first. */
function keep<T>(all: Map<string, T>, name: string, one: T, max: number): void {
  all.delete(name);
  all.set(name, one);
  if (all.size <= max) return;
  const [oldest] = all.keys();
  if (oldest !== undefined) all.delete(oldest);
}

function createFigureSums(): Pick<VerdictStore, 'addFigures' | 'figures'> {
  const byDay = new Map<string, Map<string, number>>();
  return {
    addFigures(day, counts) {
      const sums = byDay.get(day) ?? new Map<string, number>();
      for (const [name, count] of counts) sums.set(name, (sums.get(name) ?? 0) + count);
      byDay.set(day, sums);
      for (const old of [...byDay.keys()].toSorted().slice(0, -MAX_DAYS)) byDay.delete(old);
    },
    figures(from, to) {
      const sums = new Map<string, number>();
      for (const [day, counts] of byDay)
        if (day >= from && day <= to) for (const [name, count] of counts) sums.set(name, (sums.get(name) ?? 0) + count);
      return sums;
    },
  };
}
