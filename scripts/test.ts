// Everything that must hold before a change lands: `npm test [-- FILTER …]`.
// The last line is always `N passed, N failed, N skipped`; each check counts as one test.
import { BUILD, CHECKS, GENERATED, passes } from './checks.ts';
import { installPeers } from './ci-peers.ts';
import { runVitest } from './run-vitest.ts';
import { faultOf, listOf } from './skips.ts';

const { CI = '', ISMALICIOUS_CI_REQUIRES = '', ISMALICIOUS_FIXTURES = '' } = process.env;
const isCi = CI !== '' && CI !== 'false' && CI !== '0';
// Who names a folder of recordings wants them read.
const required = [...listOf(ISMALICIOUS_CI_REQUIRES), ...(ISMALICIOUS_FIXTURES === '' ? [] : ['recordings'])];

let passed = 0;
let failed = 0;
let skipped = 0;

function print(line: string): void {
  process.stdout.write(`${line}\n`);
}

async function runTests(): Promise<void> {
  print('\n── tests');
  const tally = await runVitest(process.argv.slice(2));
  passed += tally.passed;
  failed += tally.failed;
  for (const skip of tally.skips) {
    const count = skip.tests === 1 ? '' : ` (${skip.tests} tests)`;
    const fault = faultOf(skip, isCi, required);
    if (fault === null) skipped += skip.tests;
    else failed += skip.tests;
    print(
      fault === null ? `skipped: ${skip.title}${count}: ${skip.reason ?? 'no reason given'}` : `FAILED: ${skip.title}${count}: ${fault}`,
    );
  }
}

// A part of the tests wants none of them.
const peers = isCi && process.argv.length <= 2 ? installPeers() : Promise.resolve([]);
for (const check of [...CHECKS, GENERATED, BUILD]) {
  // The app is built with the pages of the workshop.
  if (check === BUILD) for (const line of await peers) print(`\n${line}`);
  if (await passes(check)) passed += 1;
  else failed += 1;
}
try {
  await runTests();
} catch (error) {
  failed += 1;
  print(`FAILED: the test runner: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`);
}
// The line others read: after everything that the runner still writes on its way out.
process.on('exit', () => print(`${passed} passed, ${failed} failed, ${skipped} skipped`));
process.exit(failed === 0 ? 0 : 1);
