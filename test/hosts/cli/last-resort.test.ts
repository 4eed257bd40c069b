import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { surviveExceptions } from '../../../src/compose/process/survive-exceptions.ts';
import { waitBeforeRestart } from '../../../src/hosts/sidecar/serve-workers.ts';
import { projectRoot } from '../../support/fixtures.ts';

const module = (path: string) => JSON.stringify(join(projectRoot, path));
const runModule = (source: string) => spawnSync(process.execPath, ['--input-type=module', '-e', source], { encoding: 'utf8' });

describe('a throw that nothing caught', () => {
  it.each([
    ['in a timer', `setTimeout(() => { throw new RangeError('too deep\\nsecond line'); })`],
    ['in a promise', `void Promise.reject(new RangeError('too deep\\nsecond line'));`],
  ])('%s ends a program that does one thing, with one line and status 1', (_, fault) => {
    const { status, stderr } = runModule(
      `import { endShortly } from ${module('src/compose/process/end-shortly.ts')}; endShortly(); ${fault}; setInterval(() => {}, 1000);`,
    );
    expect([status, stderr]).toEqual([1, 'ismalicious: a fault of the program, please report it: RangeError: too deep\n']);
  });

  it('is noted by a program that serves, which goes on', () => {
    const { status, stdout } = runModule(`
      import { endShortly } from ${module('src/compose/process/end-shortly.ts')};
      import { surviveExceptions } from ${module('src/compose/process/survive-exceptions.ts')};
      endShortly();
      const end = surviveExceptions((where, error) => console.log(where, error.message));
      setTimeout(() => { throw new Error('one'); });
      setTimeout(() => { void Promise.reject(new Error('two')); }, 5);
      setTimeout(() => { end(); console.log('alive'); }, 50);`);
    expect([status, stdout]).toEqual([0, 'a callback one\na promise two\nalive\n']);
  });

  it('is nobody’s business once serving has ended', () => {
    const before = process.listenerCount('uncaughtException');
    surviveExceptions(() => undefined)();
    expect(process.listenerCount('uncaughtException')).toBe(before);
  });
});

it('a worker that dies is replaced however often that happens: later and later, never later than ten seconds', () => {
  expect([1, 2, 3, 7, 8, 100, 1_000_000].map(waitBeforeRestart)).toEqual([100, 200, 400, 6400, 10_000, 10_000, 10_000]);
});
