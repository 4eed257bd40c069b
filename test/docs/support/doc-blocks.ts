// test/docs/support/: the fenced blocks of the documentation, taken apart into commands.
import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { projectRoot } from '../../support/fixtures.ts';

/** A fenced block of a page. */
export interface DocBlock {
  readonly page: string;
  /** Line of its fence, from 1. */
  readonly line: number;
  readonly language: string;
  readonly lines: readonly string[];
  /** `<!-- not run: REASON -->` before it counts for all of it, `<!-- not run "PREFIX": REASON -->` for commands that begin so. */
  readonly notRun: readonly { readonly prefix: string; readonly reason: string }[];
}

/** All pages that users read, the front page first. */
export const PAGES = ['README.md', ...globSync('docs/*.md', { cwd: projectRoot }).sort()];

/** The text of a page. */
export function readPage(page: string): string {
  return readFileSync(join(projectRoot, page), 'utf8');
}

/** The fenced blocks of a page, in order. */
export function blocksOf(page: string): DocBlock[] {
  const blocks: DocBlock[] = [];
  let notRun: { prefix: string; reason: string }[] = [];
  let open: { line: number; language: string; lines: string[] } | null = null;
  for (const [n, line] of readPage(page).split('\n').entries()) {
    const fence = /^```(\S*)/.exec(line);
    if (open) {
      if (fence) {
        blocks.push({ page, ...open, notRun });
        notRun = [];
        open = null;
      } else open.lines.push(line);
      continue;
    }
    const mark = /^<!-- not run(?: "([^"]+)")?: (.+) -->$/.exec(line);
    if (fence) open = { line: n + 1, language: fence[1] ?? '', lines: [] };
    else if (mark) notRun.push({ prefix: mark[1] ?? '', reason: mark[2] ?? '' });
    else notRun = [];
  }
  return blocks;
}

/** The commands of a shell block: one a line, but for what goes on by `\` or in a here document. */
export function commandsOf({ lines }: Pick<DocBlock, 'lines'>): string[] {
  const commands: string[] = [];
  let held = '';
  let until: string | null = null;
  for (const line of lines) {
    held = held === '' ? line : `${held}\n${line}`;
    if (until !== null && line !== until) continue;
    until = until === null ? (/<<'?(\w+)'?/.exec(line)?.[1] ?? null) : null;
    if (until !== null || line.endsWith('\\')) continue;
    if (held.trim() !== '' && !held.trim().startsWith('#')) commands.push(held);
    held = '';
  }
  return commands;
}

/** Why a command of a block is not run; `null`: it has to run. */
export function reasonNotToRun({ notRun }: DocBlock, command: string): string | null {
  return notRun.find(({ prefix }) => command.startsWith(prefix))?.reason ?? null;
}
