import { existsSync, readdirSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import { expect, it } from 'vitest';
import { projectRoot } from '../support/fixtures.ts';
import { PAGES, readPage } from './support/doc-blocks.ts';

/** Links of a page to files here: path, and the part behind `#`. */
function linksOf(page: string): { readonly path: string; readonly anchor: string | null }[] {
  const text = readPage(page).replaceAll(/^```[\s\S]*?^```/gm, '');
  return [...text.matchAll(/\]\(([^()\s]+)\)/g)]
    .map(([, target = '']) => target)
    .filter((target) => !/^[a-z]+:/.test(target))
    .map((target) => {
      const [path = '', anchor = null] = target.split('#');
      return { path: path === '' ? page : normalize(join(dirname(page), path)), anchor };
    });
}

/** The names that headings and anchors of a page can be linked by, as GitHub makes them. */
function anchorsOf(page: string): Set<string> {
  const text = readPage(page).replaceAll(/^```[\s\S]*?^```/gm, '');
  const headings = [...text.matchAll(/^#{1,6} (.+)$/gm)].map(([, title = '']) =>
    title
      .toLowerCase()
      .replaceAll(/[^\p{L}\p{N}\s_-]/gu, '')
      .trim()
      .replaceAll(/\s/g, '-'),
  );
  return new Set([...headings, ...[...text.matchAll(/<a id="([^"]+)">/g)].map(([, id = '']) => id)]);
}

it.each([...PAGES, 'CONTRIBUTING.md', 'SECURITY.md', 'docs/decisions/README.md'])('every link of %s leads to something', (page) => {
  const dead = linksOf(page).filter(({ path, anchor }) => {
    if (!existsSync(join(projectRoot, path))) return true;
    return anchor !== null && path.endsWith('.md') && !anchorsOf(path).has(anchor);
  });
  expect(dead).toEqual([]);
});

it('every page is linked from the index, and the index from the front page', () => {
  const linked = new Set(linksOf('docs/README.md').map(({ path }) => path));
  const pages = PAGES.filter((page) => page.startsWith('docs/') && page !== 'docs/README.md');
  expect(pages.filter((page) => !linked.has(page))).toEqual([]);
  expect(linksOf('README.md').map(({ path }) => path)).toContain('docs/README.md');
});

it('every picture is shown by a page: all of them are packed', () => {
  const shown = new Set(PAGES.flatMap((page) => linksOf(page)).map(({ path }) => path));
  const pictures = readdirSync(join(projectRoot, 'docs/images')).map((name) => `docs/images/${name}`);
  expect(pictures.filter((picture) => !shown.has(picture))).toEqual([]);
});

it.each(PAGES.filter((page) => page.includes('quickstart')))('%s says how long it takes and what is to be seen after each step', (page) => {
  const text = readPage(page);
  expect(Number(/^Time: (\d+) minutes/m.exec(text)?.[1])).toBeLessThanOrEqual(10);
  const steps = text.split(/^## \d+\. /m).slice(1);
  expect(steps.length).toBeGreaterThan(2);
  for (const step of steps) expect(step.toLowerCase()).toMatch(/you should now see|what to do next/);
});
