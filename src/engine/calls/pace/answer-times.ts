/** Calls that may be in flight at once are spread over the time an answer takes, but over no more than this. */
const LONGEST_SPREAD_MS = 20;
const SHORTEST_SPREAD_MS = 1;
/** While nothing is known of the limit they are spread over all of that time, so that two calls close together are not taken for a faster pace. */
const LONGEST_FIRST_SPREAD_MS = 1000;
/** How much one answer's time counts in the average. */
const SMOOTHING = 0.1;

/** Over how long calls are spread, by the time that answers take; milliseconds. */
export function createAnswerTimes() {
  let spreadMs = LONGEST_SPREAD_MS;
  let firstSpreadMs = 0;
  return {
    get spreadMs() {
      return spreadMs;
    },
    get firstSpreadMs() {
      return firstSpreadMs;
    },
    answered(latencyMs: number): void {
      const bounded = Math.min(LONGEST_SPREAD_MS, Math.max(SHORTEST_SPREAD_MS, latencyMs));
      spreadMs += (bounded - spreadMs) * SMOOTHING;
      firstSpreadMs += (Math.min(LONGEST_FIRST_SPREAD_MS, latencyMs) - firstSpreadMs) * (firstSpreadMs === 0 ? 1 : SMOOTHING);
    },
  };
}
