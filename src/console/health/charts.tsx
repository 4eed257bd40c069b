import { useMemo } from 'preact/hooks';
import { Chart } from './chart.tsx';
import { creditsLeft, type Reading, type Sample, sumOf } from './metrics-text.ts';
import { creditsAhead, quantiles, rates, weekly } from './series.ts';
import type { Report } from './week.ts';

/** The last minutes: what was asked, and how fast it was answered. */
export function LiveCharts({ readings }: { readonly readings: readonly Reading[] }) {
  const sum = (name: string) => (samples: readonly Sample[]) => sumOf(samples, `ismalicious_sidecar_${name}_total`) ?? 0;
  const events = (samples: readonly Sample[]) => sum('events')(samples) + sum('gateway_documents')(samples);
  return (
    <div class="charts">
      <Chart title="Events" series={rates(readings, events)} unit="a second" time="clock" />
      <Chart title="Values looked up" series={rates(readings, sum('lookups'))} unit="a second" time="clock" />
      <Chart title="Calls" series={rates(readings, sum('requests'))} unit="a second" time="clock" />
      <Chart title="95 % of calls within" series={quantiles(readings, 0.95)} unit="ms" time="clock" />
    </div>
  );
}

/** How the credits of each source that has a limit will go. */
export function SpendingCharts({ report, samples }: { readonly report: Report; readonly samples: readonly Sample[] }) {
  // From when the figures of the week were read, so that a forecast does not move with every reading.
  const nowMs = useMemo(() => Date.now(), [report]);
  const charts = report.sources.flatMap((source) => {
    const series = creditsAhead(source, creditsLeft(samples, source.source), nowMs);
    return series === null ? [] : [{ source: source.source, series }];
  });
  if (charts.length === 0) return null;
  return (
    <div class="charts">
      {charts.map(({ source, series }) => (
        <Chart
          key={source}
          title={`Credits of ${source}, reckoned at the pace of this week`}
          series={series}
          unit="left now"
          time="date"
          isForecast
        />
      ))}
    </div>
  );
}

/** The figures of eight weeks; a week in which nothing was measured is a gap. */
export function WeekCharts({ report }: { readonly report: Report }) {
  // Never rounded up to what was not reached.
  const answered = weekly(report, ({ success_rate: share }) => (share === null ? null : Math.floor(share * 1000) / 10));
  return (
    <div class="charts">
      <Chart title="Answered, by week" series={answered} unit="%" time="date" most={100} />
      <Chart title="95 % within, by week" series={weekly(report, (week) => week.latency_p95_ms)} unit="ms" time="date" />
      <Chart title="Credits, by week" series={weekly(report, ({ credits }) => credits)} unit="credits" time="date" />
    </div>
  );
}
