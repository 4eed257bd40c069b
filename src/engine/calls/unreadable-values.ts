import type { LookupError } from '../../model/lookup-error.ts';

/** How long a value whose answer could not be read is not asked about again: another try costs a credit and seldom differs. */
const LEFT_ALONE_MS = 60_000;
/** Values that are remembered; with more of them the oldest are forgotten. */
const MAX_VALUES = 10_000;

/** Remembers for a short time which values got an answer of an unknown shape, so that nobody pays for the same one at once again. */
export interface UnreadableValues {
  note(value: string, error: LookupError): void;
  /** What was wrong with the value's last answer; `null`: nothing that is still remembered. */
  of(value: string): LookupError | null;
}

/** A memory with nothing in it. `nowMs`: monotonic milliseconds. */
export function createUnreadableValues(nowMs: () => number): UnreadableValues {
  const known = new Map<string, { readonly error: LookupError; readonly untilMs: number }>();
  return {
    note(value, error) {
      known.delete(value);
      known.set(value, { error, untilMs: nowMs() + LEFT_ALONE_MS });
      const [oldest] = known.keys();
      if (known.size > MAX_VALUES && oldest !== undefined) known.delete(oldest);
    },
    of(value) {
      if (known.size === 0) return null;
      const found = known.get(value);
      if (found === undefined) return null;
      if (found.untilMs > nowMs()) return found.error;
      known.delete(value);
      return null;
    },
  };
}
