// Runs vitest in this process and counts what happened, test by test.
import { readFileSync } from 'node:fs';
import { startVitest } from 'vitest/node';
import type { TestCase, TestModule, TestSuite } from 'vitest/node';
import { reasonFromSource, reasonIn } from './skips.ts';
import type { Skip } from './skips.ts';

/** What a test run came to. A file or a suite that could not be set up counts as one failed test. */
export interface Tally {
  passed: number;
  failed: number;
  readonly skips: Skip[];
}

/** Runs the test files whose path contains one of `filters` (all when there are none). Its report goes to our own streams. */
export async function runVitest(filters: readonly string[], root = process.cwd()): Promise<Tally> {
  const vitest = await startVitest([...filters], { run: true, watch: false, root });
  const tally: Tally = { passed: 0, failed: vitest.state.getUnhandledErrors().length, skips: [] };
  const modules = vitest.state.getTestModules();
  for (const module of modules) countInto(tally, module, module.relativeModuleId);
  // A filter that matches nothing must not look like success.
  if (modules.length === 0) tally.failed += 1;
  await vitest.close();
  // vitest sets it as it sees fit; the tally decides.
  process.exitCode = 0;
  return tally;
}

function countInto(tally: Tally, group: TestModule | TestSuite, title: string): void {
  if (group.errors().length > 0) tally.failed += 1;
  const tests = [...group.children.allTests()];
  // A suite that could not be set up leaves its tests skipped, too: that one has failed.
  if (group.state() === 'skipped' && tests.length > 0) {
    tally.skips.push({ title, tests: tests.length, reason: reasonFor(title, tests[0]) });
    return;
  }
  for (const child of group.children) {
    const childTitle = `${title} > ${child.name}`;
    if (child.type === 'suite') countInto(tally, child, childTitle);
    else if (isSkipped(child)) tally.skips.push({ title: childTitle, tests: 1, reason: reasonFor(childTitle, child) });
    else if (child.result().state === 'passed') tally.passed += 1;
    else tally.failed += 1;
  }
}

function isSkipped(test: TestCase): boolean {
  return test.result().state === 'skipped';
}

/** From the skip note, the title, or the guard in the source: recordings and engines are skipped as whole suites. */
function reasonFor(title: string, test: TestCase | undefined): string | null {
  const result = test?.result();
  const note = result?.state === 'skipped' ? result.note : undefined;
  const said = reasonIn(note) ?? note ?? reasonIn(title) ?? reasonIn(test?.fullName);
  if (said !== null || test === undefined) return said;
  return reasonFromSource(readFileSync(test.module.moduleId, 'utf8'), `${title} > ${test.fullName}`);
}
