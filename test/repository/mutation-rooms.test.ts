import { globSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { ROOMS } from '../../scripts/mutation/rooms.ts';
import { projectRoot } from '../support/fixtures.ts';

/** A file that has moved would be left out of a room without a word. */
describe('rooms of the mutation run', () => {
  it.each(Object.entries(ROOMS).flatMap(([name, { sources, tests }]) => [...sources, ...tests].map((glob) => [name, glob])))(
    '%s: every name in %s is a file',
    (_name, glob) => {
      for (const one of namesIn(glob)) expect(globSync(one, { cwd: projectRoot }), one).not.toEqual([]);
    },
  );
});

/** `a/{b,c}.ts` as `a/b.ts` and `a/c.ts`. */
function namesIn(glob: string): string[] {
  const [braces, names] = /\{([^}]*)\}/.exec(glob) ?? [];
  return braces === undefined || names === undefined ? [glob] : names.split(',').flatMap((name) => namesIn(glob.replace(braces, name)));
}
