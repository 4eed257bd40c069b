import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ENGINE_KINDS, engineAbsence, leaseEngine, type LeasedEngine } from '../../../support/search-engine.ts';
import { startGateway } from '../support/start-sidecar.ts';
import { createCaller, spellings } from '../support/walk-routes.ts';

const TOKEN = 'a-token-of-the-house-42';
const METHODS = ['GET', 'HEAD', 'POST', 'PUT', 'DELETE', 'PATCH', 'OPTIONS', 'TRACE', 'PURGE', 'QUERY'];

/** Calls that would do harm; each is also sent in all spellings of its path. */
const HARM: readonly (readonly [method: string, path: string, body?: string])[] = [
  ['DELETE', '/?index=_all'],
  ['DELETE', '/?index=victim-a'],
  ['DELETE', '/victim-a'],
  ['DELETE', '/victim-*'],
  ['DELETE', '/_all'],
  ['DELETE', '/*'],
  ['DELETE', '/_template/victim-template'],
  ['DELETE', '/_index_template/victim-template'],
  ['DELETE', '/_ingest/pipeline/victim-pipeline'],
  ['POST', '/victim-a/_delete_by_query?refresh=true&conflicts=proceed', '{"query":{"match_all":{}}}'],
  ['POST', '/_aliases', '{"actions":[{"remove_index":{"index":"victim-a"}}]}'],
  ['POST', '/victim-a/_close'],
  ['POST', '/victim-a/_update_by_query?refresh=true', '{"script":{"source":"ctx.op = \'delete\'"}}'],
  ['PUT', '/_cluster/settings', '{"transient":{"cluster.max_shards_per_node":1}}'],
  ['PUT', '/victim-a/_settings', '{"index.blocks.write":true}'],
  ['PUT', '/_scripts/victim-script', '{"script":{"lang":"painless","source":"1"}}'],
];

const PIPELINE = { processors: [] };
const TEMPLATE = { index_patterns: ['nothing-*'], template: {} };

