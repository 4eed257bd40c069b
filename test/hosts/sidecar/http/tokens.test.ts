import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { request } from 'node:http';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { SidecarSettings } from '../../../../src/compose/sidecar-settings.ts';
import { createSidecar } from '../../../../src/hosts/sidecar/server.ts';
import { SidecarConfigError } from '../../../../src/hosts/sidecar/way-in.ts';
import { createFakeEnricher } from '../../../support/fake-sidecar-enricher.ts';
import { startGateway, startSidecar } from '../support/start-sidecar.ts';
import { startUpstream } from '../support/upstream-stand-in.ts';

const READER = 'reader-0123456789abcdef';
const ENRICHER = 'enricher-0123456789abcdef';
const WRITER = 'writer-0123456789abcdef';
const WHOLE = 'a-token-of-the-house-42';
const TOKENS = `read ${READER}; enrich ${ENRICHER}; write,enrich ${WRITER}`;

function newFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'ismalicious-tokens-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

const statusOf = async (url: string, token: string, method = 'GET', body?: string) =>
  (await fetch(url, { method, headers: { 'x-api-key': token, 'content-type': 'application/json' }, ...(body ? { body } : {}) })).status;

describe('several tokens', () => {
  it.each([
    ['GET', '/metrics', READER],
    ['GET', '/v1/watchlist', READER],
    ['POST', '/v1/enrich', ENRICHER],
    ['POST', '/v1/lookup', ENRICHER],
    ['POST', '/v1/logstash', ENRICHER],
    ['POST', '/v1/extract', ENRICHER],
    ['GET', '/check?query=9.9.9.9', ENRICHER],
    ['POST', '/v1/watchlist', WRITER],
    ['DELETE', '/v1/watchlist', WRITER],
  ])('let their holders do what they are for, and no more: %s %s', async (method, path, holder) => {
    const { url } = await startSidecar({ token: WHOLE, tokens: TOKENS });
    for (const token of [READER, ENRICHER, WRITER, WHOLE, 'x'.repeat(READER.length)]) {
      const status = await statusOf(url + path, token, method, method === 'POST' ? '{"indicators":[]}' : undefined);
      const mayIt = token === WHOLE || token === holder || (holder === ENRICHER && token === WRITER);
      const expected = token.startsWith('xxx') ? [401] : mayIt ? 'in' : [403];
      if (expected === 'in') expect([401, 403]).not.toContain(status);
      else expect(expected).toContain(status);
    }
  });

  it('say which scope is missing, and never what was sent', async () => {
    const { url } = await startSidecar({ tokens: TOKENS });
    const text = await (await fetch(`${url}/v1/lookup`, { method: 'POST', headers: { 'x-api-key': READER } })).text();
    expect(text).toContain('`enrich`');
    expect(text).not.toContain(READER);
  });

  it('read and write the engine behind the gateway by their scopes, and stay with the sidecar', async () => {
    const upstream = await startUpstream();
    const { url } = await startGateway(upstream.url, { settings: { tokens: TOKENS } });
    const bulk = '{"create":{}}\n{"a":1}\n';
    expect(await statusOf(`${url}/logs/_bulk`, READER, 'POST', bulk)).toBe(403);
    expect(await statusOf(`${url}/logs/_bulk`, ENRICHER, 'POST', bulk)).toBe(403);
    const bearer = { authorization: `Bearer ${WRITER}`, 'content-type': 'application/x-ndjson' };
    expect((await fetch(`${url}/logs/_bulk`, { method: 'POST', headers: bearer, body: bulk })).status).toBe(200);
    expect(await statusOf(`${url}/logs/_count`, READER)).not.toBe(403);
    expect(JSON.stringify(upstream)).not.toContain(WRITER);
  });

  it.each([
    ['all abcdefghijklmnopq', 'line 1'],
    [`read ${READER}\nread short`, 'line 2'],
    ['# nothing', 'holds no token'],
    [`read ${READER} and more`, 'line 1'],
  ])('are refused at the start when one is wrong, by its line', (tokens, words) => {
    const { error } = SidecarSettings.safeParse({ tokens });
    expect(error?.message).toContain(words);
    expect(error?.message).not.toContain(READER);
  });
});

describe('a file of tokens', () => {
  it('is read again when it changes: the old one is out, the new one in, without a restart', { timeout: 60_000 }, async () => {
    const path = join(newFolder(), 'tokens');
    writeFileSync(path, `# Grafana\nread ${READER}\n`, { mode: 0o600 });
    const { url, log } = await startSidecar({ token: WHOLE, tokensFile: path });
    expect(await statusOf(`${url}/metrics`, READER)).toBe(200);
    writeFileSync(path, `read ${ENRICHER}\n`);
    await expect.poll(() => statusOf(`${url}/metrics`, ENRICHER), { timeout: 20_000 }).toBe(200);
    expect(await statusOf(`${url}/metrics`, READER)).toBe(401);
    writeFileSync(path, 'nonsense\n');
    await expect.poll(() => log.join('\n'), { timeout: 20_000 }).toContain('the tokens from before still count');
    expect([await statusOf(`${url}/metrics`, ENRICHER), await statusOf(`${url}/metrics`, WHOLE)]).toEqual([200, 200]);
  });

  it('that is not there stops the start', async () => {
    const settings = SidecarSettings.parse({ port: 0, tokensFile: join(newFolder(), 'none') });
    const start = createSidecar({ enricher: createFakeEnricher(), settings });
    await expect(start).rejects.toThrow(SidecarConfigError);
    await expect(start).rejects.toThrow('ENOENT');
  });
});

describe('a UNIX socket', { skip: process.platform === 'win32' }, () => {
  const call = (socketPath: string) =>
    new Promise<number | undefined>((resolve, reject) => {
      request({ socketPath, path: '/healthz', headers: { host: 'localhost' } }, ({ statusCode }) => resolve(statusCode))
        .on('error', reject)
        .end();
    });
  const serve = async (socket: string) => {
    const sidecar = await createSidecar({ enricher: createFakeEnricher(), settings: SidecarSettings.parse({ socket, drainMs: 200 }) });
    return { sidecar, listening: await sidecar.listen() };
  };

  it('takes the place of the port, for this user only; one that was left behind is taken over, one in use is not', async () => {
    const path = join(newFolder(), 'sidecar.sock');
    const left = createServer().listen(path);
    await new Promise((resolve) => left.once('listening', resolve));
    await expect(serve(path)).rejects.toThrow('EADDRINUSE');
    await new Promise((resolve) => left.close(resolve));
    const killed = `require('net').createServer().listen(${JSON.stringify(path)}, () => process.kill(process.pid, 'SIGKILL'))`;
    spawnSync(process.execPath, ['-e', killed]);
    expect(statSync(path).isSocket()).toBe(true);
    const { sidecar, listening } = await serve(path);
    expect(listening).toEqual({ scheme: 'http', host: path, port: 0 });
    expect([await call(path), statSync(path).mode & 0o777]).toEqual([200, 0o600]);
    await sidecar.close();
  });
});
