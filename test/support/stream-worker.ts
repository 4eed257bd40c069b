import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { onTestFinished } from 'vitest';
import { projectRoot } from './fixtures.ts';

const program = join(projectRoot, 'dist/cli.js');

/** `ismalicious stream` in a process of its own. */
export interface StreamWorker {
  readonly child: ChildProcess;
  /** Resolves once it has ended. */
  readonly ended: Promise<{ readonly code: number | null; readonly signal: NodeJS.Signals | null; readonly stderr: string }>;
  /** All its figures, by name with labels. */
  figures(): Promise<ReadonlyMap<string, number>>;
  /** Waits until a figure is at least so large. */
  until(figure: string, least: number): Promise<void>;
  /** Waits until it has said something on stderr. */
  says(words: string): Promise<void>;
}

/** Starts a worker with a port for its figures; resolves when the port is open. */
export async function startWorker(args: readonly string[], env: Readonly<Record<string, string>>): Promise<StreamWorker> {
  const child = spawn(process.execPath, [program, 'stream', '--metrics-port', '0', ...args], {
    env: { PATH: process.env.PATH ?? '', ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  onTestFinished(() => void child.kill('SIGKILL'));
  let stderr = '';
  child.stderr.on('data', (bytes: Buffer) => (stderr += bytes.toString()));
  const ended = new Promise<Awaited<StreamWorker['ended']>>((resolve) => {
    child.once('close', (code, signal) => resolve({ code, signal, stderr }));
  });
  const port = await new Promise<number>((resolve, reject) => {
    let stdout = '';
    child.stdout.on('data', (bytes: Buffer) => {
      stdout += bytes.toString();
      const told = /^metrics (\d+)$/m.exec(stdout)?.[1];
      if (told !== undefined) resolve(Number(told));
    });
    void ended.then(({ stderr: said }) => reject(new Error(`the worker ended: ${said}`)));
  });
  const figures = async () => {
    const text = await (await fetch(`http://127.0.0.1:${port}/metrics`)).text();
    const lines = text.split('\n').filter((line) => line !== '' && !line.startsWith('#'));
    return new Map(lines.map((line) => [line.slice(0, line.lastIndexOf(' ')), Number(line.slice(line.lastIndexOf(' ') + 1))]));
  };
  return {
    child,
    ended,
    figures,
    async until(figure, least) {
      while (((await figures()).get(figure) ?? 0) < least) {
        if (child.exitCode !== null) throw new Error(`the worker ended: ${stderr}`);
        await delay(50);
      }
    },
    async says(words) {
      while (!stderr.includes(words)) {
        if (child.exitCode !== null) throw new Error(`the worker ended: ${stderr}`);
        await once(child.stderr, 'data');
      }
    },
  };
}
