import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { checkConfig } from '../../src/compose/check/check-config.ts';
import { readSources } from '../../src/compose/config-sources.ts';
import { openEngine } from '../../src/compose/open-engine.ts';
import { pipelineTransports } from '../../src/compose/pipeline-transports.ts';
import { errorFromNetwork } from '../../src/engine/calls/http/network-error.ts';
import { loadPipelineConfig, openOutputs } from '../../src/pipeline/open-pipeline.ts';

const PASSPHRASE = 'CANARY-pass-phrase';
const folder = mkdtempSync(join(tmpdir(), 'ismalicious-mtls-'));
const file = (name: string) => join(folder, name);
const openssl = (...args: string[]) => void execFileSync('openssl', args, { cwd: folder, stdio: 'ignore' });
const hasOpenssl = canRunOpenssl();
let server: Server;
let base = '';
const callers: string[] = [];

function canRunOpenssl(): boolean {
  try {
    openssl('version');
    return true;
  } catch {
    return false;
  }
}

/** A certificate of `name`, signed by the authority of this test. */
function issue(name: string, ...extensions: string[]): void {
  openssl('req', '-newkey', 'rsa:2048', '-nodes', '-keyout', `${name}.key`, '-out', `${name}.csr`, '-subj', `/CN=${name}`);
  writeFileSync(file(`${name}.ext`), extensions.join('\n'));
  openssl(...`x509 -req -in ${name}.csr -CA ca.pem -CAkey ca.key -CAcreateserial -days 2 -extfile ${name}.ext -out ${name}.pem`.split(' '));
}

