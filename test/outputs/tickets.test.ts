import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it, onTestFinished } from 'vitest';
import type { Answer } from '../../src/model/enrichment.ts';
import type { OutputItem } from '../../src/outputs/output.ts';
import { deliver } from '../../src/pipeline/delivery/deliver.ts';
import { indicatorId } from '../../src/pipeline/delivery/output-item.ts';
import { createOutputSender } from '../../src/pipeline/delivery/output-sender.ts';
import { tellOverruled } from '../../src/pipeline/delivery/tell-overruled.ts';
import { openStore, type Store } from '../../src/store/store-client.ts';
import { fakeClock, fetchTransport, type Reply, type SeenCall, startStandIn } from '../pipeline/stand-in.ts';
import { itemOf, NOW, outputOf, SETTINGS } from './samples.ts';

const folder = mkdtempSync(join(tmpdir(), 'ismalicious-tickets-'));
afterAll(() => rmSync(folder, { recursive: true }));
let files = 0;

const VALUE = '45.83.64.7';
const CLEAN: Partial<Answer> = { verdict: 'clean', score: 3, tier: 'log' };
const item = (n: number, more: Partial<OutputItem> & { answer?: Partial<Answer> } = {}) =>
  itemOf(VALUE, { ...more, id: indicatorId('ipv4-addr', VALUE), key: `ismalicious:${VALUE}:${n}` });
const turned = (n: number, answer: Partial<Answer>) =>
  item(n, { event: 'verdict_changed', answer, before: { verdict: 'malicious', score: 87, tier: 'p1', atS: NOW - 60 } });

/** A call as these tests compare it. */
interface Told {
  readonly method: string;
  readonly path: string;
  // Tests look into bodies of many shapes.
  // oxlint-disable-next-line typescript/no-explicit-any
  readonly body: any;
}

/** An output that talks to a stand-in and remembers in a store of its own. */
async function open(id: string, reply: (call: SeenCall, n: number) => Reply, more: Record<string, unknown> = {}) {
  const server = await startStandIn(reply);
  const store = await openStore(join(folder, `${++files}.db`));
  onTestFinished(async () => {
    await server.close();
    await store.close();
  });
  const output = outputOf(id);
  const settings = output.settings.parse({ ...SETTINGS[id], baseUrl: server.url, ...more });
  const clock = fakeClock();
  const sender = createOutputSender({ transport: fetchTransport, clock, timeoutMs: 2000, ca: null });
  const pass = async (): Promise<Told[]> => {
    const before = server.calls.length;
    const delivering = { store, clock, random: () => 0.5, signal: new AbortController().signal };
    await deliver({ output, settings, sender }, { ...delivering, limits: { maxTries: 3, patienceMs: 600_000 } });
    return server.calls.slice(before).map(({ method, path, text }) => ({ method, path, body: text === '' ? null : JSON.parse(text) }));
  };
  const tell = async (one: OutputItem) => {
    const delivery = { output: id, key: one.key, subject: one.indicator.value, payload: JSON.stringify(one) };
    await store.route([{ routed: null, deliveries: [delivery] }], NOW, 100);
    return await pass();
  };
  return { store, tell, pass };
}
const paths = (calls: readonly Told[]) => calls.map(({ method, path }) => `${method} ${path.split('?')[0]}`);
const ticketIn = async (store: Store, id: string) => {
  const found = await store.ticket(id, VALUE);
  return found && [found.ref, found.isOpen];
};

/** Jira with one project: an issue is found by its label until it is done. */
function jira(transitions: readonly object[]) {
  const issues: { key: string; labels: string[]; isDone: boolean }[] = [];
  return ({ method, path, text }: SeenCall): Reply => {
    const body = text === '' ? null : (JSON.parse(text) as { fields?: { labels: string[] } });
    if (path.includes('/search/jql')) {
      const label = /labels = "([^"]+)"/.exec(new URL(path, 'http://x').searchParams.get('jql') ?? '')?.[1] ?? '';
      const found = issues.filter(({ labels, isDone }) => labels.includes(label) && !isDone);
      return { body: { issues: found.slice(0, 1).map(({ key }) => ({ id: '1', key })) } };
    }
    if (path.endsWith('/transitions') && method === 'GET') return { body: { transitions } };
    if (path.endsWith('/transitions')) {
      for (const issue of issues) issue.isDone ||= path.includes(`/${issue.key}/`);
      return { status: 204 };
    }
    if (path.endsWith('/comment')) return { status: 201, body: { id: '9' } };
    issues.push({ key: `SOC-${issues.length + 1}`, labels: body?.fields?.labels ?? [], isDone: false });
    return { status: 201, body: { id: '1', key: `SOC-${issues.length}`, self: 'x' } };
  };
}
const DONE = { id: '31', name: 'Close', to: { statusCategory: { key: 'done' } } };

