import { describe, expect, it } from 'vitest';
import { createEngineGate, isAllowEntry } from '../../../../src/search-engine/engine-calls.ts';
import { GatewaySettings } from '../../../../src/compose/gateway-settings.ts';
import { rawCall, startGateway } from '../support/start-sidecar.ts';
import { startUpstream } from '../support/upstream-stand-in.ts';

const gate = createEngineGate([]);
const statusOf = (line: string, judge = gate) => {
  const [method = '', url = ''] = line.split(' ');
  return judge({ method, url })?.status ?? 200;
};

describe('calls that go on by themselves', () => {
  it.each([
    // Beats and Elastic Agent (libbeat's template, index management and client code).
    'GET /',
    'HEAD /',
    'GET /_license?human=false',
    'GET /_xpack',
    'GET /_nodes/http',
    'GET /_ilm/policy/filebeat',
    'PUT /_ilm/policy/filebeat',
    'PUT /_ilm/policy/.alerts-ilm-policy',
    'HEAD /_template/filebeat-7.17.0',
    'PUT /_template/filebeat-7.17.0',
    'GET /_cat/templates/filebeat-8.1.0',
    'PUT /_index_template/filebeat-8.1.0',
    'PUT /_component_template/logs@custom',
    'PUT /_data_stream/filebeat-8.1.0',
    'HEAD /_alias/filebeat-7.17.0',
    'PUT /%3Cfilebeat-7.17.0-%7Bnow%2Fd%7D-000001%3E',
    'PUT /_ingest/pipeline/filebeat-8.1.0-apache-access-pipeline',
    'POST /_ingest/pipeline/_simulate',
    'POST /_bulk',
    'PUT /_bulk?pipeline=x',
    'POST /_bulk?filter_path=errors,items.*.error',
    'POST /_monitoring/bulk?system_id=beats&system_api_version=7&interval=10s',
    // Logstash (its output, input and filter for Elasticsearch, and those for OpenSearch).
    'HEAD /logstash',
    'PUT /%3Clogstash-%7Bnow%2Fd%7D-000001%3E',
    'PUT /%3Clogs-%7Bnow%2Fd%7Byyyy.MM.dd%7CEurope%2FParis%7D%7D%3E',
    'PUT /logstash-000001/_alias/logstash',
    'PUT /_template/logstash',
    'POST /logs-*/_search?scroll=1m',
    'POST /_search/scroll',
    'DELETE /_search/scroll',
    'POST /logs-*/_pit?keep_alive=1m',
    'DELETE /_pit',
    'GET /_logstash/pipeline/main',
    'PUT /_plugins/_ism/policies/logs',
    // Fleet Server.
    'GET /_security/_authenticate',
    'POST /_security/user/_has_privileges',
    'POST /.fleet-actions/_fleet/_fleet_search',
    'PUT /.fleet-agents/_doc/1',
    'POST /.fleet-agents/_update/1',
    'DELETE /.fleet-enrollment-api-keys/_doc/1',
    // Anybody.
    'POST //_bulk',
    'POST /logs/_bulk/',
    'POST /logs/doc/_bulk',
    'POST /logs%2Da/_bulk',
    'PUT /logs/_doc/a%2Fb',
    'PUT /logs/_doc/_Hx-auto',
    'PUT /logs/doc/1',
    'GET /logs/_doc/a%2Fb%25',
    'GET /_cluster/settings',
    'GET /_cat/indices?v',
    'OPTIONS /logs',
    'POST /_all/_search',
  ])('%s', (line) => {
    expect(statusOf(line)).toBe(200);
  });
});

