import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { afterAll, afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type Io, UsageError } from '../../../src/hosts/cli/command.ts';
import { readAssets } from '../../../src/search-engine/assets/asset.ts';
import { elastic } from '../../../src/hosts/cli/commands/elastic.ts';
import { differences } from '../../../src/search-engine/assets/asset-difference.ts';
import { refusalOf } from '../../../src/search-engine/engine-client.ts';
import { misfit } from '../../../src/search-engine/engine-identity.ts';
import { hasFixtures, projectRoot, readFixture } from '../../support/fixtures.ts';
import type { EngineAnswer } from '../../support/search-engine.ts';
import { type FakeElasticsearch, startFakeElasticsearch } from '../../support/fake-elasticsearch.ts';

const assets = readAssets(join(projectRoot, 'elastic'), 'elasticsearch');
const hooks = assets.filter(({ owner }) => owner === 'hook').length;

async function run(args: readonly string[], env: Record<string, string> = {}) {
  const streams = { stdout: new PassThrough(), stderr: new PassThrough() };
  const io: Io = { stdin: new PassThrough(), ...streams, env, hasColor: false, hasProgress: false };
  const code = await elastic.run(args, io);
  const text = (stream: PassThrough) => String(stream.read() ?? '');
  return { code, out: text(streams.stdout), err: text(streams.stderr) };
}

