import type { Figure } from '../bench/figure.ts';

/** A figure with the benchmark it comes from. */
export type BenchFigure = Figure & { readonly bench: string };

/** One figure over all rounds: the pairs that were measured one right after the other. */
export interface Series {
  readonly name: string;
  readonly unit: string;
  readonly pairs: readonly { readonly ours: number; readonly theirs: number }[];
}

/** `loss`: slower by more than is allowed, at 90 % confidence; `noisy`: the rounds differ too much to say. */
export type Outcome = 'loss' | 'gain' | 'same' | 'noisy';

/** What the rounds say of one figure. */
export interface Comparison {
  readonly name: string;
  readonly unit: string;
  readonly ours: number;
  readonly theirs: number;
  /** How much worse ours is, as a share of theirs; below 0: better. The middle of the 90 % interval, and its ends. */
  readonly loss: number;
  readonly low: number;
  readonly high: number;
  readonly outcome: Outcome;
}

/** A loss beyond this fails, once it is certain. */
export const ALLOWED_LOSS = 0.08;
/** Standard deviation over mean of the ratios; beyond it nothing is said (the rule of Vector's regression detector). */
const MAX_VARIATION = 0.3;
/** Two-sided 90 % quantiles of Student's t, by degrees of freedom from 1 on; the last one for all beyond. */
const T_90 = [6.314, 2.92, 2.353, 2.132, 2.015, 1.943, 1.895, 1.86, 1.833, 1.812, 1.796, 1.782, 1.771, 1.761, 1.753, 1.645];

/** Puts the figures of all rounds together by name. Figures that only one side has are left out. */
export function toSeries(rounds: readonly { readonly ours: readonly BenchFigure[]; readonly theirs: readonly BenchFigure[] }[]): Series[] {
  const all = new Map<string, { unit: string; pairs: { ours: number; theirs: number }[] }>();
  for (const { ours, theirs } of rounds) {
    const theirsByName = new Map(theirs.map((figure) => [nameOf(figure), figure.value]));
    for (const figure of ours) {
      const name = nameOf(figure);
      const other = theirsByName.get(name);
      if (other === undefined || !(other > 0) || !(figure.value > 0)) continue;
      const known = all.get(name) ?? { unit: figure.unit, pairs: [] };
      known.pairs.push({ ours: figure.value, theirs: other });
      all.set(name, known);
    }
  }
  return [...all].map(([name, { unit, pairs }]) => ({ name, unit, pairs }));
}

/** Judges one figure by its pairs: the ratio of each pair, their mean, and its 90 % confidence interval. */
export function compare({ name, unit, pairs }: Series): Comparison {
  const losses = pairs.map(({ ours, theirs }) => (isRate(unit) ? theirs / ours : ours / theirs) - 1);
  const mean = average(losses);
  const deviation = Math.sqrt(losses.reduce((sum, loss) => sum + (loss - mean) ** 2, 0) / Math.max(1, losses.length - 1));
  const t = T_90[Math.min(losses.length - 1, T_90.length) - 1] ?? Infinity;
  const half = (t * deviation) / Math.sqrt(losses.length);
  const found = { loss: mean, low: mean - half, high: mean + half };
  const told = { name, unit, ours: average(pairs.map(({ ours }) => ours)), theirs: average(pairs.map(({ theirs }) => theirs)) };
  return { ...told, ...found, outcome: outcomeOf(found, deviation / (1 + mean)) };
}

function outcomeOf({ low, high }: { low: number; high: number }, variation: number): Outcome {
  if (variation > MAX_VARIATION) return 'noisy';
  if (low > ALLOWED_LOSS) return 'loss';
  return high < 0 ? 'gain' : 'same';
}

/** More of it is better. All other units are costs. */
function isRate(unit: string): boolean {
  return unit.endsWith('/s') || unit.includes(' per ');
}

function nameOf({ bench, name }: BenchFigure): string {
  return `${bench}: ${name}`;
}

function average(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}
