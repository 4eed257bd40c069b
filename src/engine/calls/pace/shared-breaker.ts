import { type Breaker, OPEN_MS } from './circuit-breaker.ts';
import type { ClientOptions } from '../provider-client.ts';
import { createSharedNote } from '../shared/shared-note.ts';

/** A breaker that nobody has touched for so long tells nothing any more. */
const BELIEVED_MS = 60_000;

interface BreakerNote {
  readonly failures: number;
  readonly atMs: number;
  readonly untilMs: number;
}

/** Keeps a breaker as all processes together have found the provider. Times are monotonic milliseconds. */
export interface SharedBreaker {
  /** Looks for what other processes have found since. */
  refresh(): void;
  succeeded(): void;
  /** Tells whether the breaker is open now. */
  failed(nowMs: number): boolean;
  /** One call tries although the breaker was open: the other processes leave it to us. */
  probes(): void;
}

export function shareBreaker(options: ClientOptions, breaker: Breaker): SharedBreaker {
  const { clock } = options;
  const tripped = createSharedNote<BreakerNote>(options, 'breaker', ({ failures }) => Number.isSafeInteger(failures));
  function refresh(): void {
    if (!tripped.hasNews()) return;
    const { note, leftMs } = tripped.read();
    const ageMs = note === null ? Infinity : clock.epochMs() - note.atMs;
    const isBelieved = note !== null && (leftMs > 0 || (ageMs >= 0 && ageMs < BELIEVED_MS));
    breaker.adopt(isBelieved ? note.failures : 0, leftMs > 0 ? clock.monotonicMs() + leftMs : 0);
  }
  function share(nowMs: number): void {
    const atMs = clock.epochMs();
    tripped.write({ failures: breaker.failures, atMs, untilMs: atMs + Math.max(0, breaker.reopensAtMs - nowMs) });
  }
  return {
    refresh,
    succeeded() {
      breaker.succeeded();
      if (tripped.read().note !== null) tripped.clear();
    },
    failed(nowMs: number): boolean {
      refresh();
      const isOpen = breaker.failed(nowMs);
      share(nowMs);
      return isOpen;
    },
    probes(): void {
      const atMs = clock.epochMs();
      tripped.write({ failures: breaker.failures, atMs, untilMs: atMs + OPEN_MS });
    },
  };
}
