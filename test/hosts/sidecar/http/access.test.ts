import { describe, expect, it } from 'vitest';
import { ACCESS } from '../../../../src/hosts/sidecar/http/access.ts';
import { openApiDocument } from '../../../../src/openapi/openapi.ts';
import { rawCall, startGateway, startSidecar } from '../support/start-sidecar.ts';
import { startUpstream } from '../support/upstream-stand-in.ts';
import { ALL_METHODS, createCaller, spellings } from '../support/walk-routes.ts';

/** What is sent to paths that are spelled in other ways: all methods in all spellings take minutes on a busy machine. */
const USUAL_METHODS = ['GET', 'HEAD', 'POST', 'PUT', 'DELETE', 'OPTIONS', 'PURGE'];
const TOKEN = 'a-token-of-the-house-42';

/** A path of a row that can be called. */
function calledPath(path: string): string {
  return path.replace('*', path.startsWith('/taxii2') ? 'api/' : 'logs-a');
}

interface Documented {
  readonly paths: Readonly<Record<string, Readonly<Record<string, { readonly security?: readonly unknown[] }>>>>;
}

describe('the table of who may call what', () => {
  it('holds what the OpenAPI document holds: paths, methods, and which are open', () => {
    const { paths } = openApiDocument('1') as Documented;
    const documented = Object.entries(paths).flatMap(([path, methods]) =>
      Object.entries(methods).map(([method, { security }]) => `${method.toUpperCase()} ${path} ${security ? 'anyone' : 'token'}`),
    );
    const rows = ACCESS.flatMap(({ path, methods, who }) =>
      methods.filter((method) => method !== 'HEAD').map((method) => ({ method, path, who })),
    );
    const isFolder = (path: string) => path.startsWith('/taxii2') || path.startsWith('/v1/ingest');
    expect(documented.filter((line) => !line.includes('/taxii2') && !line.includes('/v1/ingest')).toSorted()).toEqual(
      rows
        .filter(({ path }) => !isFolder(path))
        .map(({ method, path, who }) => `${method} ${path} ${who}`)
        .toSorted(),
    );
    expect(rows.filter(({ path }) => isFolder(path)).map(({ who }) => who)).toEqual(['token', 'token', 'token']);
  });

  it('opens the page, its two files and what tells how the sidecar is to reading, and no more', () => {
    expect(ACCESS.filter(({ who }) => who === 'anyone').map(({ path, methods }) => [path, ...methods])).toEqual(
      ['/', '/docs', '/console/console.js', '/console/console.css', '/healthz', '/readyz', '/openapi.json'].map((path) => [
        path,
        'GET',
        'HEAD',
      ]),
    );
  });
});

