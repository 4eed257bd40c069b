import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { projectRoot } from './fixtures.ts';
import { newStateFolder } from './open-test-engine.ts';

/** A sidecar in a process of its own, on a machine of its own: it shares no folder. */
export interface FleetSidecar extends AsyncDisposable {
  readonly port: number;
  readonly url: string;
  /** As a machine dies. */
  kill(): Promise<void>;
}

/** Starts one; resolves when it listens. */
export async function startFleetSidecar(env: Readonly<Record<string, string>>): Promise<FleetSidecar> {
  const child: ChildProcess = spawn(process.execPath, ['--no-warnings', join(projectRoot, 'src/main.ts'), 'serve', '--port', '0'], {
    env: { PATH: process.env.PATH ?? '', ISMALICIOUS_STATE_DIR: newStateFolder(), ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const gone = once(child, 'exit');
  let words = '';
  child.stderr?.on('data', (part) => (words = (words + String(part)).slice(-5000)));
  const port = await new Promise<number>((resolve, reject) => {
    let said = '';
    child.stdout?.on('data', (part) => {
      said += String(part);
      const told = /^listening (\d+)$/m.exec(said)?.[1];
      if (told !== undefined) resolve(Number(told));
    });
    void gone.then(() => reject(new Error(`the sidecar ended: ${words}`)));
  });
  const stop = async (signal: NodeJS.Signals) => {
    child.kill(signal);
    await gone;
  };
  return { port, url: `http://127.0.0.1:${port}`, kill: () => stop('SIGKILL'), [Symbol.asyncDispose]: () => stop('SIGKILL') };
}

/** One event's answer. */
export interface FleetAnswer {
  readonly value: string;
  readonly status: string;
  readonly verdict: string;
}

/** What became of one call. */
export interface FleetCall {
  readonly tookMs: number;
  readonly answers: readonly FleetAnswer[];
}

/** Sends events about these values as one call. */
export async function sendEvents(url: string, values: readonly string[]): Promise<FleetCall> {
  const startedMs = performance.now();
  const answer = await fetch(`${url}/v1/enrich`, {
    method: 'POST',
    headers: { 'content-type': 'application/x-ndjson' },
    body: values.map((ip) => `{"destination":{"ip":"${ip}"}}\n`).join(''),
  });
  if (!answer.ok) throw new Error(`the balancer said ${answer.status}`);
  const lines = (await answer.text()).trim().split('\n');
  const answers = lines.map((line) => {
    const event = JSON.parse(line) as { destination: { ip: string }; ismalicious: { status: string; verdict: string } };
    return { value: event.destination.ip, status: event.ismalicious.status, verdict: event.ismalicious.verdict };
  });
  return { tookMs: performance.now() - startedMs, answers };
}

/** Sends all of them, `callers` calls at once. `onCall`: told after each call how many events are answered. */
export async function sendAll(
  url: string,
  values: readonly string[],
  { callers, batch, onCall }: { readonly callers: number; readonly batch: number; readonly onCall?: (events: number) => void },
): Promise<FleetCall[]> {
  const calls: FleetCall[] = [];
  let at = 0;
  let events = 0;
  await Promise.all(
    Array.from({ length: callers }, async () => {
      while (at < values.length) {
        const some = values.slice(at, (at += batch));
        calls.push(await sendEvents(url, some));
        onCall?.((events += some.length));
      }
    }),
  );
  return calls;
}

/** Values of `count` events, in the same order each time: each of `unique` once, the rest by Zipf's law. */
export function zipfValues(unique: readonly string[], count: number): string[] {
  let seed = 20_261_130;
  const random = () => (seed = (Math.imul(seed, 1_664_525) + 1_013_904_223) >>> 0) / 2 ** 32;
  let total = 0;
  const sums = unique.map((_, n) => (total += 1 / (n + 1)));
  const drawn = Array.from({ length: count - unique.length }, () => {
    const wanted = random() * total;
    let [low, high] = [0, sums.length - 1];
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((sums[middle] as number) < wanted) low = middle + 1;
      else high = middle;
    }
    return unique[low] as string;
  });
  const all = [...unique, ...drawn];
  for (let n = all.length - 1; n > 0; n--) {
    const other = Math.floor(random() * (n + 1));
    [all[n], all[other]] = [all[other] as string, all[n] as string];
  }
  return all;
}

/** Most of these times, in milliseconds, that lie within one window. */
export function mostInWindow(timesMs: readonly number[], windowMs: number): number {
  const sorted = timesMs.toSorted((a, b) => a - b);
  let first = 0;
  let most = 0;
  for (const [n, atMs] of sorted.entries()) {
    while (atMs - (sorted[first] as number) >= windowMs) first++;
    most = Math.max(most, n - first + 1);
  }
  return most;
}
