import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { projectRoot } from '../support/fixtures.ts';
import { type MetricLabels, readRealMetrics } from './real-metrics.ts';

const folder = join(projectRoot, 'deploy/monitoring');
const read = (path: string) => readFileSync(join(folder, path), 'utf8');

interface Rule {
  readonly alert: string;
  readonly expr: string;
  readonly for?: string;
  readonly labels: { readonly severity: string };
  readonly annotations: { readonly summary: string; readonly description: string };
}
interface Panel {
  readonly id: number;
  readonly type: string;
  readonly title: string;
  readonly gridPos: { readonly x: number; readonly y: number; readonly w: number; readonly h: number };
  readonly targets?: readonly { readonly refId: string; readonly expr: string; readonly legendFormat: string }[];
}
interface Dashboard {
  readonly panels: readonly Panel[];
  readonly templating: { readonly list: readonly { readonly name: string; readonly query: string | { readonly query: string } }[] };
}

const { groups } = parse(read('prometheus-rules.yaml')) as { groups: readonly { name: string; rules: readonly Rule[] }[] };
const rules = groups.flatMap((group) => group.rules);
const dashboard = JSON.parse(read('grafana-dashboard.json')) as Dashboard;
const targets = dashboard.panels.flatMap((panel) => panel.targets ?? []);
const autoscaler = readFileSync(join(projectRoot, 'deploy/kubernetes/horizontal-pod-autoscaler.yaml'), 'utf8');

/** What Prometheus itself adds, or keeps of a target. */
const FROM_PROMETHEUS = new Set(['job', 'instance', 'namespace', 'pod', 'le']);

/** What an expression says of our series that a sidecar does not export: a name, or a label of it. */
function faultsIn(expr: string, metrics: MetricLabels): string[] {
  const faults: string[] = [];
  const used = [...expr.matchAll(/\b(ismalicious_\w+|process_\w+)(?:\{([^}]*)\})?/g)];
  for (const [, name = '', selectors = ''] of used) {
    const labels = metrics.get(name);
    if (labels === undefined) faults.push(`${name} is not exported`);
    for (const [, label = ''] of selectors.matchAll(/(\w+)\s*(?:=~|!~|!=|=)/g))
      if (labels?.has(label) === false && !FROM_PROMETHEUS.has(label)) faults.push(`${name} has no label ${label}`);
  }
  const all = new Set([...FROM_PROMETHEUS, ...used.flatMap(([, name = '']) => [...(metrics.get(name) ?? [])])]);
  for (const [, list = ''] of expr.matchAll(/\bby \(([^)]*)\)/g))
    for (const label of list.split(/\s*,\s*/)) if (!all.has(label)) faults.push(`nothing has the label ${label} that is grouped by`);
  return faults;
}

let metrics: MetricLabels;
beforeAll(async () => {
  metrics = await readRealMetrics();
}, 60_000);

describe('every series that is asked for is one that a real sidecar exports', () => {
  it.each(rules.map(({ alert, expr }) => [alert, expr]))('alert %s', (_alert, expr) => {
    expect(faultsIn(expr, metrics)).toEqual([]);
    expect(/\b(ismalicious_|process_|up\{)/.test(expr)).toBe(true);
  });

  it.each(targets.map(({ expr, legendFormat }) => [expr, legendFormat]))('panel %s', (expr) => {
    expect(faultsIn(expr, metrics)).toEqual([]);
  });

  it('variables of the dashboard, the adapter and the autoscaler', () => {
    const variables = dashboard.templating.list.map(({ query }) => (typeof query === 'string' ? query : query.query));
    for (const text of [...variables, read('prometheus-adapter.yaml'), autoscaler])
      expect(faultsIn(text.replaceAll(/^#.*$/gm, '').replaceAll('<<.GroupBy>>', 'pod'), metrics)).toEqual([]);
    expect(/name: (ismalicious_\w+)/.exec(autoscaler)?.[1]).toBe(/as: (\w+)/.exec(read('prometheus-adapter.yaml'))?.[1]);
  });

  it.each([
    ['ismalicious_provider_queue', 'ismalicious_provider_queue is not exported'],
    ['rate(ismalicious_provider_failures_total{code="timeout"}[5m])', 'ismalicious_provider_failures_total has no label code'],
    ['sum by (route, code) (rate(ismalicious_provider_calls_total[5m]))', 'nothing has the label route that is grouped by'],
  ])('the check finds what does not exist: %s', (expr, fault) => {
    expect(faultsIn(expr, metrics)).toContain(fault);
  });
});

describe('alerts', () => {
  it('each has a name of its own, a severity, and says what it is and what to do', () => {
    expect(new Set(rules.map(({ alert }) => alert)).size).toBe(rules.length);
    for (const { alert, labels, annotations, for: wait = '0s' } of rules) {
      expect(alert).toMatch(/^IsMalicious[A-Za-z0-9]+$/);
      expect(['critical', 'warning']).toContain(labels.severity);
      expect(wait).toMatch(/^\d+[smh]$/);
      for (const text of [annotations.summary, annotations.description]) expect(text.length).toBeGreaterThan(15);
    }
  });

  it('promtool takes them [needs promtool]', (context) => {
    const { error, status, stdout, stderr } = spawnSync('promtool', ['check', 'rules', join(folder, 'prometheus-rules.yaml')], {
      encoding: 'utf8',
    });
    if (error) return context.skip('needs promtool');
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
    expect(stdout).toContain(`${rules.length} rules found`);
  });
});

describe('the dashboard', () => {
  it('has panels that do not cover each other, each with a number of its own', () => {
    const cells = new Set<string>();
    for (const { gridPos, title } of dashboard.panels) {
      expect(gridPos.x + gridPos.w).toBeLessThanOrEqual(24);
      for (let x = gridPos.x; x < gridPos.x + gridPos.w; x++)
        for (let y = gridPos.y; y < gridPos.y + gridPos.h; y++) {
          expect({ title, isTaken: cells.has(`${x},${y}`) }).toEqual({ title, isTaken: false });
          cells.add(`${x},${y}`);
        }
    }
    expect(new Set(dashboard.panels.map(({ id }) => id)).size).toBe(dashboard.panels.length);
  });

  it('uses no variable that it does not have', () => {
    const known = new Set(dashboard.templating.list.map(({ name }) => name));
    const used = [...JSON.stringify(dashboard).matchAll(/\$\{?([a-z]\w*)\}?/g)].map(([, name = '']) => name);
    expect([...new Set(used)].filter((name) => !known.has(name))).toEqual([]);
  });
});
