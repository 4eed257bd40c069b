import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { describe, expect, it } from 'vitest';
import { runProgram } from '../../src/hosts/cli/program.ts';
import { newStateFolder, openTestEngine } from '../support/open-test-engine.ts';
import { sendJson, startStandIn, type StandInReply } from '../support/stand-in-api.ts';

const KEY = 'CANARYkey7f3a';
const SECRET = 'CANARYsecret9b1c';
const CREDENTIAL = Buffer.from(`${KEY}:${SECRET}`).toString('base64');
/** Every form in which the secret could show up. */
const FORMS = [KEY, SECRET, CREDENTIAL, encodeURIComponent(CREDENTIAL), Buffer.from(CREDENTIAL).toString('base64')];

function expectNoSecret(text: string, where: string): void {
  for (const form of FORMS) expect(text.includes(form), `secret in ${where}`).toBe(false);
}

function sweep(folder: string): void {
  for (const name of readdirSync(folder, { recursive: true, withFileTypes: true })) {
    if (name.isFile()) expectNoSecret(readFileSync(join(name.parentPath, name.name), 'latin1'), name.name);
  }
}

async function runCli(args: readonly string[], env: Record<string, string>) {
  const out = new PassThrough();
  const err = new PassThrough();
  const code = await runProgram(args, {
    stdin: new PassThrough().end(),
    stdout: out,
    stderr: err,
    env,
    hasColor: false,
    hasProgress: false,
  });
  return { code, stdout: String(out.read() ?? ''), stderr: String(err.read() ?? '') };
}

const faults: [string, StandInReply][] = [
  ['401 that echoes the headers', (call, response) => sendJson(response, 401, { error: `bad key ${String(call.headers['x-api-key'])}` })],
  ['500 that echoes the headers', (call, response) => sendJson(response, 500, { error: call.headers })],
  ['an answer that echoes the headers', (call, response) => sendJson(response, 200, { malicious: 'x', echo: call.headers })],
  ['a reset', (_call, response) => void response.socket?.resetAndDestroy()],
  ['a good answer', (call, response) => sendJson(response, 200, { malicious: false, riskScore: { score: 1 }, echo: call.headers })],
];

describe.each(faults)('the key appears nowhere: %s', (_name, reply) => {
  it('not in the state folder, the message, the program’s words, nor in the URL', { timeout: 90_000 }, async () => {
    await using api = await startStandIn(reply);
    const folder = newStateFolder();
    const env = { ISMALICIOUS_BASE_URL: api.url, ISMALICIOUS_API_KEY: KEY, ISMALICIOUS_API_SECRET: SECRET, ISMALICIOUS_STATE_DIR: folder };
    const { engine } = await openTestEngine(api.url, { ...env, ISMALICIOUS_X_API_KEY: '' });
    const found = await engine.enrichMany(['9.9.9.1', '12.3.4.5']);
    expectNoSecret(JSON.stringify([...found.values()]), 'enrichment');
    expectNoSecret(JSON.stringify(engine.stats()), 'stats');
    await engine.close();
    expect(api.calls[0]?.headers['x-api-key']).toBe(CREDENTIAL);
    for (const call of api.calls) expectNoSecret(call.path, 'URL');
    for (const args of [['check', '9.9.9.3', '--json'], ['config', 'show'], ['config', 'check'], ['doctor'], ['cache', 'stats']]) {
      const { stdout, stderr } = await runCli(args, env);
      expectNoSecret(stdout + stderr, args.join(' '));
    }
    sweep(folder);
  });
});

it('a wrong setting that is a secret is told without its value', async () => {
  const { code, stderr } = await runCli(['config', 'check'], {
    ISMALICIOUS_X_API_KEY: `${KEY} with blanks ${SECRET}`,
    ISMALICIOUS_PROXY: `not a url ${SECRET}`,
  });
  expect(code).toBe(2);
  expect(stderr).toContain('providers.ismalicious.x_api_key');
  expect(stderr).toContain('providers.ismalicious.proxy');
  expectNoSecret(stderr, 'configuration fault');
});

it('a proxy password is masked', async () => {
  const { stdout } = await runCli(['config', 'show'], {
    ISMALICIOUS_X_API_KEY: CREDENTIAL,
    ISMALICIOUS_PROXY: `http://user:${SECRET}@proxy.example:3128`,
  });
  expect(stdout).toContain('proxy: "********"');
  expectNoSecret(stdout, 'config show');
});
