import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { runSearchCommand } from '../../scripts/demo/search-command.ts';
import { COMMANDS } from '../../src/hosts/cli/commands.ts';
import { projectRoot } from '../support/fixtures.ts';
import { newStateFolder } from '../support/open-test-engine.ts';
import { blocksOf, commandsOf, PAGES, readPage, reasonNotToRun } from './support/doc-blocks.ts';
import { openPageRunner } from './support/page-runner.ts';
import { splCallsOf } from './support/spl.ts';

const APP = join(projectRoot, 'dist/splunk-app/ismalicious/bin');
const PROGRAMS: Readonly<Record<string, string>> = {
  ismalicious: join(APP, 'ismalicious.js'),
  ismaliciouscheck: join(APP, 'programs/check.js'),
  ismaliciousquota: join(APP, 'programs/quota.js'),
  ismaliciousextract: join(APP, 'programs/extract.js'),
  ismaliciousfeedback: join(APP, 'programs/feedback.js'),
};
/** What a quick start says is to be seen, by page and command. */
const SEEN: readonly (readonly [page: string, command: string, text: string])[] = [
  ['README.md', 'echo', '198.51.100.7'],
  ['docs/quickstart-cli.md', './ismalicious check', 'verdict       malicious, score 87, confidence 90, tier p1'],
  ['docs/quickstart-cli.md', './ismalicious enrich', '34 malicious'],
  ['docs/quickstart-cli.md', 'head', 'im_verdict'],
  ['docs/quickstart-cli.md', 'echo', '198.51.100.7'],
  ['docs/quickstart-cli.md', './ismalicious plan', 'credits to pay'],
  ['docs/quickstart-logstash.md', './ismalicious serve', 'listening'],
  ['docs/quickstart-logstash.md', 'curl', '"score":87'],
  ['docs/quickstart-elastic.md', './ismalicious serve', 'listening'],
  ['docs/quickstart-elastic.md', 'curl -s localhost:8787', '"indexed":270'],
];
const SHELL = new Set(['sh', 'bash', 'console']);

let ran = 0;
const left: string[] = [];

afterAll(() => {
  process.stderr.write(`commands of README and docs: ${ran} run, ${left.length} not run\n${left.map((line) => `  ${line}\n`).join('')}`);
});

const withShell = PAGES.filter((page) => blocksOf(page).some(({ language }) => SHELL.has(language)));

describe('every command of a page runs, or says why not', { timeout: 240_000 }, () => {
  it.each(withShell)('%s', async (page) => {
    await using runner = await openPageRunner(page === 'README.md' || page.includes('quickstart'));
    for (const block of blocksOf(page).filter(({ language }) => SHELL.has(language))) {
      for (const command of commandsOf(block)) {
        const reason = reasonNotToRun(block, command);
        if (reason !== null) {
          left.push(`${page}:${block.line}: ${command.split('\n')[0]?.slice(0, 70)}: ${reason}`);
          continue;
        }
        const { status, output } = await runner.run(command);
        expect({ command, status, output: status === 0 ? '' : output }).toEqual({ command, status: 0, output: '' });
        for (const [where, start, text] of SEEN)
          if (where === page && command.startsWith(start)) {
            expect(output).toContain(text);
            expect(readPage(page)).toContain(text);
          }
        ran++;
      }
    }
  });

  it('and none of them is forgotten', () => {
    expect(ran).toBeGreaterThan(40);
    expect(left.every((line) => /needs|test\/|asks for/.test(line))).toBe(true);
  });
});

describe('every search of a page is one that our commands take', { timeout: 60_000 }, () => {
  const searches = PAGES.flatMap((page) =>
    blocksOf(page)
      .filter(({ language }) => language === 'spl')
      .flatMap(({ line, lines }) =>
        splCallsOf(lines.join('\n')).map((call) => [`${page}:${line} | ${call.name} ${call.args.join(' ')}`, call] as const),
      ),
  );

  it.each(searches)('%s', async (_name, { name, args, after }) => {
    const fields = args.filter((arg) => !arg.includes('='));
    const isStreaming = name === 'ismalicious' || name === 'ismaliciousextract';
    const row = Object.fromEntries((fields.length > 0 ? fields : ['_raw']).map((field) => [field, ['198.51.100.7']]));
    const env = { PATH: process.env.PATH, ISMALICIOUS_STATE_DIR: newStateFolder() };
    const [reply = {}] = await runSearchCommand(PROGRAMS[name] ?? '', args, isStreaming ? [row] : [], env);
    ran++;
    if (!isStreaming || args.includes('mode=plan')) return;
    const wanted = name === 'ismalicious' ? [...new Set(after.match(/\bim_[a-z_]+\b/g))] : ['im_extracted'];
    expect(wanted.filter((field) => !(field in reply))).toEqual([]);
  });

  it('there are some', () => expect(searches.length).toBeGreaterThan(10));
});

describe('what a page says in passing', () => {
  const synopses = new Map(COMMANDS.map(({ synopsis }) => [synopsis.name, synopsis]));
  const calls = PAGES.flatMap((page) => {
    const texts = [
      ...[
        ...readPage(page)
          .replaceAll(/^```[\s\S]*?^```/gm, '')
          .matchAll(/`([^`\n]+)`/g),
      ].map(([, text = '']) => text),
      ...blocksOf(page).flatMap(commandsOf),
    ];
    return texts.flatMap((text) =>
      [...text.matchAll(/(?:^|[\s(/])ismalicious ([a-z]+)\b([^|#;)]*)/g)]
        .filter(([, name = '']) => !text.includes('| ismalicious') || synopses.has(name))
        .map(([, name = '', rest = '']) => [page, name, rest.trim()] as const),
    );
  }).filter(([, , rest]) => !rest.startsWith('url'));

  it.each(calls)('%s: ismalicious %s %s: the command, its action and its options exist', (_page, name, rest) => {
    if (['help', 'version', 'dest_ip', 'src'].includes(name)) return;
    const synopsis = synopses.get(name);
    expect(synopsis, name).toBeDefined();
    const options = new Set(['help', 'no-color', ...Object.keys(synopsis?.options ?? {})]);
    for (const [, option = ''] of rest.matchAll(/(?:^|\s)--([a-z-]+)/g)) expect([...options]).toContain(option);
    const [action] = rest.split(/[\s,]/);
    if (synopsis?.actions && action && /^[a-z]+$/.test(action)) expect(Object.keys(synopsis.actions)).toContain(action);
  });
});
