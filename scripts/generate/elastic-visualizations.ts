/** Panels as aggregation based visualizations (`visState`), which Kibana 7.10 and OpenSearch Dashboards know. */
import type { Panel } from './elastic-dashboard.ts';

type Part = Readonly<Record<string, unknown>>;

/** The `visState` of a panel. */
export function visualization(panel: Panel): Part {
  const type = { metric: 'metric', donut: 'pie', timeline: 'histogram', table: 'table' }[panel.kind];
  return { title: panel.title, type, params: paramsOf(panel), aggs: aggsOf(panel) };
}

function aggsOf({ kind, by, max, value, isWeekly = false, size = 10 }: Panel): Part[] {
  const first =
    value === undefined ? agg('count', 'metric', {}) : agg(value.op, 'metric', { field: value.field, customLabel: value.label });
  const aggs: Part[] = [first];
  if (max !== undefined) aggs.push(agg('max', 'metric', { field: max }));
  if (kind === 'timeline') {
    aggs.push(
      agg('date_histogram', 'segment', {
        field: '@timestamp',
        useNormalizedEsInterval: true,
        interval: isWeekly ? 'w' : 'auto',
        drop_partials: false,
        min_doc_count: 1,
        extended_bounds: {},
      }),
    );
  }
  const schema = { metric: 'metric', donut: 'segment', timeline: 'group', table: 'bucket' }[kind];
  for (const field of by) {
    aggs.push(
      agg('terms', schema, {
        field,
        orderBy: '1',
        order: 'desc',
        size,
        otherBucket: false,
        otherBucketLabel: 'Other',
        missingBucket: false,
        missingBucketLabel: 'Missing',
      }),
    );
  }
  return aggs.map((one, n) => ({ id: String(n + 1), ...one }));
}

function agg(type: string, schema: string, params: Part): Part {
  return { enabled: true, type, schema, params };
}

function paramsOf({ kind, value, size = 10 }: Panel): Part {
  switch (kind) {
    case 'metric':
      return {
        addTooltip: true,
        addLegend: false,
        type: 'metric',
        metric: {
          percentageMode: false,
          useRanges: false,
          colorSchema: 'Green to Red',
          metricColorMode: 'None',
          colorsRange: [{ from: 0, to: 10_000 }],
          labels: { show: false },
          invertColors: false,
          style: { bgFill: '#000', bgColor: false, labelColor: false, subText: '', fontSize: 48 },
        },
      };
    case 'donut':
      return {
        type: 'pie',
        addTooltip: true,
        addLegend: true,
        legendPosition: 'right',
        isDonut: true,
        labels: { show: false, values: true, last_level: true, truncate: 100 },
      };
    case 'table':
      return {
        perPage: Math.min(size, 20),
        showPartialRows: false,
        showMetricsAtAllLevels: false,
        sort: { columnIndex: null, direction: null },
        showTotal: false,
        totalFunc: 'sum',
        percentageCol: '',
      };
    default:
      return timelineParams(value?.label ?? 'Count');
  }
}

function timelineParams(title: string): Part {
  const labels = { show: true, filter: true, truncate: 100 };
  const valueAxis = {
    id: 'ValueAxis-1',
    name: 'LeftAxis-1',
    type: 'value',
    position: 'left',
    show: true,
    style: {},
    scale: { type: 'linear', mode: 'normal' },
    labels: { ...labels, rotate: 0, filter: false },
    title: { text: title },
  };
  const series = {
    show: true,
    type: 'histogram',
    mode: 'stacked',
    data: { label: title, id: '1' },
    valueAxis: 'ValueAxis-1',
    drawLinesBetweenPoints: true,
    lineWidth: 2,
    showCircles: true,
  };
  return {
    type: 'histogram',
    grid: { categoryLines: false },
    categoryAxes: [
      { id: 'CategoryAxis-1', type: 'category', position: 'bottom', show: true, style: {}, scale: { type: 'linear' }, labels, title: {} },
    ],
    valueAxes: [valueAxis],
    seriesParams: [series],
    addTooltip: true,
    addLegend: true,
    legendPosition: 'right',
    times: [],
    addTimeMarker: false,
    labels: { show: false },
    thresholdLine: { show: false, value: 10, width: 1, style: 'full', color: '#E7664C' },
  };
}
