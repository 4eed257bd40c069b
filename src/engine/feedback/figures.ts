import { type Clock, dayOf } from '../clock.ts';
import type { Exchange } from '../calls/exchange.ts';
import type { ClientStats } from '../calls/provider-client.ts';
import type { VerdictStore } from '../cache/verdict-store.ts';

/** How often counts go to the shared file, in milliseconds; the rest when the engine closes. */
const KEEP_EVERY_MS = 30_000;
/** Latencies are counted in classes, each a quarter wider than the one before: a percentile is right to a quarter. */
const CLASS_GROWTH = 1.25;

/** Counts of this process that the shared store adds up by day, for the weekly report. */
export interface Figures {
  /** One answer to a caller for which somebody had to be asked. */
  answered(latencyMs: number): void;
  /** One provider's call. */
  called(provider: string, latencyMs: number): void;
  close(): void;
}

/** The class a latency is counted in. */
export function classOf(latencyMs: number): number {
  return Math.max(0, Math.ceil(Math.log(Math.max(1, latencyMs)) / Math.log(CLASS_GROWTH)));
}

/** The longest latency of a class, in milliseconds. */
export function longestOf(latencyClass: number): number {
  return Math.round(CLASS_GROWTH ** latencyClass);
}

/** Keeps the counts of one process. `stats`: the clients' own counts. */
export function createFigures(store: VerdictStore, clock: Clock, stats: () => readonly ClientStats[]): Figures {
  let waiting = new Map<string, number>();
  const seen = new Map<string, number>();
  const timer = setInterval(keep, KEEP_EVERY_MS).unref();
  // Most searches ask nobody: they write nothing, so that they end at once.
  let hasNews = false;

  function count(name: string, more = 1): void {
    waiting.set(name, (waiting.get(name) ?? 0) + more);
    hasNews = true;
  }
  function keep(): void {
    if (!hasNews) return;
    hasNews = false;
    for (const { provider, calls, lookups, answered, failures } of stats()) {
      const counters = {
        calls,
        lookups,
        answered,
        ...Object.fromEntries(Object.entries(failures).map(([code, n]) => [`failed.${code}`, n])),
      };
      for (const [name, total] of Object.entries(counters)) {
        const key = `${provider} ${name}`;
        const more = total - (seen.get(key) ?? 0);
        if (more > 0) count(key, more);
        seen.set(key, total);
      }
    }
    if (waiting.size === 0) return;
    store.addFigures(dayOf(clock), waiting);
    waiting = new Map();
  }
  return {
    answered: (latencyMs) => count(`* ms.${classOf(latencyMs)}`),
    called: (provider, latencyMs) => count(`${provider} ms.${classOf(latencyMs)}`),
    close() {
      clearInterval(timer);
      keep();
    },
  };
}

/** An exchange whose calls are timed, also those that fail. */
export function timedExchange(exchange: Exchange, clock: Clock, took: (latencyMs: number) => void): Exchange {
  async function timed<T>(work: Promise<T>): Promise<T> {
    const startedMs = clock.monotonicMs();
    try {
      return await work;
    } finally {
      took(clock.monotonicMs() - startedMs);
    }
  }
  return {
    single: (indicator, signal) => timed(exchange.single(indicator, signal)),
    bulk: (indicators, signal) => timed(exchange.bulk(indicators, signal)),
    bulkCap: (signal) => exchange.bulkCap(signal),
  };
}
