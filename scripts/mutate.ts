// Changes the program in one small place at a time and runs the tests on it: `npm run mutate -- ROOM`, rooms as in scripts/mutation/rooms.ts.
// What no test notices is printed with its place. Minutes per room: never part of `npm test`.
// `--only GLOB` takes a part of the room; `--every N` leaves out all but every Nth change that moves no boundary.
import { existsSync } from 'node:fs';
import { relative, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { Stryker } from '@stryker-mutator/core';
import { prepareMutators } from './mutation/mutators.ts';
import { reportOn } from './mutation/report.ts';
import { ROOMS, TESTS_VARIABLE } from './mutation/rooms.ts';

const root = resolve(import.meta.dirname, '..');
const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { only: { type: 'string', multiple: true }, every: { type: 'string', default: '1' } },
});
const name = positionals[0] ?? '';
const room = ROOMS[name];

if (!room || positionals.length !== 1) {
  process.stderr.write(`usage: npm run mutate -- ROOM [--only GLOB] [--every N]; rooms: ${Object.keys(ROOMS).join(', ')}\n`);
  process.exitCode = 2;
} else {
  // Stryker works on a copy of the project in a folder of its own: what lies beside the project is found from here.
  const recordings = resolve(root, '../shared/fixtures');
  if (existsSync(recordings)) process.env.ISMALICIOUS_FIXTURES ??= recordings;
  process.env[TESTS_VARIABLE] = room.tests.join(' ');
  await prepareMutators(Number(values.every));
  const results = await new Stryker({
    mutate: [...(values.only ?? room.sources)],
    mutator: { excludedMutations: [...(room.without ?? [])] },
  }).runMutationTest();
  process.stdout.write(
    reportOn(
      name,
      results.map((result) => ({ ...result, fileName: relative(root, result.fileName) })),
    ),
  );
}