describe.each([{ accept: '*/*' }, { accept: 'text/html' }])('with a token and a gateway, accept $accept', ({ accept }) => {
  it('who does not send it gets nothing but what is open, however path and method are spelled', async () => {
    const upstream = await startUpstream();
    const { port } = await startGateway(upstream.url, { settings: { token: TOKEN } });
    const { call, close } = createCaller(port);
    const host = `127.0.0.1:${port}`;
    const letIn: string[] = [];
    for (const { path } of [...ACCESS, { path: '/victim' }, { path: '/_all' }, { path: '/_bulk' }])
      for (const target of spellings(calledPath(path), host))
        for (const method of target === calledPath(path) ? ALL_METHODS : USUAL_METHODS) {
          const { status } = await call(method, target, { accept });
          if (status !== 401 && status !== 400 && status !== 0) letIn.push(`${method} ${target.replace(`http://${host}`, '')} ${status}`);
        }
    close();
    const always = ['/console/console.css', '/console/console.js', '/healthz', '/openapi.json', '/readyz'];
    const open = accept === 'text/html' ? ['/', '/docs', ...always] : always;
    // `/?a` and `/healthz?a=…` are the open path itself, with a query; so is its absolute form.
    const allowed = open.flatMap((path) => ['GET', 'HEAD'].map((method) => `${method} ${path} 200`));
    const seen = new Set(letIn.map((line) => line.replace(/\?a(=\/healthz)?/, '')));
    expect([...seen].toSorted()).toEqual(allowed.toSorted());
    expect(upstream.seen).toEqual([]);
  }, 300_000);

  it('who sends it is told what a path of the sidecar takes, by 405 and Allow', { timeout: 200_000 }, async () => {
    const upstream = await startUpstream();
    const { port } = await startGateway(upstream.url, { settings: { token: TOKEN } });
    const { call, close } = createCaller(port);
    for (const { path, methods } of ACCESS.filter(({ by }) => by === 'sidecar'))
      for (const method of ALL_METHODS.filter((one) => !methods.includes(one))) {
        const { status, headers } = await call(method, calledPath(path), { accept, 'x-api-key': TOKEN });
        expect([method, path, status, headers.allow]).toEqual([method, path, 405, methods.join(', ')]);
      }
    close();
    expect(upstream.seen).toEqual([]);
  });
});

it('without a gateway every path of the table has its 405 with Allow, the root and /v1/ingest too', async () => {
  const { port } = await startSidecar({ token: TOKEN });
  const { call, close } = createCaller(port);
  for (const { path, methods } of ACCESS)
    for (const method of ['PATCH', 'OPTIONS', 'PROPFIND', 'PUT']) {
      const { status, headers } = await call(method, calledPath(path), { 'x-api-key': TOKEN });
      expect([method, path, status, headers.allow]).toEqual([method, path, 405, methods.join(', ')]);
    }
  close();
});

describe('targets that can be read in two ways', () => {
  const head = (target: string, hosts: readonly string[]) =>
    `GET ${target} HTTP/1.1\r\n${hosts.map((host) => `Host: ${host}\r\n`).join('')}connection: close\r\n\r\n`;

  it.each([
    ['/healthz', ['localhost'], 200],
    ['/healthz', ['localhost', 'localhost'], 400],
    ['/healthz', ['localhost', 'evil.test'], 400],
    ['http://localhost/healthz', ['localhost'], 200],
    ['HTTP://LOCALHOST/healthz', ['localhost'], 200],
    ['http://localhost', ['localhost'], 200],
    ['http://localhost?a=1', ['localhost'], 200],
    ['http://evil.test/healthz', ['localhost'], 400],
    ['http://evil.test/healthz', ['evil.test'], 403],
    ['http://user@localhost/healthz', ['localhost'], 400],
    ['ftp://localhost/healthz', ['localhost'], 400],
    ['*', ['localhost'], 400],
  ])('%s from hosts %j: %i', async (target, hosts, status) => {
    const { port } = await startSidecar();
    expect((await rawCall(port, head(target, hosts))).slice(9, 12)).toBe(String(status));
  });
});

describe('pages of other sites, without a token', () => {
  it.each([
    ['/check?query=8.8.8.8', 'cross-site', 403],
    ['/check?query=8.8.8.8', 'same-site', 403],
    ['/check?query=8.8.8.8', 'Cross-Site', 403],
    ['/check?query=8.8.8.8', 'same-origin', 200],
    ['/check?query=8.8.8.8', 'none', 200],
    ['/check?query=8.8.8.8', undefined, 200],
    ['/taxii2/', 'cross-site', 403],
    ['/metrics', 'cross-site', 403],
    ['/v1/watchlist', 'cross-site', 403],
    ['/_search', 'cross-site', 403],
    ['/', 'cross-site', 200],
    ['/healthz', 'cross-site', 200],
  ])('GET %s, Sec-Fetch-Site %s and no Origin: %i', async (path, site, status) => {
    const upstream = await startUpstream();
    const { port } = await startGateway(upstream.url);
    const { call, close } = createCaller(port);
    const told = await call('GET', path, { accept: 'text/html', ...(site !== undefined && { 'sec-fetch-site': site }) });
    close();
    expect(told.status).toBe(status);
    expect(upstream.seen).toEqual([]);
  });

  it.each(['/v1/enrich', '/v1/lookup', '/v1/logstash', '/v1/triage'])('POST %s is refused too', async (path) => {
    const { port } = await startSidecar();
    const { call, close } = createCaller(port);
    expect((await call('POST', path, { 'sec-fetch-site': 'cross-site' }, '[]')).status).toBe(403);
    close();
  });
});
