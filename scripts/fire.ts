// The product under fire: `npm run fire` tries every fault on every host (`ismalicious selftest --chaos`), then runs the long fuzzers, an outage
// of a minute, and every toxic of toxiproxy on every host where that is.
// `npm run fire -- --soak 30m` runs a sidecar under steady load for so long, and judges the slopes of its memory, files, latency and rate.
// ISMALICIOUS_FUZZ and ISMALICIOUS_PROPERTY_CASES say how many cases; by default as many as take about half an hour on two cores.
import { spawnSync } from 'node:child_process';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { runVitest } from './run-vitest.ts';
import { soak } from './soak/soak.ts';

const root = resolve(import.meta.dirname, '..');
const FUZZ_CASES = '20000';
const PROPERTY_CASES = '1000000';
const OUTAGE_S = '60';
/** Tests that take their number of cases from the environment, and those that kill, cut and fill up. */
const LONG = [
  'test/hosts/splunk/protocol/fuzz',
  'test/hosts/sidecar/gateway/fuzz',
  'test/hosts/sidecar/http/hostile-bodies',
  'test/compose/check/settings-fuzz',
  'test/feeds/mutated-documents',
  'test/model/parse-indicator.properties',
  'test/extract/extract-indicators.properties',
  'test/pipeline/delivery/kill',
  'test/batch/enrich-resume',
  'test/engine/calls/',
  'test/hosts/sidecar/small-heap',
  'test/hosts/sidecar/outage',
  'test/hosts/toxics',
];

const MINUTES = /^(\d+(?:\.\d+)?)m$/;
const SHORTEST_MINUTES = 5;
const CALLS_PER_S = '1000';

/** A soak, as lines of JSON. */
async function runSoak(length: string, rate: string): Promise<boolean> {
  const [minutes, perS] = [Number(MINUTES.exec(length)?.[1]), Number(rate)];
  if (!(minutes >= SHORTEST_MINUTES) || !(perS >= 1)) {
    process.stderr.write(
      `--soak takes minutes, ${SHORTEST_MINUTES}m at least, --rate calls a second: npm run fire -- --soak 30m --rate 1000\n`,
    );
    return false;
  }
  const print = (line: object) => void process.stdout.write(`${JSON.stringify(line, rounded)}\n`);
  const findings = await soak({ minutes, perS, onSample: print });
  for (const finding of findings) print(finding);
  return findings.every(({ isMet }) => isMet);
}

const rounded = (_name: string, value: unknown) => (typeof value === 'number' ? Math.round(value * 1000) / 1000 : value);

/** Every fault on every host, then the long fuzzers. */
async function runFire(): Promise<boolean> {
  const { status } = spawnSync(process.execPath, [join(root, 'dist/cli.js'), 'selftest', '--chaos'], { stdio: 'inherit' });
  if (status === 2 || status === null) process.stderr.write('build first: npm run build\n');
  process.env.ISMALICIOUS_FUZZ ??= FUZZ_CASES;
  process.env.ISMALICIOUS_PROPERTY_CASES ??= PROPERTY_CASES;
  process.env.ISMALICIOUS_OUTAGE_S ??= OUTAGE_S;
  process.env.ISMALICIOUS_TOXICS ??= 'all';
  // More cases take longer than a test of its own may: see vitest.config.ts.
  process.env.ISMALICIOUS_SLOW ??= '100';
  const tally = await runVitest(LONG, root);
  process.stdout.write(`faults: ${status === 0 ? 'all held' : 'not all held'}; fuzzers: ${tally.passed} passed, ${tally.failed} failed\n`);
  return status === 0 && tally.failed === 0;
}

const { values } = parseArgs({ options: { soak: { type: 'string' }, rate: { type: 'string', default: CALLS_PER_S } } });
process.exitCode = (await (values.soak === undefined ? runFire() : runSoak(values.soak, values.rate))) ? 0 : 1;
