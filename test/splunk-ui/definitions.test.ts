import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { CHECK_FIELDS } from '../../src/hosts/splunk/commands/check-command.ts';
import { FEEDBACK_FIELDS } from '../../src/hosts/splunk/commands/feedback-command.ts';
import { REPORT_FIELDS } from '../../src/engine/feedback/report-rows.ts';
import { SENT_FIELDS, SPENT_FIELDS } from '../../src/hosts/splunk/commands/records-command.ts';
import { QUOTA_FIELDS } from '../../src/hosts/splunk/commands/quota-command.ts';
import { APP_FOLDER, confOf, DASHBOARDS, definitionOf, viewXml } from './views.ts';
import { hasPagePackages, NEEDS, pagePackage } from './page-harness.ts';

/** What a click may do: Splunk has these, and ignores any other in silence. */
const HANDLERS = ['drilldown.setToken', 'drilldown.linkToDashboard'];
const INPUTS = ['input.timerange', 'input.dropdown', 'input.text'];
const VERDICTS_FIELDS = (confOf('transforms').get('ismalicious_verdicts')?.get('fields_list') ?? '').split(/,\s*/);

/** Names of macros, lookups and event types in SPL. */
function namesIn(query: string, pattern: RegExp): string[] {
  return [...query.matchAll(pattern)].map(([, name = '']) => name);
}

