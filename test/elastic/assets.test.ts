import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { assetsOf, staleFiles } from '../../scripts/generate/elastic-assets.ts';
import { savedObjects } from '../../scripts/generate/elastic-dashboards.ts';
import {
  ENRICHMENT_FIELDS,
  EVENT_FIELDS,
  FLAT_FIELDS,
  INDICATOR_FIELDS,
  IOC_FIELDS,
  RELATED_FIELDS,
  REPORT_DOCUMENT_FIELDS,
  prefixed,
} from '../../scripts/generate/elastic-fields.ts';
import { DASHBOARDS } from '../../scripts/generate/elastic-panels.ts';
import { detectionRules } from '../../scripts/generate/elastic-rules.ts';
import { TARGETS, readAssets } from '../../src/search-engine/assets/asset.ts';
import { toIocDocument } from '../../src/mapping/ioc-document.ts';
import type { Enrichment } from '../../src/model/enrichment.ts';
import { ecsFields } from '../support/ecs-conformance.ts';
import { ecsEvents } from '../support/ecs-events.ts';
import { createFakeEnricher } from '../support/fake-sidecar-enricher.ts';
import { hasFixtures, projectRoot, readJsonFixture } from '../support/fixtures.ts';
import { kqlToDsl } from '../support/kql.ts';
import { enrichByReference } from '../support/reference-enrichment.ts';
import type { EngineAnswer } from '../support/search-engine.ts';

const elastic = join(projectRoot, 'elastic');

describe('elastic/', () => {
  it('is what its generators write', () => {
    expect(staleFiles(elastic), 'run node scripts/generate/elastic-assets.ts').toEqual([]);
  });

  it.each(TARGETS)('%s: the manifest names every asset in an order in which it can be put', (target) => {
    const assets = readAssets(elastic, target);
    expect(assets).toEqual(JSON.parse(JSON.stringify(assetsOf(target))));
    const put = new Set<string>();
    for (const asset of assets) {
      for (const needed of needsOf(asset.body, asset.kind)) expect(put, `${asset.name} needs ${needed}`).toContain(needed);
      put.add(`${asset.kind} ${asset.name}`);
    }
  });
});

/** Names of our own things that an asset refers to and that have to be there before it. */
function needsOf(body: EngineAnswer, kind: string): string[] {
  const text = JSON.stringify(body);
  const pipelines = [...text.matchAll(/"name":"([^"]*ismalicious[^"]*)"(?!,"ignore_missing_pipeline")/g)].map(
    (match) => `ingest_pipeline ${match[1]}`,
  );
  const missing = new Set<string>(body.ignore_missing_component_templates ?? []);
  const components = ((body.composed_of ?? []) as string[])
    .filter((name) => !missing.has(name))
    .map((name) => `component_template ${name}`);
  const defaults = [...text.matchAll(/"default_pipeline":"([^"]+)"/g)].map((match) => `ingest_pipeline ${match[1]}`);
  const policies = [...text.matchAll(/"policy_name":"([^"]+)"/g)].map((match) => `enrich_policy ${match[1]}`);
  const indices = kind === 'enrich_policy' ? body.match.indices.map((name: string) => `index ${name}`) : [];
  return [...(kind === 'ingest_pipeline' ? pipelines : []), ...components, ...defaults, ...policies, ...indices];
}

