import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { describe, expect, it } from 'vitest';
import { describeHolder, lockHolderName, isHolderGone } from '../../../src/disk/lock-holder.ts';

/** The name of this process with some of its parts replaced: host, boot, namespace, pid, start, mark. */
function nameWith(parts: Readonly<Record<number, string>>): string {
  const own = lockHolderName('mark').split(' ');
  return own.map((part, n) => parts[n] ?? part).join(' ');
}

async function endedPid(): Promise<string> {
  const child = spawn(process.execPath, ['-e', '']);
  await once(child, 'exit');
  return String(child.pid);
}

describe('who holds a lease', () => {
  it('is there while its process lives', () => {
    expect(isHolderGone(lockHolderName('a'))).toBe(false);
    expect(isHolderGone(nameWith({ 3: String(process.ppid), 4: '-' }))).toBe(false);
  });
  it('is gone when its process has ended, though another one has its number by now', async () => {
    expect(isHolderGone(nameWith({ 3: await endedPid() }))).toBe(true);
    if (process.platform === 'linux') expect(isHolderGone(nameWith({ 4: '1' }))).toBe(true);
  });
  it('is gone when it was killed and nobody has collected it yet', { skip: process.platform !== 'linux' }, async () => {
    const parent = spawn('sh', ['-c', '"$0" -e "" & echo $!; exec sleep 60', process.execPath], { stdio: ['ignore', 'pipe', 'ignore'] });
    const [pid] = (await once(parent.stdout, 'data')) as [Buffer];
    await expect.poll(() => isHolderGone(nameWith({ 3: String(pid).trim(), 4: '-' })), { timeout: 15_000 }).toBe(true);
    parent.kill('SIGKILL');
  });
  it('is gone when the machine was started anew since', { skip: process.platform !== 'linux' }, () => {
    expect(isHolderGone(nameWith({ 1: '00000000-0000-0000-0000-000000000000' }))).toBe(true);
  });
  it('counts as there when it runs elsewhere, or its name is of another kind', async () => {
    const pid = await endedPid();
    expect(isHolderGone(nameWith({ 0: 'another-host', 3: pid }))).toBe(false);
    expect(isHolderGone(nameWith({ 2: 'pid:[1]', 3: pid }))).toBe(false);
    for (const name of ['', 'other', 'f47ac10b-58cc-4372-a567-0e02b2c3d479', 'a b c d e f', 'h b n -1 - m'])
      expect(isHolderGone(name)).toBe(false);
  });
  it('is named for people', () => {
    expect(describeHolder(lockHolderName('a'))).toMatch(new RegExp(`^process ${process.pid} on \\S+$`));
    expect(describeHolder('other')).toBe('another process');
  });
});
