// One piece of long work in the packaging scripts: said when it begins and when it has ended, and every ten seconds in between.
import { spawn } from 'node:child_process';

/** Off a terminal a line is a line for ever. */
const LINE_MS = 10_000;
/** On a terminal one line is drawn over. */
const DRAW_MS = 500;
/** What of a program's last words goes into the error. */
const LAST_WORDS_CHARS = 2000;

/** Where the lines go. */
export interface StepOutput {
  readonly isTTY?: boolean;
  write(text: string): unknown;
}

/** Does the work and says so on stderr: `building …`, `building: 10 s`, … Rejects as the work does. */
export async function step<T>(title: string, work: () => Promise<T>, output: StepOutput = process.stderr): Promise<T> {
  const startedMs = performance.now();
  const isTerminal = output.isTTY === true;
  const seconds = () => Math.round((performance.now() - startedMs) / 1000);
  output.write(isTerminal ? `${title} …` : `${title} …\n`);
  const draw = () => output.write(isTerminal ? `\r${title} … ${seconds()} s` : `${title}: ${seconds()} s\n`);
  const timer = setInterval(draw, isTerminal ? DRAW_MS : LINE_MS);
  try {
    return await work();
  } finally {
    clearInterval(timer);
    // The line is taken away: what comes of the work says itself.
    if (isTerminal) output.write('\r\u001B[K');
  }
}

/** Runs a program without a word of its own. Rejects with the last line it said when it fails. */
export async function runQuietly(command: string, args: readonly string[], cwd: string): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const child = spawn(command, args, { cwd, stdio: ['ignore', 'pipe', 'pipe'] });
  let said = '';
  for (const stream of [child.stdout, child.stderr])
    stream.on('data', (bytes: Buffer) => (said = (said + bytes.toString()).slice(-LAST_WORDS_CHARS)));
  child.on('error', (error) => reject(new Error(`${command} cannot be started: ${error.message}`)));
  child.on('close', (code, signal) => {
    if (code === 0) resolve();
    else reject(new Error(said.trim().split('\n').at(-1) || `${command} ended with ${code ?? signal}`));
  });
  await promise;
}
