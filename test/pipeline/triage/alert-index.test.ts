import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Enricher } from '../../../src/engine/enricher.ts';
import { triageAlertIndex } from '../../../src/pipeline/triage/elastic-alerts.ts';
import type { Triage } from '../../../src/pipeline/triage/triage.ts';
import { TriageSettings } from '../../../src/pipeline/triage/triage-settings.ts';
import { systemPipelineClock } from '../../../src/pipeline/pipeline-clock.ts';
import { enrichmentOf } from '../../store/samples.ts';
import { ENGINE_KINDS, engineAbsence, leaseEngine, type LeasedEngine } from '../../support/search-engine.ts';
import { fetchTransport } from '../stand-in.ts';

const enricher = {
  enrichMany: (values: Iterable<string>) =>
    Promise.resolve(
      new Map(Array.from(values, (value) => [value, enrichmentOf({}, { input: value, indicator: { type: 'ipv4-addr', value } })])),
    ),
} as unknown as Enricher;
const triageBy = (more: object = {}): Triage => ({
  enricher,
  rules: TriageSettings.parse(more),
  clock: systemPipelineClock,
  store: null,
  outputs: [],
  maxPending: 1,
});
const alertAt = (n: number, more: object = {}) => ({
  '@timestamp': `2026-11-30T00:00:0${n}.000Z`,
  destination: { ip: `45.83.64.${n}` },
  ...more,
});

describe.each(ENGINE_KINDS)('alerts in a real %s [needs java]', (kind) => {
  describe.skipIf(engineAbsence(kind) !== null)('an index', () => {
    let engine: LeasedEngine;
    beforeAll(async () => {
      engine = await leaseEngine(kind);
    }, 240_000);
    afterAll(() => engine?.release());

    const pass = (index: string, limit: number, more: object = {}) =>
      triageAlertIndex({ baseUrl: engine.url, index, headers: {}, transport: fetchTransport, timeoutMs: 20_000 }, triageBy(more), {
        limit,
        signal: new AbortController().signal,
      });
    const fill = async (index: string, properties: object, alerts: readonly object[]) => {
      await engine.call('PUT', `/${index}`, { mappings: { dynamic: false, properties } });
      for (const [n, alert] of alerts.entries()) await engine.call('PUT', `/${index}/_doc/a${n}`, alert);
      await engine.call('POST', `/${index}/_refresh`);
    };
    const sources = async (index: string) =>
      (
        (await engine.call('POST', `/${index}/_search`, { sort: [{ '@timestamp': { unmapped_type: 'date' } }] })).body as {
          hits: { hits: { _source: never }[] };
        }
      ).hits.hits.map(({ _source }) => _source);
    const read = { read: 2, written: 2, failed: 0 };
    const KIBANA = { 'kibana.alert.uuid': { type: 'keyword' }, 'kibana.alert.workflow_tags': { type: 'keyword' } };

    it.each([
      ['maps only the time', { '@timestamp': { type: 'date' } }, {}],
      ['maps the time to the nanosecond', { '@timestamp': { type: 'date_nanos' } }, {}],
      ['is Kibana’s', { '@timestamp': { type: 'date' }, ...KIBANA }, { 'kibana.alert.uuid': 'u', 'kibana.alert.workflow_status': 'open' }],
      ['maps nothing at all', {}, {}],
    ])('that %s: three alerts and --limit 2 are triaged by two passes, a third finds none', async (name, properties, more) => {
      const index = `alerts-${name.length}`;
      await fill(
        index,
        properties,
        [1, 2, 3].map((n) => alertAt(n, more)),
      );
      expect(await pass(index, 2)).toEqual(read);
      expect(await pass(index, 2)).toEqual({ read: 1, written: 1, failed: 0 });
      expect(await pass(index, 2)).toEqual({ read: 0, written: 0, failed: 0 });
      const found = await sources(index);
      expect(found.map(({ ismalicious }) => (ismalicious as { triage: { tier: string } }).triage.tier)).toEqual(['p1', 'p1', 'p1']);
    });

    it('with many alerts of one moment, most of them decided: the others are found', async () => {
      const decided = { ismalicious: { triage: { tier: 'log' } } };
      const lines = Array.from({ length: 12_000 }, (_, n) => [
        JSON.stringify({ index: { _id: `m${n}` } }),
        JSON.stringify({ '@timestamp': '2026-11-30T00:00:00.000Z', destination: { ip: '45.83.64.9' }, ...(n === 7500 ? {} : decided) }),
      ]).flat();
      await fill('alerts-many', { '@timestamp': { type: 'date' } }, [alertAt(5)]);
      await engine.call('POST', '/alerts-many/_bulk?refresh=true', `${lines.join('\n')}\n`);
      expect(await pass('alerts-many', 10)).toEqual(read);
    }, 90_000);

    it('of Kibana: our tag goes beside those of analysts, an open one is acknowledged where that is wished, none is closed', async () => {
      const kibana = (status: string) => ({
        'kibana.alert.uuid': 'u',
        'kibana.alert.workflow_status': status,
        'kibana.alert.workflow_tags': ['duplicate'],
      });
      await fill('alerts-tags', { '@timestamp': { type: 'date' }, ...KIBANA }, [alertAt(1, kibana('open')), alertAt(2, kibana('closed'))]);
      expect(await pass('alerts-tags', 10, { alertsAcknowledge: ['p1'] })).toEqual(read);
      expect(await sources('alerts-tags')).toMatchObject([
        { 'kibana.alert.workflow_tags': ['duplicate', 'ismalicious: p1'], 'kibana.alert.workflow_status': 'acknowledged' },
        { 'kibana.alert.workflow_tags': ['duplicate', 'ismalicious: p1'], 'kibana.alert.workflow_status': 'closed' },
      ]);
    });
  });
});
