const WIDTH = 240;
const HEIGHT = 48;

interface ChartProps {
  readonly title: string;
  /** Oldest first; `null`: nothing to say. */
  readonly values: readonly (number | null)[];
  readonly unit: string;
}

/** How a figure went in the last minutes: the figure now, and a line. */
export function Chart({ title, values, unit }: ChartProps) {
  const last = values.findLast((value) => value !== null) ?? null;
  const most = Math.max(1e-9, ...values.map((value) => value ?? 0));
  const step = WIDTH / Math.max(1, values.length - 1);
  const points = values.map((value, n) => `${(n * step).toFixed(1)},${(HEIGHT - 2 - ((value ?? 0) / most) * (HEIGHT - 6)).toFixed(1)}`);
  return (
    <figure class="chart">
      <figcaption>{title}</figcaption>
      <strong>{last === null ? '–' : `${rounded(last)} ${unit}`}</strong>
      <svg viewBox={`0 0 ${WIDTH} ${HEIGHT}`} role="img" aria-label={`${title}, last five minutes, at most ${rounded(most)} ${unit}`}>
        {points.length > 1 && <polyline points={points.join(' ')} />}
      </svg>
    </figure>
  );
}

function rounded(value: number): string {
  return value >= 100 ? Math.round(value).toLocaleString('en-US') : value.toLocaleString('en-US', { maximumFractionDigits: 2 });
}
