import { describe, expect, it } from 'vitest';
import type { Answer } from '../../../src/model/enrichment.ts';
import { triageAlertIndex } from '../../../src/pipeline/triage/elastic-alerts.ts';
import { notesSightings, triageAlerts, triageWithEvidence, type Triage } from '../../../src/pipeline/triage/triage.ts';
import { TriageSettings } from '../../../src/pipeline/triage/triage-settings.ts';
import type { PipelineTransport } from '../../../src/pipeline/pipeline-transport.ts';
import { outputOf } from '../../outputs/samples.ts';
import { fakeEnricher, judged } from '../fake-enricher.ts';
import { fakeClock } from '../stand-in.ts';

const NOW_S = 1_795_000_000;
const FILTER = { minScore: null, tiers: [], types: [], events: [], maxTlp: 'AMBER' as const };
const BY_VALUE: Readonly<Record<string, Partial<Answer>>> = {
  '45.83.64.1': judged(95),
  '45.83.64.2': judged(45),
  '45.83.64.3': judged(5),
  '45.83.64.4': { status: 'skipped_private', verdict: 'unknown', score: null, tier: 'log' },
};

/** What the store is given to journal. */
type Routed = readonly [{ readonly routed: unknown; readonly deliveries: readonly { readonly key: string }[] }];

/** A triage whose store only notes what it is told. */
function open(more: Partial<Triage> = {}) {
  const told = { sightings: [] as unknown[], watched: [] as Record<string, unknown>[], routed: [] as unknown[][] };
  const store = {
    recordSightings: (rows: unknown[]) => Promise.resolve(void told.sightings.push(rows)),
    watch: (one: Record<string, unknown>, atS: number) => Promise.resolve(void told.watched.push({ ...one, atS })),
    route: (...args: unknown[]) => {
      told.routed.push(args);
      return Promise.resolve({ accepted: {}, held: {} });
    },
  } as unknown as NonNullable<Triage['store']>;
  const triage: Triage = {
    enricher: fakeEnricher((value) => BY_VALUE[value] ?? judged(5)),
    rules: TriageSettings.parse({}),
    clock: fakeClock(NOW_S),
    store,
    outputs: [{ output: outputOf('file'), filter: FILTER }],
    maxPending: 77,
    ...more,
  };
  return { triage, told };
}

