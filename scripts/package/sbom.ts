// The bill of materials that goes into the packages.
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';

const MADE_AT = '2020-01-01T00:00:00.000Z';

interface Sbom {
  serialNumber?: string;
  readonly metadata: { timestamp?: string; readonly component: { readonly 'bom-ref': string; name: string } };
  components: readonly { readonly 'bom-ref': string; readonly name: string; readonly version: string }[];
  dependencies: readonly { readonly ref: string; readonly dependsOn: readonly string[] }[];
}

/**
 * CycloneDX by `npm sbom`, cut to what is in the package: `shipped` names it as `<name> <version>`. Its time and random number are
 * replaced by fixed ones, so that a rebuild is the same. Throws when npm does not know something that is shipped.
 */
export function sbomOf(root: string, shipped: ReadonlySet<string>): Buffer {
  const args = ['sbom', '--sbom-format', 'cyclonedx', '--package-lock-only'];
  const { status, stdout, stderr, error } = spawnSync('npm', args, { cwd: root, encoding: 'utf8', maxBuffer: 64 << 20 });
  if (error) throw new Error(`npm sbom cannot be started: ${error.message}`);
  if (status !== 0) throw new Error(`npm sbom failed: ${stderr.trim().split('\n').at(-1)}`);
  const sbom = JSON.parse(stdout) as Sbom;
  sbom.components = sbom.components.filter(({ name, version }) => shipped.has(`${name} ${version}`));
  const listed = new Set(sbom.components.map(({ name, version }) => `${name} ${version}`));
  const missing = [...shipped].filter((title) => !listed.has(title));
  if (missing.length > 0) throw new Error(`npm sbom does not know what is shipped: ${missing.join(', ')}`);
  const refs = new Set([sbom.metadata.component['bom-ref'], ...sbom.components.map((component) => component['bom-ref'])]);
  sbom.dependencies = sbom.dependencies
    .filter(({ ref }) => refs.has(ref))
    .map((entry) => ({ ...entry, dependsOn: entry.dependsOn.filter((ref) => refs.has(ref)) }));
  sbom.metadata.timestamp = MADE_AT;
  // npm takes the name of the checkout's folder.
  sbom.metadata.component.name = sbom.metadata.component['bom-ref'].replace(/@[^@]*$/, '');
  sbom.serialNumber = '';
  const digest = createHash('sha256').update(JSON.stringify(sbom)).digest('hex');
  const parts = [digest.slice(0, 8), digest.slice(8, 12), `8${digest.slice(13, 16)}`, `a${digest.slice(17, 20)}`, digest.slice(20, 32)];
  sbom.serialNumber = `urn:uuid:${parts.join('-')}`;
  return Buffer.from(`${JSON.stringify(sbom, null, 2)}\n`);
}