beforeAll(async () => {
  if (!hasOpenssl) return;
  openssl(
    'req',
    '-x509',
    '-newkey',
    'rsa:2048',
    '-nodes',
    '-keyout',
    'ca.key',
    '-out',
    'ca.pem',
    '-days',
    '2',
    '-subj',
    '/CN=test authority',
  );
  issue('server', 'subjectAltName=IP:127.0.0.1');
  issue('client');
  openssl('rsa', '-aes256', '-passout', `pass:${PASSPHRASE}`, '-in', 'client.key', '-out', 'client-locked.key');
  writeFileSync(file('both.pem'), `${readFileSync(file('client.pem'), 'utf8')}\n${readFileSync(file('client.key'), 'utf8')}`);
  writeFileSync(file('passphrase'), `${PASSPHRASE}\n`);
  const trusted = { key: readFileSync(file('server.key')), cert: readFileSync(file('server.pem')), ca: readFileSync(file('ca.pem')) };
  server = createServer({ ...trusted, requestCert: true, rejectUnauthorized: true }, (request, response) => {
    const { subject } = (request.socket as import('node:tls').TLSSocket).getPeerCertificate();
    callers.push(`${String(subject.CN)} ${request.method} ${request.url?.split('?')[0]}`);
    request.resume();
    const isHec = request.url?.startsWith('/services/collector') === true;
    response.setHeader('content-type', 'application/json');
    response.end(isHec ? '{"text":"Success","code":0}' : '{"data":{"ipAddress":"45.83.64.7","abuseConfidenceScore":88,"totalReports":4}}');
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  base = `https://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterAll(() => {
  server?.closeAllConnections();
  server?.close();
  rmSync(folder, { recursive: true });
});

const locked = () => ({ CERT_FILE: file('client.pem'), KEY_FILE: file('client-locked.key') });
const prefixed = (prefix: string, values: Record<string, string>) =>
  Object.fromEntries(Object.entries(values).map(([name, value]) => [`${prefix}_${name}`, value]));

describe.skipIf(!hasOpenssl)('a server that asks for a client certificate [needs openssl]', () => {
  it.each<[string, () => Record<string, string>, string]>([
    ['key beside it, passphrase in a file', () => ({ ...locked(), KEY_PASSPHRASE_FILE: file('passphrase') }), 'ok'],
    ['key beside it, passphrase in the environment', () => ({ ...locked(), KEY_PASSPHRASE: PASSPHRASE }), 'ok'],
    ['certificate and key in one file', () => ({ CERT_FILE: file('both.pem') }), 'ok'],
    ['no certificate: a failure, not a verdict', () => ({}), 'unavailable'],
  ])('answers a provider: %s', async (_name, more, status) => {
    const { engine } = await openEngine({
      env: {
        ISMALICIOUS_STATE_DIR: mkdtempSync(join(folder, 'state-')),
        ABUSEIPDB_API_KEY: 'k',
        ABUSEIPDB_BASE_URL: base,
        ABUSEIPDB_CA_FILE: file('ca.pem'),
        ABUSEIPDB_TIMEOUT_MS: '5000',
        ...prefixed('ABUSEIPDB', more()),
      },
    });
    const [answer] = [...(await engine.enrichMany(['45.83.64.7'])).values()].map((found) => found.answer);
    await engine.close();
    expect(answer?.status).toBe(status);
    if (status === 'ok') expect([answer?.score, callers.at(-1)]).toEqual([88, 'client GET /api/v2/check']);
    else expect([answer?.verdict, answer?.score]).toEqual(['unknown', null]);
  });

  it.each(['ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED', 'ERR_SSL_TLSV1_ALERT_UNKNOWN_CA', 'ERR_SSL_SSLV3_ALERT_HANDSHAKE_FAILURE'])(
    '%s names the setting that is missing, not the authorities of the server',
    (code) => {
      const { message } = errorFromNetwork('abuseipdb', Object.assign(new Error('alert'), { code }));
      expect(message).toContain('set cert_file');
      expect(message).not.toContain('ca_file');
    },
  );

  it('takes what an output sends', async () => {
    const env = {
      ISMALICIOUS_OUTPUTS_SPLUNK_HEC_ENABLED: 'true',
      ISMALICIOUS_OUTPUTS_SPLUNK_HEC_TOKEN: 't',
      ISMALICIOUS_OUTPUTS_SPLUNK_HEC_BASE_URL: base,
      ISMALICIOUS_OUTPUTS_SPLUNK_HEC_CA_FILE: file('ca.pem'),
      ...prefixed('ISMALICIOUS_OUTPUTS_SPLUNK_HEC', { ...locked(), KEY_PASSPHRASE_FILE: file('passphrase') }),
    };
    const config = loadPipelineConfig(await readSources({ env }));
    const { outputs, close } = await openOutputs(config, { transportTo: pipelineTransports(env) });
    const call = { kind: 'http', url: new URL(`${base}/services/collector/event`), method: 'POST', headers: {}, body: '{}' } as const;
    const answer = await outputs[0]!.sender.perform(call, new AbortController().signal);
    await close();
    expect([answer.status, callers.at(-1)]).toEqual([200, 'client POST /services/collector/event']);
  });

  it.each<[string, () => Record<string, string>, RegExp]>([
    [
      'a passphrase that does not fit',
      () => ({ ...locked(), KEY_PASSPHRASE: `${PASSPHRASE}x` }),
      /key_file .*does not open with this passphrase/,
    ],
    ['an encrypted key without one', locked, /key_file .*is encrypted: set key_passphrase/],
    [
      'a key of another certificate',
      () => ({ CERT_FILE: file('client.pem'), KEY_FILE: file('server.key') }),
      /key_file .*is not the private key of cert_file/,
    ],
    ['a certificate without its key', () => ({ CERT_FILE: file('client.pem') }), /cert_file .*holds no private key in PEM form/],
    ['a file that is no certificate', () => ({ CERT_FILE: file('passphrase') }), /cert_file .*holds no certificate/],
    ['a key without certificate', () => ({ KEY_FILE: file('client.key') }), /key_file .*needs cert_file/],
    ['both passphrases', () => ({ ...locked(), KEY_PASSPHRASE: 'a', KEY_PASSPHRASE_FILE: file('passphrase') }), /not both/],
    ['a file that is not there', () => ({ CERT_FILE: file('nowhere.pem') }), /cert_file .*cannot be read \(ENOENT\)/],
  ])('`config check` and the start name %s', async (_name, more, words) => {
    const env = {
      ISMALICIOUS_STATE_DIR: mkdtempSync(join(folder, 'state-')),
      MISP_API_KEY: 'k',
      MISP_BASE_URL: base,
      ...prefixed('MISP', more()),
    };
    const { faults } = await checkConfig({ env });
    const told = faults.map(({ key, place, message }) => `${key} (${place}): ${message}`).join('\n');
    expect(told).toMatch(words);
    expect(told).not.toContain(PASSPHRASE);
    await expect(openEngine({ env })).rejects.toThrow(words);
  });
});
