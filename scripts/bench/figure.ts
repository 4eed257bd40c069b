/** One line of a benchmark. */
export interface Figure {
  readonly name: string;
  readonly value: number;
  readonly unit: string;
  /** What it was measured beside, in the same run. */
  readonly peer?: string;
  /** `value` of ours over the peer's. */
  readonly ratio?: number;
}

/** Takes the figures as they come. */
export type Print = (figure: Figure) => void;
