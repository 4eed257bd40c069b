// The packages of the Splunk app: one without binaries, and one for each machine with a Node inside.
import { join } from 'node:path';
import { type Made, withBill, writeArchive } from './archive.ts';
import { APP, appFiles } from './built-files.ts';
import { type Architecture, runtimeFiles, runtimeTitle } from './node-runtime.ts';

/** What is packed, and where it goes. */
export interface SplunkPackages {
  readonly version: string;
  /** Folder for the archives. */
  readonly into: string;
  readonly hasSetupPage: boolean;
  /** Machines that get a package with a Node. */
  readonly architectures: readonly Architecture[];
}

/** Makes them one after another, of what is built. */
export async function* splunkPackages(root: string, options: SplunkPackages): AsyncGenerator<Made> {
  const { version, into, hasSetupPage, architectures } = options;
  const base = appFiles(root, hasSetupPage);
  yield await writeArchive(join(into, `ismalicious-splunk-${version}.tar.gz`), withBill(root, APP, base));
  for (const architecture of architectures) {
    const runtime = runtimeFiles(root, architecture).map((file) => ({ ...file, path: `${APP}/${file.path}` }));
    const files = withBill(root, APP, [...base, ...runtime], [runtimeTitle(root, architecture)]);
    yield await writeArchive(join(into, `ismalicious-splunk-${version}-linux-${architecture.name}.tar.gz`), files);
  }
}
