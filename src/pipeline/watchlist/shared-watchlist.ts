import { epochS, systemClock } from '../../engine/clock.ts';
import type { RegisterPlace } from '../../engine/cache/redis/shared-cache.ts';
import type { Store } from '../../store/store-client.ts';

interface SharedWatchlist {
  /** `null`: there is no store now. */
  readonly openStore: () => Promise<Store | null>;
  readonly onFault: (message: string) => void;
}

/** The watchlist of the pipeline's store as all machines share it. */
export function watchlistPlace({ openStore, onFault }: SharedWatchlist): RegisterPlace {
  return {
    version: async () => (await (await openStore())?.watchVersion()) ?? null,
    rows: async () => (await (await openStore())?.sharedWatches()) ?? [],
    async take(rows) {
      const unreadable = await (await openStore())?.takeWatches(rows, epochS(systemClock));
      if (unreadable) onFault(`${unreadable} watches that came through Redis cannot be read and do not count: add them again`);
    },
  };
}
