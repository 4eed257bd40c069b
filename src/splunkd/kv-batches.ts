import { SplunkdError } from './splunkd.ts';

/** How splunkd says that a call holds more rows than limits.conf allows it (`max_documents_per_batch_save`), or too many bytes. */
const TOO_MANY: ReadonlySet<number> = new Set([400, 413]);

/**
 * Sends rows in calls of at most `size`. Where the KV store of this search head takes fewer, the calls become half as long until it takes
 * them: its limit is a setting that not every role may read.
 */
export async function sendInBatches<Row>(
  rows: readonly Row[],
  size: number,
  send: (batch: readonly Row[]) => Promise<void>,
): Promise<void> {
  let most = size;
  let from = 0;
  while (from < rows.length) {
    const batch = rows.slice(from, from + most);
    try {
      await send(batch);
      from += batch.length;
    } catch (error) {
      if (batch.length === 1 || !(error instanceof SplunkdError) || !TOO_MANY.has(error.status)) throw error;
      most = Math.ceil(batch.length / 2);
    }
  }
}
