import { beforeEach, describe, expect, it } from 'vitest';
import type { EngineStats } from '../../src/engine/engine.ts';
import { createMemoryVerdictStore } from '../../src/engine/cache/memory-verdict-store.ts';
import type { VerdictStore } from '../../src/engine/cache/verdict-store.ts';
import { type AppEngine, shareThroughKvStore } from '../../src/splunkd/kv-verdicts.ts';
import { type Splunkd, type SplunkdCall, SplunkdError } from '../../src/splunkd/splunkd.ts';

const NOW_S = 2_000_000_000;
const ANSWER = '{"verdict":"malicious"}';

interface KvRow {
  readonly _key: string;
  readonly provider: string;
  readonly value: string;
  readonly answer: string;
  readonly checked_at: number;
  readonly expires_at: number;
}

/** A member of a cluster: its own cache, the common KV store. Its provider answers whatever its cache does not know. */
function memberOf(kv: Map<string, KvRow>, fault?: (call: SplunkdCall) => SplunkdError | null) {
  const store: VerdictStore = createMemoryVerdictStore(null);
  const upstream: string[] = [];
  const calls: SplunkdCall[] = [];
  const splunkd: Splunkd = {
    request(call) {
      calls.push(call);
      const refused = fault?.(call) ?? null;
      if (refused) return Promise.reject(refused);
      const body = JSON.parse(call.body ?? '[]') as unknown[];
      if (call.path.endsWith('batch_find')) {
        const queries = body as { query: { value: string } }[];
        return Promise.resolve(queries.map(({ query }) => [...kv.values()].filter(({ value }) => value === query.value)));
      }
      for (const row of body as KvRow[]) kv.set(row._key, row);
      return Promise.resolve([]);
    },
    secrets: () => Promise.resolve({}),
    close: () => Promise.resolve(),
  };
  const inner = {
    store,
    stats: () => ({ providers: [{ provider: 'virustotal' }] }) as unknown as EngineStats,
    enrichMany(values: Iterable<string>) {
      const asked = [...values];
      const known = store.getMany('virustotal', asked);
      for (const value of asked.filter((one) => (known.get(one)?.expiresAtS ?? 0) <= NOW_S)) {
        upstream.push(value);
        store.put('virustotal', value, { answer: ANSWER, checkedAtS: NOW_S, expiresAtS: NOW_S + 100 });
      }
      return Promise.resolve(new Map());
    },
    close: () => Promise.resolve(),
  } as unknown as AppEngine;
  const engine = shareThroughKvStore(inner, splunkd, { batchSize: 2, maxRows: 3, nowS: () => NOW_S });
  return { engine, upstream, calls, store };
}

const values = ['8.8.4.1', '8.8.4.2', '8.8.4.3'];
let kv: Map<string, KvRow>;
beforeEach(() => {
  kv = new Map();
});

describe('the verdict cache of a search head cluster', () => {
  it('what one member paid for, no other pays for again', async () => {
    const [first, second] = [memberOf(kv), memberOf(kv)];
    await first.engine.enrichMany(values);
    await second.engine.enrichMany(values);
    expect([first.upstream, second.upstream]).toEqual([values, []]);
    expect(second.calls.map(({ path }) => path.split('/').at(-1))).toEqual(['batch_find', 'batch_find']);
  });

  it('asks the KV store nothing when this host knows, and never about private or invalid values', async () => {
    const { engine, calls } = memberOf(kv);
    await engine.enrichMany(values);
    const before = calls.length;
    await engine.enrichMany([...values, '10.0.0.1', 'no indicator']);
    expect(calls.length).toBe(before);
    expect(calls.map(({ body }) => body).join('')).not.toMatch(/10\.0\.0\.1|no indicator/);
  });

  it('writes no more rows than it may in one search', async () => {
    const { engine, upstream } = memberOf(kv);
    await engine.enrichMany(values.slice(0, 2));
    await engine.enrichMany(['9.9.9.10', '9.9.9.11']);
    expect([upstream.length, kv.size]).toEqual([4, 3]);
  });

  it('reading from the cache only writes nothing', async () => {
    const { engine } = memberOf(kv);
    await engine.enrichMany(values, { mode: 'cache' });
    expect(kv.size).toBe(0);
  });

  it.each([
    ['expired', { expires_at: NOW_S }],
    ['of a provider that is not asked here', { provider: 'shodan' }],
    ['checked in the future', { checked_at: NOW_S + 10 }],
    ['no JSON', { answer: '{"verdict":' }],
    ['of another shape', { answer: 7 as unknown as string }],
    ['enormous', { answer: JSON.stringify('x'.repeat(70_000)) }],
  ])('a row that is %s is not believed', async (_case, change) => {
    const row = { _key: 'k', provider: 'virustotal', value: '8.8.4.1', answer: ANSWER, checked_at: NOW_S - 5, expires_at: NOW_S + 50 };
    kv.set('k', { ...row, ...change });
    const { engine, upstream, store } = memberOf(kv);
    await engine.enrichMany(['8.8.4.1']);
    expect(upstream).toEqual(['8.8.4.1']);
    expect(store.getMany('shodan', ['8.8.4.1']).size).toBe(0);
  });

  it('a KV store that is down costs one call, and the search goes on', async () => {
    const { engine, upstream, calls } = memberOf(kv, () => new SplunkdError(503, 'down'));
    await engine.enrichMany(values);
    await engine.enrichMany(['9.9.9.10']);
    expect(upstream).toEqual([...values, '9.9.9.10']);
    expect(calls.filter(({ path }) => path.endsWith('batch_find')).length).toBe(1);
  });

  it('who may only read profits all the same', async () => {
    await memberOf(kv).engine.enrichMany(values);
    const reader = memberOf(kv, ({ path }) => (path.endsWith('batch_save') ? new SplunkdError(403, 'no') : null));
    await reader.engine.enrichMany([...values, '9.9.9.10', '9.9.9.11']);
    await reader.engine.enrichMany(['9.9.9.12']);
    expect(reader.upstream).toEqual(['9.9.9.10', '9.9.9.11', '9.9.9.12']);
    expect(reader.calls.filter(({ path }) => path.endsWith('batch_save')).length).toBe(1);
  });
});
