import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { projectRoot } from '../../support/fixtures.ts';

const PROGRAM = join(projectRoot, 'src/hosts/cli/main.ts');

/** Runs `ismalicious serve` on the embedded default and waits for what `ready` finds in its words. */
async function start(args: readonly string[], ready: (words: string) => boolean): Promise<{ child: ChildProcess; words: () => string }> {
  const folder = mkdtempSync(join(tmpdir(), 'ismalicious-serve-'));
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
});
