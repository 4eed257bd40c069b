/** Failures in a row after which a provider is left alone. */
const OPENS_AFTER = 5;
/** How long it is left alone before one call tries again, in milliseconds: who is back is asked within ten seconds, that call included. */
export const OPEN_MS = 8_000;

/** Leaves a dead provider alone and finds out with single calls when it is back. Times are milliseconds of one clock. */
export interface Breaker {
  /** `probe`: one call may try; whoever takes it must report. */
  state(nowMs: number): 'closed' | 'open' | 'probe';
  readonly reopensAtMs: number;
  /** In a row, until now. */
  readonly failures: number;
  /** How often it has opened since the last success. */
  readonly probes: number;
  succeeded(): void;
  /** Tells whether the breaker is open now. */
  failed(nowMs: number): boolean;
  /** Takes over what other processes have found. */
  adopt(failures: number, reopensAtMs: number): void;
  /** Lets one call try at once. */
  lift(): void;
}

export function createBreaker(): Breaker {
  let failures = 0;
  let reopensAtMs = 0;
  return {
    get reopensAtMs() {
      return reopensAtMs;
    },
    get failures() {
      return failures;
    },
    get probes() {
      return Math.max(0, failures - OPENS_AFTER + 1);
    },
    state(nowMs) {
      if (failures < OPENS_AFTER) return 'closed';
      return nowMs < reopensAtMs ? 'open' : 'probe';
    },
    succeeded() {
      failures = 0;
    },
    failed(nowMs) {
      failures++;
      if (failures < OPENS_AFTER) return false;
      reopensAtMs = nowMs + OPEN_MS;
      return true;
    },
    adopt(found, untilMs) {
      failures = found;
      reopensAtMs = untilMs;
    },
    lift() {
      reopensAtMs = 0;
    },
  };
}