describe('calls that do not', () => {
  it.each([
    'DELETE /',
    'DELETE /?index=_all',
    'PUT /?index=x',
    'POST /?index=x',
    'PATCH /',
    'DELETE /logs',
    'DELETE /logs-a,logs-b',
    'DELETE /_all',
    'DELETE /*',
    'DELETE /%2A',
    'DELETE //_all',
    'DELETE /logs/',
    'DELETE //logs//',
    'delete /logs',
    'PURGE /logs',
    'QUERY /_search',
    'TRACE /',
    'DELETE /_data_stream/logs',
    'DELETE /_index_template/x',
    'DELETE /_component_template/x',
    'DELETE /_template/*',
    'DELETE /logs/_alias/x',
    'DELETE /logs/_aliases/x',
    'DELETE /_ingest/pipeline/*',
    'DELETE /_ilm/policy/x',
    'POST /_ilm/move/x',
    'POST /_ilm/stop',
    'POST /_aliases',
    'POST /logs/_delete_by_query',
    'POST /logs/_update_by_query',
    'POST /_reindex',
    'POST /logs/_close',
    'POST /_all/_close',
    'POST /logs/_open',
    'POST /logs/_rollover',
    'POST /logs/_rollover/x',
    'PUT /logs/_shrink/x',
    'PUT /logs/_split/x',
    'PUT /logs/_clone/x',
    'PUT /logs/_block/write',
    'PUT /logs/_settings',
    'PUT /_settings',
    'PUT /_all/_settings',
    'POST /logs/_forcemerge',
    'POST /_cache/clear',
    'PUT /_cluster/settings',
    'POST /_cluster/reroute',
    'POST /_cluster/voting_config_exclusions?node_names=a',
    'POST /_nodes/reload_secure_settings',
    'POST /_nodes/n/reload_secure_settings',
    'PUT /_nodes/n/shutdown',
    'POST /_shutdown',
    'POST /_cluster/nodes/_shutdown',
    'PUT /_snapshot/x',
    'POST /_snapshot/x/y/_restore',
    'DELETE /_snapshot/x/y',
    'DELETE /_slm/policy/x',
    'PUT /_scripts/x',
    'POST /_scripts/x',
    'DELETE /_scripts/x',
    'POST /_scripts/painless/_execute',
    'POST /_tasks/_cancel',
    'DELETE /_dangling/x?accept_data_loss=true',
    'POST /_license/start_basic',
    'DELETE /_license',
    'PUT /_license',
    'PUT /_security/user/x',
    'GET /_security/user',
    'HEAD /_security/user/x',
    'POST /_security/api_key',
    'DELETE /_security/user/x',
    'PUT /_xpack/security/user/x',
    'PUT /_plugins/_security/api/internalusers/x',
    'GET /_plugins/_security/api/internalusers',
    'DELETE /_opendistro/_security/api/internalusers/x',
    'PATCH /_plugins/_security/api/roles',
    'DELETE /_plugins/_ism/policies/x',
    'POST /_plugins/_ism/change_policy/logs',
    'POST /_ccr/auto_follow',
    'POST /_features/_reset',
    'DELETE /_enrich/policy/x',
    'POST /_watcher/_stop',
    'DELETE /_pit/x',
    'POST /_data_stream/_modify',
    'PUT /_bulk/x',
    'POST /_delete_by_query/_doc/1',
  ])('%s: 403', (line) => {
    expect(statusOf(line)).toBe(403);
  });

  it.each([
    'GET /../x',
    'GET /./x',
    'GET /a/../_bulk',
    'GET /%2e%2e/x',
    'GET /a/.%2E/x',
    'GET /a%2f..%2fx',
    'GET /a%2f%2e%2e%2fx',
    'GET /%252e%252e/x',
    'GET /%25252e%25252e/x',
    'GET /a%5c..%5cx',
    'GET /a;b',
    'GET /_all;/_bulk',
    'GET /a\\..\\b',
    'GET /a%',
    'GET /a%zz',
    'GET /%c3%28',
    'GET /a%00',
    'GET /a%0ab',
    'GET /a#b',
    'GET /%5fsecurity/user',
    'GET /_security%2fuser/..',
    'POST /%5Fbulk',
    'POST /a%2f_bulk',
    'POST /x/_bulk%2f..',
    'DELETE /%5fall',
    'DELETE /%255fall',
    'PUT /_cluster%2fsettings',
    'POST /a%2fb/_search',
    'DELETE /a%2f_doc%2f1',
    'DELETE /a%2fb/_doc/1',
    'PUT /logs/_doc/..%2f..%2f_cluster%2fsettings',
    'PUT /%3Ca%2F_cluster%2Fsettings%3E',
    'PUT /%3Ca%7Bnow%2F..%2Fb%7D%3E',
  ])('%s: 400, for nobody can be sure what it is', (line) => {
    expect(statusOf(line)).toBe(400);
  });
});