describe('a decision', () => {
  it('to watch puts the indicator on the list for as long as is set, looked at daily', async () => {
    const { triage, told } = open();
    await triageAlerts([{ id: 'x'.repeat(300), dest_ip: '45.83.64.2' }], triage);
    expect(told.watched).toEqual([
      {
        indicator: { type: 'ipv4-addr', value: '45.83.64.2' },
        reason: `triage of alert ${'x'.repeat(184)}`,
        by: 'triage',
        everyS: 86_400,
        untilS: NOW_S + 30 * 86_400,
        atS: NOW_S,
      },
    ]);
  });

  it('not to watch puts nothing there', async () => {
    const { triage, told } = open();
    await triageAlerts([{ id: '1', dest_ip: '45.83.64.1' }], triage);
    expect([told.watched, told.routed.length]).toEqual([[], 1]);
  });

  it('is told to the outputs once an alert and indicator, in the words of the decision', async () => {
    const { triage, told } = open();
    const alerts = [{ id: '1', dest_ip: '45.83.64.1', action: 'blocked' }];
    await triageAlerts(alerts, triage);
    await triageAlerts(alerts, triage);
    await triageAlerts([{ ...alerts[0], id: '2' }], triage);
    const [first, again, other] = told.routed as unknown as [readonly [Routed, number, number], readonly [Routed], readonly [Routed]];
    const [rows, atS, maxPending] = first;
    expect([atS, maxPending, rows[0].routed]).toEqual([NOW_S, 77, null]);
    const keys = [rows, again[0], other[0]].map(([one]) => one.deliveries[0]?.key);
    expect([keys[0] === keys[1], keys[0] === keys[2]]).toEqual([true, false]);
    const text = JSON.stringify(rows);
    expect(text).toContain('alert 1: 45.83.64.1 is malicious, score 95, tier p1; action');
    expect(text).toMatch(/ismalicious:triage:[0-9a-f]{32}"/);
    expect(text).toContain('p2');
  });

  it('goes to no output that is only tried out', async () => {
    const { triage, told } = open({ outputs: [{ output: outputOf('file'), filter: FILTER, isDry: true }] });
    await triageAlerts([{ id: '1', dest_ip: '45.83.64.1' }], triage);
    const [[rows]] = told.routed as unknown as [readonly [Routed]];
    expect(rows[0].deliveries).toEqual([]);
  });

  it('about internal values, or none, is nobody else’s business', async () => {
    const { triage, told } = open();
    await triageAlerts([{ id: '1', dest_ip: '45.83.64.4' }, { id: '2' }], triage);
    expect([told.watched, told.routed]).toEqual([[], []]);
  });

  it('reads as JSON, with the field of the value that decided', async () => {
    const { triage } = open({ store: null });
    const alert = { id: '1', src_ip: '45.83.64.3', dest_ip: '45.83.64.1', url: 'http://45.83.64.2/' };
    const [one] = await triageWithEvidence([alert], triage);
    expect(one?.decision).toEqual({
      alert_id: '1',
      tier: 'p1',
      actions: ['create_incident', 'notify_soc'],
      auto_resolve: false,
      score: 95,
      verdict: 'malicious',
      status: 'ok',
      indicator: '45.83.64.1',
      field: 'dest_ip',
      reasons: ['45.83.64.1 is malicious, score 95, tier p1'],
      note: 'isMalicious triage: p1 (45.83.64.1 is malicious, score 95, tier p1)',
    });
    const [none] = await triageAlerts([{ id: '2' }], triage);
    expect(none).toMatchObject({ verdict: 'unknown', status: 'skipped_empty', indicator: null, field: null, score: null });
    const [clean] = await triageAlerts([{ id: '3', dest_ip: '45.83.64.3' }], triage);
    expect(clean?.note).toMatch(/^isMalicious triage: log, safe to resolve \(/);
  });

  it('comes with all that is bad in its alert, the worst first', async () => {
    const { triage } = open({ store: null });
    const [one] = await triageWithEvidence([{ id: '1', dest_ip: ['45.83.64.3', '45.83.64.2', '45.83.64.1', 'none at all'] }], triage);
    expect(one?.accused.map(({ input }) => input)).toEqual(['45.83.64.1', '45.83.64.2']);
    expect(one?.decisive?.input).toBe('45.83.64.1');
  });
});

describe('sightings', () => {
  it('are noted where there is a store, unless that is switched off', async () => {
    for (const [recordsSightings, count] of [
      [undefined, 1],
      [true, 1],
      [false, 0],
    ] as const) {
      const { triage, told } = open(recordsSightings === undefined ? {} : { recordsSightings });
      await triageAlerts([{ id: '1', dest_ip: '45.83.64.1' }], triage);
      expect(told.sightings).toHaveLength(count);
    }
    const none = open();
    await triageAlerts([{ id: '1' }], none.triage);
    expect(none.told.sightings).toEqual([]);
    expect(notesSightings({ store: null, recordsSightings: true })).toBe(false);
  });
});

describe('an alert index', () => {
  const hits = (count: number) =>
    Array.from({ length: count }, (_, n) => ({ _id: `${n}`, _index: 'a-1', _source: { dest_ip: '45.83.64.1' } }));
  async function run(answers: readonly { status: number; body: unknown }[], limit = 5) {
    const calls: { url: URL; body?: unknown; headers?: unknown }[] = [];
    const limits: unknown[] = [];
    const transport = {
      send: (call: (typeof calls)[0], how: unknown) => {
        limits.push(how);
        return Promise.resolve({ headers: {}, ...answers[calls.push(call) - 1] });
      },
    } as unknown as PipelineTransport;
    const source = { baseUrl: 'http://127.0.0.1:9', index: 'a-*', headers: { authorization: 'k' }, transport, timeoutMs: 1234 };
    const { signal } = new AbortController();
    const outcome = await triageAlertIndex(source, open({ store: null }).triage, { limit, signal }).catch((error: unknown) => error);
    return { outcome, calls, limits };
  }
  const search = (count: number) => ({ status: 200, body: { hits: { hits: hits(count) } } });
  const read = (count: number) => ({ status: 200, body: { docs: hits(count).map((hit) => ({ ...hit, found: true })) } });
  const bulk = (...statuses: number[]) => ({ status: 200, body: { items: statuses.map((status) => ({ update: { status } })) } });

  it('is asked for the oldest alerts without a decision, and no more of them are read than are wanted', async () => {
    const { calls, limits } = await run([search(0)], 7);
    expect(calls).toHaveLength(1);
    const asked = await run([search(9), read(7), bulk(200, 200, 200, 200, 200, 200, 200)], 7);
    expect((JSON.parse(String(asked.calls[1]?.body)) as { docs: unknown[] }).docs).toHaveLength(7);
    expect([calls[0]?.url.pathname, JSON.parse(String(calls[0]?.body))]).toEqual([
      '/a-*/_search',
      expect.objectContaining({
        sort: [{ '@timestamp': { order: 'asc', numeric_type: 'date', unmapped_type: 'date' } }],
        query: {
          bool: {
            must_not: [
              { exists: { field: 'ismalicious.triage.tier' } },
              { terms: { 'kibana.alert.workflow_tags': ['p1', 'p2', 'watch', 'log', 'review'].map((tier) => `ismalicious: ${tier}`) } },
            ],
          },
        },
      }),
    ]);
    expect(calls[0]?.headers).toEqual({ authorization: 'k', 'content-type': 'application/json', accept: 'application/json' });
    expect(limits[0]).toMatchObject({ timeoutMs: 1234, maxBytes: 67_108_864 });
  });

  it('that has none is not written to', async () => {
    expect((await run([search(0)])).outcome).toEqual({ read: 0, written: 0, failed: 0 });
  });

  it('counts what it took and what it refused', async () => {
    expect((await run([search(4), read(4), bulk(200, 299, 300, 409)])).outcome).toEqual({ read: 4, written: 2, failed: 2 });
  });

  it('is sent each decision as an update of its alert', async () => {
    const { calls } = await run([search(1), read(1), bulk(200)]);
    expect(calls[2]?.headers).toMatchObject({ 'content-type': 'application/x-ndjson' });
    expect(String(calls[2]?.url)).toBe('http://127.0.0.1:9/_bulk?refresh=wait_for');
    const lines = String(calls[2]?.body).split('\n');
    expect([lines.length, lines[2]]).toEqual([3, '']);
    expect(lines.slice(0, 2).map((line) => JSON.parse(line) as unknown)).toEqual([
      { update: { _id: '0', _index: 'a-1' } },
      {
        doc: {
          ismalicious: {
            triage: {
              tier: 'p1',
              action: ['create_incident', 'notify_soc'],
              auto_resolve: false,
              score: 95,
              verdict: 'malicious',
              status: 'ok',
              indicator: '45.83.64.1',
              reason: ['45.83.64.1 is malicious, score 95, tier p1'],
              note: 'isMalicious triage: p1 (45.83.64.1 is malicious, score 95, tier p1)',
            },
          },
        },
      },
    ]);
  });

  it('gets no score and no indicator where there is none', async () => {
    const empty = { _id: '0', _index: 'a-1', found: true, _source: {} };
    const { calls } = await run([search(1), { status: 200, body: { docs: [empty] } }, bulk(200)]);
    expect(String(calls[2]?.body)).not.toMatch(/"score"|"indicator"/);
  });

  it.each([
    [299, null],
    [300, 'unavailable'],
    [401, 'unauthorized'],
    [402, 'unavailable'],
    [403, 'unauthorized'],
    [404, 'unavailable'],
    [503, 'unavailable'],
  ])('that answers %i is a fault or not: %j', async (status, code) => {
    const { outcome } = await run([{ ...search(0), status }]);
    if (code === null) expect(outcome).toEqual({ read: 0, written: 0, failed: 0 });
    else expect(outcome).toMatchObject({ code, message: `triage: alert index answers HTTP ${status}` });
  });
});
