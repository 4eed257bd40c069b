import { X509Certificate } from 'node:crypto';
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeEach, describe, expect, it } from 'vitest';
import { readAppSettings } from '../../src/splunkd/credentials.ts';
import { openSealedKeys, sealKeys } from '../../src/splunkd/sealed-keys.ts';
import { openSplunkd } from '../../src/splunkd/splunkd.ts';
import { splunkdTrust } from '../../src/splunkd/splunkd-trust.ts';
import { projectRoot } from '../support/fixtures.ts';
import {
  type Answering,
  hasOpenssl,
  type LoopbackSplunkd,
  makeSplunkHome,
  startSplunkd,
  storedPasswords,
} from '../support/loopback-splunkd.ts';

const SECRET = 'canary-api-key-0123456789';
const SESSION = 'canary-session-key';
const folder = mkdtempSync(join(tmpdir(), 'ismalicious-splunkd-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const settings = { trustLoopback: false, timeoutMs: 3000 };
let home = '';
let answer: Answering = () => ({
  status: 200,
  body: storedPasswords({ 'virustotal.api_key': SECRET, 'outputs.webhook.secret': 'w'.repeat(16) }),
});
let splunkd: LoopbackSplunkd;
let place: { program: string; env: Record<string, string> };
let round = 0;

beforeEach(async () => {
  if (!hasOpenssl) return;
  round += 1;
  splunkd = await startSplunkd(join(folder, `tls-${round}`), (asked) => answer(asked));
  home = makeSplunkHome(join(folder, `home-${round}`), readFileSync(splunkd.certificateFile, 'utf8'));
  place = { program: join(home, 'etc/apps/ismalicious/bin/ismalicious.js'), env: { SPLUNK_HOME: home } };
});
afterEach(async () => {
  answer = () => ({ status: 200, body: storedPasswords({ 'virustotal.api_key': SECRET, 'outputs.webhook.secret': 'w'.repeat(16) }) });
  if (hasOpenssl) await splunkd.close();
});

const asking = (nowS = 1000, session = true) => ({ ...place, nowS, session: session ? { uri: splunkd.uri, sessionKey: SESSION } : null });

describe.skipIf(!hasOpenssl)('splunkd over TLS [needs openssl]', () => {
  const call = { path: '/services/server/info', method: 'GET', needs: 'x' } as const;
  const ask = async (own: object, env: Record<string, string> = {}) => {
    const session = await openSplunkd({ uri: splunkd.uri, sessionKey: SESSION }, { settings: { ...settings, ...own }, env });
    try {
      return await session.request(call);
    } finally {
      await session.close();
    }
  };
  const fingerprint = () => new X509Certificate(readFileSync(splunkd.certificateFile)).fingerprint256;

  it('refuses a certificate nobody vouches for, before a byte is sent', async () => {
    await expect(ask({})).rejects.toThrow(/not trusted \(DEPTH_ZERO_SELF_SIGNED_CERT\): set ca_file or certificate_sha256/);
    expect(splunkd.asked).toEqual([]);
  });

  it.each([
    ['the fingerprint of another', () => ({ certificateSha256: 'AB'.repeat(32) })],
    ['another fingerprint although any is accepted from here', () => ({ certificateSha256: 'AB'.repeat(32), trustLoopback: true })],
  ])('refuses %s, before a byte is sent', async (_case, own) => {
    await expect(ask(own())).rejects.toThrow(/not trusted \(CERTIFICATE_NOT_PINNED\)/);
    expect(splunkd.asked).toEqual([]);
  });

  it.each([
    ['its authority', () => ({ caFile: splunkd.certificateFile }), () => ({})],
    ['its fingerprint', () => ({ certificateSha256: fingerprint() }), () => ({})],
    ['its fingerprint in lower case', () => ({ certificateSha256: fingerprint().replaceAll(':', '').toLowerCase() }), () => ({})],
    ['the file of the certificate splunkd serves', () => ({}), () => ({ SPLUNK_HOME: home })],
    ['being this machine, when that is set', () => ({ trustLoopback: true }), () => ({})],
  ])('accepts it by %s, and passes the session key', async (_case, own, env) => {
    await ask(own(), env());
    expect(splunkd.asked.map(({ authorization }) => authorization)).toEqual([`Splunk ${SESSION}`]);
  });

  it('reads the file that server.conf names', async () => {
    mkdirSync(join(home, 'etc/auth/mine'));
    writeFileSync(join(home, 'etc/auth/mine/own.pem'), readFileSync(splunkd.certificateFile));
    writeFileSync(join(home, 'etc/auth/server.pem'), 'no certificate');
    writeFileSync(join(home, 'etc/system/local/server.conf'), '[sslConfig]\nserverCert = $SPLUNK_HOME/etc/auth/mine/own.pem\n');
    await ask({}, { SPLUNK_HOME: home });
    expect(splunkd.asked.length).toBe(1);
  });

  it('accepts any certificate from this machine only', () => {
    const anywhere = { ...settings, trustLoopback: true };
    for (const host of ['127.0.0.1', 'localhost', '::1', '[::1]']) expect(splunkdTrust(host, anywhere, {})).toEqual({ kind: 'loopback' });
    for (const host of ['127.0.0.1.example', 'splunk.example', '10.0.0.1'])
      expect(splunkdTrust(host, anywhere, { SPLUNK_HOME: home })).toEqual({ kind: 'authority', ca: null });
  });

  it.each([
    [403, /lacks the capability list_storage_passwords/],
    [401, /session.*ended/],
    [500, /HTTP 500/],
  ])('says what %d means, without the session key', async (status, words) => {
    answer = () => ({ status, body: { messages: [{ type: 'ERROR', text: 'insufficient permission' }] } });
    const session = await openSplunkd({ uri: splunkd.uri, sessionKey: SESSION }, { settings, env: place.env });
    const fault = await session.secrets('ismalicious').catch((error: Error) => error);
    await session.close();
    expect(String(fault)).toMatch(words);
    expect(String(fault)).not.toContain(SESSION);
  });

  it('loads neither .env nor the package’s own client', () => {
    const work = join(folder, `work-${round}`);
    mkdirSync(work);
    writeFileSync(join(work, '.env'), 'ISMALICIOUS_CANARY=leaked\n');
    const program = `
      const { openSplunkd } = await import(${JSON.stringify(join(projectRoot, 'src/splunkd/splunkd.ts'))});
      const splunkd = await openSplunkd({ uri: 'https://127.0.0.1:1', sessionKey: 'k' }, { settings: ${JSON.stringify(settings)}, env: {} });
      await splunkd.secrets('x').catch(() => undefined);
      const { createRequire } = await import('node:module');
      const loaded = Object.keys(createRequire(import.meta.url).cache).filter((file) => /splunk-sdk.lib.service|dotenv|needle|node_http|splunk-sdk.index/.test(file)).map((file) => file.split('/').at(-1));
      process.stdout.write(JSON.stringify({ canary: process.env.ISMALICIOUS_CANARY ?? null, loaded }));`;
    const { stdout, stderr } = spawnSync(process.execPath, ['--input-type=module', '-e', program], { cwd: work, encoding: 'utf8' });
    expect({ stdout, stderr }).toEqual({ stdout: '{"canary":null,"loaded":["service.js"]}', stderr: '' });
  });
});

describe.skipIf(!hasOpenssl)('settings of the app [needs openssl]', () => {
  it('secrets of the credential store become settings of their blocks, on top of the conf', async () => {
    writeFileSync(join(home, 'etc/apps/ismalicious/local/ismalicious.conf'), '[providers.virustotal]\nper_minute = 4\n');
    const { conf, fault } = await readAppSettings(asking());
    expect(fault).toBeNull();
    expect(conf.values).toEqual({
      'providers.virustotal': { per_minute: '4', api_key: SECRET },
      'outputs.webhook': { secret: 'w'.repeat(16) },
    });
    expect(splunkd.asked.map(({ path, query }) => [path, query.count])).toEqual([
      ['/servicesNS/nobody/ismalicious/storage/passwords/', '0'],
    ]);
  });

  it('leaves secrets of other apps alone', async () => {
    answer = () => ({ status: 200, body: storedPasswords({ 'virustotal.api_key': SECRET }, 'another') });
    expect((await readAppSettings(asking())).conf.values).toEqual({});
  });

  it('what an admin read is sealed for an analyst who may not: splunkd is not asked again while it is fresh', async () => {
    await readAppSettings(asking(1000));
    answer = () => ({ status: 403, body: {} });
    const { conf, fault } = await readAppSettings(asking(1800));
    expect([conf.values['providers.virustotal']?.api_key, fault, splunkd.asked.length]).toEqual([SECRET, null, 1]);
    // Older than that it is asked, refused, and what was sealed still serves.
    const late = await readAppSettings(asking(5000));
    expect([late.conf.values['providers.virustotal']?.api_key, late.fault, splunkd.asked.length]).toEqual([SECRET, null, 2]);
    expect((await readAppSettings(asking(9_000_000, false))).conf.values['providers.virustotal']?.api_key).toBe(SECRET);
  });

  it('an analyst without anything sealed is told which capability is missing', async () => {
    answer = () => ({ status: 403, body: {} });
    const { conf, fault } = await readAppSettings(asking());
    expect(conf.values).toEqual({});
    expect(fault).toMatch(/keys cannot be read: .*list_storage_passwords/);
    expect(fault).not.toContain(SESSION);
  });

  it('what is sealed is for its owner only, unreadable, and worth nothing without splunk.secret', async () => {
    await readAppSettings(asking());
    const path = join(home, 'var/lib/ismalicious/keys.sealed');
    expect(statSync(path).mode & 0o777).toBe(0o600);
    expect(readFileSync(path, 'latin1')).not.toContain(SECRET);
    expect(readdirSync(join(home, 'var/lib/ismalicious')).sort()).toEqual(['keys.changed', 'keys.sealed']);
    expect(readFileSync(join(home, 'var/lib/ismalicious/keys.changed'), 'latin1')).not.toContain(SECRET);
    expect(openSealedKeys(place.env)?.secrets['virustotal.api_key']).toBe(SECRET);
    writeFileSync(join(home, 'etc/auth/splunk.secret'), 'b'.repeat(254));
    expect(openSealedKeys(place.env)).toBeNull();
  });

  it('a sealed file that somebody changed is not believed', async () => {
    await readAppSettings(asking());
    const path = join(home, 'var/lib/ismalicious/keys.sealed');
    const sealed = JSON.parse(readFileSync(path, 'utf8')) as { text: string };
    writeFileSync(path, JSON.stringify({ ...sealed, text: (sealed.text.startsWith('A') ? 'B' : 'A') + sealed.text.slice(1) }));
    expect(openSealedKeys(place.env)).toBeNull();
  });

  it('without splunk.secret nothing is written', () => {
    rmSync(join(home, 'etc/auth/splunk.secret'));
    expect(sealKeys({ secrets: { a: SECRET }, atS: 1 }, place.env)).toBe(false);
    expect(openSealedKeys(place.env)).toBeNull();
  });
});
