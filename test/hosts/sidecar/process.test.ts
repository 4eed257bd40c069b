import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { openStore } from '../../../src/store/store-client.ts';
import { observationOf } from '../../store/samples.ts';
import { projectRoot } from '../../support/fixtures.ts';

const PROGRAM = join(projectRoot, 'src/main.ts');

/** Runs `ismalicious serve` on the embedded default and waits for what `ready` finds in its words. */
async function start(
  args: readonly string[],
  ready: (words: string) => boolean,
  folder = mkdtempSync(join(tmpdir(), 'ismalicious-serve-')),
): Promise<{ child: ChildProcess; words: () => string }> {
  const env = { PATH: process.env.PATH ?? '', ISMALICIOUS_STATE_DIR: folder };
  const child = spawn(process.execPath, [PROGRAM, 'serve', ...args], { stdio: ['ignore', 'pipe', 'pipe'], env });
  onTestFinished(() => {
    child.kill('SIGKILL');
    rmSync(folder, { recursive: true, force: true });
  });
  let words = '';
  await new Promise<void>((resolve, reject) => {
    child.once('exit', (code) => reject(new Error(`ended with ${code}: ${words}`)));
    const hear = (part: Buffer) => {
      words += part.toString();
      if (ready(words)) resolve();
    };
    child.stdout.on('data', hear);
    child.stderr.on('data', hear);
  });
  return { child, words: () => words };
}

const isFree = (port: number) =>
  new Promise<boolean>((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(false));
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)));
  });

describe('the process', () => {
  it('is told to stop under load: what it accepted is answered, it ends with 0, the port is free', async () => {
    const { child, words } = await start(['--port', '0'], (said) => /listening \d+\n/.test(said));
    const port = Number(/listening (\d+)/.exec(words())![1]);
    const url = `http://127.0.0.1:${port}`;
    const outcomes: (number | 'refused')[] = [];
    let isStopped = false;
    const callers = Array.from({ length: 8 }, async (_, k) => {
      for (let n = 0; !isStopped; n++) {
        const body = JSON.stringify({ destination: { ip: `9.9.${k}.${n % 250}` } });
        await fetch(`${url}/v1/enrich`, { method: 'POST', headers: { 'content-type': 'application/json' }, body }).then(
          async (answer) => outcomes.push((await answer.text()).includes('"verdict"') ? answer.status : -1),
          () => outcomes.push('refused') && (isStopped = true),
        );
      }
    });
    while (outcomes.length < 100) await new Promise((resolve) => setImmediate(resolve));
    const ended = once(child, 'exit');
    child.kill('SIGTERM');
    const [code] = (await ended) as [number];
    isStopped = true;
    await Promise.all(callers);
    expect(code).toBe(0);
    expect(new Set(outcomes.filter((outcome) => outcome !== 'refused'))).toEqual(new Set([200]));
    expect(await isFree(port)).toBe(true);
  });

  it('serves the pipeline’s store: its listings as answers, its watchlist, TAXII, and what was seen is on disk when it has stopped', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'ismalicious-house-'));
    const store = await openStore(join(folder, 'pipeline.sqlite'));
    await store.observe([observationOf('c2.evil-host.net', { source: 'threatfox', confidence: 90 })], Math.floor(Date.now() / 1000));
    const { child, words } = await start(['--port', '0'], (said) => /listening \d+\n/.test(said), folder);
    const url = `http://127.0.0.1:${/listening (\d+)/.exec(words())![1]}`;
    const event = { host: { name: 'pc-7' }, destination: { domain: 'c2.evil-host.net' } };
    const post = (path: string, body: unknown) =>
      fetch(url + path, { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) });
    expect(await (await post('/v1/enrich', event)).json()).toMatchObject({
      ismalicious: { verdict: 'malicious', score: 90, attributes: ['feed:threatfox'] },
    });
    expect((await post('/v1/watchlist', { indicators: ['c2.evil-host.net'] })).status).toBe(200);
    expect(await (await post('/v1/triage', { id: '1', ...event })).json()).toMatchObject({ decisions: [{ tier: 'p1' }] });
    expect((await fetch(`${url}/taxii2/`)).status).toBe(200);
    const ended = once(child, 'exit');
    child.kill('SIGTERM');
    expect(((await ended) as [number])[0]).toBe(0);
    expect([await store.countWatched(), await store.whoSaw('c2.evil-host.net', 0, 9)]).toMatchObject([1, [{ asset: 'pc-7', times: 1 }]]);
    await store.close();
  });
});
