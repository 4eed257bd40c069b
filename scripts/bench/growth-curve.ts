import type { Print } from './figure.ts';

/** A cost at a size. */
export interface Point {
  readonly size: number;
  readonly cost: number;
}

/** Prints each point of a curve and, of two or more, its slope: the factor for ten times the size. */
export function printCurve(print: Print, name: string, unit: string, points: readonly Point[]): void {
  for (const { size, cost } of points) {
    print({ name: `growth: ${name}, ${size.toLocaleString('en')}`, value: Number(cost.toPrecision(3)), unit });
  }
  if (points.length > 1) print({ name: `growth: ${name}, for ten times as many`, value: Number(tenfold(points).toFixed(2)), unit: '×' });
}

/** By least squares over the logarithms. */
function tenfold(points: readonly Point[]): number {
  const logs = points.map(({ size, cost }) => ({ x: Math.log10(size), y: Math.log10(cost) }));
  const mean = (of: (log: { x: number; y: number }) => number) => logs.reduce((sum, log) => sum + of(log), 0) / logs.length;
  const [meanX, meanY] = [mean(({ x }) => x), mean(({ y }) => y)];
  const rise = mean(({ x, y }) => (x - meanX) * (y - meanY)) / mean(({ x }) => (x - meanX) ** 2);
  return 10 ** rise;
}