describe.skipIf(!hasFixtures)('mapped fields', () => {
  // Elastic's own types, and what stands for them where an engine or ECS itself leaves a choice.
  const families: Readonly<Record<string, readonly string[]>> = {
    keyword: ['keyword', 'constant_keyword'],
    wildcard: ['wildcard', 'keyword'],
    match_only_text: ['match_only_text'],
    ip: ['ip'],
    date: ['date'],
    long: ['long'],
    float: ['float'],
    boolean: ['boolean'],
    geo_point: ['geo_point'],
  };
  const outside = new Set(['threat.enrichments.feed.name', 'message', 'threat.feed.name']);
  const all = {
    ...prefixed('threat.enrichments', ENRICHMENT_FIELDS),
    ...prefixed('threat.indicator', INDICATOR_FIELDS),
    ...IOC_FIELDS,
    ...RELATED_FIELDS,
  };

  it.each(Object.entries(all))('%s is %s in ECS too', (name, type) => {
    if (outside.has(name)) return;
    const official = ecsFields().get(name);
    expect(official, `${name} is not in ECS`).toBeDefined();
    expect(families[type]).toContain(official?.type);
  });

  it('hold everything that is written', () => {
    const enricher = createFakeEnricher({
      sayings: {
        '*': {
          verdict: 'malicious',
          sightings: 3,
          lastSeen: '2026-11-20T00:00:00Z',
          firstSeen: '2026-01-01T00:00:00Z',
          reference: 'https://ismalicious.com/r',
          message: 'm',
        },
      },
    });
    const lookUp = (value: string) => enricher.peek(value) as Enrichment;
    const events = ecsEvents(60).map((event: EngineAnswer) =>
      enrichByReference({ dns: event.dns, source: event.source, url: event.url, file: event.file }, lookUp, '2026-11-21T10:00:00.000Z'),
    );
    const added = events.map((event: EngineAnswer) => ({ ismalicious: event.ismalicious, threat: event.threat, related: event.related }));
    const mapped = new Set([...Object.keys(all), ...Object.keys(FLAT_FIELDS)]);
    const iocs = [
      '45.155.205.9',
      'bad.example.net',
      'https://bad.example.net/a?b=c',
      'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855',
      'a@bad.example.net',
    ].map((value) => toIocDocument(lookUp(value), { digest: () => 'x', nowMs: 0 })?.document);
    const written = new Set([...added, ...iocs].flatMap((document) => leavesOf(document, '')));
    const labels = [...written].filter((name) => name.startsWith('labels.'));
    expect(labels.toSorted()).toEqual(['labels.tier', 'labels.verdict']);
    expect([...written].filter((name) => !mapped.has(name) && !name.startsWith('labels.'))).toEqual([]);
  });
});

function leavesOf(value: unknown, path: string): string[] {
  if (Array.isArray(value)) return value.flatMap((one) => leavesOf(one, path));
  if (typeof value !== 'object' || value === null) return value === undefined ? [] : [path];
  return Object.entries(value).flatMap(([name, one]) => leavesOf(one, path === '' ? name : `${path}.${name}`));
}

describe('the cookbook', () => {
  it('names only fields that are mapped', () => {
    const text = readFileSync(join(projectRoot, 'docs', 'elastic.md'), 'utf8');
    const blocks = [...text.matchAll(/^```(?:kql|esql)\n(.*?)^```/gms)].map((match) => match[1] ?? '');
    expect(blocks.length).toBeGreaterThan(8);
    for (const block of blocks) for (const [name] of block.matchAll(/ismalicious\.\w+/g)) expect(Object.keys(FLAT_FIELDS)).toContain(name);
  });
});

describe('the flat fields of events', () => {
  it.each(TARGETS)('%s indexes those that rules, monitors, dashboards and recipes ask for, and no others', (target) => {
    const folder = join(elastic, target);
    const asking = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((path) =>
      /^(?:kibana|dashboards|monitors)\/.*\.\w+$/.test(path),
    );
    const texts = asking.map((path) => readFileSync(join(folder, path), 'utf8'));
    const cookbook = readFileSync(join(projectRoot, 'docs', 'elastic.md'), 'utf8').match(/^```(?:kql|esql)\n(.*?)^```/gms) ?? [];
    // One table for all engines: what one of them asks for, all index.
    const rules = readFileSync(join(elastic, 'elasticsearch', 'kibana', 'detection-rules.ndjson'), 'utf8');
    const used = new Set([...texts, ...cookbook, rules].flatMap((text) => text.match(/ismalicious\.\w+/g) ?? []));
    const mappings = JSON.parse(readFileSync(join(folder, 'component-templates', 'ismalicious@mappings.json'), 'utf8'));
    const flat: Record<string, EngineAnswer> = mappings.template.mappings.properties.ismalicious.properties;
    const isIndexed = ({ index, doc_values: values }: EngineAnswer) => index !== false || values !== false;
    const indexed = Object.keys(flat).filter((name) => isIndexed(flat[name]));
    expect(indexed.toSorted()).toEqual(
      Object.keys(flat)
        .filter((name) => used.has(`ismalicious.${name}`))
        .toSorted(),
    );
    expect(Object.keys(flat).length - indexed.length).toBe(4);
  });
});

