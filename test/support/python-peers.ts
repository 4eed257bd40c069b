import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { PYTHON_PEERS } from '../../scripts/ci-peers.ts';
import { projectRoot } from './fixtures.ts';

/** Python with medallion, stix2, pymisp, taxii2-client, schemathesis, pyvrl and maxminddb, in the project's cache folder. */
export const peerPython = join(projectRoot, '.cache/pipeline-peers/bin/python');

/** Whether it is there; tests on peers use `describe.skipIf(!hasPeers)`. */
export const hasPeers = existsSync(peerPython);

if (!hasPeers) {
  process.stderr.write(
    `Python peers not found: their tests are skipped (python3 -m venv .cache/pipeline-peers && .cache/pipeline-peers/bin/pip install ${PYTHON_PEERS.join(' ')})\n`,
  );
}

/** Whether a package is among them: those that were installed before it was asked for have to do without. */
export function hasPeer(name: string): boolean {
  return hasPeers && spawnSync(peerPython, ['-c', `import ${name}`]).status === 0;
}

/** Runs a Python program with `input` on stdin; gives its stdout. Fails the test when it fails. */
export function runPython(program: string, input: string): string {
  return execFileSync(peerPython, ['-c', program], { input, encoding: 'utf8', maxBuffer: 64 * 1024 * 1024 });
}
