import { getHeapSpaceStatistics, setFlagsFromString } from 'node:v8';

/** Both halves of the young generation. Twice as much is no faster; V8 would go on to 128 MiB. */
const ENOUGH_BYTES = 32 * 1024 * 1024;

/**
 * Keeps the young generation from growing beyond what a long run gains by. To be called now and then: the first call that finds enough
 * holds it there. A limit cannot be set once V8 runs, only how much it grows by.
 */
export function createYoungGenerationBound(): () => void {
  let isHeld = false;
  return () => {
    if (isHeld) return;
    const young = getHeapSpaceStatistics().find(({ space_name: name }) => name === 'new_space');
    if ((young?.space_size ?? 0) < ENOUGH_BYTES) return;
    isHeld = true;
    setFlagsFromString('--semi-space-growth-factor=1');
  };
}
