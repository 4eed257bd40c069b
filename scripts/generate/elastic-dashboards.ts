/** Dashboards as importable NDJSON: data views first, then what refers to them. Member order is fixed, ids are names: equal input, equal bytes. */
import type { Target } from '../../src/search-engine/assets/asset.ts';
import { DASHBOARDS, SEARCH, VIEWS, type Dashboard, type Panel } from './elastic-panels.ts';
import { lensPanel } from './elastic-lens.ts';
import { ndjson } from './elastic-rules.ts';
import { visualization } from './elastic-visualizations.ts';

type SavedObject = Readonly<Record<string, unknown>>;

interface Reference {
  readonly id: string;
  readonly name: string;
  readonly type: string;
}

/** Saved objects of an older version are brought up to date by the import; newer ones are refused. These are the oldest that know all we use. */
const VERSIONS = {
  elasticsearch: { coreMigrationVersion: '8.8.0', 'index-pattern': '8.0.0', search: '8.0.0', dashboard: '8.9.0' },
  older: { 'index-pattern': '7.6.0', search: '7.9.3', visualization: '7.10.0', dashboard: '7.9.3' },
} as const;

/** Files of one target, by path below it. */
export function dashboardFiles(target: Target): Map<string, string> {
  const folder = target === 'opensearch' ? 'dashboards' : 'kibana';
  return new Map([[`${folder}/dashboards.ndjson`, ndjson(savedObjects(target))]]);
}

/** Data views, the event list and the dashboards of one target. */
export function savedObjects(target: Target): SavedObject[] {
  const views = Object.values(VIEWS).map((view) =>
    savedObject(target, 'index-pattern', view.id, { attributes: { title: view.title, timeFieldName: '@timestamp' }, references: [] }),
  );
  const dashboards =
    target === 'elasticsearch' ? DASHBOARDS.map(lensDashboard) : DASHBOARDS.flatMap((dashboard) => classicDashboard(target, dashboard));
  return [...views, eventList(target), ...dashboards];
}

function savedObject(
  target: Target,
  type: string,
  id: string,
  body: { attributes: unknown; references: readonly Reference[] },
): SavedObject {
  if (target !== 'elasticsearch')
    return { id, type, migrationVersion: { [type]: (VERSIONS.older as Record<string, string>)[type] }, ...body };
  const { coreMigrationVersion, ...types } = VERSIONS.elasticsearch;
  return { id, type, coreMigrationVersion, typeMigrationVersion: (types as Record<string, string>)[type], managed: false, ...body };
}

const SOURCE_INDEX = 'kibanaSavedObjectMeta.searchSourceJSON.index';

function searchSource(query: string, hasIndex: boolean): { searchSourceJSON: string } {
  return {
    searchSourceJSON: JSON.stringify({ query: { query, language: 'kuery' }, filter: [], ...(hasIndex && { indexRefName: SOURCE_INDEX }) }),
  };
}

function eventList(target: Target): SavedObject {
  return savedObject(target, 'search', SEARCH.id, {
    attributes: {
      title: SEARCH.title,
      description: '',
      columns: SEARCH.columns,
      sort: [['@timestamp', 'desc']],
      kibanaSavedObjectMeta: searchSource(SEARCH.query, true),
    },
    references: [{ id: VIEWS.events.id, name: SOURCE_INDEX, type: 'index-pattern' }],
  });
}

function dashboardAttributes(dashboard: Dashboard, panels: readonly unknown[]): Record<string, unknown> {
  return {
    title: dashboard.title,
    description: dashboard.description,
    hits: 0,
    panelsJSON: JSON.stringify(panels),
    optionsJSON: JSON.stringify({ useMargins: true, hidePanelTitles: false }),
    version: 1,
    timeRestore: true,
    timeFrom: dashboard.from,
    timeTo: 'now',
    refreshInterval: { pause: true, value: 60_000 },
    kibanaSavedObjectMeta: searchSource('', false),
  };
}

/** Kibana 8/9: every panel is a Lens chart kept inside the dashboard. */
function lensDashboard(dashboard: Dashboard): SavedObject {
  const panels = dashboard.panels.map((panel, n) => ({
    ...placeOf(panel, n),
    version: '8.9.0',
    type: 'lens',
    title: panel.title,
    embeddableConfig: { attributes: lensPanel(panel), enhancements: {} },
  }));
  const references = dashboard.panels.map((panel, n) => ({
    id: VIEWS[panel.view].id,
    name: `${n + 1}:indexpattern-datasource-layer-layer`,
    type: 'index-pattern',
  }));
  return savedObject('elasticsearch', 'dashboard', dashboard.id, { attributes: dashboardAttributes(dashboard, panels), references });
}

/** Kibana 7.10 and OpenSearch Dashboards: a visualization an object, and a dashboard that refers to them. */
function classicDashboard(target: Target, dashboard: Dashboard): SavedObject[] {
  const idOf = (n: number) => `${dashboard.id}-${n + 1}`;
  const charts = dashboard.panels.map((panel, n) =>
    savedObject(target, 'visualization', idOf(n), {
      attributes: {
        title: `${dashboard.title}: ${panel.title}`,
        visState: JSON.stringify(visualization(panel)),
        uiStateJSON: '{}',
        description: '',
        version: 1,
        kibanaSavedObjectMeta: searchSource(panel.query ?? '', true),
      },
      references: [{ id: VIEWS[panel.view].id, name: SOURCE_INDEX, type: 'index-pattern' }],
    }),
  );
  const panels = dashboard.panels.map((panel, n) => ({
    version: '7.10.0',
    ...placeOf(panel, n),
    title: panel.title,
    embeddableConfig: {},
    panelRefName: `panel_${n}`,
  }));
  const references = dashboard.panels.map((_, n) => ({ id: idOf(n), name: `panel_${n}`, type: 'visualization' }));
  return [...charts, savedObject(target, 'dashboard', dashboard.id, { attributes: dashboardAttributes(dashboard, panels), references })];
}

function placeOf({ at }: Panel, n: number): Record<string, unknown> {
  const i = String(n + 1);
  return { gridData: { ...at, i }, panelIndex: i };
}
