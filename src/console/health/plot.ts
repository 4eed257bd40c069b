import uPlot from 'uplot';
import { timeText, type TimeForm } from './chart-text.ts';
import type { Series } from './series.ts';

/** How a chart is drawn. */
export interface PlotLook {
  readonly time: TimeForm;
  /** Writes a figure at the axis. */
  readonly write: (value: number) => string;
  /** Where the axis ends; without it at the largest figure. It begins at zero. */
  readonly most?: number | undefined;
  /** Drawn with dashes: reckoned and not measured. */
  readonly isForecast?: boolean | undefined;
}

/** A chart on the page. */
export interface Plot {
  show(series: Series): void;
  close(): void;
}

const HEIGHT_PX = 150;
const FONT = '12px system-ui, sans-serif';
const CHARACTER_PX = 7;
/** Room of a date below the axis. */
const DATE_PX = 52;
/** Steps between times of day, in seconds: never less than what is written of them. */
const CLOCK_STEPS_S = [1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 10_800, 21_600, 43_200, 86_400];
/** Up to here each figure has a dot of its own. */
const FEW = 12;

/** Draws a chart into a place, as wide as that is, in the colours that the page has now and then. */
export function openPlot(place: HTMLElement, look: PlotLook): Plot {
  const chart = new uPlot(optionsOf(place, look), [[], []], place);
  const sizes = new ResizeObserver(() => {
    // A hidden tab has no width.
    if (place.clientWidth > 0) chart.setSize({ width: place.clientWidth, height: HEIGHT_PX });
  });
  sizes.observe(place);
  const recolour = () => chart.redraw(false, true);
  const dark = matchMedia('(prefers-color-scheme: dark)');
  dark.addEventListener('change', recolour);
  const theme = new MutationObserver(recolour);
  theme.observe(document.documentElement, { attributes: true, attributeFilter: ['data-theme'] });
  return {
    show: ({ times, values }) => chart.setData([[...times], [...values]]),
    close() {
      sizes.disconnect();
      theme.disconnect();
      dark.removeEventListener('change', recolour);
      chart.destroy();
    },
  };
}

function optionsOf(place: HTMLElement, { time, write, most, isForecast }: PlotLook): uPlot.Options {
  const colour = (name: string) => () => getComputedStyle(place).getPropertyValue(name).trim();
  const axis: uPlot.Axis = {
    stroke: colour('--dim'),
    font: FONT,
    grid: { stroke: colour('--line'), width: 1 },
    ticks: { stroke: colour('--line'), width: 1, size: 4 },
  };
  const times: uPlot.Axis = { ...axis, size: 28, space: 72, values: (_, splits) => splits.map((at) => axisTime(at, time)) };
  const figures: uPlot.Axis = {
    ...axis,
    space: 32,
    size: (_, written) => 12 + CHARACTER_PX * Math.max(1, ...(written ?? []).map((text) => text.length)),
    values: (_, splits) => splits.map(write),
  };
  return {
    width: Math.max(1, place.clientWidth),
    height: HEIGHT_PX,
    padding: [10, 20, 0, 0],
    legend: { show: false },
    cursor: { show: false },
    scales: { y: { range: (_, __, largest) => [0, most ?? (largest > 0 ? largest * 1.05 : 1)] } },
    // Dates stand at figures: the last one, and those before it that there is room for.
    axes: [time === 'date' ? { ...times, splits: datesWithRoom } : { ...times, incrs: CLOCK_STEPS_S }, figures],
    series: [
      {},
      {
        stroke: colour('--accent'),
        width: 2,
        ...(isForecast === true ? { dash: [6, 4] } : {}),
        points: { show: false, size: 6, fill: colour('--accent'), filter: dotted },
      },
    ],
  };
}

/** A date without its year. */
function axisTime(seconds: number, time: TimeForm): string {
  const text = timeText(seconds, time);
  return time === 'date' ? text.slice(5) : text;
}

function datesWithRoom({ data: [times], width }: uPlot): number[] {
  const pxASecond = (width - DATE_PX) / ((times.at(-1) ?? 0) - (times[0] ?? 0));
  const kept: number[] = [];
  for (const at of [...times].toReversed()) {
    const [next] = kept;
    if (next === undefined || (next - at) * pxASecond >= DATE_PX) kept.unshift(at);
  }
  return kept;
}

/** The figures with a dot: all where they are few, else those between two gaps, which no line would show. */
function dotted({ data }: uPlot, at: number): number[] {
  const values = data[at] ?? [];
  const isThere = (n: number) => typeof values[n] === 'number';
  return [...values.keys()].filter((n) => isThere(n) && (values.length <= FEW || !(isThere(n - 1) || isThere(n + 1))));
}
