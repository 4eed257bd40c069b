import { PerformanceObserver } from 'node:perf_hooks';
import { getHeapSpaceStatistics, setFlagsFromString } from 'node:v8';

/** Bytes from which on the space for new objects does not grow. V8 would let it take 128 MiB, which one long event can bring about. */
const YOUNG_BYTES = 16 * 1024 * 1024;
/** What the heap may grow by, in percent of what lived at the last collection, until the next one; V8's own rule is up to 300. */
const GROWTH_PERCENT = 40;
/** How often it is looked whether V8 has shrunk the space for new objects; it does so when there is little to do. */
const LOOK_MS = 10_000;

/**
 * Keeps the heap of a process that serves close to what lives in it: V8 sizes it by the machine's memory, not by the work. Both flags are
 * read at each collection, so that they need not be given when the program starts. Gives the function that ends the watch.
 */
export function boundHeap(): () => void {
  setFlagsFromString(`--heap-growing-percent=${GROWTH_PERCENT}`);
  const observer = new PerformanceObserver(check);
  let isGrowing: boolean | null = null;

  function check(): void {
    const mayGrow = youngBytes() < YOUNG_BYTES;
    if (mayGrow === isGrowing) return;
    isGrowing = mayGrow;
    setFlagsFromString(`--semi-space-growth-factor=${mayGrow ? 2 : 1}`);
    if (mayGrow) observer.observe({ entryTypes: ['gc'] });
    else observer.disconnect();
  }

  check();
  const timer = setInterval(check, LOOK_MS).unref();
  return () => {
    clearInterval(timer);
    observer.disconnect();
  };
}

function youngBytes(): number {
  return getHeapSpaceStatistics().find(({ space_name: name }) => name === 'new_space')?.space_size ?? 0;
}
