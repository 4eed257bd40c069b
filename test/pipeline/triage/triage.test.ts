import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import type { RoutedOutput } from '../../../src/pipeline/pipeline.ts';
import { openStore } from '../../../src/store/store-client.ts';
import { decideTriage } from '../../../src/pipeline/triage/decide-triage.ts';
import { triageAlertIndex } from '../../../src/pipeline/triage/elastic-alerts.ts';
import { readAlert } from '../../../src/pipeline/triage/read-alert.ts';
import { triageAlerts, type Triage } from '../../../src/pipeline/triage/triage.ts';
import { TriageSettings } from '../../../src/pipeline/triage/triage-settings.ts';
import type { Answer } from '../../../src/model/enrichment.ts';
import { enrichmentOf } from '../../store/samples.ts';
import { outputOf } from '../../outputs/samples.ts';
import { fakeEnricher, judged } from '../fake-enricher.ts';
import { fakeClock, fetchTransport, startStandIn } from '../stand-in.ts';

const rules = TriageSettings.parse({});
const found = (answer: Partial<Answer>, value = '45.83.64.7') =>
  enrichmentOf(answer, { input: value, indicator: { type: 'ipv4-addr', value } });
const facts = (action: string | null = null, bytesOut: number | null = null) => ({
  id: 'a',
  observables: [],
  unread: 0,
  actions: action === null ? [] : [[action]],
  outcome: null,
  bytesOut,
});
const folder = mkdtempSync(join(tmpdir(), 'ismalicious-triage-'));
afterAll(() => rmSync(folder, { recursive: true }));

describe("the playbook's table", () => {
  it.each([
    [100, 'p1', ['create_incident', 'notify_soc']],
    [80, 'p1', ['create_incident', 'notify_soc']],
    [79, 'p2', ['create_alert', 'assign_analyst']],
    [60, 'p2', ['create_alert', 'assign_analyst']],
    [59, 'watch', ['log', 'add_to_watchlist']],
    [40, 'watch', ['log', 'add_to_watchlist']],
    [39, 'log', ['log']],
    [0, 'log', ['log']],
  ])('score %i is tier %s: %j', (score, tier, actions) =>
    expect(decideTriage(facts(), [found(judged(score))], rules)).toMatchObject({ tier, actions }),
  );

  it.each([
    ['blocked', null, 90, 'p2'],
    ['firewall-denied', null, 65, 'watch'],
    ['dropped', null, 45, 'log'],
    ['dropped', null, 5, 'log'],
    ['allowed', 1_000_000, 65, 'p1'],
    ['allowed', 999_999, 65, 'p2'],
    ['allowed', 5_000_000, 90, 'p1'],
    ['allowed', 5_000_000, 5, 'log'],
    ['unblocked', null, 90, 'p1'],
    [null, 5_000_000, 65, 'p2'],
  ])('action %j with %j bytes out turns score %i into %s', (action, bytes, score, tier) =>
    expect(decideTriage(facts(action, bytes), [found(judged(score))], rules).tier).toBe(tier),
  );

  it.each<[string[][], string | null, string]>([
    [[['Would Be Blocked']], null, 'p1'],
    [[['not blocked']], null, 'p1'],
    [[['not-blocked']], null, 'p1'],
    [[['failed to block']], null, 'p1'],
    [[['block-continue']], null, 'p1'],
    [[['Cleanup failure']], null, 'p1'],
    ...[
      'blocked errors',
      'blocked?',
      'is_blocked: 0',
      'blocked="0"',
      'Block disabled',
      'block mode off',
      'IDS mode drop',
      'deny with warning',
      'Blocked, then reverted',
      'Block scheduled',
    ].map((action): [string[][], null, string] => [[[action]], null, 'p1']),
    [[['blocked=1']], null, 'p2'],
    [[['Blocked (rule 10: 0x05)']], null, 'p2'],
    [[['deny', 'permit']], null, 'p1'],
    [[['denied'], ['allowed']], null, 'p1'],
    [[['deny', 'drop']], null, 'p2'],
    [[['Threat blocked']], 'failure', 'p2'],
    [[], 'failure', 'p1'],
  ])('actions %j with outcome %j leave score 90 at %s', (actions, outcome, tier) =>
    expect(decideTriage({ ...facts(), actions, outcome }, [found(judged(90))], rules).tier).toBe(tier),
  );

  it.each([199, 200, 201, 1000])('of %i values the last one counts too', (count) => {
    const read = readAlert({ dest_ip: [...Array.from({ length: count - 1 }, (_, n) => `11.0.${n >> 8}.${n & 255}`), '45.83.64.7'] });
    expect([read.observables.length, read.observables.at(-1)?.value, read.unread]).toEqual([count, '45.83.64.7', 0]);
  });

  it('values beyond the bound are counted, said, and resolve nothing', () => {
    const read = readAlert({ dest_ip: Array.from({ length: 10_005 }, (_, n) => `11.${n >> 16}.${(n >> 8) & 255}.${n & 255}`) });
    const decision = decideTriage(read, [found({ ...judged(0), autoResolve: true })], rules);
    expect([read.observables.length, read.unread, decision.tier, decision.autoResolve]).toEqual([10_000, 5, 'review', false]);
    expect(decision.reasons.join()).toContain('5 more values');
  });

  it('an unknown beside a clean one is for a person', () => {
    const clean = found({ ...judged(0), autoResolve: true });
    const unknown = found({ verdict: 'unknown', status: 'ok', score: null, tier: 'review', autoResolve: false }, '45.83.64.9');
    expect(decideTriage(facts(), [clean, unknown], rules)).toMatchObject({
      tier: 'review',
      actions: ['assign_analyst'],
      autoResolve: false,
    });
  });

  it('the worst of several decides, and says so', () => {
    const decision = decideTriage(facts(), [found(judged(10), '45.83.64.1'), found(judged(85), '45.83.64.2')], rules);
    expect([decision.tier, decision.reasons[0]]).toEqual(['p1', '45.83.64.2 is malicious, score 85, tier p1']);
  });
  it('resolves only what is wholly answered, and clean', () => {
    const clean = found({ ...judged(0), autoResolve: true });
    const failed = found({ status: 'timeout', verdict: 'unknown', score: null, tier: 'review', autoResolve: false }, '45.83.64.9');
    const internal = found({ status: 'skipped_private', verdict: 'unknown', score: null, tier: 'review' }, '10.0.0.1');
    expect(decideTriage(facts(), [clean], rules)).toMatchObject({ tier: 'log', autoResolve: true });
    expect(decideTriage(facts(), [clean, internal], rules)).toMatchObject({ tier: 'log', autoResolve: true });
    expect(decideTriage(facts(), [clean, failed], rules)).toMatchObject({
      tier: 'review',
      autoResolve: false,
      actions: ['assign_analyst'],
    });
    expect(decideTriage(facts(), [failed], rules)).toMatchObject({ tier: 'review', autoResolve: false });
    expect(decideTriage(facts('blocked'), [failed], rules).tier).toBe('review');
    expect(decideTriage(facts(), [internal], rules)).toMatchObject({ tier: 'log', actions: ['log'], autoResolve: false });
    expect(decideTriage(facts(), [], rules)).toMatchObject({ tier: 'log', actions: ['log'], autoResolve: false });
    expect(decideTriage(facts('blocked'), [found({ ...judged(45), autoResolve: true })], rules)).toMatchObject({
      tier: 'log',
      autoResolve: true,
    });
    expect(decideTriage(facts('blocked'), [found({ ...judged(45), autoResolve: false })], rules)).toMatchObject({
      tier: 'log',
      autoResolve: false,
    });
  });
});

