import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { projectRoot } from '../../support/fixtures.ts';

const file = JSON.stringify(join(projectRoot, 'src/compose/process/bound-heap.ts'));

/** Keeps a window of new objects, as a server under load does, and tells what space they got at most, in MiB. */
const WORK = `
const { getHeapSpaceStatistics } = await import('node:v8');
const { setImmediate: nextTurn } = await import('node:timers/promises');
if (process.argv[1] === 'bound') (await import(${file})).boundHeap();
let [kept, most] = [[], 0];
for (let turn = 0; turn < 400; turn++) {
  for (let n = 0; n < 20_000; n++) kept.push({ n, list: [n] });
  if (kept.length > 150_000) kept = [];
  most = Math.max(most, getHeapSpaceStatistics().find((space) => space.space_name === 'new_space').space_size);
  await nextTurn();
}
process.stdout.write(String(most / 1024 / 1024));`;

function mostMib(how: 'bound' | 'free'): number {
  return Number(execFileSync(process.execPath, ['--input-type=module', '--eval', WORK, '--', how], { encoding: 'utf8' }));
}

/** MiB: on a machine that does other things as well the bound one had 38, since V8 tells of a collection later there. The free one has 64 or 128. */
const MOST_MIB = 48;

it('keeps the space for new objects small, which V8 would let grow far beyond', () => {
  expect(mostMib('bound')).toBeLessThanOrEqual(MOST_MIB);
  expect(mostMib('free')).toBeGreaterThan(MOST_MIB);
});
