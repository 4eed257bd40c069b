import { pathToFileURL } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { thirdPartyNotices } from '../../../../scripts/notices.ts';
import { projectRoot } from '../../../support/fixtures.ts';
import { newStateFolder } from '../../../support/open-test-engine.ts';
import { startSidecar } from '../support/start-sidecar.ts';
import { builtConsole } from './open-console.ts';

const MOST_BYTES = 200_000;

describe('the files of the console', () => {
  let built: Awaited<ReturnType<typeof builtConsole>>;
  beforeAll(async () => {
    built = await builtConsole();
  });
  afterAll(() => built?.close());

  it('are not more than 200 KB in all, as they are and packed', async () => {
    const { url } = await startSidecar({}, { consoleFolder: built.folder });
    let plain = 0;
    let packed = 0;
    for (const path of ['/', '/console/console.js', '/console/console.css']) {
      plain += (await (await fetch(`${url}${path}`, { headers: { 'accept-encoding': 'identity' } })).arrayBuffer()).byteLength;
      packed += Number((await fetch(`${url}${path}`, { headers: { 'accept-encoding': 'gzip' } })).headers.get('content-length'));
    }
    if (process.env['ISMALICIOUS_SHOW_FIGURES']) console.log({ plain, packed });
    expect(plain).toBeLessThan(MOST_BYTES);
    expect(packed).toBeLessThan(plain);
  });

  it.each([
    ['/console/console.js', 'text/javascript; charset=utf-8'],
    ['/console/console.css', 'text/css; charset=utf-8'],
  ])('%s comes packed where that is taken, and not again when it is as it was', async (path, type) => {
    const { call, url } = await startSidecar({}, { consoleFolder: built.folder });
    const whole = await call(path, { headers: { 'accept-encoding': 'identity' } });
    expect(whole.headers.get('content-type')).toBe(type);
    expect(whole.headers.get('x-content-type-options')).toBe('nosniff');
    const packed = await call(path, { headers: { 'accept-encoding': 'gzip' } });
    expect(packed.headers.get('content-encoding')).toBe('gzip');
    expect(packed.text).toBe(whole.text);
    const again = await fetch(`${url}${path}`, { headers: { 'if-none-match': whole.headers.get('etag')! } });
    expect([again.status, (await again.arrayBuffer()).byteLength]).toEqual([304, 0]);
  });

  it('hold packages that the notices beside them name, with their licence', () => {
    const notices = thirdPartyNotices(projectRoot, built.inputs, built.legalComments);
    expect([...notices.matchAll(/^-{80}\n(\S+) \S+\nLicence: (.*)$/gm)].map(([, name, licence]) => `${name} ${licence}`)).toEqual([
      '@noble/hashes MIT',
      'preact MIT',
      'uplot MIT',
    ]);
  });

  it('hold no code that makes text to markup or to code, and no address of anybody else', async () => {
    const { call } = await startSidecar({}, { consoleFolder: built.folder });
    const { text } = await call('/console/console.js');
    expect(text).not.toMatch(/\beval\(|new Function|document\.write|insertAdjacentHTML|importScripts/);
    expect(
      [...text.matchAll(/https?:\/\/[^\s"'`)]+/g)]
        .map(([address]) => address)
        .filter((address) => !address.startsWith('http://www.w3.org/')),
    ).toEqual([]);
  });

  it.each(['/', '/docs'])('%s allows the page its own two files and calls to this sidecar, nothing else', async (path) => {
    const { call } = await startSidecar({}, { consoleFolder: built.folder });
    const policy = (await call(path)).headers.get('content-security-policy');
    expect(policy?.split('; ').slice(0, 4)).toEqual(["default-src 'none'", "script-src 'self'", "style-src 'self'", "connect-src 'self'"]);
    expect(policy).not.toMatch(/unsafe|\*/);
  });

  it('say how to build them where they are not', async () => {
    const { call } = await startSidecar({}, { consoleFolder: pathToFileURL(`${newStateFolder()}/`) });
    const { status, json } = await call('/console/console.js');
    expect([status, json.error.message]).toEqual([404, expect.stringContaining('npm run build')]);
  });
});

describe('POST /v1/extract with the bytes of a file', () => {
  const file = (body: Buffer) => ({ method: 'POST', headers: { 'content-type': 'application/octet-stream' }, body });

  it('finds what is coded in a mail, with the part it stands in', async () => {
    const { call } = await startSidecar();
    const mail = `From: a@evil.com\r\nTo: me@corp.com\r\nSubject: x\r\nMIME-Version: 1.0\r\nContent-Transfer-Encoding: base64\r\nContent-Type: text/plain\r\n\r\n${Buffer.from('see 9.9.9.9, 9.9.9.9').toString('base64')}`;
    const every = await call('/v1/extract', file(Buffer.from(mail)));
    const places = (json: { indicators: { value: string; part: string }[] }) =>
      json.indicators.map(({ value, part }) => `${part} ${value}`);
    expect(places(every.json)).toEqual(['header:from a@evil.com', 'header:from evil.com', 'text 9.9.9.9', 'text 9.9.9.9']);
    const unique = await call('/v1/extract?unique=true', file(Buffer.from(mail)));
    expect(places(unique.json)).toEqual(['header:from a@evil.com', 'header:from evil.com', 'text 9.9.9.9']);
  });

  it('says what it cannot read, and finds nothing in it', async () => {
    const { call } = await startSidecar();
    const { json } = await call(
      '/v1/extract',
      file(Buffer.concat([Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a, 0, 0, 0, 0x0d]), Buffer.from('evil.com 9.9.9.9')])),
    );
    expect(json).toEqual({ indicators: [], unread: [{ part: 'file', reason: expect.stringContaining('picture') }] });
  });

  it('gives no more than sidecar.max_extracted, and says so', async () => {
    const { call } = await startSidecar({ maxExtracted: 2 });
    const { json } = await call('/v1/extract', file(Buffer.from('9.9.9.9 8.8.8.8 1.1.1.1')));
    expect([json.indicators.length, json.unread[0].reason]).toEqual([2, expect.stringContaining('max_extracted')]);
  });

  it('is the only call that takes a file', async () => {
    const { call } = await startSidecar();
    for (const path of ['/v1/lookup', '/v1/triage', '/v1/watchlist']) expect((await call(path, file(Buffer.from('x')))).status).toBe(415);
  });

  it('is bounded like every body', async () => {
    const { call } = await startSidecar({ maxBodyBytes: 2048 });
    expect((await call('/v1/extract', file(Buffer.alloc(4096, 0x41)))).status).toBe(413);
  });
});