describe('ismalicious elastic, against what Elasticsearch 9 answers', () => {
  let fake: FakeElasticsearch;
  beforeEach(async () => {
    fake = await startFakeElasticsearch();
  });
  afterEach(() => fake[Symbol.asyncDispose]());
  const at = (action: string, ...more: string[]) => run([action, '--target', 'elasticsearch', '--url', fake.url, ...more]);

  it('puts everything but the hooks, in an order that Elasticsearch takes, and nothing the second time', async () => {
    const first = await at('install');
    expect(first.out).not.toContain('failed');
    expect(first.code).toBe(0);
    expect(fake.held.size).toBe(assets.length - hooks);
    expect(fake.calls).toContain('POST /_transform/logs-ti_ismalicious.latest_ioc/_start');
    expect(fake.calls).toContain('POST /_enrich/policy/ismalicious-indicators-1/_execute');
    expect([...fake.held.keys()].filter((path) => path.includes('logs@custom'))).toEqual([]);
    fake.calls.length = 0;
    expect((await at('install')).code).toBe(0);
    expect(fake.calls.filter((call) => !call.startsWith('GET'))).toEqual([]);
    expect((await at('diff')).out).toContain('no differences');
  });

  it('a dry run writes nothing', async () => {
    const { code, out } = await at('install', '--dry-run', '--hooks');
    expect(code).toBe(0);
    expect(out.match(/would create/g)).toHaveLength(assets.length);
    expect(fake.calls.filter((call) => !call.startsWith('GET'))).toEqual([]);
  });

  it('puts the hooks when asked, and leaves a logs@custom of somebody else alone', async () => {
    fake.held.set('/_component_template/logs@custom', { template: { settings: { number_of_replicas: 2 } } });
    const { code, out } = await at('install', '--hooks');
    expect(code).toBe(1);
    expect(out).toContain('leave alone, not ours: component template logs@custom');
    expect(fake.held.get('/_component_template/logs@custom')).toEqual({ template: { settings: { number_of_replicas: 2 } } });
    expect(fake.held.has('/_ingest/pipeline/logs@custom')).toBe(true);
  });

  it('a transform that differs is stopped, removed and put anew; its index stays', async () => {
    await at('install');
    fake.held.get('/_transform/logs-ti_ismalicious.latest_ioc').frequency = '1h';
    expect((await at('diff')).out).toContain('frequency');
    fake.calls.length = 0;
    await at('install');
    expect(fake.calls.filter((call) => !call.startsWith('GET'))).toEqual([
      'POST /_transform/logs-ti_ismalicious.latest_ioc/_stop',
      'DELETE /_transform/logs-ti_ismalicious.latest_ioc',
      'PUT /_transform/logs-ti_ismalicious.latest_ioc',
      'POST /_transform/logs-ti_ismalicious.latest_ioc/_start',
    ]);
  });

  it('a policy that differs cannot be changed, and is said so', async () => {
    await at('install');
    fake.held.get('/_enrich/policy/ismalicious-indicators-1').match.match_field = 'x';
    const { code, out } = await at('install');
    expect(code).toBe(1);
    expect(out).toContain('an enrich policy cannot be changed');
  });

  it('removes what it put, in an order that leaves nothing in use, and keeps the index with its data', async () => {
    await at('install', '--hooks');
    fake.calls.length = 0;
    expect((await at('uninstall', '--hooks')).code).toBe(0);
    expect([...fake.held.keys()]).toEqual(['/logs-ti_ismalicious_latest.indicator-1']);
    const deleted = fake.calls.filter((call) => call.startsWith('DELETE')).map((call) => call.split('/').at(-1));
    expect(deleted.indexOf('ismalicious@enrich')).toBeLessThan(deleted.indexOf('ismalicious-indicators-1'));
    expect(deleted.indexOf('logs-ismalicious')).toBeLessThan(deleted.indexOf('ismalicious@mappings'));
    expect((await at('uninstall')).code).toBe(0);
  });

  it('names an asset that the engine refuses, in its own words, and goes on', async () => {
    fake.refuse = { path: /ti_ismalicious@mappings/, status: 403, reason: 'action [cluster:admin] is unauthorized for user [x]' };
    await expect(at('diff')).rejects.toThrow('is unauthorized for user [x]');
    fake.refuse = { path: /_transform/, status: 400, reason: 'no transform nodes' };
    await expect(at('install')).rejects.toThrow('transform logs-ti_ismalicious.latest_ioc: HTTP 400: no transform nodes');
  });

  it('gives each engine only what its version knows, and finds no difference afterwards', async () => {
    for (const [version, kept] of [
      ['8.14.3', undefined],
      ['8.15.5', undefined],
      ['8.16.0', 'all'],
      ['8.19.14', 'all'],
      ['9.0.0', 'all'],
      ['10.1.0', 'all'],
    ] as const) {
      await using engine = await startFakeElasticsearch(version);
      const onIt = (action: string) => run([action, '--target', 'elasticsearch', '--url', engine.url, '--hooks']);
      expect((await onIt('install')).code).toBe(0);
      for (const name of ['ismalicious@mappings', 'logs@custom']) {
        const { enrichments } = engine.held.get(`/_component_template/${name}`).template.mappings.properties.threat.properties;
        expect(enrichments.synthetic_source_keep, `${name} on ${version}`).toBe(kept);
      }
      expect((await onIt('diff')).out).toContain('no differences');
    }
  });

  it('removes a policy after the pipelines that ask it, although a stream still has a pipeline that may miss them', async () => {
    await at('install', '--hooks');
    fake.settings = { 'logs-a.b-default': { settings: { 'index.default_pipeline': 'logs@default-pipeline' } } };
    const hooked = { processors: [{ pipeline: { name: 'logs@custom', ignore_missing_pipeline: true } }] };
    fake.held.set('/_ingest/pipeline/logs@default-pipeline', hooked);
    const { code, out } = await at('uninstall', '--hooks');
    expect(out).not.toMatch(/keep|failed/);
    expect(code).toBe(0);
    expect([...fake.held.keys()].toSorted()).toEqual([
      '/_ingest/pipeline/logs@default-pipeline',
      '/logs-ti_ismalicious_latest.indicator-1',
    ]);
  });

  it.each([
    ['calls it', { pipeline: { name: 'ismalicious@enrich' } }],
    [
      'calls it where another processor failed',
      { set: { field: 'a', value: 'b', on_failure: [{ pipeline: { name: 'ismalicious@enrich' } }] } },
    ],
    ['calls it for each of a list', { foreach: { field: 'a', processor: { pipeline: { name: 'ismalicious@enrich' } } } }],
  ])("keeps what a stream needs by way of somebody else's pipeline that %s, and the policy it asks", async (_, processor) => {
    await at('install', '--hooks');
    fake.settings = { 'logs-a.b-default': { settings: { 'index.final_pipeline': 'mine' } } };
    fake.held.set('/_ingest/pipeline/mine', { processors: [processor] });
    const { code, out } = await at('uninstall', '--hooks');
    expect(code).toBe(1);
    expect(out).toContain('keep     ingest pipeline ismalicious@enrich, which logs-a.b-default cannot do without');
    expect(out).toContain('keep     ingest pipeline ismalicious@enrich-merge, which logs-a.b-default cannot do without');
    expect(out).toContain('keep     enrich policy ismalicious-indicators-1, which ismalicious@enrich cannot do without');
    expect(out).toContain('remove ingest pipeline logs@custom');
    expect(out).not.toContain('failed');
  });

  it("keeps the policy while somebody else's pipeline asks it", async () => {
    await at('install');
    fake.held.set('/_ingest/pipeline/mine', {
      processors: [{ enrich: { policy_name: 'ismalicious-indicators-1', field: 'a', target_field: 'b' } }],
    });
    const { code, out } = await at('uninstall');
    expect(code).toBe(1);
    expect(out).toContain('keep     enrich policy ismalicious-indicators-1, which mine cannot do without');
    expect(fake.held.has('/_ingest/pipeline/ismalicious@enrich')).toBe(false);
  });

  it('refresh rebuilds what enrich processors read', async () => {
    await at('install');
    fake.calls.length = 0;
    expect((await at('refresh')).code).toBe(0);
    expect(fake.calls).toContain('POST /_enrich/policy/ismalicious-indicators-1/_execute');
    expect((await run(['refresh', '--target', 'opensearch', '--url', fake.url])).code).toBe(2);
  });

  it.each([
    [{ ISMALICIOUS_ELASTIC_API_KEY: 'id:key' }, [], `ApiKey ${Buffer.from('id:key').toString('base64')}`],
    [{ ISMALICIOUS_ELASTIC_API_KEY: 'aWQ6a2V5' }, [], 'ApiKey aWQ6a2V5'],
    [{ ISMALICIOUS_ELASTIC_PASSWORD: 'päss' }, ['--user', 'me'], `Basic ${Buffer.from('me:päss').toString('base64')}`],
    [
      { ISMALICIOUS_ELASTIC_API_KEY: 'id:key', ISMALICIOUS_ELASTIC_PASSWORD: 'p' },
      ['--user', 'me'],
      `Basic ${Buffer.from('me:p').toString('base64')}`,
    ],
    [{}, [], ''],
  ])('logs in with %j %j', async (env, more, header) => {
    await run(['diff', '--target', 'elasticsearch', '--url', fake.url, ...more], env);
    expect([...fake.auth]).toEqual([header]);
  });

  describe('secrets from files', () => {
    const folder = mkdtempSync(join(tmpdir(), 'ismalicious-elastic-'));
    afterAll(() => rmSync(folder, { recursive: true }));

    it('are read without their line end', async () => {
      writeFileSync(join(folder, 'key'), 'id:key\n');
      writeFileSync(join(folder, 'password'), 'p w\n');
      await at('diff', '--api-key-file', join(folder, 'key'));
      await at('diff', '--user', 'me', '--password-file', join(folder, 'password'));
      expect([...fake.auth]).toEqual([
        `ApiKey ${Buffer.from('id:key').toString('base64')}`,
        `Basic ${Buffer.from('me:p w').toString('base64')}`,
      ]);
    });
  });

  it('warns of a key among the arguments, and never prints one', async () => {
    const { out, err } = await at('install', '--api-key', 'id:canary-secret');
    expect(err).toContain('can be seen by other users');
    expect(out + err).not.toContain('canary-secret');
    fake.refuse = { path: /.*/, status: 401, reason: 'security_exception: authorization: ApiKey aWQ6Y2FuYXJ5LXNlY3JldA==' };
    await expect(at('diff', '--api-key', 'id:canary-secret')).rejects.toThrow(/^(?!.*aWQ6Y2F)/);
  });

  it.each([
    [['install'], '--target has to be'],
    [['install', '--target', 'solr'], '--target has to be'],
    [['instal', '--target', 'opensearch'], 'Unknown action "instal" of elastic. Did you mean "install"?'],
    [['diff', '--target', 'opensearch'], 'which engine?'],
    [['diff', '--target', 'opensearch', '--url', 'no url'], 'which engine?'],
    [['diff', '--target', 'opensearch', '--url', 'http://127.0.0.1:9', '--user', 'x'], 'no password for x'],
    [['diff', '--target', 'opensearch', '--url', 'http://127.0.0.1:9', '--user', 'x', '--api-key-file', 'f'], 'not both'],
    [['diff', '--target', 'opensearch', '--url', 'http://127.0.0.1:9', '--api-key-file', '/nowhere'], 'cannot be read'],
    [['diff', '--target', 'opensearch', '--url', 'http://127.0.0.1:9', '--assets', '/nowhere'], 'is not the pack'],
    [['diff', '--nonsense'], 'nonsense'],
  ])('%j is wrong use: %s', async (args, words) => {
    const fault = await run(args).catch((error: unknown) => error);
    expect(fault).toBeInstanceOf(UsageError);
    expect((fault as Error).message).toContain(words);
  });

  it('refuses a URL with a password in it, without repeating it', async () => {
    const fault = (await run(['diff', '--target', 'opensearch', '--url', 'http://me:hunter2@127.0.0.1:9']).catch(
      (error: unknown) => error,
    )) as Error;
    expect(fault.message).toContain('no user or password in the URL');
    expect(fault.message).not.toContain('hunter2');
  });
});

