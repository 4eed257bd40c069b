// The product under fire: `npm run fire` tries every fault on every host (`ismalicious selftest --chaos`), then runs the long fuzzers.
// ISMALICIOUS_FUZZ and ISMALICIOUS_PROPERTY_CASES say how many cases; by default as many as take about half an hour on two cores.
import { spawnSync } from 'node:child_process';
import { join, resolve } from 'node:path';
import { runVitest } from './run-vitest.ts';

const root = resolve(import.meta.dirname, '..');
const FUZZ_CASES = '20000';
const PROPERTY_CASES = '1000000';
/** Tests that take their number of cases from the environment, and those that kill, cut and fill up. */
const LONG = [
  'test/hosts/splunk/protocol/fuzz',
  'test/hosts/sidecar/gateway/fuzz',
  'test/hosts/sidecar/http/hostile-bodies',
  'test/model/parse-indicator.properties',
  'test/extract/extract-indicators.properties',
  'test/pipeline/delivery/kill',
  'test/batch/enrich-resume',
  'test/engine/calls/',
];

const { status } = spawnSync(process.execPath, [join(root, 'dist/cli.js'), 'selftest', '--chaos'], { stdio: 'inherit' });
if (status === 2 || status === null) process.stderr.write('build first: npm run build\n');
process.env.ISMALICIOUS_FUZZ ??= FUZZ_CASES;
process.env.ISMALICIOUS_PROPERTY_CASES ??= PROPERTY_CASES;
// More cases take longer than a test of its own may: see vitest.config.ts.
process.env.ISMALICIOUS_SLOW ??= '100';
const tally = await runVitest(LONG, root);
process.stdout.write(`faults: ${status === 0 ? 'all held' : 'not all held'}; fuzzers: ${tally.passed} passed, ${tally.failed} failed\n`);
process.exitCode = status === 0 && tally.failed === 0 ? 0 : 1;