it.each([
  [
    { destination: { ip: '45.83.64.7' }, event: { action: 'denied' }, source: { bytes: 12 } },
    {
      observables: [{ field: 'destination.ip', value: '45.83.64.7' }],
      unread: 0,
      actions: [['denied']],
      outcome: null,
      bytesOut: 12,
      id: null,
    },
  ],
  [
    { 'destination.ip': '45.83.64.7', 'kibana.alert.uuid': 'u' },
    { observables: [{ field: 'destination.ip', value: '45.83.64.7' }], unread: 0, actions: [], outcome: null, bytesOut: null, id: 'u' },
  ],
  [
    { dest_ip: ['45.83.64.7', '45.83.64.8'], action: 'allowed', bytes_out: '99', event_id: 'n1' },
    {
      observables: [
        { field: 'dest_ip', value: '45.83.64.7' },
        { field: 'dest_ip', value: '45.83.64.8' },
      ],
      unread: 0,
      actions: [['allowed']],
      outcome: null,
      bytesOut: 99,
      id: 'n1',
    },
  ],
  [
    { destination: [{ ip: '45.83.64.7' }, { ip: [['45.83.64.8'], 'N/A'] }], 'file.hash': { md5: 'unknown' } },
    {
      observables: [
        { field: 'destination.ip', value: '45.83.64.7' },
        { field: 'destination.ip', value: '45.83.64.8' },
      ],
      unread: 0,
      actions: [],
      outcome: null,
      bytesOut: null,
      id: null,
    },
  ],
  [
    { dest_ip: '-', constructor: 'x' },
    { observables: [], unread: 0, actions: [], outcome: null, bytesOut: null, id: null },
  ],
])('reads %j', (alert, expected) => expect(readAlert(alert)).toEqual(expected));

