import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough, Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { describe, expect, it } from 'vitest';
import { lockHolderName } from '../../src/disk/lock-holder.ts';
import { openStoreCore } from '../../src/store/store.ts';
import { runProgram } from '../../src/hosts/cli/program.ts';

const HOUR_MS = 3_600_000;

/** A state folder whose pipeline is held by `holder` for a minute from `atMs`. */
function heldFolder(holder: string, atMs = Date.now()): string {
  const folder = mkdtempSync(join(tmpdir(), 'ismalicious-leader-'));
  const store = openStoreCore(join(folder, 'pipeline.sqlite'));
  store.takeLease('pipeline', holder, { nowMs: atMs, untilMs: atMs + 60_000 });
  store.close();
  return folder;
}

async function runPipelineIn(folder: string): Promise<{ code: number; words: string }> {
  const list = join(folder, 'list.csv');
  writeFileSync(list, 'evil.example.net\n');
  const config = join(folder, 'ismalicious.yaml');
  writeFileSync(config, `feeds:\n  csv:\n    enabled: true\n    path: ${JSON.stringify(list)}\n`);
  const stderr = new PassThrough();
  const words = text(stderr);
  const code = await runProgram(['pipeline', 'run', '--config', config], {
    stdin: Readable.from([]),
    stdout: new PassThrough().resume(),
    stderr,
    env: { ISMALICIOUS_STATE_DIR: folder },
    hasColor: false,
    hasProgress: false,
  });
  stderr.end();
  return { code, words: await words };
}

/** The name of a holder whose process was killed. */
async function killedHolder(): Promise<string> {
  const child = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)']);
  await once(child, 'spawn');
  const ended = once(child, 'exit');
  child.kill('SIGKILL');
  await ended;
  const parts = lockHolderName('mark').split(' ');
  parts[3] = String(child.pid);
  return parts.join(' ');
}

describe('a run of the pipeline', () => {
  it('goes ahead at once when the one before it was killed', async () => {
    const { code, words } = await runPipelineIn(heldFolder(await killedHolder()));
    expect(words).not.toContain('is running the pipeline');
    expect(words).toContain('feed csv');
    expect(code).not.toBe(4);
  });
  it('is refused with a code of its own while another one is alive, and told which', async () => {
    const { code, words } = await runPipelineIn(heldFolder(lockHolderName('other')));
    expect(words).toBe(
      `ismalicious: process ${process.pid} on ${lockHolderName('x').split(' ')[0]} is running the pipeline on this state folder: nothing was done; try again when it has ended\n`,
    );
    expect(code).toBe(4);
  });
  it('waits for the end of a lease whose holder it cannot look for', async () => {
    expect((await runPipelineIn(heldFolder('of-an-older-version'))).code).toBe(4);
    expect((await runPipelineIn(heldFolder('of-an-older-version', Date.now() - 61_000))).code).not.toBe(4);
  });
  it('does not believe a lease that ends further in the future than any may: the clock was set back', async () => {
    expect((await runPipelineIn(heldFolder('of-an-older-version', Date.now() + 2 * HOUR_MS))).code).not.toBe(4);
  });
});
