/** Waits until the oldest call that keeps a window full leaves it. */
export function windowWaitMs(
  callsMs: readonly number[],
  windows: readonly { requests: number; perMs: number }[],
  calls: number,
  nowMs: number,
): number {
  let waitMs = 0;
  for (const { requests, perMs } of windows) {
    const inside = callsMs.filter((at) => at > nowMs - perMs);
    const mustLeave = inside.length + calls - requests;
    if (mustLeave > 0) waitMs = Math.max(waitMs, (inside[mustLeave - 1] ?? nowMs) + perMs - nowMs);
  }
  return waitMs;
}
