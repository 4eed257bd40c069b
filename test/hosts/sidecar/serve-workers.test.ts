import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { expect, it, onTestFinished } from 'vitest';
import { projectRoot } from '../../support/fixtures.ts';
import { startStandIn } from '../../support/stand-in-api.ts';

const MINUTES = 60_000;

/** `ismalicious serve --workers 2`, and the stand-in it asks. */
async function startWorkers(env: Readonly<Record<string, string>>): Promise<{ child: ChildProcess; url: string; words: () => string }> {
  const folder = mkdtempSync(join(tmpdir(), 'ismalicious-workers-'));
  const child = spawn(process.execPath, [join(projectRoot, 'src/main.ts'), 'serve', '--port', '0', '--workers', '2'], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { PATH: process.env.PATH ?? '', ISMALICIOUS_STATE_DIR: folder, ...env },
  });
  onTestFinished(() => {
    child.kill('SIGKILL');
    rmSync(folder, { recursive: true, force: true, maxRetries: 3 });
  });
  let said = '';
  child.stderr.on('data', (part: Buffer) => (said += part.toString()));
  const port = await new Promise<string>((resolve) => {
    let listens = '';
    child.stdout.on('data', (part: Buffer) => {
      const told = /^listening (\d+)$/m.exec((listens += part.toString()))?.[1];
      if (told !== undefined) resolve(told);
    });
  });
  return { child, url: `http://127.0.0.1:${port}`, words: () => said };
}

async function figuresOf(url: string): Promise<ReadonlyMap<string, number>> {
  // A connection of its own each time: another worker may answer.
  const text = await (await fetch(`${url}/metrics`, { headers: { connection: 'close' } })).text();
  const lines = text.split('\n').filter((line) => line !== '' && !line.startsWith('#'));
  return new Map(lines.map((line) => [line.slice(0, line.lastIndexOf(' ')), Number(line.slice(line.lastIndexOf(' ') + 1))]));
}

const ENRICHED = 'ismalicious_sidecar_requests_total{route="/v1/enrich",code="200"}';

it(
  'sums the figures of all workers, holds a limit exactly, and replaces a worker that was killed without losing what it had counted',
  async () => {
    await using api = await startStandIn();
    const { child, url, words } = await startWorkers({
      ISMALICIOUS_BASE_URL: api.url,
      ISMALICIOUS_X_API_KEY: 'test-key',
      ISMALICIOUS_BUDGET_PER_DAY: '15',
    });
    const places = () =>
      figuresOf(url).then((figures) => [...figures.keys()].filter((name) => name.startsWith('process_resident_memory_bytes')));
    while ((await places()).length < 2) await delay(50);
    const enrich = async (n: number) => {
      const answer = await fetch(`${url}/v1/enrich`, {
        method: 'POST',
        headers: { 'content-type': 'application/json', connection: 'close' },
        body: JSON.stringify({ destination: { ip: `52.1.1.${n}` } }),
      });
      return ((await answer.json()) as { ismalicious: { status: string } }).ismalicious.status;
    };
    const statuses = await Promise.all(Array.from({ length: 40 }, (_, n) => enrich(n)));
    expect(api.asked()).toHaveLength(15);
    expect(statuses.filter((status) => status === 'over_budget')).toHaveLength(25);
    const figures = await figuresOf(url);
    expect(figures.get(ENRICHED)).toBe(40);
    expect(figures.get('ismalicious_provider_answers_total{provider="ismalicious"}')).toBe(15);
    expect([...figures.keys()].filter((name) => name.startsWith('ismalicious_sidecar_held_bytes'))).toEqual([
      'ismalicious_sidecar_held_bytes{worker="1"}',
      'ismalicious_sidecar_held_bytes{worker="2"}',
    ]);

    const [victim] = readFileSync(`/proc/${child.pid}/task/${child.pid}/children`, 'utf8').trim().split(' ');
    process.kill(Number(victim), 'SIGKILL');
    while (!words().includes('a worker ended (SIGKILL)')) await delay(20);
    while ((await places()).length < 2) await delay(50);
    await enrich(1);
    expect((await figuresOf(url)).get(ENRICHED)).toBe(41);
    const ended = once(child, 'exit');
    child.kill('SIGTERM');
    expect(((await ended) as [number])[0]).toBe(0);
  },
  3 * MINUTES,
);
