import { existsSync, readFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = resolve(dirname(fileURLToPath(import.meta.url)), '../..');

/** Folder of third-party recordings, beside the project (never copied in); `ISMALICIOUS_FIXTURES` overrides it. */
export const fixturesFolder = process.env.ISMALICIOUS_FIXTURES || resolve(root, '../shared/fixtures');

/** Whether the recordings are there; tests on them use `describe.skipIf(!hasFixtures)`. */
export const hasFixtures = existsSync(join(fixturesFolder, 'splunk'));

if (!hasFixtures) process.stderr.write(`recordings not found at ${fixturesFolder}: tests on them are skipped (set ISMALICIOUS_FIXTURES)\n`);

/** The project's root folder. */
export const projectRoot = root;

/** A recording's bytes; `path` is relative to the fixtures folder. */
export function readFixture(path: string): Buffer {
  return readFileSync(join(fixturesFolder, path));
}

/** A JSON recording. */
export function readJsonFixture(path: string): unknown {
  return JSON.parse(readFixture(path).toString('utf8'));
}
