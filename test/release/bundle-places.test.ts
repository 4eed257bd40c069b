import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { bundleFolder } from '../../scripts/bundle.ts';

/** Bundles a small project in a folder of that name; name and text of each file. */
async function bundleIn(name: string): Promise<readonly (readonly [string, string])[]> {
  const base = mkdtempSync(join(tmpdir(), `ismalicious-${name}-`));
  onTestFinished(() => rmSync(base, { recursive: true, force: true }));
  mkdirSync(join(base, 'src'));
  const write = (path: string, text: string) => writeFileSync(join(base, 'src', path), text);
  write('word-table.ts', 'export const words = (text: string) => text.split(" ").map((word) => word.trim());');
  for (const part of ['one', 'two'])
    write(`${part}.ts`, `import { words } from './word-table.ts'; export const ${part} = words('${part} a b');`);
  write('main.ts', "const [a, b] = [await import('./one.ts'), await import('./two.ts')]; console.log(a.one, b.two);");
  await bundleFolder(base, '1.2.3', { folder: join(base, 'out'), format: 'esm', entries: { main: 'src/main.ts' } });
  const files = readdirSync(join(base, 'out'), { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  return files.map((entry) => [entry.name, readFileSync(join(entry.parentPath, entry.name), 'utf8')] as const).toSorted();
}

it('a program is the same, names of its parts included, wherever the checkout lies', async () => {
  const here = await bundleIn('here');
  expect(here.length).toBeGreaterThan(2);
  expect(await bundleIn('quite-another-place')).toEqual(here);
});
