import type { VerdictStore } from './verdict-store.ts';

/** What is paid and counted while the shared file takes no writes, until it does again. */
export interface UnwrittenSums {
  /** Remembers what the file last said. */
  learn(provider: string, day: string, credits: number): number;
  known(provider: string, day: string): number;
  credits(provider: string, day: string): number;
  spend(provider: string, day: string, credits: number): void;
  addFigures(day: string, counts: ReadonlyMap<string, number>): void;
  /** `sums` with what is owed of those days. */
  addedTo(sums: Map<string, number>, from: string, to: string): Map<string, number>;
  /** Writes it down. Throws what the file says; what was written is not owed any more. */
  settle(disk: VerdictStore): void;
}

/** Nobody keeps a program running this long without its file. */
const MAX_DAYS = 100;

/** Nothing is owed yet. */
export function createUnwrittenSums(): UnwrittenSums {
  const last = new Map<string, number>();
  const credits = new Map<string, number>();
  const figures = new Map<string, Map<string, number>>();
  const key = (provider: string, day: string) => `${day}\n${provider}`;
  return {
    learn(provider, day, said) {
      if (last.size > MAX_DAYS) last.clear();
      last.set(key(provider, day), said);
      return said;
    },
    known: (provider, day) => last.get(key(provider, day)) ?? 0,
    credits: (provider, day) => credits.get(key(provider, day)) ?? 0,
    spend: (provider, day, more) => void credits.set(key(provider, day), (credits.get(key(provider, day)) ?? 0) + more),
    addFigures(day, counts) {
      const sums = figures.get(day) ?? new Map<string, number>();
      for (const [name, count] of counts) sums.set(name, (sums.get(name) ?? 0) + count);
      figures.set(day, sums);
      for (const old of [...figures.keys()].toSorted().slice(0, -MAX_DAYS)) figures.delete(old);
    },
    addedTo(sums, from, to) {
      for (const [day, counts] of figures)
        if (day >= from && day <= to) for (const [name, count] of counts) sums.set(name, (sums.get(name) ?? 0) + count);
      return sums;
    },
    settle(disk) {
      for (const [name, sum] of credits) {
        const [day = '', provider = ''] = name.split('\n');
        disk.spend(provider, day, sum, null);
        credits.delete(name);
      }
      for (const [day, counts] of figures) {
        disk.addFigures(day, counts);
        figures.delete(day);
      }
    },
  };
}
