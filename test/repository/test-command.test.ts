import { spawnSync } from 'node:child_process';
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Tally } from '../../scripts/run-vitest.ts';
import { faultOf, listOf, reasonFromSource, reasonIn } from '../../scripts/skips.ts';
import { projectRoot } from '../support/fixtures.ts';

let folder = '';

beforeEach(() => {
  folder = mkdtempSync(join(projectRoot, 'node_modules/.planted-'));
});

afterEach(() => rmSync(folder, { recursive: true, force: true }));

/** Counts a planted test file in a process of its own: two vitests in one do not get along. */
function tallyOf(source: string): Tally {
  writeFileSync(join(folder, 'planted.test.ts'), `import { beforeAll, describe, expect, it } from 'vitest';\n${source}`);
  const report = join(folder, 'tally.json');
  const runner = JSON.stringify(pathToFileURL(join(projectRoot, 'scripts/run-vitest.ts')).href);
  const program = `
    import { writeFileSync } from 'node:fs';
    const { runVitest } = await import(${runner});
    writeFileSync(${JSON.stringify(report)}, JSON.stringify(await runVitest([], ${JSON.stringify(folder)})));
    process.exit(0);`;
  const env = Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith('VITEST')));
  spawnSync(process.execPath, ['--input-type=module', '--eval', program], { cwd: folder, env });
  return JSON.parse(readFileSync(report, 'utf8')) as Tally;
}

describe('what happened is counted', () => {
  it('passed, failed and skipped tests, each once', () => {
    const tally = tallyOf(`
      it('passes', () => {});
      it.each([1, 2])('fails %i', () => expect(1).toBe(2));
      it.skip('left out', () => {});
      describe('with a peer', () => { it('asks it', ({ skip }) => skip('needs java 21')); it('passes too', () => {}); });
      describe.skip('whole [needs redis]', () => { it('one', () => {}); it('two', () => {}); });
    `);
    expect(tally).toEqual({
      passed: 2,
      failed: 2,
      skips: [
        { title: 'planted.test.ts > left out', tests: 1, reason: null },
        { title: 'planted.test.ts > with a peer > asks it', tests: 1, reason: 'needs java 21' },
        { title: 'planted.test.ts > whole [needs redis]', tests: 2, reason: 'needs redis' },
      ],
    });
  });

  it.each([
    ['a file that does not load', `throw new Error('planted')`],
    ['a file without tests', ''],
    ['a suite that cannot be set up', `describe('x', () => { beforeAll(() => { throw new Error('planted'); }); it('a', () => {}); });`],
    ['a promise that nobody waits for', `it('passes', () => { void Promise.reject(new Error('planted')); });`],
  ])('%s is a failure', (_, source) => {
    expect(tallyOf(source).failed).toBeGreaterThan(0);
  });

  it('suites that wait for recordings are named so', () => {
    const { skips } = tallyOf(`const hasFixtures = false; describe.skipIf(!hasFixtures)('on recordings', () => { it('a', () => {}); });`);
    expect(skips).toEqual([{ title: 'planted.test.ts', tests: 1, reason: 'needs recordings (ISMALICIOUS_FIXTURES)' }]);
  });
});

describe('what may be skipped', () => {
  const skip = (reason: string | null) => ({ title: 'a.test.ts > x', tests: 1, reason });
  it.each([
    ['at home, anything', null, false],
    ['in CI, a peer that does not come with the install', 'needs java 21', true],
    ['in CI, recordings that lie elsewhere', 'needs recordings (ISMALICIOUS_FIXTURES)', true],
  ])('%s', (_, reason, isCi) => {
    expect(faultOf(skip(reason), isCi, [])).toBe(null);
  });

  it.each([
    ['a test that was switched off', null, ''],
    ['what comes with the install', 'needs a build', ''],
    ['a peer that this CI promises', 'needs java 21', 'redis, Java'],
    ['recordings that somebody named', 'needs recordings (ISMALICIOUS_FIXTURES)', 'recordings'],
  ])('in CI, not %s', (_, reason, required) => {
    expect(faultOf(skip(reason), true, listOf(required))).toEqual(expect.any(String));
  });

  it.each([
    ['reads the wire [needs recordings]', 'needs recordings'],
    ['needs java 21', 'needs java 21'],
    ['asks the needle', null],
    [undefined, null],
  ])('%j says %j', (text, reason) => {
    expect(reasonIn(text)).toBe(reason);
  });
});

it.each([
  ['x.test.ts > recorded answers', 'needs recordings (ISMALICIOUS_FIXTURES)'],
  ["x.test.ts > a parser's own", 'needs python peers (.cache/pipeline-peers)'],
  ['x.test.ts > opensearch > stores', 'needs java, and a search engine from Maven'],
])('the guard of %s says %s', (title, reason) => {
  const source = [
    `describe.skipIf(!hasFixtures)('recorded answers', () => {`,
    `  describe.skipIf(engineAbsence(kind) !== null)(target, () => {`,
    `describe.skipIf(!hasPeers)("a parser's own", () => {`,
  ].join('\n');
  expect(reasonFromSource(source, title)).toBe(reason);
  expect(reasonFromSource(`describe.skipIf(isTired)('x', () => {`, title)).toBe(null);
});

describe('.ci/run', () => {
  /** Runs it beside an npm that only talks. */
  function run(npm: string) {
    mkdirSync(join(folder, '.ci'));
    writeFileSync(join(folder, '.ci/run'), readFileSync(join(projectRoot, '.ci/run')), { mode: 0o755 });
    mkdirSync(join(folder, 'bin'));
    writeFileSync(join(folder, 'bin/npm'), `#!/bin/sh\n${npm}\n`);
    chmodSync(join(folder, 'bin/npm'), 0o755);
    const PATH = `${join(folder, 'bin')}${delimiter}${process.env.PATH}`;
    const { stdout, status } = spawnSync(join(folder, '.ci/run'), [], { cwd: tmpdir(), encoding: 'utf8', env: { PATH } });
    return { status, lines: stdout.trimEnd().split('\n') };
  }

  it('runs the README’s command in the project, without a stdin, as CI', () => {
    expect(run('echo "$* in $(pwd), CI=$CI, stdin: $(cat)"; echo "3 passed, 0 failed, 1 skipped"').lines[0]).toBe(
      `test in ${folder}, CI=true, stdin: `,
    );
  });

  it.each([
    ['success', 'echo "3 passed, 0 failed, 1 skipped"', 0, '3 passed, 0 failed, 1 skipped'],
    [
      'a failure that npm talks about afterwards',
      'echo "2 passed, 1 failed, 0 skipped"; echo "npm error" >&2; exit 1',
      1,
      '2 passed, 1 failed, 0 skipped',
    ],
    ['an end before the tests', 'echo "cannot install" >&2; exit 7', 7, '0 passed, 1 failed, 0 skipped'],
    ['an end without a word', 'exit 0', 1, '0 passed, 1 failed, 0 skipped'],
  ])('%s: the last line and the exit code tell', (_, npm, status, line) => {
    const done = run(npm);
    expect({ status: done.status, line: done.lines.at(-1) }).toEqual({ status, line });
  });
});