describe('a Jira issue', () => {
  it('is opened once, takes what is learnt later, is ended when the verdict turns, and a new one is opened after that', async () => {
    const { store, tell } = await open('jira', jira([{ id: '21', name: 'Start', to: { statusCategory: { key: 'indeterminate' } } }, DONE]));
    expect(paths(await tell(item(1)))).toEqual(['GET /rest/api/3/search/jql', 'POST /rest/api/3/issue']);
    expect(await ticketIn(store, 'jira')).toEqual(['SOC-1', true]);
    const news = await tell(turned(2, { verdict: 'suspicious', score: 61, tier: 'p2' }));
    expect(paths(news)).toEqual(['GET /rest/api/3/search/jql', 'POST /rest/api/3/issue/SOC-1/comment']);
    expect(JSON.stringify(news[1]!.body)).toContain('P2 45[.]83[.]64[.]7 suspicious, score 61 (was malicious, score 87)');
    expect(news[1]!.body.properties).toEqual([{ key: 'ismalicious', value: { message: `ismalicious:${VALUE}:2` } }]);
    const end = await tell(turned(3, CLEAN));
    expect(paths(end).slice(1)).toEqual([
      'POST /rest/api/3/issue/SOC-1/comment',
      'GET /rest/api/3/issue/SOC-1/transitions',
      'POST /rest/api/3/issue/SOC-1/transitions',
    ]);
    expect(end[3]!.body).toEqual({ transition: { id: '31' } });
    expect(await ticketIn(store, 'jira')).toEqual(['SOC-1', false]);
    expect(paths(await tell(turned(4, CLEAN)))).toEqual(['GET /rest/api/3/search/jql']);
    expect(paths(await tell(item(5)))).toEqual(['GET /rest/api/3/search/jql', 'POST /rest/api/3/issue']);
    expect(await store.counts('jira')).toMatchObject({ accepted: 5, delivered: 5 });
  });
  it('is only told, and stays open, where that is wished, or its workflow has no such way', async () => {
    const quiet = await open('jira', jira([DONE]), { resolve: false });
    await quiet.tell(item(1));
    expect(paths(await quiet.tell(turned(2, CLEAN))).at(-1)).toBe('POST /rest/api/3/issue/SOC-1/comment');
    const stuck = await open('jira', jira([DONE]), { doneTransition: 'Resolve' });
    await stuck.tell(item(1));
    await stuck.tell(turned(2, CLEAN));
    expect([await ticketIn(quiet.store, 'jira'), await ticketIn(stuck.store, 'jira')]).toEqual([
      ['SOC-1', true],
      ['SOC-1', true],
    ]);
  });
  it('stays open while nobody knows better: unknown, and failed look-ups, are no end', async () => {
    const { store, tell } = await open('jira', jira([DONE]));
    await tell(item(1));
    await tell(turned(2, { verdict: 'unknown', score: null, tier: 'review' }));
    await tell(turned(3, { ...CLEAN, status: 'partial' }));
    expect(await ticketIn(store, 'jira')).toEqual(['SOC-1', true]);
  });
  it('has assignee, priority, labels, fields and a link to the evidence as the team wants them', async () => {
    const { tell } = await open('jira', jira([]), {
      assignee: '5b10a2844c20165700ede21g',
      priority: { p1: 'Highest' },
      labels: ['soc'],
      labelsByTier: { p1: 'urgent now', p2: 'later' },
      labelFacts: ['categories', 'tlp', 'type'],
      fields: { components: [{ name: 'SOC' }] },
      evidenceUrl: 'https://splunk.corp-net.com/app/ismalicious/investigate?form.value={value}&id={id}',
    });
    const { fields } = (await tell(item(1)))[1]!.body;
    expect(fields).toMatchObject({
      assignee: { accountId: '5b10a2844c20165700ede21g' },
      priority: { name: 'Highest' },
      components: [{ name: 'SOC' }],
      labels: ['ismalicious', expect.stringMatching(/^ismalicious-/), 'soc', 'urgent-now', 'category-c2', 'tlp-GREEN', 'type-ipv4-addr'],
    });
    expect(JSON.stringify(fields.description)).toMatch(
      /Evidence: https:\/\/splunk\.corp-net\.com\/\S+form\.value=45\.83\.64\.7&id=[0-9a-f]{64}/,
    );
  });
});

