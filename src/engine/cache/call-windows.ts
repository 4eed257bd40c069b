/** Waits until the oldest call that keeps a window full leaves it. */
export function windowWaitMs(
  callsMs: readonly number[],
  windows: readonly { requests: number; perMs: number }[],
  calls: number,
  nowMs: number,
): number {
  let waitMs = 0;
  for (const { requests, perMs } of windows) {
    // Stryker disable next-line EqualityOperator: what leaves the window at this moment is waited for by 0 ms
    const inside = callsMs.filter((at) => at > nowMs - perMs);
    const mustLeave = inside.length + calls - requests;
    if (mustLeave > 0) waitMs = Math.max(waitMs, (inside[mustLeave - 1] ?? nowMs) + perMs - nowMs);
  }
  return waitMs;
}

/** When the last of so many further calls goes out, each as soon as the windows let it: milliseconds from now. `callsMs`: those before, the oldest first. */
export function lastCallInMs(
  callsMs: readonly number[],
  windows: readonly { requests: number; perMs: number }[],
  calls: number,
  nowMs: number,
): number {
  // Stryker disable next-line EqualityOperator: no call waits for none
  if (calls <= 0) return 0;
  let longest = 0;
  for (const { requests, perMs } of windows) {
    // Stryker disable next-line EqualityOperator: as above
    const inside = callsMs.filter((at) => at > nowMs - perMs).map((at) => Math.min(at, nowMs));
    // Each call waits for the one `requests` places before it; going back by so many places ends at a call that was made, or at a free place.
    const rounds = Math.floor((calls - 1) / requests) + 1;
    const at = inside.length + calls - 1 - rounds * requests;
    const waitMs = at < 0 ? (rounds - 1) * perMs : (inside[at] ?? nowMs) + rounds * perMs - nowMs;
    longest = Math.max(longest, waitMs);
  }
  return longest;
}
