/** Panels as Lens charts (Kibana 8 and 9), to be kept inside a dashboard. */
import type { Panel } from './elastic-dashboard.ts';
import { VIEWS } from './elastic-panels.ts';

type Part = Readonly<Record<string, unknown>>;

const LAYER = 'layer';
const COUNT = 'count';
const TIME = 'time';
const MAX = 'max';

/** The attributes of a Lens chart. */
export function lensPanel(panel: Panel): Part {
  const columns = columnsOf(panel);
  const view = VIEWS[panel.view].id;
  return {
    title: '',
    type: 'lens',
    visualizationType: { metric: 'lnsMetric', donut: 'lnsPie', timeline: 'lnsXY', table: 'lnsDatatable' }[panel.kind],
    state: {
      adHocDataViews: {},
      datasourceStates: {
        formBased: { layers: { [LAYER]: { columnOrder: Object.keys(columns), columns, incompleteColumns: {}, sampling: 1 } } },
        textBased: { layers: {} },
      },
      filters: [],
      internalReferences: [],
      query: { language: 'kuery', query: panel.query ?? '' },
      visualization: visualizationOf(panel),
    },
    references: [{ id: view, name: `indexpattern-datasource-layer-${LAYER}`, type: 'index-pattern' }],
  };
}

const NUMBER = { customLabel: true, dataType: 'number', isBucketed: false, scale: 'ratio' };

/** Buckets first: Lens reads the column order as the order of splitting. */
function columnsOf({ kind, by, max, value, isWeekly = false, size = 10 }: Panel): Record<string, Part> {
  const columns: Record<string, Part> = {};
  for (const [n, field] of by.entries()) columns[`by${n}`] = terms(field, size);
  if (kind === 'timeline') columns[TIME] = timeColumn(isWeekly);
  columns[COUNT] =
    value === undefined
      ? { ...NUMBER, label: 'Count', operationType: 'count', params: { emptyAsNull: false }, sourceField: '___records___' }
      : { ...NUMBER, label: value.label, operationType: value.op, params: { emptyAsNull: true }, sourceField: value.field };
  if (max !== undefined)
    columns[MAX] = { ...NUMBER, label: 'Highest score', operationType: 'max', params: { emptyAsNull: true }, sourceField: max };
  return columns;
}

function terms(field: string, size: number): Part {
  return {
    customLabel: true,
    dataType: field.endsWith('.ip') ? 'ip' : 'string',
    isBucketed: true,
    label: field,
    operationType: 'terms',
    params: {
      exclude: [],
      excludeIsRegex: false,
      include: [],
      includeIsRegex: false,
      missingBucket: false,
      orderBy: { columnId: COUNT, type: 'column' },
      orderDirection: 'desc',
      otherBucket: false,
      parentFormat: { id: 'terms' },
      secondaryFields: [],
      size,
    },
    scale: 'ordinal',
    sourceField: field,
  };
}

function timeColumn(isWeekly: boolean): Part {
  return {
    dataType: 'date',
    isBucketed: true,
    label: '@timestamp',
    operationType: 'date_histogram',
    params: { dropPartials: false, includeEmptyRows: true, interval: isWeekly ? '1w' : 'auto' },
    scale: 'interval',
    sourceField: '@timestamp',
  };
}

function visualizationOf({ kind, by, max }: Panel): Part {
  const layer = { layerId: LAYER, layerType: 'data' };
  switch (kind) {
    case 'metric':
      return { ...layer, metricAccessor: COUNT, showBar: false };
    case 'donut':
      return {
        shape: 'donut',
        palette: { name: 'default', type: 'palette' },
        layers: [
          {
            ...layer,
            primaryGroups: ['by0'],
            metrics: [COUNT],
            allowMultipleMetrics: false,
            categoryDisplay: 'default',
            legendDisplay: 'default',
            nestedLegend: false,
            numberDisplay: 'percent',
          },
        ],
      };
    case 'timeline':
      return {
        axisTitlesVisibilitySettings: { x: false, yLeft: false, yRight: false },
        fittingFunction: 'None',
        legend: { isVisible: true, position: 'right' },
        preferredSeriesType: 'bar_stacked',
        valueLabels: 'hide',
        layers: [
          {
            ...layer,
            seriesType: 'bar_stacked',
            xAccessor: TIME,
            accessors: [COUNT],
            splitAccessor: 'by0',
            position: 'top',
            showGridlines: false,
            palette: { name: 'default', type: 'palette' },
          },
        ],
      };
    default:
      return {
        ...layer,
        columns: [
          // A click on a value narrows the dashboard to it.
          ...by.map((_, n) => ({ columnId: `by${n}`, isTransposed: false, oneClickFilter: true })),
          { columnId: COUNT, alignment: 'right' },
          ...(max === undefined ? [] : [{ columnId: MAX, alignment: 'right' }]),
        ],
        paging: { enabled: true, size: 10 },
        sorting: { columnId: max === undefined ? COUNT : MAX, direction: 'desc' },
      };
  }
}
