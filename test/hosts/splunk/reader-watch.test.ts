import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { projectRoot } from '../../support/fixtures.ts';
import { executeOf, getinfoOf } from '../../support/splunk-streams.ts';

const PROGRAM = join(projectRoot, 'test/support/splunk-program.ts');
const folder = mkdtempSync(join(tmpdir(), 'reader-watch-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const REQUESTS = Buffer.concat([getinfoOf(['dest_ip']), executeOf('n,dest_ip\n1,203.0.113.5\n')]);

describe('nobody reads the replies any more, while the input stays open', () => {
  it('a socket: the look-ups are broken off, and the program ends', async () => {
    const child = spawn(process.execPath, [PROGRAM, 'wait']);
    let log = '';
    child.stderr.on('data', (bytes: Buffer) => {
      log += bytes.toString();
      if (log.includes('asked')) child.stdout.destroy();
    });
    child.stdout.resume();
    child.stdin.write(REQUESTS);
    const [status] = (await once(child, 'exit')) as [number];
    expect([status, log.includes('aborted')]).toEqual([0, true]);
    child.stdin.destroy();
  });

  it.runIf(process.platform === 'linux' && existsSync('/proc/self/fdinfo'))('a pipe: the same', async () => {
    const flag = join(folder, 'read');
    const reader = `while [ ! -e "${flag}" ]; do sleep 0.05; done`;
    const child = spawn('sh', ['-c', `exec 3<&0; "${process.execPath}" "${PROGRAM}" wait <&3 | sh -c '${reader}' 3<&-`]);
    let log = '';
    child.stderr.on('data', (bytes: Buffer) => {
      log += bytes.toString();
      if (log.includes('asked')) writeFileSync(flag, '');
    });
    child.stdout.resume();
    child.stdin.write(REQUESTS);
    await once(child, 'exit');
    expect(log).toContain('aborted');
    child.stdin.destroy();
  });
});
