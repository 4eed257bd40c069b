import type { Series } from './series.ts';

/** What stands at the time axis of a chart: the time of day, or the date; both UTC. */
export type TimeForm = 'clock' | 'date';

/** As many figures are named one by one. */
const FEW = 12;

/** "08:05:10" or "2026-11-30". */
export function timeText(seconds: number, form: TimeForm): string {
  const text = new Date(seconds * 1000).toISOString();
  return form === 'clock' ? text.slice(11, 19) : text.slice(0, 10);
}

/** "0.25", "12.5", "1,204": what matters of a figure. */
export function figureText(value: number): string {
  return value >= 100 ? Math.round(value).toLocaleString('en-US') : value.toLocaleString('en-US', { maximumFractionDigits: 2 });
}

/** The figures of a chart for those who do not see it: each one where they are few, else the ends, the least and the most. */
export function chartText(title: string, unit: string, { times, values }: Series, form: TimeForm): string {
  const head = `${title} (${unit})`;
  const at = (n: number) => timeText(times[n] ?? 0, form);
  const measured = [...values.entries()].flatMap(([n, value]) => (value === null ? [] : [{ n, value }]));
  const [first, last] = [measured[0], measured.at(-1)];
  if (first === undefined || last === undefined) return `${head}: nothing was measured.`;
  if (values.length <= FEW)
    return `${head}: ${values.map((value, n) => `${at(n)} ${value === null ? 'not measured' : figureText(value)}`).join('; ')}.`;
  const figures = measured.map(({ value }) => value);
  const missing = values.length - measured.length;
  return `${head}: ${figureText(first.value)} at ${at(first.n)}, ${figureText(last.value)} at ${at(last.n)} (UTC); least ${figureText(
    Math.min(...figures),
  )}, most ${figureText(Math.max(...figures))}${missing === 0 ? '' : `; ${missing} of ${values.length} not measured`}.`;
}
