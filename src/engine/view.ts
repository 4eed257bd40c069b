import { LRUCache } from 'lru-cache';
import type { Answer, Source } from '../model/enrichment.ts';
import type { IndicatorType } from '../model/indicator.ts';
import type { ProviderClient } from './provider-client.ts';

/** A merged answer as memory keeps it, by canonical value. Times in seconds since 1970 fit a small integer until 2038. */
export interface MemoryEntry {
  readonly answer: Answer;
  readonly source: Source;
  readonly checkedAtS: number;
  readonly expiresAtS: number;
}

/** A set of providers that are asked together, and what they said lately. */
export interface View {
  readonly memory: LRUCache<string, MemoryEntry>;
  readonly asksLocal: boolean;
  clientsFor(type: IndicatorType): readonly ProviderClient[];
}

export function createView(clients: readonly ProviderClient[], asksLocal: boolean, memoryEntries: number): View {
  const byType = new Map<IndicatorType, readonly ProviderClient[]>();
  return {
    memory: new LRUCache({ max: memoryEntries }),
    asksLocal,
    clientsFor(type) {
      let found = byType.get(type);
      if (!found) {
        found = clients.filter((client) => client.provider.types.includes(type));
        byType.set(type, found);
      }
      return found;
    },
  };
}
