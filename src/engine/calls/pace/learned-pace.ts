import type { LearnedPace, Pacer } from './pacer.ts';
import type { ClientOptions } from '../provider-client.ts';
import { createSharedNote } from '../shared/shared-note.ts';

/** A plan's limit seldom changes; after that it is learned anew. */
const KEPT_MS = 86_400_000;

interface PaceNote extends Partial<LearnedPace> {
  /** Nothing was refused at full pace. */
  readonly isFree?: boolean;
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
  /** It has just answered: that it takes our full pace is kept as well, so that the next process does not begin slowly. */
  answered(): void;
}

/** The memory of one provider's pace, in the store that all processes of a machine share. */
export function createPaceMemory(options: ClientOptions, pacer: Pacer): PaceMemory {
  const note = createSharedNote<PaceNote>(options, 'pace', isSound);
  let hasBegun = false;
  let isTold = options.limits.quotas.length > 0;
  // Own limits are never gone beyond: there is nothing to find out.
  if (isTold) pacer.allowance.open();
  function recall(): void {
    if (!note.hasNews()) return;
    const { note: found, leftMs } = note.read();
    if (found === null || leftMs <= 0) return;
    isTold = true;
    const { perS, refusedPerS } = found;
    if (perS === undefined || refusedPerS === undefined) pacer.allowance.open();
    else pacer.recall({ perS, refusedPerS }, options.clock.monotonicMs());
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
      isTold = true;
      note.write({ ...learned, atMs, untilMs: atMs + KEPT_MS });
    },
    answered() {
      if (isTold || !pacer.allowance.isOpen) return;
      // Another process may have been refused meanwhile.
      recall();
      if (isTold) return;
      isTold = true;
      const atMs = options.clock.epochMs();
      note.write({ isFree: true, atMs, untilMs: atMs + KEPT_MS });
    },
  };
}

function isSound({ perS, refusedPerS, isFree }: Partial<PaceNote>): boolean {
  if (isFree === true) return perS === undefined && refusedPerS === undefined;
  return [perS, refusedPerS].every((rate) => typeof rate === 'number' && Number.isFinite(rate) && rate > 0);
}