describe('a ServiceNow record', () => {
  function instance() {
    const rows: { sys_id: string; active: boolean }[] = [];
    return ({ method, path, text }: SeenCall): Reply => {
      if (method === 'GET')
        return { body: { result: rows.filter(({ active }) => active).map(({ sys_id }) => ({ sys_id, number: 'INC1' })) } };
      if (method === 'PATCH') {
        const row = rows.find(({ sys_id }) => path.endsWith(sys_id));
        if (row && (JSON.parse(text) as { state?: string }).state === '6') row.active = false;
        return { body: { result: {} } };
      }
      rows.push({ sys_id: `s${rows.length + 1}`, active: true });
      return { status: 201, body: { result: { sys_id: `s${rows.length}`, number: 'INC1' } } };
    };
  }
  it('is opened once as the team wants it, takes work notes, and is resolved when the verdict turns', async () => {
    const { store, tell } = await open('servicenow', instance(), {
      assignmentGroup: 'SOC',
      assignedTo: 'jdoe',
      urgency: { p1: '1' },
      impact: { p1: '2' },
      priority: { p1: '1' },
      fields: { category: 'security' },
    });
    const [, created] = await tell(item(1));
    expect(created!.body).toMatchObject({
      assignment_group: 'SOC',
      assigned_to: 'jdoe',
      urgency: '1',
      impact: '2',
      priority: '1',
      category: 'security',
    });
    const [, note] = await tell(turned(2, { score: 95 }));
    expect([note!.method, note!.path, Object.keys(note!.body)]).toEqual(['PATCH', '/api/now/table/incident/s1', ['work_notes']]);
    const [, end] = await tell(turned(3, CLEAN));
    expect(end!.body).toMatchObject({ state: '6', close_code: 'Resolved by caller', close_notes: expect.stringContaining('clean') });
    expect(await ticketIn(store, 'servicenow')).toEqual(['s1', false]);
    expect((await tell(item(4)))[1]!.method).toBe('POST');
  });
});

describe('a PagerDuty alert', () => {
  it('is triggered and ended under one key, with severity and evidence as the team wants them', async () => {
    const { store, tell } = await open('pagerduty', () => ({ status: 202, body: { status: 'success' } }), {
      severity: { p1: 'error' },
      evidenceUrl: 'https://kibana.corp-net.com/app/x?q={value}',
    });
    const [first, last] = [(await tell(item(1)))[0]!.body, (await tell(turned(2, CLEAN)))[0]!.body];
    expect([first.event_action, last.event_action, first.dedup_key === last.dedup_key]).toEqual(['trigger', 'resolve', true]);
    expect(first).toMatchObject({
      payload: { severity: 'error' },
      client_url: 'https://kibana.corp-net.com/app/x?q=45.83.64.7',
      links: [{ href: 'https://kibana.corp-net.com/app/x?q=45.83.64.7', text: 'Evidence' }],
    });
    expect(await ticketIn(store, 'pagerduty')).toEqual([`ismalicious:ipv4-addr:${VALUE}`, false]);
  });
});