describe.each(ENGINE_KINDS)('a gateway in front of a real %s', (kind) => {
  describe.skipIf(engineAbsence(kind) !== null)(kind, () => {
    let engine: LeasedEngine;

    beforeAll(async () => {
      engine = await leaseEngine(kind);
      await engine.call('PUT', '/victim-a', { settings: { number_of_shards: 1, number_of_replicas: 0 } });
      await engine.call('PUT', '/victim-a/_doc/1?refresh=true', { a: 1 });
      await engine.call('PUT', '/_template/victim-template', { index_patterns: ['nothing-at-all-*'] });
      await engine.call('PUT', '/_index_template/victim-template', TEMPLATE);
      await engine.call('PUT', '/_ingest/pipeline/victim-pipeline', PIPELINE);
    }, 300_000);

    afterAll(async () => {
      await engine?.call('DELETE', '/_template/victim-template');
      await engine?.call('DELETE', '/_template/beat');
      engine?.release();
    });

    /** All that a caller could have changed. */
    async function state(): Promise<unknown> {
      const asked = [
        '/_cat/indices?format=json&h=index,status,docs.count&s=index&expand_wildcards=all',
        '/_cluster/settings?flat_settings=true',
      ];
      const more = [
        '/victim-a/_settings?flat_settings=true',
        '/_template',
        '/_index_template',
        '/_ingest/pipeline',
        '/_alias',
        '/victim-a/_doc/1',
      ];
      const answers = await Promise.all([...asked, ...more, '/_scripts/victim-script'].map((path) => engine.call('GET', path)));
      return answers.map(({ status, body }) => [status, body]);
    }

    it('nobody without the token gets through to it, whatever method, path and spelling', async () => {
      const before = await state();
      const { port } = await startGateway(engine.url, { settings: { token: TOKEN } });
      const { call, close } = createCaller(port);
      const paths = [
        '/',
        '/healthz',
        '/readyz',
        '/openapi.json',
        '/taxii2/',
        '/v1/ingest/victim-a',
        '/victim-a',
        '/_all',
        '/_cat/indices',
        '/victim-a/_doc/1',
      ];
      const past: string[] = [];
      const send = async (method: string, target: string, body = '') => {
        const { status, text } = await call(method, target, { accept: '*/*' }, body);
        if (status === 401 || status === 400) return;
        // What is open answers for itself: nothing of the engine is in it.
        const isOpen =
          ['GET', 'HEAD'].includes(method) && /^(http:\/\/127\.0\.0\.1:\d+)?\/(healthz|readyz|openapi\.json)(\?|$)/.test(target);
        if (!isOpen || /cluster_name|lucene/.test(text)) past.push(`${method} ${target} ${status}`);
      };
      for (const path of paths)
        for (const target of spellings(path, `127.0.0.1:${port}`))
          for (const method of METHODS) {
            await send(method, target);
            await send(method, `${target}${target.includes('?') ? '&' : '?'}index=_all`);
          }
      for (const [method, path, body] of HARM) await send(method, path, body);
      close();
      expect(past).toEqual([]);
      expect(await state()).toEqual(before);
    }, 400_000);

    it('harm is refused to who has the token, too, however it is spelled, unless gateway.allow names it', async () => {
      const before = await state();
      const { port, call: open } = await startGateway(engine.url, { settings: { token: TOKEN } });
      const { call, close } = createCaller(port);
      const past: string[] = [];
      for (const [method, path, body] of HARM)
        for (const target of spellings(path, `127.0.0.1:${port}`)) {
          const { status } = await call(method, target, { 'x-api-key': TOKEN }, body);
          // 405: the spelling makes it a path of the sidecar's own.
          if (status !== 403 && status !== 400 && status !== 405) past.push(`${method} ${target} ${status}`);
        }
      close();
      expect(past).toEqual([]);
      expect(await state()).toEqual(before);
      const told = await open('/victim-a', { method: 'DELETE', headers: { 'x-api-key': TOKEN } });
      expect([told.status, told.json.error.type]).toEqual([403, 'security_exception']);
      await engine.call('PUT', '/old-1');
      const { call: named } = await startGateway(engine.url, { gateway: { allow: ['DELETE /old-*'] } });
      expect((await named('/old-1', { method: 'DELETE' })).json).toEqual({ acknowledged: true });
    }, 400_000);

    it('what Beats, Logstash and Agent set up and send goes through', async () => {
      const { call } = await startGateway(engine.url, { settings: { token: TOKEN } });
      const send = async (method: string, path: string, body?: unknown) =>
        (await call(path, { method, headers: { 'x-api-key': TOKEN, 'content-type': 'application/json' }, body })).status;
      expect(await send('GET', '/')).toBe(200);
      expect(await send('HEAD', '/')).toBe(200);
      expect(await send('GET', '/_nodes/http')).toBe(200);
      expect(await send('PUT', '/_template/beat', JSON.stringify({ index_patterns: ['beat-*'], order: 1 }))).toBe(200);
      expect(await send('PUT', '/_index_template/shipper', JSON.stringify({ index_patterns: ['shipper-*'], template: {} }))).toBe(200);
      expect(await send('PUT', '/_component_template/shipper', JSON.stringify({ template: {} }))).toBe(200);
      expect(await send('PUT', '/_ingest/pipeline/shipper', JSON.stringify(PIPELINE))).toBe(200);
      const rollover = '/%3Cshipper-%7Bnow%2Fd%7D-000001%3E';
      expect(await send('PUT', rollover, JSON.stringify({ aliases: { shipper: { is_write_index: true } } }))).toBe(200);
      expect(await send('HEAD', '/_alias/shipper')).toBe(200);
      expect(await send('POST', '/shipper/_bulk?refresh=true', '{"index":{"_id":"1"}}\n{"a":1}\n{"delete":{"_id":"1"}}\n')).toBe(200);
      expect(await send('PUT', '/shipper/_doc/a%2Fb?refresh=true', '{"a":1}')).toBe(201);
      expect(await send('GET', '/shipper/_doc/a%2Fb')).toBe(200);
      expect(await send('POST', '/shipper/_search', '{"query":{"match_all":{}}}')).toBe(200);
      expect(await send('DELETE', '/shipper/_doc/a%2Fb')).toBe(200);
    }, 200_000);
  });
});
