import { setTimeout as sleep } from 'node:timers/promises';
import { LookupError } from '../../model/lookup-error.ts';
import type { Pacer } from './pace/pacer.ts';
import type { ClientOptions } from './provider-client.ts';
import type { Spending } from './spending.ts';
import type { CallCounts } from './call-counts.ts';

/**
 * Waits until a second call for the same look-up may go out, and counts it like any other: pace, own limits, tally. It waits while it
 * holds its place in flight, so not for long: beyond one call's time-out it rejects, and the look-up is made again when there is room.
 */
export function createFurtherCall(
  { provider, limits, clock }: ClientOptions,
  { pacer, spending, callCounts }: { readonly pacer: Pacer; readonly spending: Spending; readonly callCounts: CallCounts },
): (signal: AbortSignal) => Promise<void> {
  return async (signal) => {
    const lastMs = clock.monotonicMs() + limits.timeoutMs;
    for (;;) {
      const nowMs = clock.monotonicMs();
      const waitMs = pacer.waitMs(nowMs) || (await spending.bookShared());
      if (waitMs === 0) break;
      if (nowMs + waitMs > lastMs) {
        const message = `own limit reached, free again in ${Math.ceil(waitMs / 1000)} s`;
        throw new LookupError('rate_limited', provider.id, message, { retryAfterMs: waitMs });
      }
      await sleep(waitMs, undefined, { signal });
    }
    pacer.sent(clock.monotonicMs());
    callCounts.counts.calls++;
  };
}
