/** Dashboards as importable NDJSON: data views first, then what refers to them. Member order is fixed, ids are names: equal input, equal bytes. */
import type { Target } from '../../src/search-engine/assets/asset.ts';
import type { Dashboard, Place } from './elastic-dashboard.ts';
import { DASHBOARDS, SEARCH, VIEWS } from './elastic-panels.ts';
import { lensPanel } from './elastic-lens.ts';
import {
  CONTROLS_PLACE,
  controlGroup,
  controlsVisualization,
  listPanel,
  listPlace,
  textInside,
  textPlace,
  textVisualization,
  type Reference,
} from './elastic-frame.ts';
import { ndjson } from './elastic-rules.ts';
import { visualization } from './elastic-visualizations.ts';

type SavedObject = Readonly<Record<string, unknown>>;

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

/** Kibana 8/9: every chart is a Lens chart kept inside the dashboard, and so is the text. */
function lensDashboard(dashboard: Dashboard): SavedObject {
  const charts = dashboard.panels.map((panel, n) => ({
    ...placeOf(panel.at, n),
    version: '8.9.0',
    type: 'lens',
    title: panel.title,
    embeddableConfig: { attributes: lensPanel(panel), enhancements: {} },
  }));
  const count = charts.length;
  const text = {
    ...placeOf(textPlace('elasticsearch'), count),
    version: '8.9.0',
    type: 'visualization',
    embeddableConfig: textInside(dashboard, DASHBOARDS),
  };
  const references: Reference[] = dashboard.panels.map((panel, n) => ({
    id: VIEWS[panel.view].id,
    name: `${n + 1}:indexpattern-datasource-layer-layer`,
    type: 'index-pattern',
  }));
  const panels: unknown[] = [...charts, text];
  if (dashboard.hasList) {
    const name = `panel_${count + 2}`;
    const list = listPanel(`${count + 2}:${name}`);
    const rest = { version: '8.9.0', type: 'search', panelRefName: name, embeddableConfig: { enhancements: {} } };
    panels.push({ ...placeOf(listPlace(dashboard), count + 1), ...rest, ...list.part });
    references.push(...list.references);
  }
  const controls = controlGroup(dashboard);
  return savedObject('elasticsearch', 'dashboard', dashboard.id, {
    attributes: { ...dashboardAttributes(dashboard, panels), ...controls.part },
    references: [...references, ...controls.references],
  });
}

/** A chart, text or set of controls that is a saved object of its own. */
interface Classic {
  readonly title: string;
  readonly state: unknown;
  readonly at: Place;
  /** `null`: it searches nothing. */
  readonly query: string | null;
  readonly references: readonly Reference[];
}

function classicsOf(target: Target, dashboard: Dashboard): Classic[] {
  const charts = dashboard.panels.map((panel) => ({
    title: panel.title,
    state: visualization(panel),
    at: panel.at,
    query: panel.query ?? '',
    references: [{ id: VIEWS[panel.view].id, name: SOURCE_INDEX, type: 'index-pattern' }],
  }));
  const controls = controlsVisualization(dashboard);
  const text = { title: 'About', state: textVisualization(dashboard, DASHBOARDS), at: textPlace(target), query: null, references: [] };
  return [
    ...charts,
    text,
    { title: 'Narrow down', state: controls.part, at: CONTROLS_PLACE, query: null, references: controls.references },
  ];
}

/** Kibana 7.10 and OpenSearch Dashboards: a visualization an object, and a dashboard that refers to them. */
function classicDashboard(target: Target, dashboard: Dashboard): SavedObject[] {
  const classics = classicsOf(target, dashboard);
  const idOf = (n: number) => `${dashboard.id}-${n + 1}`;
  const objects = classics.map(({ title, state, query, references }, n) =>
    savedObject(target, 'visualization', idOf(n), {
      attributes: {
        title: `${dashboard.title}: ${title}`,
        visState: JSON.stringify(state),
        uiStateJSON: '{}',
        description: '',
        version: 1,
        kibanaSavedObjectMeta: searchSource(query ?? '', query !== null),
      },
      references,
    }),
  );
  const panels = classics.map(({ at, title }, n) => ({
    version: '7.10.0',
    ...placeOf(at, n),
    title,
    embeddableConfig: {},
    panelRefName: `panel_${n}`,
  }));
  const references: Reference[] = classics.map((_, n) => ({ id: idOf(n), name: `panel_${n}`, type: 'visualization' }));
  if (dashboard.hasList) {
    const name = `panel_${classics.length}`;
    const list = listPanel(name);
    const rest = { version: '7.10.0', title: SEARCH.title, embeddableConfig: {}, panelRefName: name };
    panels.push({ ...placeOf(listPlace(dashboard), classics.length), ...rest });
    references.push(...list.references);
  }
  return [...objects, savedObject(target, 'dashboard', dashboard.id, { attributes: dashboardAttributes(dashboard, panels), references })];
}

function placeOf(at: Place, n: number): { readonly gridData: Place & { readonly i: string }; readonly panelIndex: string } {
  const i = String(n + 1);
  return { gridData: { ...at, i }, panelIndex: i };
}
