import type { Store } from '../store/store-client.ts';

/** What feeds sent that could not be taken, newest first. */
export interface FeedQuarantine {
  /** How many there are, shown or not. */
  readonly total: number;
  readonly items: readonly {
    readonly feed: string;
    readonly reason: string;
    /** The item as it came, cut to a bounded length. */
    readonly raw: string;
    /** How often it came. */
    readonly times: number;
    readonly last_at: string;
  }[];
}

/** The items of one feed (`null`: of all) that are kept aside, with their reasons. */
export async function readFeedQuarantine(store: Store, { feed, limit }: { feed: string | null; limit: number }): Promise<FeedQuarantine> {
  const items = await store.quarantinedItems(feed, limit);
  return {
    total: await store.countQuarantinedItems(feed),
    items: items.map((item) => ({
      feed: item.feed,
      reason: item.reason,
      raw: item.raw,
      times: item.times,
      last_at: new Date(item.atS * 1000).toISOString(),
    })),
  };
}
