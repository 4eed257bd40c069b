// The fast part of the tests, without running any: `npm run check`.
import { CHECKS, passes } from './checks.ts';

const failed: string[] = [];
for (const check of CHECKS) {
  if (!(await passes(check))) failed.push(check.name);
}
if (failed.length > 0) process.stderr.write(`\nfailed: ${failed.join(', ')}\n`);
process.exitCode = failed.length > 0 ? 1 : 0;
