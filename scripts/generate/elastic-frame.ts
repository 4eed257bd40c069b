/** What stands around the charts of a dashboard: a text with links to the others, controls, and the list of events that a click narrows. */
import type { Target } from '../../src/search-engine/assets/asset.ts';
import type { Control, Dashboard, Place } from './elastic-dashboard.ts';
import { SEARCH, VIEWS } from './elastic-panels.ts';

type Part = Readonly<Record<string, unknown>>;

/** A reference of a saved object to another one. */
export interface Reference {
  readonly id: string;
  readonly name: string;
  readonly type: string;
}

/** Members of a dashboard, and what they refer to. */
export interface Framed {
  readonly part: Part;
  readonly references: readonly Reference[];
}

/** Kibana 8/9: the bar of controls above the panels. */
export function controlGroup({ controls, view }: Dashboard): Framed {
  const lists = controls.map((control, order) => [idOf(control), optionsList(control, order)] as const);
  const slider = {
    type: 'timeSlider',
    order: controls.length,
    grow: true,
    width: 'large',
    explicitInput: { id: 'time', title: 'Time slider', enhancements: {} },
  };
  const ignored = { ignoreFilters: false, ignoreQuery: false, ignoreTimerange: false, ignoreValidations: false };
  return {
    part: {
      controlGroupInput: {
        controlStyle: 'oneLine',
        chainingSystem: 'HIERARCHICAL',
        panelsJSON: JSON.stringify({ ...Object.fromEntries(lists), time: slider }),
        ignoreParentSettingsJSON: JSON.stringify(ignored),
      },
    },
    references: controls.map((control) => ({
      id: VIEWS[view].id,
      name: `controlGroup_${idOf(control)}:optionsListDataView`,
      type: 'index-pattern',
    })),
  };
}

function optionsList(control: Control, order: number): Part {
  return {
    type: 'optionsListControl',
    order,
    grow: true,
    width: 'medium',
    explicitInput: { id: idOf(control), fieldName: control.field, title: control.title, selectedOptions: [], enhancements: {} },
  };
}

function idOf({ field }: Control): string {
  return field.replaceAll('.', '-');
}

/** Kibana 7.10 and OpenSearch Dashboards: the controls are a panel of their own. */
export function controlsVisualization({ controls, view }: Dashboard): Framed {
  return {
    part: {
      title: 'Narrow down',
      type: 'input_control_vis',
      aggs: [],
      params: {
        controls: controls.map((control, n) => ({
          id: idOf(control),
          fieldName: control.field,
          parent: '',
          label: control.title,
          type: 'list',
          options: { type: 'terms', multiselect: true, dynamicOptions: true, size: 5, order: 'desc' },
          indexPatternRefName: `control_${n}_index_pattern`,
        })),
        updateFiltersOnChange: true,
        useTimeFilter: true,
        pinFilters: false,
      },
    },
    references: controls.map((_, n) => ({ id: VIEWS[view].id, name: `control_${n}_index_pattern`, type: 'index-pattern' })),
  };
}

/** The text as a visualization. */
export function textVisualization(dashboard: Dashboard, others: readonly Dashboard[]): Part {
  return {
    title: dashboard.title,
    type: 'markdown',
    aggs: [],
    params: { fontSize: 12, openLinksInNewTab: false, markdown: textOf(dashboard, others) },
  };
}

/** The text as Kibana 8/9 keeps it inside a dashboard. */
export function textInside(dashboard: Dashboard, others: readonly Dashboard[]): Part {
  const { params, type } = textVisualization(dashboard, others);
  const data = { aggs: [], searchSource: { query: { query: '', language: 'kuery' }, filter: [] } };
  return {
    hidePanelTitles: true,
    enhancements: {},
    savedVis: { id: '', title: '', description: '', type, params, uiState: {}, data },
  };
}

/** Links are relative, so that they hold in every space and below every path. */
function textOf({ title, text }: Dashboard, others: readonly Dashboard[]): string {
  const links = others.map((other) => (other.title === title ? `**${nameOf(other)}**` : `[${nameOf(other)}](#/view/${other.id})`));
  return `${links.join(' · ')}\n\n${text}`;
}

function nameOf({ title }: Dashboard): string {
  return title.replace('[isMalicious] ', '');
}

/** Where the text stands. Kibana 8/9 has its controls above all panels; elsewhere they stand beside it. */
export function textPlace(target: Target): Place {
  return { x: 0, y: 0, w: target === 'elasticsearch' ? 48 : 28, h: 7 };
}

/** Where the controls stand that are a panel. */
export const CONTROLS_PLACE: Place = { x: 28, y: 0, w: 20, h: 7 };

/** Where the list of events stands: below everything. */
export function listPlace({ panels }: Dashboard): Place {
  return { x: 0, y: Math.max(...panels.map(({ at }) => at.y + at.h)), w: 48, h: 20 };
}

/** A panel that is the list of events; `name`: how it is referred to. */
export function listPanel(name: string): Framed {
  return { part: { title: SEARCH.title }, references: [{ id: SEARCH.id, name, type: 'search' }] };
}