describe('which target fits', () => {
  it.each([
    ['elasticsearch', 'elasticsearch', '9.2.0', null],
    ['elasticsearch', 'elasticsearch', '8.14.0', null],
    ['elasticsearch', 'elasticsearch', '8.13.4', '8.14 or newer'],
    ['elasticsearch', 'elasticsearch', '7.17.1', 'elasticsearch-oss-7.10'],
    ['elasticsearch', 'opensearch', '3.8.0', '--target opensearch'],
    ['opensearch', 'opensearch', '2.11.0', null],
    ['opensearch', 'elasticsearch', '9.0.0', '--target elasticsearch'],
    ['opensearch', 'elasticsearch', '7.10.2', 'elasticsearch-oss-7.10'],
    ['elasticsearch-oss-7.10', 'elasticsearch', '7.10.2', null],
    ['elasticsearch-oss-7.10', 'elasticsearch', '7.9.0', '7.10 or newer'],
    ['elasticsearch-oss-7.10', 'elasticsearch', '8.0.0', '--target elasticsearch'],
    ['elasticsearch-oss-7.10', 'opensearch', '3.8.0', '--target opensearch'],
  ] as const)('%s on %s %s: %s', (target, distribution, version, words) => {
    const fault = misfit(target, { distribution, version });
    if (words === null) expect(fault).toBeNull();
    else expect(fault).toContain(words);
  });

  it('serverless fits elasticsearch, whatever version it gives', () => {
    const identity = { distribution: 'elasticsearch', version: '8.11.0', isServerless: true } as const;
    expect(misfit('elasticsearch', identity)).toBeNull();
    expect(misfit('opensearch', identity)).toContain('--target elasticsearch');
  });
});

