import { spawnSync } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { isStale } from '../../scripts/freshness.ts';
import { projectRoot } from '../support/fixtures.ts';

const program = join(projectRoot, 'dist/splunk-app/ismalicious/bin/ismalicious.js');

let folder = '';

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'ismalicious-cold-'));
  if (isStale(projectRoot)) spawnSync(process.execPath, ['scripts/build.ts'], { cwd: projectRoot });
}, 60_000);

afterAll(() => rmSync(folder, { recursive: true, force: true }));

function frame(metadata: object, body = ''): string {
  const head = JSON.stringify(metadata);
  return `chunked 1.0,${Buffer.byteLength(head)},${Buffer.byteLength(body)}\n${head}${body}`;
}

/** Files that the search command has read by the time it ends, and what it said. */
function filesReadFor(input: string, state = join(folder, 'state')): { files: string[]; stdout: string } {
  const hook = join(folder, 'hook.cjs');
  const report = join(folder, 'files.json');
  writeFileSync(
    hook,
    `process.on('exit', () => require('node:fs').writeFileSync(${JSON.stringify(report)}, JSON.stringify(Object.keys(require.cache))));`,
  );
  const env = { PATH: process.env.PATH, ISMALICIOUS_STATE_DIR: state };
  const { stdout, stderr, status } = spawnSync(process.execPath, ['--require', hook, program], { input, encoding: 'utf8', env });
  expect({ stderr, status }).toEqual({ stderr: '', status: 0 });
  return { files: (JSON.parse(readFileSync(report, 'utf8')) as string[]).filter((file) => file !== hook), stdout };
}

const getinfo = frame({ action: 'getinfo', preview: false, searchinfo: { args: ['dest_ip'], raw_args: ['dest_ip'] } });

it('answers getinfo from five small files: splunkd asks several times a search', () => {
  const { files, stdout } = filesReadFor(getinfo);
  expect(stdout).toContain('"type":"stateful"');
  expect(files.length).toBeLessThanOrEqual(5);
  expect(files.reduce((sum, file) => sum + statSync(file).size, 0)).toBeLessThan(60_000);
});

it('never reads the HTTP client for a search that the own lists answer', () => {
  const rows = 'dest_ip,__mv_dest_ip\n198.51.100.7,\n10.0.0.1,\n-,\n';
  const { files, stdout } = filesReadFor(getinfo + frame({ action: 'execute', finished: true }, rows));
  expect(stdout).toContain('198.51.100.7,,malicious,True,87');
  expect(files.map((file) => basename(file)).filter((file) => /^(undici|yaml|splunk-sdk)/.test(file))).toEqual([]);
});

it('does not even read the engine for a search whose values the one before it knew', async () => {
  // A program that was built this very moment could be built again within the same tick: nothing is kept then.
  await setTimeout(Math.max(0, statSync(program).ctimeMs + 2500 - Date.now()));
  const rows = 'dest_ip,__mv_dest_ip\n10.0.0.1,\n10.0.0.2,\n-,\n';
  const input = getinfo + frame({ action: 'execute', finished: true }, rows);
  const first = filesReadFor(input);
  const second = filesReadFor(input);
  const hasEngine = ({ files }: typeof first) => files.some((file) => basename(file).startsWith('engine-for-search'));
  expect([hasEngine(first), hasEngine(second)]).toEqual([true, false]);
  expect(second.stdout).toBe(first.stdout);
});

it.each([
  ['a folder of ours', 0o700, true],
  ['one that others may write: code would be run from it', 0o777, false],
])('keeps compiled code in the state folder: %s', (_, mode, isKept) => {
  const state = join(folder, `compiled-${mode}`);
  mkdirSync(state);
  chmodSync(state, mode);
  const rows = 'dest_ip,__mv_dest_ip\n10.0.0.9,\n';
  filesReadFor(getinfo + frame({ action: 'execute', finished: true }, rows), state);
  expect(existsSync(join(state, 'compiled'))).toBe(isKept);
});
