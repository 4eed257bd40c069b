import { useEffect, useRef } from 'preact/hooks';
import { chartText, figureText, type TimeForm } from './chart-text.ts';
import { openPlot, type Plot } from './plot.ts';
import type { Series } from './series.ts';

interface ChartProps {
  readonly title: string;
  readonly series: Series;
  readonly unit: string;
  readonly time: TimeForm;
  /** Where the axis ends; without it at the largest figure. */
  readonly most?: number;
  /** Reckoned and not measured: the figure named is the first one, not the last. */
  readonly isForecast?: boolean;
}

/** How a figure goes with time: the figure now, and a line with axes. To those who do not see it, its figures as a text. */
export function Chart({ title, series, unit, time, most, isForecast }: ChartProps) {
  const place = useRef<HTMLDivElement>(null);
  const plot = useRef<Plot | null>(null);
  useEffect(() => {
    if (place.current === null) return;
    const opened = openPlot(place.current, { time, most, isForecast, write: figureText });
    plot.current = opened;
    return () => opened.close();
  }, []);
  useEffect(() => plot.current?.show(series), [series]);
  const named = (isForecast === true ? series.values[0] : series.values.at(-1)) ?? null;
  // Axes without a figure would look like one of zero.
  const isEmpty = series.values.every((value) => value === null);
  return (
    <figure class="chart">
      <figcaption>{title}</figcaption>
      <strong>{named === null ? '–' : `${figureText(named)} ${unit}`}</strong>
      {isEmpty && <p class="note">Nothing measured yet.</p>}
      <div class="plot" ref={place} hidden={isEmpty} role="img" aria-label={chartText(title, unit, series, time)} />
    </figure>
  );
}