describe('triage of alerts', () => {
  const enricher = fakeEnricher((value) => judged(value === '45.83.64.7' ? 90 : 45));
  const open = async (name: string): Promise<Triage & { store: NonNullable<Triage['store']> }> => {
    const output: RoutedOutput = {
      output: outputOf('jira'),
      settings: {},
      sender: { perform: () => Promise.reject(new Error('not used')) },
      isDry: false,
      filter: { minScore: null, tiers: ['p1'], types: [], events: [], maxTlp: 'AMBER' },
    };
    return { enricher, rules, clock: fakeClock(), store: await openStore(join(folder, `${name}.db`)), outputs: [output], maxPending: 100 };
  };
  it('answers in order, journals what has to be told once, watches what has to be watched', async () => {
    const triage = await open('a');
    const alerts = [{ id: '1', dest_ip: '45.83.64.7', action: 'allowed' }, { id: '2', dest_ip: '45.83.64.9' }, { id: '3' }];
    const decisions = await triageAlerts(alerts, triage);
    expect(decisions.map(({ alert_id, tier, field, score }) => [alert_id, tier, field, score])).toEqual([
      ['1', 'p1', 'dest_ip', 90],
      ['2', 'watch', 'dest_ip', 45],
      ['3', 'log', null, null],
    ]);
    expect(decisions[0]?.note).toBe('isMalicious triage: p1 (45.83.64.7 is malicious, score 90, tier p1)');
    await triageAlerts(alerts, triage);
    expect(await triage.store.counts('jira')).toMatchObject({ accepted: 1, pending: 1 });
    expect((await triage.store.watched(9)).map(({ indicator, by }) => [indicator.value, by])).toEqual([['45.83.64.9', 'triage']]);
    await triage.store.close();
  });
  it('reads an alert index and writes each decision back, and nothing else', async () => {
    const triage = await open('b');
    const place = { _id: 'x', _index: 'alerts-1' };
    const docs = [{ ...place, found: true, _source: { destination: { ip: '45.83.64.7' } } }];
    const engine = await startStandIn(({ path }) => {
      if (path.includes('_search')) return { body: { hits: { hits: [place] } } };
      return path.includes('_mget') ? { body: { docs } } : { body: { items: [{ update: { status: 200 } }] } };
    });
    const source = { baseUrl: engine.url, index: 'alerts-*', headers: {}, transport: fetchTransport, timeoutMs: 1000 };
    expect(await triageAlertIndex(source, triage, { limit: 10, signal: new AbortController().signal })).toEqual({
      read: 1,
      written: 1,
      failed: 0,
    });
    const [action, doc] = engine.calls[2]!.text.trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as Record<string, never>);
    expect([action, Object.keys(doc!.doc!)]).toEqual([{ update: { _id: 'x', _index: 'alerts-1' } }, ['ismalicious']]);
    expect(doc!.doc).toMatchObject({
      ismalicious: { triage: { tier: 'p1', action: ['create_incident', 'notify_soc'], auto_resolve: false } },
    });
    await engine.close();
    await triage.store.close();
  });
  it('says the decision in the cases that hold the alert, and tells which could not be told', async () => {
    const triage = await open('c');
    const place = { _id: 'x', _index: 'alerts-1' };
    const cases = { 'kibana.alert.uuid': 'u', 'kibana.alert.case_ids': ['c-1', 'c-2'] };
    const docs = [{ ...place, found: true, _source: { destination: { ip: '45.83.64.7' }, ...cases } }];
    const engine = await startStandIn(({ path }) => {
      if (path.includes('_search')) return { body: { hits: { hits: [place] } } };
      if (path.includes('/api/cases/')) return path.includes('c-2') ? { status: 404, body: {} } : { body: { id: 'c-1' } };
      return path.includes('_mget') ? { body: { docs } } : { body: { items: [{ update: { status: 200 } }] } };
    });
    const kibanaUrl = `${engine.url}/s/soc`;
    const source = {
      baseUrl: engine.url,
      index: 'alerts-*',
      headers: { authorization: 'ApiKey k' },
      transport: fetchTransport,
      timeoutMs: 1000,
      kibanaUrl,
    };
    expect(await triageAlertIndex(source, triage, { limit: 10, signal: new AbortController().signal })).toMatchObject({
      written: 1,
      failed: 1,
      reason: expect.stringContaining('case c-2 got no comment'),
    });
    const [first] = engine.calls.filter(({ path }) => path.startsWith('/s/soc/api/cases/'));
    expect([first!.path, first!.headers['kbn-xsrf'], first!.headers.authorization, JSON.parse(first!.text)]).toEqual([
      '/s/soc/api/cases/c-1/comments',
      'ismalicious',
      'ApiKey k',
      { type: 'user', owner: 'securitySolution', comment: expect.stringContaining('45.83.64.7 is malicious') },
    ]);
    await engine.close();
    await triage.store.close();
  });
  it('an alert has twice the room of a judgement in a journal, and for one beyond that the caller is told', async () => {
    const triage = await open('d');
    const alerts = [1, 2, 3].map((id) => ({ id, dest_ip: '45.83.64.7' }));
    await triageAlerts(alerts.slice(0, 2), { ...triage, maxPending: 1 });
    await expect(triageAlerts(alerts.slice(2), { ...triage, maxPending: 1 })).rejects.toThrow(/^the journal of jira is full/);
    expect(await triage.store.counts('jira')).toMatchObject({ accepted: 2 });
    await triage.store.close();
  });
});
