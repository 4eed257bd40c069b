import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';

/** Of what a program says on stderr. */
const MOST_WORDS = 2000;

/** A program that was started for one cell of the matrix. */
export interface ChildProgram {
  readonly process: ChildProcess;
  /** Resolves when it has ended and said all. */
  readonly ended: Promise<ChildEnd>;
}

/** How it ended. */
export interface ChildEnd {
  readonly code: number | null;
  readonly signal: string | null;
  readonly stdout: string;
  /** The end of its stderr. */
  readonly stderr: string;
}

/** Starts `program` with `args`, and with nothing of our own environment but what finds programs. */
export function startProgram(program: readonly string[], args: readonly string[], env: Readonly<Record<string, string>>): ChildProgram {
  const [command = process.execPath, ...first] = program;
  const child = spawn(command, [...first, ...args], { stdio: 'pipe', env: { PATH: process.env.PATH, ...env } });
  let [stdout, stderr] = ['', ''];
  child.stdout.on('data', (part: Buffer) => (stdout += part.toString()));
  child.stderr.on('data', (part: Buffer) => (stderr = (stderr + part.toString()).slice(-MOST_WORDS)));
  // Whoever was killed reads no more.
  child.stdin.on('error', () => undefined);
  const ended = new Promise<ChildEnd>((resolve) => {
    child.once('error', (error) => resolve({ code: null, signal: null, stdout, stderr: error.message }));
    child.once('close', (code, signal) => resolve({ code, signal, stdout, stderr }));
  });
  return { process: child, ended };
}

/** The port on which a sidecar says that it listens. Rejects when it ends first. */
export function portOf({ process: child, ended }: ChildProgram): Promise<number> {
  return new Promise((resolve, reject) => {
    let said = '';
    child.stdout?.on('data', (part: Buffer) => {
      said += part.toString();
      const found = /listening (\d+)\n/.exec(said);
      if (found) resolve(Number(found[1]));
    });
    void ended.then(({ stderr }) => reject(new Error(`the sidecar did not start: ${stderr.trim()}`)));
  });
}
