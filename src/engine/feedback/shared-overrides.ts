import type { SQLOutputValue } from 'node:sqlite';
import type { RegisterPlace } from '../cache/redis/shared-cache.ts';
import { overrideOf, rowOfOverride } from './override-rows.ts';
import type { FeedbackStore, Override } from './overrides.ts';

/** Analysts' overrides as all machines share them: of each value the decision that was made, or taken back, last. */
export function overridesPlace(feedback: FeedbackStore, onFault: (message: string) => void): RegisterPlace {
  let changes = 0;
  feedback.onChange(() => void changes++);
  return {
    version: () => String(changes),
    rows() {
      const last = new Map(
        feedback
          .list()
          .toReversed()
          .map((override) => [override.value, override]),
      );
      return Array.from(last.values(), (one) => ({
        name: one.value,
        atMs: Math.max(one.atS, one.endedAtS ?? 0) * 1000,
        text: textOf(one),
      }));
    },
    take(rows) {
      const decisions = rows.flatMap(({ name, text, was }) => {
        const override = read(text);
        if (override?.value === name) return [{ override, was: was === null ? null : read(was) }];
        onFault('an override that came through Redis cannot be read and does not count: give it again');
        return [];
      });
      if (decisions.length > 0) feedback.takeOver(decisions);
    },
  };
}

function textOf(override: Override): string {
  return JSON.stringify(rowOfOverride(override));
}

function read(text: string): Override | null {
  try {
    return overrideOf(JSON.parse(text) as Record<string, SQLOutputValue>);
  } catch {
    // Not ours: told by who wanted it.
    return null;
  }
}
