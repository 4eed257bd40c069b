import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { projectRoot } from '../../support/fixtures.ts';

const file = JSON.stringify(join(projectRoot, 'src/compose/process/keep-tick-shape.ts'));

/** Says whether objects of `nextTick` have the shape of the kept one after collections that found no other. */
const WORK = `
const { setTimeout: wait } = await import('node:timers/promises');
const { keepTickShape } = await import(${file});
const kept = await keepTickShape();
for (let n = 0; n < 6; n++) {
  await wait(1);
  gc();
}
process.stdout.write([typeof kept.callback, %HaveSameMap(kept, await keepTickShape())].join());`;

it('keeps an object of nextTick, whose shape the next ones have after any collection', () => {
  const flags = ['--expose-gc', '--allow-natives-syntax', '--input-type=module', '--eval', WORK];
  expect(execFileSync(process.execPath, flags, { encoding: 'utf8' })).toBe('function,true');
});
