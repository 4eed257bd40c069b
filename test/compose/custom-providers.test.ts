import { writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ConfigError } from '../../src/config/config-error.ts';
import { openEngine } from '../../src/compose/open-engine.ts';
import { newStateFolder } from '../support/open-test-engine.ts';

const asked: { path: string; token: string | undefined }[] = [];
const server = createServer((request, response) => {
  asked.push({ path: request.url ?? '', token: request.headers['x-token'] as string | undefined });
  response.setHeader('content-type', 'application/json');
  if (request.url?.endsWith('/9.9.9.4')) response.writeHead(404).end('{"code":"no_such_object"}');
  else if (request.url?.endsWith('/9.9.9.5')) response.end('{"weather":"fine"}');
  else response.end('{"data":{"reputation":8,"threats":[{"name":"C2"}]}}');
});
let url = '';
beforeAll(async () => {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterAll(() => void server.close());

const declaration = () => `
    - id: acme_ti
      types: [ipv4-addr]
      url: ${url}/v2/{type}/{value}
      type_names: { ipv4-addr: ip }
      headers: { X-Token: "{api_key}" }
      paths: { score: data.reputation, categories: "data.threats[*].name" }
      scale: { min: -10, max: 10 }
      miss: [{ status: 404, path: code, equals: no_such_object }]`;

function open(yaml: string, env: Record<string, string> = {}) {
  const folder = newStateFolder();
  writeFileSync(join(folder, 'ismalicious.yaml'), yaml);
  return openEngine({ env: { ISMALICIOUS_STATE_DIR: folder, ISMALICIOUS_CONFIG: join(folder, 'ismalicious.yaml'), ...env } });
}

async function faultsOf(yaml: string): Promise<string> {
  const error: unknown = await open(yaml).then(
    () => null,
    (fault: unknown) => fault,
  );
  expect(error).toBeInstanceOf(ConfigError);
  return (error as ConfigError).message;
}

describe('a provider declared in the file', () => {
  it('is asked like any other: key from the environment, cached, its misses and failures told apart', async () => {
    const { engine, config } = await open(`providers:\n  custom:${declaration()}`, { ACME_TI_API_KEY: 'k-acme' });
    expect(config.knownIds).toContain('acme_ti');
    const found = await engine.enrichMany(['9.9.9.3', '9.9.9.4', '9.9.9.5'], { providers: ['acme_ti'], timeoutMs: 8000 });
    expect(found.get('9.9.9.3')?.answer).toMatchObject({ status: 'ok', verdict: 'malicious', score: 90, categories: ['c2'] });
    expect(found.get('9.9.9.4')?.answer).toMatchObject({ status: 'ok', verdict: 'unknown', score: null });
    expect(found.get('9.9.9.5')?.answer).toMatchObject({ status: 'bad_response', verdict: 'unknown' });
    expect(asked[0]).toEqual({ path: '/v2/ip/9.9.9.3', token: 'k-acme' });
    const calls = asked.length;
    await engine.enrichMany(['9.9.9.3', '9.9.9.4'], { providers: ['acme_ti'] });
    expect(asked).toHaveLength(calls);
    await engine.close();
  });

  it('takes the settings that all providers have, beside its declaration or as its own block', async () => {
    const yaml = `providers:\n  custom:${declaration()}\n      per_minute: 2\n      api_key: k-file\n  acme_ti:\n    budget_per_day: 5\n`;
    const { engine, config } = await open(yaml);
    expect(config.wanted.map(({ provider, common }) => [provider.id, common.perMinute, common.budgetPerDay])).toEqual([['acme_ti', 2, 5]]);
    await engine.close();
  });

  it('is left alone when enabled is false', async () => {
    const { engine, config } = await open(`providers:\n  custom:${declaration()}\n      enabled: false\n`);
    expect(config.wanted).toEqual([]);
    await engine.close();
  });
});

describe('a declaration that cannot work stops the start', () => {
  it.each([
    ['an id that is taken', (text: string) => text.replace('acme_ti', 'virustotal'), /providers\.custom\[0\]\.id .*taken/],
    ['a reserved id', (text: string) => text.replace('acme_ti', 'local'), /providers\.custom\[0\]\.id .*taken/],
    ['a key nobody knows', (text: string) => `${text}\n      per_minuet: 3`, /per_minuet .*did you mean providers\.acme_ti\.per_minute/],
    ['a missing key', (text: string) => text, /providers\.acme_ti\.api_key .*ACME_TI_API_KEY/],
    ['no path', (text: string) => text.replace(/ {6}paths.*\n/, ''), /providers\.custom\[0\]\.paths/],
  ])('%s', async (_name, change, message) => {
    expect(await faultsOf(`providers:\n  custom:${change(declaration())}`)).toMatch(message);
  });

  it('a map instead of a list', async () => {
    expect(await faultsOf('providers:\n  custom: { id: acme }\n')).toMatch(/providers\.custom .*has to be a list/);
  });
});
