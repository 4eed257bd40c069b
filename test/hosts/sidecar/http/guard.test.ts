import { request } from 'node:http';
import { describe, expect, it } from 'vitest';
import { isLoopback } from '../../../../src/compose/door/loopback.ts';
import { createSidecar } from '../../../../src/hosts/sidecar/server.ts';
import { SidecarConfigError } from '../../../../src/hosts/sidecar/way-in.ts';
import { SidecarSettings } from '../../../../src/compose/sidecar-settings.ts';
import { createFakeEnricher } from '../../../support/fake-sidecar-enricher.ts';
import { startSidecar } from '../support/start-sidecar.ts';

const TOKEN = 'a-token-of-the-house-42';

/** With any `Host` header, which fetch does not let one choose. */
function callAs(port: number, headers: Record<string, string>, path = '/v1/lookup'): Promise<{ status: number; text: string }> {
  return new Promise((resolve, reject) => {
    const body = '{"indicators":[]}';
    const call = request(
      {
        port,
        host: '127.0.0.1',
        path,
        method: 'POST',
        headers: { 'content-type': 'application/json', 'content-length': body.length, ...headers },
      },
      (answer) => {
        let text = '';
        answer.on('data', (part: Buffer) => (text += part.toString()));
        answer.on('end', () => resolve({ status: answer.statusCode ?? 0, text }));
      },
    );
    call.on('error', reject);
    call.end(body);
  });
}

describe('addresses of this machine', () => {
  it.each([
    ['127.0.0.1', true],
    ['127.8.9.1', true],
    ['localhost', true],
    ['::1', true],
    ['[::1]', true],
    ['0.0.0.0', false],
    ['::', false],
    ['192.168.1.1', false],
    ['localhost.evil.com', false],
    ['127.0.0.1.evil.com', false],
    ['', false],
  ])('%s: %s', (host, expected) => {
    expect(isLoopback(host)).toBe(expected);
  });
});

describe('an address that others can reach', () => {
  it('demands a token', async () => {
    const options = { enricher: createFakeEnricher(), settings: SidecarSettings.parse({ host: '0.0.0.0', port: 0 }) };
    await expect(createSidecar(options)).rejects.toThrow(SidecarConfigError);
  });

  it('is fine with one', async () => {
    const options = { enricher: createFakeEnricher(), settings: SidecarSettings.parse({ host: '0.0.0.0', port: 0, token: TOKEN }) };
    await (await createSidecar(options)).close();
  });
});

describe('a token', () => {
  it.each([
    ['Bearer', { authorization: `Bearer ${TOKEN}` }, 200],
    ['bearer in lower case', { authorization: `bearer ${TOKEN}` }, 200],
    ['x-api-key', { 'x-api-key': TOKEN }, 200],
    ['none', {}, 401],
    ['a wrong one', { 'x-api-key': `${TOKEN}x` }, 401],
    ['another of the same length', { 'x-api-key': TOKEN.replace('4', '5') }, 401],
    ['Basic', { authorization: `Basic ${TOKEN}` }, 401],
    ['an empty one', { authorization: 'Bearer ' }, 401],
  ])('%s', async (_, headers, status) => {
    const { port } = await startSidecar({ token: TOKEN });
    for (const path of ['/v1/lookup', '/v1/enrich', '/v1/logstash']) {
      const answer = await callAs(port, headers as Record<string, string>, path);
      expect([path, answer.status]).toEqual([path, path === '/v1/enrich' && status === 200 ? 200 : status]);
      expect(answer.text).not.toContain(TOKEN);
    }
  });

  it.each([
    ['/healthz', 200],
    ['/readyz', 200],
    ['/openapi.json', 200],
    ['/', 200],
    ['/metrics', 401],
    ['/check?query=8.8.8.8', 401],
    ['/nothing', 401],
  ])('%s without it: %i', async (path, status) => {
    const { url } = await startSidecar({ token: TOKEN });
    const answer = await fetch(`${url}${path}`);
    expect(answer.status).toBe(status);
    if (status === 401) expect(answer.headers.get('www-authenticate')).toMatch(/^Bearer/);
  });

  it('lets any host name and page in', async () => {
    const { port } = await startSidecar({ token: TOKEN });
    expect((await callAs(port, { host: 'sidecar.corp:8787', origin: 'https://elsewhere.com', 'x-api-key': TOKEN })).status).toBe(200);
  });
});

describe('a sidecar without a token', () => {
  it.each([
    ['localhost:8787', undefined, 200],
    ['127.0.0.1', undefined, 200],
    ['[::1]:8787', undefined, 200],
    ['LOCALHOST', undefined, 200],
    ['sidecar:8787', undefined, 200],
    ['evil.com', undefined, 403],
    ['127.0.0.1.evil.com:80', undefined, 403],
    ['localhost', 'http://localhost', 200],
    ['localhost:8787', 'http://localhost:8787', 200],
    ['localhost:8787', 'http://localhost:9999', 403],
    ['localhost', 'https://evil.com', 403],
    ['localhost', 'null', 403],
  ])('called as %s from %s: %i', async (host, origin, status) => {
    const { port } = await startSidecar({ allowedHosts: ['sidecar'] });
    expect((await callAs(port, { host, ...(origin !== undefined && { origin }) })).status).toBe(status);
  });
});
