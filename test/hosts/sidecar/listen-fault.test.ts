import { spawnSync } from 'node:child_process';
import { createServer } from 'node:net';
import type { AddressInfo, Server } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { listenFault } from '../../../src/hosts/sidecar/listen-fault.ts';
import { projectRoot } from '../../support/fixtures.ts';
import { newStateFolder } from '../../support/open-test-engine.ts';

let taken: Server;
let port = '';

beforeAll(async () => {
  taken = createServer();
  await new Promise<void>((resolve) => taken.listen(0, '127.0.0.1', resolve));
  port = String((taken.address() as AddressInfo).port);
});
afterAll(() => taken.close());

function serve(...args: string[]) {
  const env = { PATH: process.env.PATH, ISMALICIOUS_STATE_DIR: newStateFolder(), ISMALICIOUS_SIDECAR_TOKEN: 'token-of-a-test' };
  const { status, stdout, stderr } = spawnSync(process.execPath, [join(projectRoot, 'src/main.ts'), 'serve', ...args], {
    encoding: 'utf8',
    env,
    timeout: 60_000,
  });
  return { status, stdout, stderr };
}

describe('a sidecar that cannot listen says why in one sentence, and ends', () => {
  it.each([
    [
      'a port that is taken',
      () => ['--port', port],
      1,
      (): string => `ismalicious: port ${port} is taken: choose another with --port (sidecar.port)\n`,
    ],
    [
      'a port that is taken, with several processes',
      () => ['--port', port, '--workers', '2'],
      1,
      (): string => `ismalicious: port ${port} is taken: choose another with --port (sidecar.port)\n`,
    ],
    [
      'an address of another machine',
      () => ['--host', '192.0.2.1', '--port', '0'],
      1,
      (): string => 'ismalicious: 192.0.2.1 is not an address of this machine: choose another with --host (sidecar.host)\n',
    ],
    [
      'a port that does not exist',
      () => ['--port', '99999'],
      2,
      (): string => 'ismalicious: --port has to be a whole number from 0 to 65535.\nSee: ismalicious help serve\n',
    ],
  ] as const)(
    '%s',
    (_what, args, status, stderr) => {
      expect(serve(...args())).toEqual({ status, stdout: '', stderr: stderr() });
    },
    60_000,
  );

  it.each([
    ['EACCES', 'this user may not open port 80: choose one from 1024 on with --port (sidecar.port)'],
    ['EADDRINUSE', 'port 80 is taken: choose another with --port (sidecar.port)'],
    ['EAFNOSUPPORT', 'sidecar.example is not an address of this machine: choose another with --host (sidecar.host)'],
    ['ENOTFOUND', 'sidecar.example is not a name that can be resolved: choose an address of this machine with --host (sidecar.host)'],
    ['ECONNRESET', null],
  ])('%s', (code, fault) => {
    expect(listenFault(Object.assign(new Error('raw'), { code }), { host: 'sidecar.example', port: 80 })).toBe(fault);
  });
});
