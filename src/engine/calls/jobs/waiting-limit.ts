/** Figures of a `WaitingLimit`. */
export interface WaitingStats {
  readonly waiting: number;
  readonly most: number;
  /** Look-ups refused since the start because there was no room. */
  readonly refused: number;
}

/** How many look-ups may wait at once, for all providers and callers of a process together: each of them takes heap until it is answered. */
export interface WaitingLimit {
  /**
   * Lets so many look-ups in, or none of them: a caller who got half would hold all while it waits. Who finds nobody waiting is let in with
   * any number, so that a file of any size can be looked up by a program that reads it alone.
   */
  enter(lookups: number): boolean;
  /** One look-up is over. */
  leave(): void;
  stats(): WaitingStats;
}

/** Room for `most` look-ups. */
export function createWaitingLimit(most: number): WaitingLimit {
  let waiting = 0;
  let refused = 0;
  return {
    enter(lookups) {
      if (waiting > 0 && waiting + lookups > most) {
        refused += lookups;
        return false;
      }
      waiting += lookups;
      return true;
    },
    leave: () => void waiting--,
    stats: () => ({ waiting, most, refused }),
  };
}
