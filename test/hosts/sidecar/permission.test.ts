import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { projectRoot } from '../../support/fixtures.ts';
import { newStateFolder } from '../../support/open-test-engine.ts';
import { startStandIn } from '../../support/stand-in-api.ts';

const program = join(projectRoot, 'dist/cli.js');
/** The flag has this name since Node 22.13 and 23.5. */
const lacks = !existsSync(program) || !process.allowedNodeEnvironmentFlags.has('--permission');

/** As docs/operations.md has it: no program may be started, and nothing read or written but what the sidecar needs. */
async function startSidecar(folder: string, env: Record<string, string>) {
  const reads = [join(projectRoot, 'dist'), join(projectRoot, 'package.json'), '/proc', folder].map((path) => `--allow-fs-read=${path}`);
  const flags = ['--permission', ...reads, `--allow-fs-write=${folder}`, '--allow-worker'];
  const settings = { PATH: process.env.PATH, ISMALICIOUS_STATE_DIR: folder, ...env };
  const child = spawn(process.execPath, [...flags, program, 'serve', '--port', '0'], { env: settings });
  let [out, log] = ['', ''];
  child.stdout.on('data', (part) => (out += String(part)));
  child.stderr.on('data', (part) => (log += String(part)));
  const ended = once(child, 'close');
  onTestFinished(async () => {
    child.kill('SIGKILL');
    await ended;
  });
  while (!/listening \d+/.test(out) && child.exitCode === null) await Promise.race([once(child.stdout, 'data'), ended]);
  return { url: `http://127.0.0.1:${/listening (\d+)/.exec(out)?.[1]}`, log: () => log, child };
}

async function post(url: string, body: unknown): Promise<string> {
  const answer = await fetch(url, { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) });
  return await answer.text();
}

it.skipIf(lacks)(
  'serves with the file rights of its state folder only: looks up, keeps what it was told, extracts in its threads',
  async () => {
    await using api = await startStandIn();
    const folder = newStateFolder();
    const env = { ISMALICIOUS_BASE_URL: api.url, ISMALICIOUS_X_API_KEY: Buffer.from('key:secret').toString('base64') };
    const { url, log } = await startSidecar(folder, env);
    expect(await post(`${url}/v1/lookup`, { indicators: ['92.93.94.95'] }), log()).toContain('"verdict":"malicious","status":"ok"');
    expect(await post(`${url}/v1/extract`, { text: `${'see 92.93.94.95 and '.repeat(40_000)}` })).toContain('92.93.94.95');
    expect(await (await fetch(`${url}/readyz`)).json()).toEqual({ status: 'ready' });
    expect(readdirSync(folder)).toContain('verdicts.sqlite');
  },
);

it.skipIf(lacks)('does not start without a list that it may not read, and says which', async () => {
  const list = join(newStateFolder(), 'own.txt');
  writeFileSync(list, '92.93.94.95\n');
  const { child, log } = await startSidecar(newStateFolder(), { ISMALICIOUS_LOCAL_LISTS: list });
  expect([child.exitCode, log()]).toEqual([1, expect.stringContaining(list)]);
});
