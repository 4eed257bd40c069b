// An archive that is made: its bill of materials, its bytes, its line in the list.
import { createHash } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { sbomOf } from './sbom.ts';
import { step } from './step.ts';
import { tarGz, type TarFile } from './tar.ts';

/** How a bill of materials in CycloneDX's JSON form is named. */
const SBOM_NAME = 'sbom.cdx.json';
const MIB = 1_048_576;

/** The packages that notices name (`THIRD-PARTY-NOTICES.txt`, `setup.LEGAL.txt`), as `<name> <version>`. */
function packagesNamedIn(files: readonly TarFile[]): string[] {
  const notices = files
    .filter(({ path }) => /(?:THIRD-PARTY-NOTICES|\.LEGAL)\.txt$/.test(path))
    .map(({ content }) => Buffer.from(content).toString('utf8'));
  return notices.flatMap((text) => [...text.matchAll(/^-{80}\n(\S+ \S+)\nLicence: /gm)].map(([, title = '']) => title));
}

/** The bill of materials of these files: what their notices name, and `more` that is in them. */
export function billOf(root: string, files: readonly TarFile[], more: readonly string[] = []): Buffer {
  return sbomOf(root, new Set([...packagesNamedIn(files), ...more]));
}

/** The files with their bill of materials in `folder`. */
export function withBill(root: string, folder: string, files: readonly TarFile[], more: readonly string[] = []): TarFile[] {
  return [...files, { path: `${folder}/${SBOM_NAME}`, content: billOf(root, files, more), isExecutable: false }];
}

/** Something that was made. */
export interface Made {
  readonly name: string;
  readonly sizeBytes: number;
  readonly sha256: string;
}

/** Packs the files and writes the archive. */
export async function writeArchive(path: string, files: readonly TarFile[]): Promise<Made> {
  const name = path.slice(dirname(path).length + 1);
  return writeMade(path, await step(`packing ${name}`, () => tarGz(files)));
}

/** Writes bytes, and says which they were. */
export function writeMade(path: string, content: Uint8Array): Made {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, content);
  const name = path.slice(dirname(path).length + 1);
  return { name, sizeBytes: content.length, sha256: sha256Of(content) };
}

/** SHA-256 in hex digits. */
export function sha256Of(content: Uint8Array): string {
  return createHash('sha256').update(content).digest('hex');
}

/** One line for people. */
export function lineOf({ name, sizeBytes, sha256 }: Made): string {
  const size = sizeBytes < MIB ? `${(sizeBytes / 1024).toFixed(1)} KiB` : `${(sizeBytes / MIB).toFixed(1)} MiB`;
  return `${size.padStart(10)}  ${name}  sha256 ${sha256}`;
}
