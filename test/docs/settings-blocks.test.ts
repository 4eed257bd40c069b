import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { runCli } from '../hosts/cli/run-cli.ts';
import { blocksOf, PAGES } from './support/doc-blocks.ts';

const folder = mkdtempSync(join(tmpdir(), 'ismalicious-docs-settings-'));
const blocks = PAGES.flatMap((page) => blocksOf(page).filter(({ language }) => language === 'yaml')).map(
  (block) => [`${block.page}:${block.line}`, block.lines.join('\n')] as const,
);

it.each(blocks)('%s: config check takes the settings', async (name, text) => {
  const path = join(folder, `${name.replaceAll(/\W/g, '-')}.yaml`);
  writeFileSync(path, text.replaceAll('…', 'example-secret'));
  // The key of the page's declared provider comes from the environment.
  const { stderr } = await runCli(['config', 'check', '--config', path], { env: { ACME_TI_API_KEY: 'example-secret' } });
  // Files that the reader has and this machine has not.
  const faults = stderr
    .split('\n')
    .filter((line) => line.startsWith('  ') && !/cannot be read \((there is no such file|ENOENT)\)/.test(line));
  expect(faults).toEqual([]);
});

it('there are some', () => expect(blocks.length).toBeGreaterThan(5));
