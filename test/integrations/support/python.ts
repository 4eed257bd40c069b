import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { INTEGRATION_PEERS, INTEGRATION_PEERS_FOLDER, type IntegrationPeer } from '../../../scripts/ci-integration-peers.ts';

/** Whether a Python is there that runs what needs none but its own library. */
export const hasPython = spawnSync('python3', ['-c', 'import sys; sys.exit(sys.version_info < (3, 9))']).status === 0;

if (!hasPython) process.stderr.write('python3 (3.9 or newer) not found: the tests of the Python integrations are skipped\n');

/** Python of a host’s checker, each in a folder of its own; `null`: it is not installed here. */
export function peerPythonOf(peer: IntegrationPeer): string | null {
  const folder = join(INTEGRATION_PEERS_FOLDER, peer);
  const python = join(folder, 'bin/python');
  if (existsSync(python)) return python;
  const packages = INTEGRATION_PEERS[peer].join(' ');
  process.stderr.write(`${peer} not found: its tests are skipped (python3 -m venv ${folder} && ${folder}/bin/pip install ${packages})\n`);
  return null;
}
