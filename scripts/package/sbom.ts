// The bill of materials that goes into the packages.
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { join } from 'node:path';

const MADE_AT = '2020-01-01T00:00:00.000Z';
/** The setup page's libraries have a lock file of their own. */
const WORKSHOP = 'splunk-ui';

interface Component {
  readonly 'bom-ref': string;
  readonly name: string;
  readonly version: string;
}

interface Sbom {
  serialNumber?: string;
  readonly metadata: {
    timestamp?: string;
    tools?: readonly { version?: string }[];
    readonly component: { readonly 'bom-ref': string; name: string; properties?: readonly unknown[] };
  };
  components: readonly Component[];
  dependencies: readonly { readonly ref: string; readonly dependsOn: readonly string[] }[];
}

/**
 * CycloneDX by `npm sbom`, cut to what is in the package: `shipped` names it as `<name> <version>`. Its time, random number and npm's own
 * version are replaced by fixed ones, so that a rebuild is the same. Throws when no lock file knows something that is shipped.
 */
export function sbomOf(root: string, shipped: ReadonlySet<string>): Buffer {
  const sbom = npmSbom(root);
  const isShipped = ({ name, version }: Component) => shipped.has(`${name} ${version}`);
  const own = sbom.components.filter(isShipped);
  const titles = new Set(own.map(titleOf));
  const isMissing = (component: Component) => isShipped(component) && !titles.has(titleOf(component));
  const workshop = titles.size < shipped.size ? npmSbom(join(root, WORKSHOP)) : null;
  sbom.components = [...own, ...(workshop?.components.filter(isMissing) ?? [])];
  const listed = new Set(sbom.components.map(titleOf));
  const missing = [...shipped].filter((title) => !listed.has(title));
  if (missing.length > 0) throw new Error(`npm sbom does not know what is shipped: ${missing.join(', ')}`);
  const refs = new Set([sbom.metadata.component['bom-ref'], ...sbom.components.map((component) => component['bom-ref'])]);
  sbom.dependencies = uniqueByRef([...sbom.dependencies, ...(workshop?.dependencies ?? [])])
    .filter(({ ref }) => refs.has(ref))
    .map((entry) => ({ ...entry, dependsOn: entry.dependsOn.filter((ref) => refs.has(ref)) }));
  return withFixedMarks(sbom);
}

function npmSbom(folder: string): Sbom {
  const args = ['sbom', '--sbom-format', 'cyclonedx', '--package-lock-only'];
  const { status, stdout, stderr, error } = spawnSync('npm', args, { cwd: folder, encoding: 'utf8', maxBuffer: 64 << 20 });
  if (error) throw new Error(`npm sbom cannot be started: ${error.message}`);
  if (status !== 0) throw new Error(`npm sbom failed: ${stderr.trim().split('\n').at(-1)}`);
  return JSON.parse(stdout) as Sbom;
}

function withFixedMarks(sbom: Sbom): Buffer {
  const { metadata } = sbom;
  metadata.timestamp = MADE_AT;
  for (const tool of metadata.tools ?? []) delete tool.version;
  // npm takes the name of the checkout's folder, and the mark against publishing the sources.
  metadata.component.name = metadata.component['bom-ref'].replace(/@[^@]*$/, '');
  metadata.component.properties = [];
  sbom.serialNumber = '';
  const digest = createHash('sha256').update(JSON.stringify(sbom)).digest('hex');
  const parts = [digest.slice(0, 8), digest.slice(8, 12), `8${digest.slice(13, 16)}`, `a${digest.slice(17, 20)}`, digest.slice(20, 32)];
  sbom.serialNumber = `urn:uuid:${parts.join('-')}`;
  return Buffer.from(`${JSON.stringify(sbom, null, 2)}\n`);
}

function titleOf({ name, version }: Component): string {
  return `${name} ${version}`;
}

function uniqueByRef<T extends { readonly ref: string }>(entries: readonly T[]): T[] {
  return [...new Map(entries.toReversed().map((entry) => [entry.ref, entry])).values()].toReversed();
}