describe.skipIf(!hasFixtures)('the targets without x-pack', () => {
  it.each([
    ['elasticsearch-oss-7.10', 0],
    ['opensearch', 1],
  ] as const)('%s uses nothing that the engine was seen to refuse', (target, column) => {
    const matrix = readJsonFixture('elastic/engine-feature-matrix.json') as { rows: Record<string, [string, string]> };
    const refused = Object.entries(matrix.rows).filter(([, seen]) => seen[column] !== 'ok' && !seen[column].includes('required'));
    expect(refused.length).toBeGreaterThan(10);
    for (const [feature] of refused) {
      const [group = '', what = ''] = feature.split(/ (.*)/);
      for (const { name, kind, body } of assetsOf(target)) {
        if ((kind === 'ingest_pipeline') !== (group === 'processor')) continue;
        expect(usesFeature(body, group, what) ? `${name} uses ${feature}` : '').toBe('');
      }
    }
  });
});

function usesFeature(body: EngineAnswer, group: string, what: string): boolean {
  const text = JSON.stringify(body);
  if (group === 'type') return text.includes(`"type":"${what}"`);
  if (group === 'processor') return text.includes(what === 'convert type ip' ? '"convert":' : `"${what.split('.').at(-1)}":`);
  const roots = { ...body, ...body.template, ...body.template?.settings?.index };
  return (what.split(/[. ]/).find((word) => word !== 'template' && word !== 'index') ?? '') in roots;
}

