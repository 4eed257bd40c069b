// Writes down whose work a bundle contains, and under which licence.
import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';

/** Folder of the package a bundled file belongs to, from the project's root; `null` for our own files. */
export function packageFolderOf(input: string): string | null {
  return /^(?:.*\/)?node_modules\/(?:@[^/]+\/)?[^/]+/.exec(input)?.[0] ?? null;
}

/** Text of `THIRD-PARTY-NOTICES.txt`: every bundled package with version, licence and the licence's own text, by name. */
export function thirdPartyNotices(root: string, inputs: readonly string[], legalComments: string): string {
  const folders = new Set(inputs.map(packageFolderOf).filter((folder) => folder !== null));
  const packages = [...folders].map((folder) => readPackage(join(root, folder))).toSorted((a, b) => (a.title < b.title ? -1 : 1));
  const sections = packages.map(({ title, licence, texts }) => `${'-'.repeat(80)}\n${title}\nLicence: ${licence}\n\n${texts}\n`);
  const comments = legalComments === '' ? '' : `${'-'.repeat(80)}\nLicence comments found in the bundled sources\n\n${legalComments}\n`;
  return `This program contains the following packages, each under its own licence.\n\n${sections.join('\n')}\n${comments}`;
}

function readPackage(folder: string): { title: string; licence: string; texts: string } {
  const { name, version, license } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as Record<string, unknown>;
  const files = readdirSync(folder, { withFileTypes: true }).filter(
    (file) => file.isFile() && /^(licen[cs]e|copying|notice)/i.test(file.name),
  );
  const texts = files
    .map((file) => file.name)
    .toSorted()
    .map((file) => readFileSync(join(folder, file), 'utf8').trim());
  return {
    title: `${String(name)} ${String(version)}`,
    licence: typeof license === 'string' ? license : JSON.stringify(license ?? 'not declared'),
    texts: texts.length > 0 ? texts.join('\n\n') : '(The package brings no licence file.)',
  };
}
