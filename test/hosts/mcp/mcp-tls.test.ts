import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { copyFileSync, existsSync } from 'node:fs';
import { join } from 'node:path';
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import { Agent, fetch } from 'undici';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { createCertificates } from '../../support/certificates.ts';
import { projectRoot } from '../../support/fixtures.ts';
import { hasOpenssl } from '../../support/loopback-splunkd.ts';
import { newStateFolder } from '../../support/open-test-engine.ts';

const program = join(projectRoot, 'dist/cli.js');
const TOKEN = 'a-token-of-the-house-42';
const certificates = createCertificates();
const { file, read, authority, issue } = certificates;

beforeAll(() => {
  if (!hasOpenssl) return;
  for (const name of ['ca', 'other-ca']) authority(name);
  for (const name of ['server', 'next', 'client']) issue(name, 'ca');
  issue('stranger', 'other-ca');
});
afterAll(() => certificates.remove());

const opened: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const end of opened.splice(0).toReversed()) await end();
});

/** Starts the server with these settings of the sidecar; what it says on stderr grows. */
async function serve(settings: Readonly<Record<string, string>>) {
  const env: Record<string, string> = { PATH: process.env.PATH ?? '', ISMALICIOUS_STATE_DIR: newStateFolder() };
  for (const [name, value] of Object.entries(settings)) env[`ISMALICIOUS_SIDECAR_${name}`] = value;
  const child = spawn(process.execPath, [program, 'mcp', '--http', '--port', '0'], { env });
  const ended = once(child, 'exit');
  opened.push(async () => {
    child.kill('SIGTERM');
    await ended;
  });
  let [out, log] = ['', ''];
  child.stderr.on('data', (bytes: Buffer) => (log += bytes.toString()));
  child.stdout.on('data', (bytes: Buffer) => (out += bytes.toString()));
  const hasEnded = ended.then(() => true);
  while (!/^listening \d+\n/.test(out)) if (await Promise.race([once(child.stdout, 'data').then(() => false), hasEnded])) break;
  const port = /^listening (\d+)\n/.exec(out)?.[1] ?? null;
  /** Resolves when the log holds a word. */
  const says = async (word: string) => {
    while (!log.includes(word)) await once(child.stderr, 'data');
  };
  return { port, says, log: () => log, child };
}

type Shown = Partial<Record<'ca' | 'cert' | 'key', string>>;

/** A client of the protocol that connects with these certificates. */
async function connect(port: string | null, shown: Shown, scheme = 'https', token = TOKEN): Promise<Client> {
  const dispatcher = new Agent({ connect: shown });
  opened.push(() => dispatcher.close());
  const client = new Client({ name: 'contract-test', version: '1.0.0' });
  const transport = new StreamableHTTPClientTransport(new URL(`${scheme}://127.0.0.1:${port}/mcp`), {
    fetch: ((url: string, init: object) => fetch(url, { ...init, dispatcher })) as never,
    requestInit: { headers: { authorization: `Bearer ${token}` } },
  });
  await client.connect(transport as never);
  opened.push(() => client.close());
  return client;
}

const shownBy = (name: string): Shown => ({ ca: read('ca.pem'), cert: read(`${name}.pem`), key: read(`${name}.key`) });
const own = (name = 'server') => ({ TLS_CERT_FILE: file(`${name}.pem`), TLS_KEY_FILE: file(`${name}.key`), TOKEN });

describe.skipIf(!existsSync(program) || !hasOpenssl)('ismalicious mcp --http with TLS (needs openssl)', { timeout: 60_000 }, () => {
  it('speaks https to a client that knows who signed it, and nothing else', async () => {
    const { port, log } = await serve(own());
    const client = await connect(port, { ca: read('ca.pem') });
    expect((await client.listTools()).tools.map(({ name }) => name)).toContain('check');
    expect(log()).toContain('MCP server on https://127.0.0.1:');
    await expect(connect(port, {})).rejects.toThrow();
    await expect(connect(port, {}, 'http')).rejects.toThrow();
    await expect(connect(port, { ca: read('ca.pem') }, 'https', 'another-token-of-nobody')).rejects.toThrow('token');
  });

  it('with tls_client_ca_file answers a client that shows a certificate of its own, and says why another cannot connect', async () => {
    const { port, says } = await serve({ ...own(), TLS_CLIENT_CA_FILE: file('ca.pem') });
    const client = await connect(port, shownBy('client'));
    expect((await client.listTools()).tools.length).toBeGreaterThan(0);
    await expect(connect(port, shownBy('stranger'))).rejects.toThrow();
    await says('could not connect: its certificate was refused');
    await expect(connect(port, { ca: read('ca.pem') })).rejects.toThrow();
  });

  it('takes a new certificate without a restart', async () => {
    copyFileSync(file('server.pem'), file('moving.pem'));
    copyFileSync(file('server.key'), file('moving.key'));
    const { port } = await serve(own('moving'));
    const nameOf = async () => {
      const { connect: open } = await import('node:tls');
      const socket = open({ host: '127.0.0.1', port: Number(port), ca: read('ca.pem') });
      await once(socket, 'secureConnect');
      const { CN } = socket.getPeerCertificate().subject;
      socket.destroy();
      return CN;
    };
    expect(await nameOf()).toBe('server');
    copyFileSync(file('next.key'), file('moving.key'));
    copyFileSync(file('next.pem'), file('moving.pem'));
    // The files are looked at every second: however long that takes, the test has a minute.
    while ((await nameOf()) !== 'next');
  });

  it('does not begin with a certificate that cannot be used', async () => {
    const { port, log, child } = await serve({ ...own(), TLS_KEY_FILE: file('client.key') });
    expect([port, child.exitCode]).toEqual([null, 2]);
    expect(log()).toContain('sidecar.tls_key_file');
    expect(log()).not.toContain('    at ');
  });
});
