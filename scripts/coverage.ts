// How much of the core the tests reach: `npm run coverage` by all tests, `-- ROOM …` of these rooms by their own tests. What a program does
// that a test starts is not counted, so hosts are left out. Minutes: never part of `npm test`. Ends with exit code 1 below the bars, or when
// a test fails.
import { startVitest } from 'vitest/node';

const ROOMS = [
  'model',
  'disk',
  'config',
  'mapping',
  'providers',
  'feeds',
  'outputs',
  'extract',
  'engine',
  'store',
  'events',
  'rows',
  'pipeline',
];
/** Percent. */
const BARS = { lines: 95, branches: 90 };

const asked = process.argv.slice(2);
const unknown = asked.filter((room) => !ROOMS.includes(room));
if (unknown.length > 0) {
  process.stderr.write(`no room of the core: ${unknown.join(', ')}; rooms: ${ROOMS.join(' ')}\n`);
  process.exit(2);
}
const rooms = asked.length > 0 ? asked : ROOMS;
const vitest = await startVitest(
  asked.map((room) => `test/${room}/`),
  {
    run: true,
    watch: false,
    coverage: {
      enabled: true,
      reportOnFailure: true,
      provider: 'v8',
      include: rooms.map((room) => `src/${room}/**/*.ts`),
      reportsDirectory: '.cache/coverage',
      reporter: ['text-summary', ['json-summary', { file: 'summary.json' }], ['text', { skipFull: true, file: 'by-file.txt' }]],
      thresholds: BARS,
    },
  },
);
await vitest.close();