describe('differences', () => {
  it.each([
    [{ a: 1 }, { a: '1' }, []],
    [{ a: true }, { a: 'true' }, []],
    [{ a: 1 }, { a: 2 }, ['a']],
    [{ a: { b: 1 } }, { a: {} }, ['a.b']],
    [{ a: {} }, {}, []],
    [{ a: [] }, {}, []],
    [{ a: [1, 2] }, { a: [1] }, ['a']],
    [{ a: [{ b: 1 }] }, { a: [{ b: 2 }] }, ['a.0.b']],
    [{ a: 1 }, { a: 1, more: 2 }, []],
    [{ mappings: { a: 1 } }, { mappings: { a: 1, more: 2 } }, ['mappings.more']],
    [{ mappings: { a: null } }, { mappings: { a: 'null' } }, []],
  ])('of %j and %j are %j', (ours, deployed, expected) => {
    expect(differences(ours, deployed, ['mappings'])).toEqual(expected);
  });
});

describe('the cause of a refusal', () => {
  const because = (...reasons: string[]): object => {
    const [reason, ...rest] = reasons;
    return { reason, ...(rest.length > 0 && { caused_by: because(...rest) }) };
  };
  it.each([
    [
      because('template [a] is invalid', 'invalid composite mappings', 'disallowed [ignore_malformed]'),
      'HTTP 400: template [a] is invalid: disallowed [ignore_malformed]',
    ],
    [because('failed to parse field [sync]', 'unknown field [x]'), 'HTTP 400: failed to parse field [sync]: unknown field [x]'],
    [because('no such index [a]'), 'HTTP 400: no such index [a]'],
    [because('said already: b', 'b'), 'HTTP 400: said already: b'],
    [{ root_cause: [{ reason: 'root' }], caused_by: { reason: null } }, 'HTTP 400: root'],
    [{ caused_by: { type: 'x', caused_by: { reason: 'deep' } } }, 'HTTP 400: deep'],
    [because('a'.repeat(400), 'the cause'), `HTTP 400: ${'a'.repeat(288)}…: the cause`],
    [because('short', 'c'.repeat(400)), `HTTP 400: short: ${'c'.repeat(293)}`],
  ])('%j is %s', (error, words) => {
    expect(refusalOf({ status: 400, body: { error } })).toBe(words);
  });

  it('ends, however deep causes lie', () => {
    const error: Record<string, unknown> = { reason: 'a' };
    error.caused_by = error;
    expect(refusalOf({ status: 400, body: { error } })).toBe('HTTP 400: a');
  });

  it('never holds a credential that a parser quoted, on any line', () => {
    const error = because('failed', 'Unexpected character\n at [Source: GET / Authorization: Basic c2VjcmV0]');
    expect(refusalOf({ status: 400, body: { error } })).toBe('HTTP 400: failed: Unexpected character');
  });
});

describe.skipIf(!hasFixtures)('words of a refusal', () => {
  // Read in the tests: the body of a suite runs also when it is skipped.
  function recordedError(): EngineAnswer {
    const recorded = readFixture('elastic/responses/es7102-bulk-broken.http').toString('utf8');
    return (JSON.parse(recorded.slice(recorded.indexOf('{'))) as EngineAnswer).items[0].create.error;
  }

  it('are the engine’s reason', () => {
    expect(refusalOf({ status: 400, body: { error: recordedError() } })).toMatch(
      /^HTTP 400: Failed to parse content to map: Unexpected character .* was expecting double-quote to start field name$/,
    );
  });

  it('never hold what an engine echoed of our request', () => {
    const echoed = recordedError().caused_by.reason.replace('User-Agent', 'Authorization: ApiKey c2VjcmV0\r\nUser-Agent');
    const words = refusalOf({ status: 400, body: { error: { reason: echoed } } });
    expect(words).toMatch(/^HTTP 400: Unexpected character/);
    expect(words).not.toMatch(/c2VjcmV0|user-agent/i);
    expect(words.length).toBeLessThan(330);
  });
});
