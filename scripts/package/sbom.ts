// The bill of materials that goes into the packages.
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';

const MADE_AT = '2020-01-01T00:00:00.000Z';

/** CycloneDX by `npm sbom`, of what is shipped; its time and random number are replaced by fixed ones, so that a rebuild is the same. */
export function sbomOf(root: string): Buffer {
  const args = ['sbom', '--sbom-format', 'cyclonedx', '--omit', 'dev', '--package-lock-only'];
  const { status, stdout, stderr, error } = spawnSync('npm', args, { cwd: root, encoding: 'utf8', maxBuffer: 64 << 20 });
  if (error) throw new Error(`npm sbom cannot be started: ${error.message}`);
  if (status !== 0) throw new Error(`npm sbom failed: ${stderr.trim().split('\n').at(-1)}`);
  const sbom = JSON.parse(stdout) as { serialNumber?: string; metadata: { timestamp?: string } };
  sbom.metadata.timestamp = MADE_AT;
  delete sbom.serialNumber;
  const digest = createHash('sha256').update(JSON.stringify(sbom)).digest('hex');
  sbom.serialNumber = `urn:uuid:${[digest.slice(0, 8), digest.slice(8, 12), `8${digest.slice(13, 16)}`, `a${digest.slice(17, 20)}`, digest.slice(20, 32)].join('-')}`;
  return Buffer.from(`${JSON.stringify(sbom, null, 2)}\n`);
}
