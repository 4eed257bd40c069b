import { mkdtempSync, readFileSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import type { EngineAnswer as Answer, EngineClient } from '../../../src/search-engine/engine-client.ts';
import { type BackfillOptions, type BackfillSurroundings, backfill } from '../../../src/search-engine/backfill/backfill.ts';
import { planBackfill } from '../../../src/search-engine/backfill/plan-backfill.ts';
import { toDocumentUpdate } from '../../../src/search-engine/backfill/document-update.ts';
import { createValueReader } from '../../../src/search-engine/backfill/document-values.ts';
import { toSearchQuery } from '../../../src/search-engine/backfill/backfill-query.ts';
import { StateFault, createStateFile, noCounts } from '../../../src/search-engine/backfill/state-file.ts';
import { DEFAULT_FIELDS } from '../../../src/events/wanted-fields.ts';
import type { Enrichment } from '../../../src/model/enrichment.ts';
import { LookupError } from '../../../src/model/lookup-error.ts';
import { FakeEnricher } from '../../support/fake-enricher.ts';
import { createFakeEnricher } from '../../support/fake-sidecar-enricher.ts';
import type { EngineAnswer } from '../../support/search-engine.ts';

const folder = mkdtempSync(join(tmpdir(), 'ismalicious-backfill-unit-'));
afterAll(() => rmSync(folder, { recursive: true }));

const fake = createFakeEnricher({
  sayings: {
    '45.155.205.9': { verdict: 'malicious', score: 87 },
    '185.220.101.1': { verdict: 'suspicious' },
    '8.8.8.8': { verdict: 'clean' },
    '1.1.1.1': { verdict: 'unknown' },
    '94.102.61.5': { verdict: 'unknown', status: 'timeout' },
    'bad.example.net': { verdict: 'malicious' },
  },
});
const found = (...pairs: [field: string, value: string][]) =>
  pairs.map(([field, value]) => ({ field, enrichment: fake.peek(value) as Enrichment }));
const RULES = { matchedType: 'indicator_match_rule', occurred: '2026-11-21T10:00:00.000Z' };
const docOf = (source: Record<string, unknown>, ...pairs: [string, string][]): EngineAnswer => {
  const update = toDocumentUpdate(source, found(...pairs), RULES);
  return update.kind === 'write' ? update.doc : update.kind;
};

describe('values of a document', () => {
  const read = createValueReader(['source.ip', 'dns.question.name', 'url.original', 'file.hash.md5']);
  it.each([
    [{ source: { ip: '8.8.8.8' } }, ['source.ip 8.8.8.8']],
    [{ 'source.ip': '8.8.8.8' }, ['source.ip 8.8.8.8']],
    [{ source: { ip: ['8.8.8.8', '1.1.1.1', '8.8.8.8'] } }, ['source.ip 8.8.8.8', 'source.ip 1.1.1.1']],
    [{ source: [{ ip: '8.8.8.8' }, { ip: '1.1.1.1' }] }, ['source.ip 8.8.8.8', 'source.ip 1.1.1.1']],
    [{ dns: { 'question.name': 'bad.example.net' } }, ['dns.question.name bad.example.net']],
    [{ 'dns.question': { name: 'bad.example.net' } }, ['dns.question.name bad.example.net']],
    [{ 'file.hash': { md5: 'd41d8cd98f00b204e9800998ecf8427e' } }, ['file.hash.md5 d41d8cd98f00b204e9800998ecf8427e']],
    [{ source: { ip: '' } }, []],
    [{ source: { ip: null } }, []],
    [{ source: { ip: 7 } }, []],
    [{ source: 'text' }, []],
    [{ url: { original: '/index.html?a=b' } }, []],
    [{ url: { original: 'http://bad.example.net/x' } }, ['url.original http://bad.example.net/x']],
    [{}, []],
  ])('%j: %j', (source, expected) => {
    expect(read(source).map(({ field, value }) => `${field} ${value}`)).toEqual(expected);
  });
});

describe('what is written into a document', () => {
  it('keeps entries that are there, in the form they have', () => {
    const other = { matched: { id: 'other' } };
    const names = (entries: EngineAnswer[]) => entries.map((entry) => entry.indicator?.name ?? entry.matched.id);
    expect(names(docOf({ threat: { enrichments: [other] } }, ['source.ip', '45.155.205.9']).threat.enrichments)).toEqual([
      'other',
      '45.155.205.9',
    ]);
    expect(names(docOf({ threat: { enrichments: other } }, ['source.ip', '45.155.205.9']).threat.enrichments)).toEqual([
      'other',
      '45.155.205.9',
    ]);
    expect(names(docOf({ 'threat.enrichments': [other] }, ['source.ip', '45.155.205.9'])['threat.enrichments'])).toEqual([
      'other',
      '45.155.205.9',
    ]);
    expect(docOf({ threat: 'text' }, ['source.ip', '45.155.205.9'])).not.toHaveProperty('threat');
  });

  it('makes an entry of each bad value and field, once', () => {
    const doc = docOf(
      {},
      ['source.ip', '45.155.205.9'],
      ['destination.ip', '45.155.205.9'],
      ['source.ip', '45.155.205.9'],
      ['client.ip', '8.8.8.8'],
      ['server.ip', '185.220.101.1'],
    );
    expect(doc.threat.enrichments.map((entry: EngineAnswer) => entry.matched.field)).toEqual(['source.ip', 'destination.ip', 'server.ip']);
    const again = docOf({ threat: doc.threat }, ['source.ip', '45.155.205.9']);
    expect(again).not.toHaveProperty('threat');
  });

  it.each([
    [
      [
        ['source.ip', '45.155.205.9'],
        ['destination.ip', '8.8.8.8'],
      ],
      { verdict: 'malicious', field: 'source.ip', auto_resolve: false },
    ],
    [
      [
        ['source.ip', '8.8.8.8'],
        ['destination.ip', '185.220.101.1'],
      ],
      { verdict: 'suspicious', field: 'destination.ip' },
    ],
    [
      [
        ['source.ip', '8.8.8.8'],
        ['destination.ip', '1.1.1.1'],
      ],
      { verdict: 'unknown', field: 'destination.ip', auto_resolve: false },
    ],
    [[['source.ip', '8.8.8.8']], { verdict: 'clean', auto_resolve: true }],
    [
      [
        ['source.ip', '10.0.0.1'],
        ['destination.ip', '8.8.8.8'],
      ],
      { verdict: 'clean', auto_resolve: true },
    ],
  ] as [[string, string][], object][])('the worst of %j speaks for it', (pairs, expected) => {
    expect(docOf({}, ...pairs).ismalicious).toMatchObject(expected);
  });

  it.each([
    [[['source.ip', '94.102.61.5']], 'later'],
    [
      [
        ['source.ip', '94.102.61.5'],
        ['destination.ip', '8.8.8.8'],
      ],
      'later',
    ],
    [
      [
        ['source.ip', '94.102.61.5'],
        ['destination.ip', '1.1.1.1'],
      ],
      'later',
    ],
  ] as [[string, string][], string][])('a failure is never written down as final: %j is for %s', (pairs, kind) => {
    expect(docOf({}, ...pairs)).toBe(kind);
  });

  it('something bad is written at once, with the failure beside it', () => {
    expect(docOf({ tags: 'one' }, ['source.ip', '94.102.61.5'], ['destination.ip', '45.155.205.9'])).toMatchObject({
      ismalicious: { verdict: 'malicious' },
      tags: ['one', '_ismalicious_failure'],
    });
  });

  it('an `ismalicious` that is no object is somebody else’s', () => {
    expect(docOf({ ismalicious: 'text' }, ['source.ip', '45.155.205.9'])).toBe('conflict');
  });

  it('related lists what was looked up, once, in the form that is there', () => {
    expect(
      docOf(
        { related: { ip: ['10.0.0.1'] } },
        ['source.ip', '8.8.8.8'],
        ['dns.question.name', 'bad.example.net'],
        ['destination.ip', '8.8.8.8'],
      ).related,
    ).toEqual({ ip: ['10.0.0.1', '8.8.8.8'], hosts: ['bad.example.net'] });
    expect(docOf({ 'related.ip': '10.0.0.1' }, ['source.ip', '8.8.8.8'])).toMatchObject({ 'related.ip': ['10.0.0.1', '8.8.8.8'] });
    expect(docOf({ related: { ip: ['8.8.8.8'] } }, ['source.ip', '8.8.8.8'])).not.toHaveProperty('related');
    expect(docOf({ related: 'text' }, ['source.ip', '8.8.8.8'])).not.toHaveProperty('related');
  });
});

describe('what is searched for', () => {
  const query = { index: 'x', fields: ['source.ip'], timeField: '@timestamp', since: null, until: null, filter: null, withFailures: false };
  it('documents without a time belong to every run that names no beginning', () => {
    expect(JSON.stringify(toSearchQuery({ ...query, until: 'now' }, null))).toContain('"must_not":[{"exists":{"field":"@timestamp"}}]');
    expect(JSON.stringify(toSearchQuery({ ...query, since: 'now-1d', until: 'now' }, null))).not.toContain(
      '"must_not":[{"exists":{"field":"@timestamp"}}]',
    );
  });
});

describe('the state file', () => {
  const state = {
    version: 1 as const,
    key: 'k',
    startedAt: '2026-11-21T10:00:00.000Z',
    until: 'now',
    reachedMs: 5,
    finishedAt: null,
    tally: noCounts(),
    refusals: [],
  };

  it('gives back what was saved, is readable by its owner only, and leaves nothing beside it', () => {
    const path = join(folder, 'sub', 'state.json');
    const keeper = createStateFile(path);
    expect(keeper.load()).toBeNull();
    keeper.save(state);
    keeper.save({ ...state, reachedMs: 4 });
    expect(keeper.load()).toEqual({ ...state, reachedMs: 4 });
    expect(statSync(path).mode & 0o777).toBe(0o600);
    expect(readdirSync(join(folder, 'sub'))).toEqual(['state.json']);
  });

  it.each(['', '{', '[]', '{"version":2}', 'null'])('refuses %j, and does not take it for a beginning', (text) => {
    const path = join(folder, 'broken.json');
    writeFileSync(path, text);
    expect(() => createStateFile(path).load()).toThrow(StateFault);
    expect(readFileSync(path, 'utf8')).toBe(text);
  });
});

/** An engine of a few documents that speaks Elasticsearch's point in time, and can be told to misbehave. */
function fakeEngine(ids: readonly string[], misbehave: (call: string, n: number) => Answer | null = () => null) {
  const calls: { call: string; body: EngineAnswer }[] = [];
  const verdicts = new Map<string, unknown>();
  const engine: EngineClient = {
    name: 'fake',
    async call(method, path, body) {
      const call = `${method} ${path.split('?')[0]}`;
      calls.push({ call, body });
      const wrong = misbehave(call, calls.filter((one) => one.call === call).length);
      if (wrong) return wrong;
      const open = ids.filter((id) => !verdicts.has(id));
      if (call.endsWith('_count')) return { status: 200, body: { count: open.length } };
      if (call === 'POST /i/_pit') return { status: 200, body: { id: `pit-${calls.length}` } };
      if (call === 'POST /_search') {
        const { size, search_after: after } = body as EngineAnswer;
        const rest = open.filter((id) => after === undefined || ids.indexOf(id) > after[1]);
        const hits = rest.slice(0, size).map((id) => ({
          _index: '.ds-i-1',
          _id: id,
          _seq_no: 1,
          _primary_term: 1,
          _source: { source: { ip: id } },
          sort: [1000 - ids.indexOf(id), ids.indexOf(id)],
        }));
        return { status: 200, body: { hits: { hits } } };
      }
      if (call === 'POST /_bulk') {
        const lines = String(body)
          .trimEnd()
          .split('\n')
          .map((line) => JSON.parse(line));
        const items = lines.flatMap((line, n) =>
          line.update ? [{ update: { status: 200 } }] : (verdicts.set(lines[n - 1].update._id, line.doc.ismalicious.verdict), []),
        );
        return { status: 200, body: { items } };
      }
      return { status: 200, body: {} };
    },
  };
  return { engine, calls, verdicts };
}

const OPTIONS: BackfillOptions = {
  query: { index: 'i', fields: DEFAULT_FIELDS, timeField: '@timestamp', since: null, until: null, filter: null, withFailures: false },
  pageSize: 2,
  parallel: 1,
  budget: null,
  matchedType: null,
};
let states = 0;
const around = (engine: EngineClient, over: Partial<BackfillSurroundings> = {}): BackfillSurroundings => ({
  engine,
  enricher: new FakeEnricher(),
  state: createStateFile(join(folder, `unit-${++states}.json`)),
  now: () => 1_790_000_000_000,
  wait: () => Promise.resolve(),
  ...over,
});
const IDS = ['203.0.113.5', '203.0.113.6', '203.0.113.7', '203.0.113.8', '198.18.0.1'];

describe('a run', () => {
  it('reads a point in time page by page, and closes it', async () => {
    const { engine, calls, verdicts } = fakeEngine(IDS);
    const report = await backfill(OPTIONS, around(engine));
    expect(report).toMatchObject({ end: 'done', total: 5, tally: { scanned: 5, updated: 5 } });
    expect([...verdicts.keys()]).toEqual(IDS);
    const searches = calls.filter(({ call }) => call === 'POST /_search');
    expect(searches.map(({ body }) => body.search_after)).toEqual([undefined, [999, 1], [997, 3]]);
    expect(searches[0]?.body.sort).toEqual([{ '@timestamp': expect.anything() }, { _shard_doc: 'asc' }]);
    expect(calls.at(-1)?.call).toBe('DELETE /_pit');
  });

  it('that is resumed tells the documents of all of it, never fewer than were read', async () => {
    const { engine } = fakeEngine(IDS);
    const state = createStateFile(join(folder, 'resumed.json'));
    const stop = new AbortController();
    const first = await backfill(OPTIONS, around(engine, { state, signal: stop.signal, onProgress: () => stop.abort() }));
    expect(first).toMatchObject({ end: 'stopped', total: 5, tally: { scanned: 2 } });
    const second = await backfill(OPTIONS, around(engine, { state }));
    expect(second).toMatchObject({ end: 'done', total: 5, tally: { scanned: 5 } });
  });

  it('takes another word between documents of one time where the engine does not know `_shard_doc`', async () => {
    const { engine, calls, verdicts } = fakeEngine(IDS, (call, n) =>
      call === 'POST /_search' && n === 1 ? { status: 400, body: { error: { reason: 'No mapping found for [_shard_doc]' } } } : null,
    );
    await backfill(OPTIONS, around(engine));
    expect(verdicts.size).toBe(5);
    expect(calls.filter(({ call }) => call === 'POST /_search').map(({ body }) => Object.keys(body.sort[1])[0])).toEqual([
      '_shard_doc',
      '_seq_no',
      '_seq_no',
      '_seq_no',
    ]);
  });

  it('opens the point in time again when it ran out while look-ups were slow', async () => {
    const { engine, calls, verdicts } = fakeEngine(IDS, (call, n) =>
      call === 'POST /_search' && n === 2 ? { status: 404, body: { error: { reason: 'search_context_missing_exception' } } } : null,
    );
    expect((await backfill(OPTIONS, around(engine))).end).toBe('done');
    expect(verdicts.size).toBe(5);
    expect(calls.filter(({ call }) => call === 'POST /i/_pit')).toHaveLength(2);
    expect(calls.filter(({ call }) => call === 'DELETE /_pit')).toHaveLength(2);
  });

  it('gives up when that happens without progress in between', async () => {
    const { engine } = fakeEngine(IDS, (call) =>
      call === 'POST /_search' ? { status: 404, body: { error: { reason: 'index_not_found' } } } : null,
    );
    await expect(backfill(OPTIONS, around(engine))).rejects.toThrow('search: HTTP 404: index_not_found');
  });

  it.each([
    ['POST /i/_count', { status: 403, body: { error: { reason: 'no read' } } }, '_count: HTTP 403: no read'],
    ['POST /i/_pit', { status: 403, body: { error: { reason: 'no read' } } }, 'HTTP 403: no read'],
    ['POST /_search', { status: 200, body: { hits: { hits: [] }, _shards: { failed: 2 } } }, '2 shards did not answer'],
    ['POST /_bulk', { status: 413, body: null }, '_bulk: HTTP 413'],
    ['POST /_bulk', { status: 200, body: { items: [] } }, '_bulk: HTTP 200'],
  ] as [string, Answer, string][])('%s that answers %j ends it: %s', async (path, answer, words) => {
    const { engine } = fakeEngine(IDS, (call) => (call === path ? answer : null));
    await expect(backfill(OPTIONS, around(engine))).rejects.toThrow(words);
  });

  it.each([
    ['as a whole', { status: 429, body: null }, 'HTTP 429'],
    ['for each document', { status: 200, body: { items: [{ update: { status: 429 } }, { update: { status: 429 } }] } }, 'too busy'],
  ] as [string, Answer, string][])('ends when the engine stays busy %s, with its place kept', async (_, answer, words) => {
    const { engine } = fakeEngine(IDS, (call) => (call === 'POST /_bulk' ? answer : null));
    const surroundings = around(engine);
    await expect(backfill(OPTIONS, surroundings)).rejects.toThrow(words);
    expect(surroundings.state.load()).toMatchObject({ finishedAt: null, tally: { updated: 0 } });
  });

  it('waits for an engine that restarts in the middle', async () => {
    const waits: number[] = [];
    const inner = fakeEngine(IDS);
    let calls = 0;
    const engine: EngineClient = {
      name: 'fake',
      async call(method, path, body) {
        calls += 1;
        if (calls >= 5 && calls <= 7) throw new LookupError('unavailable', 'search engine', 'connection failed (ECONNREFUSED)');
        return inner.engine.call(method, path, body);
      },
    };
    const report = await backfill(OPTIONS, around(engine, { wait: async (ms) => void waits.push(ms) }));
    expect(report.tally.updated).toBe(5);
    expect(waits).toEqual([1000, 2000, 4000]);
  });

  it('gives up on one that stays away, with its place kept', async () => {
    const gone: EngineClient = {
      name: 'gone',
      call: () => Promise.reject(new LookupError('unavailable', 'search engine', 'connection failed (ECONNREFUSED)')),
    };
    const surroundings = around(gone);
    await expect(backfill(OPTIONS, surroundings)).rejects.toThrow('ECONNREFUSED');
    expect(surroundings.state.load()?.finishedAt).toBeNull();
  });

  it('a state of an unfinished run that looked for something else is not taken over', async () => {
    const { engine } = fakeEngine(IDS, (call) => (call === 'POST /_bulk' ? { status: 413, body: null } : null));
    const surroundings = around(engine);
    await expect(backfill(OPTIONS, surroundings)).rejects.toThrow();
    const other = { ...OPTIONS, query: { ...OPTIONS.query, index: 'another' } };
    await expect(backfill(other, surroundings)).rejects.toThrow(StateFault);
  });

  it('an answer that is too large is asked for in halves, down to one document', async () => {
    let searches = 0;
    const inner = fakeEngine(IDS);
    const engine: EngineClient = {
      name: 'fake',
      async call(method, path, body) {
        if (path === '/_search' && method === 'POST' && (body as EngineAnswer).size > 1) {
          searches += 1;
          throw new LookupError('bad_response', 'search engine', 'answer larger than 4194304 bytes');
        }
        return inner.engine.call(method, path, body);
      },
    };
    expect((await backfill({ ...OPTIONS, pageSize: 8 }, around(engine))).tally.updated).toBe(5);
    expect(searches).toBe(3);
  });

  it('names a document by its routing too, when it is updated and when it is read again', async () => {
    const inner = fakeEngine(IDS.slice(0, 2));
    const named: unknown[] = [];
    const engine: EngineClient = {
      name: 'fake',
      async call(method, path, body) {
        if (path === '/_mget') {
          const { docs } = body as EngineAnswer;
          named.push(...docs.map(({ _id, routing }: EngineAnswer) => ['read', _id, routing]));
          const [{ _index, _id, routing }] = docs;
          const document = { _index, _id, _routing: routing, _seq_no: 2, _primary_term: 1, _source: { source: { ip: _id } }, found: true };
          return { status: 200, body: { docs: [document] } };
        }
        const answer = (await inner.engine.call(method, path, body)) as EngineAnswer;
        if (path === '/_search') for (const [n, hit] of answer.body.hits.hits.entries()) if (n === 0) hit._routing = 'tenant0';
        if (path.startsWith('/_bulk')) {
          const actions = String(body)
            .split('\n')
            .filter((_, n) => n % 2 === 0 && _ !== '');
          named.push(...actions.map((line) => ['update', JSON.parse(line).update._id, JSON.parse(line).update.routing]));
          if (actions.length === 2) answer.body.items[0] = { update: { status: 409 } };
        }
        return answer;
      },
    };
    expect((await backfill(OPTIONS, around(engine))).tally).toMatchObject({ updated: 2, gone: 0, refused: 0 });
    expect(named).toEqual([
      ['update', IDS[0], 'tenant0'],
      ['update', IDS[1], undefined],
      ['read', IDS[0], 'tenant0'],
      ['update', IDS[0], 'tenant0'],
    ]);
  });

  it('says gone only of what is gone: another 404, or a document that may not be read again, is refused', async () => {
    const types = ['document_missing_exception', 'index_not_found_exception', 'shard_not_found_exception', 'conflict'];
    const { engine } = fakeEngine(IDS.slice(0, 4), (call, n) => {
      const error = (type: string) => ({ type, reason: `about ${type}` });
      if (call === 'POST /_bulk' && n === 1)
        return {
          status: 200,
          body: { items: types.map((type) => ({ update: type === 'conflict' ? { status: 409 } : { status: 404, error: error(type) } })) },
        };
      return call === 'POST /_mget' ? { status: 200, body: { docs: [{ _id: IDS[3], error: error('routing_missing_exception') }] } } : null;
    });
    const report = await backfill({ ...OPTIONS, pageSize: 10 }, around(engine));
    expect(report.tally).toMatchObject({ scanned: 4, updated: 0, gone: 2, refused: 2 });
    expect(report.refusals.map(({ id, reason }) => [id, reason])).toEqual([
      [IDS[2], 'HTTP 404: about shard_not_found_exception'],
      [IDS[3], 'HTTP 200: about routing_missing_exception'],
    ]);
  });

  /** As both engines say it, and go on with the other shards. */
  const NO_SOURCE = {
    shard: 0,
    index: '.ds-bare-1',
    reason: {
      type: 'illegal_argument_exception',
      reason: 'unable to fetch fields from _source field: _source is disabled in the mappings for index [.ds-bare-1]',
    },
  };
  const isLeftOut = (body: EngineAnswer) => JSON.stringify(body.query.bool.must_not ?? []).includes('.ds-bare-1');
  const withBare = () => {
    const inner = fakeEngine(IDS);
    const engine: EngineClient = {
      name: 'fake',
      async call(method, path, body) {
        if (path.startsWith('/.ds-bare-1/_count')) return { status: 200, body: { count: 7 } };
        if (path === '/_search' && !isLeftOut(body))
          return { status: 200, body: { _shards: { failed: 1, failures: [NO_SOURCE] }, hits: { hits: [] } } };
        return inner.engine.call(method, path, body);
      },
    };
    return { ...inner, engine };
  };

  it('names an index that keeps no _source, counts its documents as refused, and goes on with the rest', async () => {
    const { engine, verdicts } = withBare();
    const report = await backfill(OPTIONS, around(engine));
    expect(report.end).toBe('done');
    expect(verdicts.size).toBe(5);
    expect(report.tally).toMatchObject({ updated: 5, refused: 7, gone: 0 });
    expect(report.refusals).toEqual([{ index: '.ds-bare-1', id: '', reason: expect.stringContaining('keeps no _source') }]);
  });

  it('is planned without such an index, and the plan names it', async () => {
    const enricher = new FakeEnricher();
    const plan = await planBackfill(withBare().engine, enricher, OPTIONS);
    expect(plan).toMatchObject({ documents: 5, read: 5, unreadable: ['.ds-bare-1'] });
  });

  it('says which shard did not answer, and why, when it is for another reason', async () => {
    const failure = { shard: 0, index: 'i', reason: { type: 'x', reason: 'too many buckets' } };
    const { engine } = fakeEngine(IDS, (call) =>
      call === 'POST /_search' ? { status: 200, body: { _shards: { failed: 1, failures: [failure] }, hits: { hits: [] } } } : null,
    );
    await expect(backfill(OPTIONS, around(engine))).rejects.toThrow(/1 shards did not answer \(i: HTTP 503: too many buckets\)/);
  });
});
