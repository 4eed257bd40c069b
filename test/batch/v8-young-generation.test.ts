import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { projectRoot } from '../support/fixtures.ts';

/** MiB of the young generation of a program that makes and drops many objects; without the bound they are 128. */
function youngMiB(): number {
  const program = `
    import { getHeapSpaceStatistics } from 'node:v8';
    import { createYoungGenerationBound } from ${JSON.stringify(join(projectRoot, 'src/batch/v8-young-generation.ts'))};
    const bound = createYoungGenerationBound();
    let kept = [];
    for (let n = 0; n < 3_000_000; n++) {
      kept.push({ n, text: 'x' + n });
      if (n % 20_000 === 0) bound();
      if (kept.length > 200_000) kept = [];
    }
    console.log(getHeapSpaceStatistics().find((space) => space.space_name === 'new_space').space_size / 1048576);`;
  const { stdout, stderr } = spawnSync(process.execPath, ['--input-type=module-typescript', '-e', program], { encoding: 'utf8' });
  expect(stderr).not.toContain('Error');
  return Number(stdout);
}

describe('the young generation of a long run', () => {
  it('stays at what is enough', () => {
    expect(youngMiB()).toBeLessThanOrEqual(64);
  });
});
