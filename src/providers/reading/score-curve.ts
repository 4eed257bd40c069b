/** Points of a map from a count to a score: straight lines between them, from (0, 0), flat after the last. */
export type Curve = readonly (readonly [count: number, score: number])[];

/** `1:20,3:50,5:70` as points; `null` unless counts rise, scores never fall and stay within 0 to 100. */
export function parseCurve(text: string): Curve | null {
  const points: [number, number][] = [];
  let [lastCount, lastScore] = [0, 0];
  for (const pair of text.split(',')) {
    const parts = /^\s*(\d+(?:\.\d+)?)\s*:\s*(\d+(?:\.\d+)?)\s*$/.exec(pair);
    const [count, score] = [Number(parts?.[1]), Number(parts?.[2])];
    if (!(count > lastCount && score >= lastScore && score <= 100)) return null;
    points.push([count, score]);
    [lastCount, lastScore] = [count, score];
  }
  return points;
}

/** The score of a count: the first reports say most, the hundredth says little. `curve`: as in `parseCurve`; the settings have checked it. */
export function scoreOfCount(count: number, curve: string): number {
  let [fromCount, fromScore] = [0, 0];
  for (const [toCount, toScore] of parseCurve(curve) ?? []) {
    if (count <= toCount) return Math.round(fromScore + ((toScore - fromScore) * (count - fromCount)) / (toCount - fromCount));
    [fromCount, fromScore] = [toCount, toScore];
  }
  return fromScore;
}
