import type { LearnedPace, Pacer } from './pacer.ts';
import type { ClientOptions } from '../provider-client.ts';
import { createSharedNote } from '../shared/shared-note.ts';

/** A plan's limit seldom changes; after that it is learned anew. */
const KEPT_MS = 86_400_000;

interface PaceNote extends LearnedPace {
  readonly atMs: number;
  readonly untilMs: number;
}

/** What refusals taught about a key's limit, for the processes beside this one and those that come after it. */
export interface PaceMemory {
  /** With the first call: what was learned before. Afterwards it does nothing. */
  begin(): void;
  /** Takes over what another process has learned since. */
  recall(): void;
  /** The provider has just refused: what the pacer makes of that is kept. */
  keep(): void;
}

/** The memory of one provider's pace, in the store that all processes of a machine share. */
export function createPaceMemory(options: ClientOptions, pacer: Pacer): PaceMemory {
  const note = createSharedNote<PaceNote>(options, 'pace', isSound);
  let hasBegun = false;
  function recall(): void {
    if (!note.hasNews()) return;
    const { note: found, leftMs } = note.read();
    if (found !== null && leftMs > 0) pacer.recall(found, options.clock.monotonicMs());
  }
  return {
    begin() {
      if (hasBegun) return;
      hasBegun = true;
      recall();
    },
    recall,
    keep() {
      const { learned } = pacer;
      if (learned === null) return;
      const atMs = options.clock.epochMs();
      note.write({ ...learned, atMs, untilMs: atMs + KEPT_MS });
    },
  };
}

function isSound({ perS, refusedPerS }: Partial<PaceNote>): boolean {
  return [perS, refusedPerS].every((rate) => typeof rate === 'number' && Number.isFinite(rate) && rate > 0);
}
