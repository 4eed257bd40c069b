import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { projectRoot } from '../../support/fixtures.ts';
import { newStateFolder } from '../../support/open-test-engine.ts';

const PROGRAMS = join(projectRoot, 'src/hosts/splunk/programs');
/** Throws where nobody catches it, once the program has its last resort, or else in the end. Standard input is one that does not block. */
const THROWER = `data:text/javascript,${encodeURIComponent(`
  import fs from 'node:fs';
  import { syncBuiltinESMExports } from 'node:module';
  const { readSync } = fs;
  fs.readSync = (descriptor, ...where) => {
    if (descriptor === 0) throw Object.assign(new Error('EAGAIN'), { code: 'EAGAIN' });
    return readSync(descriptor, ...where);
  };
  syncBuiltinESMExports();
  const startMs = Date.now();
  setInterval(() => {
    if (process.listenerCount('uncaughtException') > 0 || Date.now() - startMs > 8000) throw new TypeError('thrown by nobody');
  }, 1);`)}`;

it.each(readdirSync(PROGRAMS))('%s ends with one line and status 1 when something throws that nothing catches', async (file) => {
  const child = spawn(process.execPath, ['--no-warnings', '--import', THROWER, join(PROGRAMS, file)], {
    env: { PATH: process.env['PATH'], ISMALICIOUS_STATE_DIR: newStateFolder() },
  });
  let stderr = '';
  child.stderr.on('data', (bytes: Buffer) => (stderr += bytes.toString()));
  // It waits for its input, which never comes.
  const [code] = (await once(child, 'close')) as [number];
  expect([code, stderr]).toEqual([1, 'ismalicious: a fault of the program, please report it: TypeError: thrown by nobody\n']);
});