describe('gateway.allow', () => {
  it.each([
    ['DELETE /logs-old-*', 'DELETE /logs-old-1', 200],
    ['DELETE /logs-old-*', 'DELETE /logs-old-*', 200],
    ['DELETE /logs-old-*', 'DELETE //logs-old-1/', 200],
    ['DELETE /logs-old-*', 'DELETE /logs-old-1,accounts', 403],
    ['DELETE /logs-old-*', 'DELETE /logs-old-1%2Caccounts', 403],
    ['DELETE /logs-old-*', 'DELETE /logs-old-%2faccounts', 400],
    ['DELETE /logs-old-*', 'DELETE /logs-new', 403],
    ['DELETE /logs-old-*', 'PUT /logs-old-1/_settings', 403],
    ['DELETE /logs.old', 'DELETE /logsxold', 403],
    ['POST /*/_delete_by_query', 'POST /a,b/_delete_by_query', 200],
    ['POST /*/_delete_by_query', 'POST /_delete_by_query', 403],
    ['* /_cluster/settings', 'PUT /_cluster/settings', 200],
    ['* /_cluster/settings', 'PUT /_cluster/settings/x', 403],
    ['GET /_security/user', 'GET /_security/user', 200],
    ['GET /_security/user', 'DELETE /_security/user', 403],
  ])('%j, %s: %i', (entry, line, status) => {
    expect(statusOf(line, createEngineGate([entry]))).toBe(status);
  });

  it.each([
    ['DELETE /a', true],
    ['* /', true],
    ['DELETE a', false],
    ['delete /a', false],
    ['DELETE', false],
    ['DELETE /a?b', false],
    ['DELETE /a/../b', true],
    ['', false],
  ])('%j is an entry: %s', (entry, expected) => {
    expect(isAllowEntry(entry)).toBe(expected);
    expect(GatewaySettings.safeParse({ allow: [entry] }).success).toBe(expected);
  });
});

describe('a call that is not passed on', () => {
  it('is answered in the words of the engine, with the remedy, and the engine sees nothing of it', async () => {
    const upstream = await startUpstream();
    const { call } = await startGateway(upstream.url);
    const { status, json } = await call('/victim', { method: 'DELETE' });
    expect(status).toBe(403);
    expect(json).toMatchObject({ error: { type: 'security_exception', root_cause: [{ type: 'security_exception' }] }, status: 403 });
    expect(json.error.reason).toContain('gateway.allow (ISMALICIOUS_GATEWAY_ALLOW) as "DELETE /victim"');
    expect((await call('/a%5cb', { method: 'POST', body: {} })).json).toMatchObject({
      error: { type: 'illegal_argument_exception' },
      status: 400,
    });
    expect(upstream.seen).toEqual([]);
  });

  it('goes on once it is named', async () => {
    const upstream = await startUpstream();
    const { call } = await startGateway(upstream.url, { gateway: { allow: ['DELETE /victim'] } });
    await call('/victim', { method: 'DELETE' });
    expect(upstream.seen.map(({ method, url }) => `${method} ${url}`)).toEqual(['DELETE /victim']);
  });
});

describe('the way to the upstream', () => {
  it.each(['/../tenantB/_search', '/%2e%2e/tenantB/_search', '/x/../../tenantB/_search', '/x%2f..%2f..%2ftenantB/_search'])(
    'GET %s does not leave the prefix',
    async (path) => {
      const upstream = await startUpstream();
      const { port } = await startGateway(`${upstream.url}/tenantA`);
      expect((await rawCall(port, `GET ${path} HTTP/1.1\r\nHost: localhost\r\nconnection: close\r\n\r\n`)).slice(9, 12)).toBe('400');
      expect(upstream.seen).toEqual([]);
    },
  );

  it('an absolute target goes on as the path it names, below the prefix', async () => {
    const upstream = await startUpstream();
    const { port } = await startGateway(`${upstream.url}/tenantA`);
    await rawCall(port, 'GET http://localhost/_cat/indices?v HTTP/1.1\r\nHost: localhost\r\nconnection: close\r\n\r\n');
    expect(upstream.seen.map(({ url }) => url)).toEqual(['/tenantA/_cat/indices?v']);
  });

  it('all Connection headers count, and nobody may name another method', async () => {
    const upstream = await startUpstream();
    const { port } = await startGateway(upstream.url);
    const hop =
      'Connection: close\r\nx-first: 1\r\nConnection: x-second, X-Third\r\nx-second: 2\r\nx-third: 3\r\nX-HTTP-Method-Override: DELETE\r\n';
    await rawCall(port, `GET /_cat HTTP/1.1\r\nHost: localhost\r\n${hop}\r\n`);
    const { headers } = upstream.seen[0]!;
    expect([headers['x-first'], headers['x-second'], headers['x-third'], headers['x-http-method-override']]).toEqual([
      '1',
      undefined,
      undefined,
      undefined,
    ]);
  });

  it.each(['..', '.', '%2e%2e'])('/v1/ingest/%s names no index', async (index) => {
    const upstream = await startUpstream();
    const { port } = await startGateway(upstream.url);
    const head = `POST /v1/ingest/${index} HTTP/1.1\r\nHost: localhost\r\ncontent-length: 2\r\nconnection: close\r\n\r\n`;
    expect((await rawCall(port, `${head}[]`)).slice(9, 12)).toBe('400');
    expect(upstream.seen).toEqual([]);
  });
});