describe('an alert in TheHive', () => {
  function hive() {
    let isThere = false;
    return ({ path, method }: SeenCall): Reply => {
      if (path === '/api/v1/query') return { body: [{ _id: '~7' }] };
      if (path !== '/api/v1/alert') return { status: method === 'PATCH' ? 204 : 201, body: method === 'PATCH' ? undefined : { _id: '~c' } };
      if (isThere) return { status: 400, body: { type: 'CreateError', message: 'Alert already exists' } };
      isThere = true;
      return { status: 201, body: { _id: '~7' } };
    };
  }
  it('is made once, takes comments, is set aside when the verdict turns, and comes back with a new reason', async () => {
    const { store, tell } = await open('thehive', hive(), { assignee: 'soc@corp-net.com', labelFacts: ['tier'] });
    const [created] = await tell(item(1));
    expect(created!.body).toMatchObject({ assignee: 'soc@corp-net.com', tags: expect.arrayContaining(['tier-p1']) });
    expect(paths(await tell(item(2)))).toEqual(['POST /api/v1/alert/~7/comment']);
    const end = await tell(turned(3, CLEAN));
    expect([paths(end), end[1]!.body]).toEqual([['POST /api/v1/alert/~7/comment', 'PATCH /api/v1/alert/~7'], { status: 'Ignored' }]);
    expect(await ticketIn(store, 'thehive')).toEqual(['~7', false]);
    expect((await tell(item(4)))[1]!.body).toEqual({ status: 'New' });
  });
  it('that a process made and died before it could remember it is found again', async () => {
    const reply = hive();
    reply({ path: '/api/v1/alert', method: 'POST', headers: {}, text: '' });
    const { store, tell } = await open('thehive', reply);
    expect(paths(await tell(item(1)))).toEqual(['POST /api/v1/alert', 'POST /api/v1/query', 'POST /api/v1/alert/~7/comment']);
    expect(await ticketIn(store, 'thehive')).toEqual(['~7', true]);
  });
});

describe('a Slack thread', () => {
  const more = { botToken: 's3cret-bot', channel: 'C042' };
  it('begins with the first word on an indicator, takes the next ones, and ends for all to see; a new reason begins a new one', async () => {
    const { store, tell } = await open('slack', (_, n) => ({ body: { ok: true, ts: `17.${n}` } }), more);
    const [first] = await tell(item(1));
    expect([first!.path, first!.body.channel, first!.body.thread_ts]).toEqual(['/chat.postMessage', 'C042', undefined]);
    expect((await tell(item(2)))[0]!.body).toMatchObject({ thread_ts: '17.1', reply_broadcast: false });
    expect((await tell(turned(3, CLEAN)))[0]!.body).toMatchObject({ thread_ts: '17.1', reply_broadcast: true });
    expect(await ticketIn(store, 'slack')).toEqual(['17.1', false]);
    expect((await tell(item(4)))[0]!.body.thread_ts).toBeUndefined();
    expect(await ticketIn(store, 'slack')).toEqual(['17.4', true]);
  });
  it('that was deleted is begun anew; what a person has to mend waits, what passes comes again, what is too long is set aside', async () => {
    const said: Record<string, object> = { A: { ok: false, error: 'thread_not_found' } };
    const { store, tell } = await open(
      'slack',
      ({ text }) => {
        const { thread_ts } = JSON.parse(text) as { thread_ts?: string };
        return { body: (thread_ts ? said.A : said.B) ?? { ok: true, ts: '17.9' } };
      },
      more,
    );
    await tell(item(1));
    expect((await tell(item(2))).map(({ body }) => body.thread_ts)).toEqual(['17.9', undefined]);
    said.B = { ok: false, error: 'msg_too_long' };
    await tell(item(3));
    expect(await store.counts('slack')).toMatchObject({ delivered: 2, quarantined: 1 });
    said.B = { ok: false, error: 'invalid_auth' };
    expect((await tell(item(4))).length).toBe(2);
    expect(await store.outputPause('slack', 1_795_000_000_000)).toMatchObject({
      isFault: true,
      reason: expect.stringContaining('invalid_auth'),
    });
  });
});

describe('an analyst who calls a value clean', () => {
  const override = {
    value: VALUE,
    type: 'ipv4-addr',
    verdict: 'clean',
    score: 0,
    author: 'ann',
    reason: 'our scanner',
    atS: NOW + 5,
  } as const;
  const rest = { untilS: null, saidVerdict: 'malicious', saidScore: 87, endedAtS: null, endedBy: null } as const;

  it('ends the ticket that an alert opened, once, although no feed lists the value', async () => {
    const { store, tell, pass } = await open('jira', jira([DONE]));
    await tell(item(1, { event: 'triage' }));
    const overruled = { store, overrides: [{ ...override, ...rest }], outputs: ['jira'], nowS: NOW + 10, maxPending: 100 };
    expect([
      await tellOverruled({ ...overruled, outputs: ['pagerduty'] }),
      await tellOverruled(overruled),
      await tellOverruled(overruled),
    ]).toEqual([0, 1, 0]);
    const calls = await pass();
    expect(paths(calls).at(-1)).toBe('POST /rest/api/3/issue/SOC-1/transitions');
    expect(JSON.stringify(calls[1]!.body)).toContain('ann calls it clean: our scanner');
    expect(await store.openTickets()).toEqual([]);
  });
});
