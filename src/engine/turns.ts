/**
 * Long work is done in slices of about this many milliseconds, so that everything else is answered between them. One slice of all long
 * work runs in each round of the event loop, however many calls have some.
 */
export const SLICE_MS = 8;

const waiting: (() => void)[] = [];

/** Resolves when it is this work's turn for its next slice: first come, first served, one in each round of the event loop. */
export function nextTurn(): Promise<void> {
  return new Promise((resolve) => {
    if (waiting.push(resolve) === 1) setImmediate(takeTurn);
  });
}

function takeTurn(): void {
  const resolve = waiting.shift();
  if (waiting.length > 0) setImmediate(takeTurn);
  resolve?.();
}

/** What `each` makes of every item, in order, in slices. Ends early with what `signal` was aborted for. */
export async function mapInTurns<Item, Result>(
  items: readonly Item[],
  each: (item: Item, n: number) => Result,
  signal?: AbortSignal,
): Promise<Result[]> {
  const results: Result[] = [];
  let sinceMs = performance.now();
  for (const [n, item] of items.entries()) {
    results.push(each(item, n));
    if (n % LOOK_EVERY !== 0 || performance.now() - sinceMs < SLICE_MS) continue;
    await nextTurn();
    signal?.throwIfAborted();
    sinceMs = performance.now();
  }
  return results;
}

/** Items between two looks at the clock. */
const LOOK_EVERY = 16;