describe.each(DASHBOARDS)('the dashboard %s', (name) => {
  const definition = definitionOf(name);
  const { dataSources, visualizations, inputs, layout } = definition;
  const queries = Object.values(dataSources).map(({ options }) => options.query);

  it('is version 2 of Dashboard Studio, under its own title', () => {
    const xml = viewXml(name);
    expect(xml).toMatch(/^<dashboard version="2" theme="light">\n {2}<label>/);
    expect(/<label>(.*)<\/label>/.exec(xml)?.[1]).toBe(definition.title);
  });

  it('shows only data sources that exist, and uses every one of them', () => {
    const shown = Object.values(visualizations).flatMap((panel) => Object.values(panel.dataSources));
    const extended = Object.values(dataSources).flatMap(({ options }) => options.extend ?? []);
    expect(new Set([...shown, ...extended])).toEqual(new Set(Object.keys(dataSources)));
  });

  it('places every panel once, inside the canvas and over no other', () => {
    expect(layout.structure.map(({ item }) => item).toSorted()).toEqual(Object.keys(visualizations).toSorted());
    const boxes = layout.structure.map(({ position }) => position);
    for (const [n, { x, y, w, h }] of boxes.entries()) {
      expect(x + w).toBeLessThanOrEqual(Number(layout.options['width']));
      for (const other of boxes.slice(n + 1))
        expect(x + w <= other.x || other.x + other.w <= x || y + h <= other.y || other.y + other.h <= y).toBe(true);
    }
  });

  it('reads no token that no input sets', () => {
    const set = Object.values(inputs).flatMap(({ type, options }) => {
      const token = String(options['token']);
      return type === 'input.timerange' ? [`${token}.earliest`, `${token}.latest`] : [token];
    });
    const read = namesIn(JSON.stringify({ dataSources, visualizations }), /\$([\w.]+)(?:\|\w)?\$/g);
    expect(set).toEqual(expect.arrayContaining([...new Set(read)]));
    expect([...layout.globalInputs].toSorted()).toEqual(Object.keys(inputs).toSorted());
    expect(Object.values(inputs).every(({ type }) => INPUTS.includes(type))).toBe(true);
  });

  it('puts no token into a search but quoted: a link can set every one of them', () => {
    for (const query of queries)
      for (const token of query.matchAll(/\$[^$\s]+\$/g)) expect([query, token[0]]).toEqual([query, expect.stringMatching(/^\$\w+\|s\$$/)]);
  });

  it('calls only macros, lookups and event types that the app has', () => {
    const all = queries.join('\n');
    const macros = [...all.matchAll(/`(\w+)(\([^`]*\))?`/g)].map(([, macro, args]) => (args === undefined ? macro : `${macro}(1)`));
    for (const macro of macros) expect([...confOf('macros').keys()]).toContain(macro);
    for (const lookup of namesIn(all, /\b(?:input)?lookup (?:local=true )?(\w+)/g))
      expect([...confOf('transforms').keys()]).toContain(lookup);
    for (const type of namesIn(all, /eventtype=(\w+)/g)) expect([...confOf('eventtypes').keys()]).toContain(type);
    for (const command of namesIn(all, /\| (ismalicious\w*)/g)) expect([...confOf('commands').keys()]).toContain(command);
  });

  it('reads only fields that the commands and the KV store give', () => {
    const fields: readonly string[] = [
      ...CHECK_FIELDS,
      ...QUOTA_FIELDS,
      ...REPORT_FIELDS,
      ...FEEDBACK_FIELDS,
      ...SENT_FIELDS,
      ...SPENT_FIELDS,
      ...VERDICTS_FIELDS,
    ];
    for (const field of namesIn(queries.join('\n'), /\b(im_\w+|credits_\w+|cache_\w+|spent_\w+|budget_\w+|blocked_\w+)\b/g))
      expect(fields).toContain(field);
  });

  it('shows indicators defanged, and links them to no place outside', () => {
    for (const query of queries) {
      const shown = /\| table ([^|]*)$/.exec(query)?.[1] ?? '';
      expect(shown).not.toMatch(/\bim_indicator\b|\bvalue\b/);
      if (/\bIndicator\b/.test(shown)) expect(query).toContain('Indicator=`ismalicious_defang(im_indicator)`');
    }
    expect(JSON.stringify(definition)).not.toMatch(/https?:\/\/|customUrl/);
  });

  it('clicks lead to handlers, tokens and pages that exist', () => {
    for (const { type, options } of Object.values(visualizations).flatMap((panel) => panel.eventHandlers ?? [])) {
      expect(HANDLERS).toContain(type);
      const tokens = options['tokens'] as readonly { readonly token: string }[];
      const target = type === 'drilldown.linkToDashboard' ? definitionOf(String(options['dashboard'])) : definition;
      const known = Object.values(target.inputs).map((input) => input.options['token']);
      expect(known).toEqual(expect.arrayContaining(tokens.map(({ token }) => token)));
    }
  });

  it('names columns in one word each: Splunk makes ids of them that may hold no blank', () => {
    for (const query of queries) expect(/\| table [^|]*"[^"]* [^"]*"/.test(query)).toBe(false);
  });
});

describe('the app around the pages', () => {
  it('has no page with searches but those that are walked above', () => {
    const views = readdirSync(join(APP_FOLDER, 'default/data/ui/views')).map((file) => file.replace('.xml', ''));
    expect(views.toSorted()).toEqual([...DASHBOARDS, 'setup'].toSorted());
    expect(viewXml('setup')).not.toMatch(/<(search|query)\b|\$\w/);
  });

  it('has every view of its navigation, and the setup view of app.conf', () => {
    const own = [...DASHBOARDS, 'setup'];
    for (const view of own) expect(existsSync(join(APP_FOLDER, 'default/data/ui/views', `${view}.xml`))).toBe(true);
    expect(confOf('app').get('ui')?.get('setup_view')).toBe('setup');
    expect(viewXml('setup')).toContain('<dashboard version="1.1" script="setup.js"');
    expect(viewXml('setup')).toContain('<div id="ismalicious-setup">');
  });

  it('lets Splunk Web pass on what the setup page writes', () => {
    const patterns = [...confOf('web').values()].map((stanza) => stanza.get('pattern'));
    expect(patterns).toEqual(expect.arrayContaining(['configs/conf-ismalicious', 'configs/conf-ismalicious/*']));
  });
});

describe.skipIf(!hasPagePackages)(`the dashboards and Splunk's own schema ${NEEDS}`, () => {
  it.each(DASHBOARDS)('%s has nothing that the schema refuses', (name) => {
    expect(schemaFaults(definitionOf(name))).toEqual([]);
  });

  it('refuses a wrong option, so that the check can fail', () => {
    const definition = structuredClone(definitionOf('overview')) as unknown as {
      visualizations: Record<string, { options: Record<string, unknown> }>;
    };
    (definition.visualizations['viz_top'] as { options: Record<string, unknown> }).options['showRowNumbers'] = 'perhaps';
    expect(schemaFaults(definition).length).toBeGreaterThan(0);
  });
});

/** Faults by the schemas of visualizations and data sources; layouts and inputs are judged above. */
function schemaFaults(definition: object): unknown[] {
  const { createSchemaBasedOnDicts } = pagePackage<{ createSchemaBasedOnDicts(dicts: object): object }>('@splunk/dashboard-definition');
  const { DashboardValidator } = pagePackage<{ DashboardValidator: new () => Validator }>('@splunk/dashboard-validation');
  const schemas = pagePackage<Record<string, unknown>>('@splunk/visualization-schemas');
  const named = (type: string) =>
    Object.entries(schemas).find(([key]) => key.toLowerCase() === `${type.replace('splunk.', '').toLowerCase()}optionsschema`)?.[1];
  const types = Object.values((definition as { visualizations: Record<string, { type: string }> }).visualizations).map(({ type }) => type);
  const visualizationDict = Object.fromEntries([...new Set(types)].map((type) => [type, named(type)]));
  expect(Object.entries(visualizationDict).filter(([, schema]) => schema === undefined)).toEqual([]);
  const search = pagePackage<Record<string, unknown>>('@splunk/datasources/SplunkSearchOptionsSchema');
  const searchSchema = search['default'] ?? Object.values(search)[0];
  const schema = createSchemaBasedOnDicts({ visualizationDict, dataSourceDict: { 'ds.search': searchSchema, 'ds.chain': searchSchema } });
  const validator = new DashboardValidator();
  const refused = validator.setSchema(schema);
  expect(refused instanceof Error ? refused.message : null).toBeNull();
  const { type, structure, options, globalInputs } = (definition as { layout: Record<string, unknown> }).layout;
  // The schema of 29.x wants tabs; older Splunk wants what is shipped.
  const layout = {
    globalInputs,
    tabs: { items: [{ layoutId: 'main', label: 'Main' }] },
    layoutDefinitions: { main: { type, structure, options } },
    options: {},
  };
  const found = validator.validate({ ...definition, layout });
  return found === null ? [] : [found];
}

interface Validator {
  setSchema(schema: object): unknown;
  validate(definition: object): unknown;
}
