// src/convert/: texts that users come with (searches, filters, scripts made for other tools) in, ours out, with what changes. Pure.

/** One place that was rewritten. */
export interface Change {
  /** Line in the text that was given, from 1. */
  readonly line: number;
  readonly was: string;
  readonly is: string;
  /** What it means now that it did not mean before. */
  readonly meaning: readonly string[];
}

/** One place that stays as it was, and why. */
export interface Unconverted {
  readonly line: number;
  readonly text: string;
  readonly reason: string;
}

/** A text rewritten; what is not named in it is as it was, byte for byte. */
export interface Converted {
  readonly text: string;
  readonly changes: readonly Change[];
  readonly unconverted: readonly Unconverted[];
}

/** Says on which line (from 1) a place of a text is; the text is gone through once. */
export function lineFinder(text: string): (offset: number) => number {
  const starts = [0];
  for (let at = text.indexOf('\n'); at !== -1; at = text.indexOf('\n', at + 1)) starts.push(at + 1);
  return (offset) => {
    let low = 0;
    let high = starts.length;
    while (high - low > 1) {
      const middle = (low + high) >> 1;
      if ((starts[middle] ?? 0) <= offset) low = middle;
      else high = middle;
    }
    return low + 1;
  };
}
