import type { SharedCache } from './cache/redis/shared-cache.ts';
import { fromStore, isFresh, type Open, type Round } from './round-parts.ts';

/** What the other machines know of what neither memory nor disk does, in one round trip. */
export async function recallShared(round: Round, shared: SharedCache, open: readonly Open[]): Promise<void> {
  const { view } = round;
  const wanted = new Map<string, Set<string>>();
  for (const { indicator, clients, outcomes } of open) {
    for (const [n, client] of clients.entries()) {
      if (outcomes[n]) continue;
      const { id } = client.provider;
      const values = wanted.get(id) ?? new Set();
      wanted.set(id, values.add(view.sentTo(client, indicator).value));
    }
  }
  if (wanted.size === 0) return;
  const found = await shared.recall(new Map([...wanted].map(([id, values]) => [id, [...values]])));
  for (const { indicator, clients, outcomes } of open) {
    for (const [n, client] of clients.entries()) {
      const { value } = view.sentTo(client, indicator);
      const row = outcomes[n] ? undefined : found.get(client.provider.id)?.get(value);
      if (row === undefined || !isFresh(round, row)) continue;
      outcomes[n] = fromStore(round, client, indicator, row);
    }
  }
}