describe('detection rules', () => {
  const rules = detectionRules() as EngineAnswer[];
  const known = new Set([
    ...Object.keys(EVENT_FIELDS),
    ...Object.keys(FLAT_FIELDS),
    ...Object.keys(IOC_FIELDS),
    ...Object.keys(prefixed('threat.indicator', INDICATOR_FIELDS)),
  ]);

  it('are written one a line, each with its own id, all disabled and without actions', () => {
    const lines = readFileSync(join(elastic, 'elasticsearch', 'kibana', 'detection-rules.ndjson'), 'utf8')
      .trimEnd()
      .split('\n');
    expect(lines.map((line) => JSON.parse(line))).toEqual(JSON.parse(JSON.stringify(rules)));
    expect(new Set(rules.map(({ rule_id }) => rule_id)).size).toBe(rules.length);
    expect(rules.every(({ enabled, actions }) => enabled === false && actions.length === 0)).toBe(true);
  });

  it.each(rules.map((rule) => [rule.rule_id, rule] as const))('%s has what Kibana asks of its type', (_, rule) => {
    expect(rule).toMatchObject({
      risk_score: expect.any(Number),
      severity: expect.stringMatching(/^(low|medium|high|critical)$/),
      interval: expect.stringMatching(/^\d+[smh]$/),
      from: expect.stringMatching(/^now-\d+[smh]$/),
    });
    expect(() => kqlToDsl(rule.query)).not.toThrow();
    // The look-back covers the interval with room for late events.
    expect(minutes(rule.from.slice(4))).toBeGreaterThan(minutes(rule.interval));
    if (rule.type === 'threshold') expect(rule.threshold.field.every((field: string) => known.has(field))).toBe(true);
    if (rule.type === 'new_terms') expect(rule.new_terms_fields.length).toBeLessThanOrEqual(3);
    if (rule.type === 'threat_match') {
      expect(() => kqlToDsl(rule.threat_query)).not.toThrow();
      for (const { entries } of rule.threat_mapping) for (const entry of entries) expect(known).toContain(entry.value);
    }
  });

  /** Members that Kibana's rule schema knows, for every type and for one. */
  const MEMBERS =
    'rule_id name description author license version enabled immutable tags from to interval max_signals references setup false_positives ' +
    'exceptions_list actions threat note timestamp_override risk_score severity risk_score_mapping severity_mapping type language index query ' +
    'filters alert_suppression';
  const MEMBERS_OF: Readonly<Record<string, string>> = {
    query: '',
    threshold: 'threshold',
    new_terms: 'new_terms_fields history_window_start',
    threat_match:
      'threat_index threat_query threat_language threat_mapping threat_filters threat_indicator_path concurrent_searches items_per_search',
  };

  it.each(rules.map((rule) => [rule.rule_id, rule] as const))('%s has no member that Kibana does not know', (_, rule) => {
    const members = new Set(`${MEMBERS} ${MEMBERS_OF[rule.type]}`.split(' '));
    expect(Object.keys(rule).filter((name) => !members.has(name))).toEqual([]);
    const suppression = { ...rule.alert_suppression };
    if (rule.type === 'threshold') expect(Object.keys(suppression)).toEqual(['duration']);
    else if (rule.alert_suppression) {
      expect(suppression).toMatchObject({ missing_fields_strategy: expect.stringMatching(/^(suppress|doNotSuppress)$/) });
      expect(suppression.group_by.length).toBeLessThanOrEqual(3);
      for (const field of suppression.group_by) expect(known).toContain(field);
    }
    if (rule.alert_suppression) expect(suppression.duration).toEqual({ value: expect.any(Number), unit: expect.stringMatching(/^[smh]$/) });
  });

  it('say how they are set up, where to read on, and, unless they tell of a gap, what they mean in ATT&CK', () => {
    for (const rule of rules) {
      expect(rule.setup).toMatch(/^## Setup\n/);
      expect(rule.references.every((reference: string) => new URL(reference).protocol === 'https:')).toBe(true);
      expect(rule.references.length).toBeGreaterThan(0);
      if (rule.rule_id === 'ismalicious-enrichment-failing') continue;
      expect(rule.threat.length).toBeGreaterThan(0);
      for (const { framework, tactic, technique } of rule.threat) {
        expect(framework).toBe('MITRE ATT&CK');
        expect(tactic.reference).toBe(`https://attack.mitre.org/tactics/${tactic.id}/`);
        for (const { id, reference } of technique) expect(reference).toBe(`https://attack.mitre.org/techniques/${id}/`);
      }
    }
  });

  it('leave denied events out of the first, and count an indicator that many events hold as one alert', () => {
    expect(rules[0]).toMatchObject({ query: expect.stringContaining('not event.type : "denied"'), alert_suppression: expect.anything() });
    for (const { rule_id, type, alert_suppression } of rules)
      if (type === 'query' || type === 'threshold') expect(alert_suppression, rule_id).toBeDefined();
  });

  it('do not take a failed look-up for an answer', () => {
    for (const rule of rules.filter(({ query }) => /verdict : "(malicious|suspicious)"/.test(query)))
      expect(rule.query).toContain('ismalicious.status : ("ok" or "stale" or "partial")');
  });
});

function minutes(text: string): number {
  return Number.parseInt(text, 10) * { s: 1 / 60, m: 1, h: 60 }[text.at(-1) as 's' | 'm' | 'h'];
}

describe.each(TARGETS)('dashboards for %s', (target) => {
  const objects = savedObjects(target) as EngineAnswer[];
  const known = new Set([
    ...Object.keys(EVENT_FIELDS),
    ...Object.keys(FLAT_FIELDS),
    ...Object.keys(prefixed('threat.indicator', INDICATOR_FIELDS)),
    ...Object.keys(REPORT_DOCUMENT_FIELDS),
  ]);

  it('refer only to what stands before them in the file', () => {
    const seen = new Set<string>();
    for (const { id, type, references } of objects) {
      for (const reference of references) expect(seen).toContain(`${reference.type}/${reference.id}`);
      expect(seen).not.toContain(`${type}/${id}`);
      seen.add(`${type}/${id}`);
    }
    expect(objects.filter(({ type }) => type === 'dashboard')).toHaveLength(DASHBOARDS.length);
  });

  it('hold JSON where Kibana wants JSON in a string, and panels that name their references', () => {
    for (const { attributes, references, type } of objects) {
      if (attributes.visState) {
        const { type: kind, aggs } = JSON.parse(attributes.visState);
        if (!['markdown', 'input_control_vis'].includes(kind)) expect(aggs.length).toBeGreaterThan(0);
      }
      if (attributes.kibanaSavedObjectMeta) JSON.parse(attributes.kibanaSavedObjectMeta.searchSourceJSON);
      if (type !== 'dashboard') continue;
      const names = references.map((reference: EngineAnswer) => reference.name);
      const panels = JSON.parse(attributes.panelsJSON) as EngineAnswer[];
      expect(panels.map(({ panelIndex }) => panelIndex)).toEqual(panels.map((_, n) => String(n + 1)));
      for (const panel of panels) {
        if (panel.type === 'lens') {
          expect(names).toContain(`${panel.panelIndex}:indexpattern-datasource-layer-layer`);
          expectWholeLens(panel.embeddableConfig.attributes);
        } else if (panel.type === 'search') expect(names).toContain(`${panel.panelIndex}:${panel.panelRefName}`);
        else if (panel.type === undefined) expect(names).toContain(panel.panelRefName);
        else expect(panel.embeddableConfig.savedVis.type).toBe('markdown');
      }
    }
  });

  /** The text of a dashboard, and the fields by which it can be narrowed. */
  function frameOf(dashboard: EngineAnswer): { markdown: string; fields: string[]; hasList: boolean } {
    const panels = JSON.parse(dashboard.attributes.panelsJSON) as EngineAnswer[];
    const { controlGroupInput } = dashboard.attributes;
    const hasList = dashboard.references.some(({ type }: EngineAnswer) => type === 'search');
    if (target === 'elasticsearch') {
      const controls = Object.entries<EngineAnswer>(JSON.parse(controlGroupInput.panelsJSON));
      const lists = controls.filter(([, { type }]) => type === 'optionsListControl');
      expect(controls.map(([id, { explicitInput }]) => [id, explicitInput.id])).toEqual(controls.map(([id]) => [id, id]));
      expect(controls.at(-1)?.[1].type).toBe('timeSlider');
      const names = dashboard.references.map(({ name }: EngineAnswer) => name);
      for (const [id] of lists) expect(names).toContain(`controlGroup_${id}:optionsListDataView`);
      const text = panels.find(({ embeddableConfig }) => embeddableConfig.savedVis);
      return {
        markdown: text?.embeddableConfig.savedVis.params.markdown,
        fields: lists.map(([, { explicitInput }]) => explicitInput.fieldName),
        hasList,
      };
    }
    const shown = objects.filter(({ id }) => dashboard.references.some((one: EngineAnswer) => one.id === id));
    const states = shown
      .filter(({ attributes }) => attributes.visState)
      .map(({ attributes, references }) => ({ ...JSON.parse(attributes.visState), references }));
    const controls = states.find(({ type }) => type === 'input_control_vis');
    const wanted = controls.params.controls.map(({ indexPatternRefName }: EngineAnswer) => indexPatternRefName);
    expect(controls.references.map(({ name }: EngineAnswer) => name)).toEqual(wanted);
    return {
      markdown: states.find(({ type }) => type === 'markdown').params.markdown,
      fields: controls.params.controls.map(({ fieldName }: EngineAnswer) => fieldName),
      hasList,
    };
  }

  it('can be narrowed by mapped fields, lead to each other, and say what it means when they are empty', () => {
    const dashboards = objects.filter(({ type }) => type === 'dashboard');
    const ids = dashboards.map(({ id }) => id);
    for (const dashboard of dashboards) {
      const { markdown, fields, hasList } = frameOf(dashboard);
      expect(fields.length).toBeGreaterThanOrEqual(2);
      for (const field of fields) expect(known).toContain(field);
      const links = [...markdown.matchAll(/\]\(#\/view\/([^)]+)\)/g)].map((match) => match[1]);
      expect(links.toSorted()).toEqual(ids.filter((id) => id !== dashboard.id).toSorted());
      expect(markdown).toContain('**Nothing here?**');
      expect(hasList).toBe(dashboard.id === 'ismalicious-overview');
    }
    expect(frameOf(dashboards[0]!).fields).toEqual(expect.arrayContaining(['host.name', 'ismalicious.verdict']));
  });

  it('show mapped fields, in panels that do not overlap', () => {
    for (const { panels } of DASHBOARDS) {
      const taken = new Set<string>();
      for (const { by, max, value, at } of panels) {
        for (const field of [...by, ...(max ? [max] : []), ...(value ? [value.field] : [])]) expect(known).toContain(field);
        expect(at.x + at.w).toBeLessThanOrEqual(48);
        for (let x = at.x; x < at.x + at.w; x++) {
          for (let y = at.y; y < at.y + at.h; y++) {
            expect(taken.has(`${x},${y}`)).toBe(false);
            taken.add(`${x},${y}`);
          }
        }
      }
    }
  });
});

/** Every column that a Lens chart shows is one that it has. */
function expectWholeLens({ state }: EngineAnswer): void {
  const { columns, columnOrder } = state.datasourceStates.formBased.layers.layer;
  expect(columnOrder).toEqual(Object.keys(columns));
  const text = JSON.stringify(state.visualization);
  const shown = [...text.matchAll(/"(?:columnId|metricAccessor|xAccessor|splitAccessor)":"([^"]+)"/g)].map((match) => match[1]);
  for (const id of shown) expect(columnOrder).toContain(id);
}
