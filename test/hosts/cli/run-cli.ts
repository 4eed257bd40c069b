import { PassThrough, Readable } from 'node:stream';
import type { Io } from '../../../src/hosts/cli/command.ts';
import { runProgram } from '../../../src/hosts/cli/program.ts';
import { newStateFolder } from '../../support/open-test-engine.ts';

/** Runs the program in this process: its exit code, and what it wrote. */
export async function runCli(
  args: readonly string[],
  {
    stdin = '',
    env = {},
    ...looks
  }: { stdin?: string; env?: Record<string, string> } & Partial<Pick<Io, 'hasColor' | 'columns' | 'startSidecar'>> = {},
) {
  const out: Buffer[] = [];
  const err: Buffer[] = [];
  const code = await runProgram(args, {
    stdin: Readable.from([Buffer.from(stdin)]),
    stdout: new PassThrough().on('data', (part: Buffer) => out.push(part)),
    stderr: new PassThrough().on('data', (part: Buffer) => err.push(part)),
    env: { ISMALICIOUS_STATE_DIR: newStateFolder(), ...env },
    hasColor: false,
    hasProgress: false,
    ...looks,
  });
  return { code, stdout: Buffer.concat(out).toString('utf8'), stderr: Buffer.concat(err).toString('utf8') };
}
