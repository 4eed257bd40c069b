import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { projectRoot } from '../support/fixtures.ts';

/** Words that are not the field's, or that readers of English as a second language stumble over; with what to write instead. */
const UNPLAIN: readonly (readonly [RegExp, string])[] = [
  [/\bthe house\b/i, 'local, internal, "never sent"'],
  [/\bmend(s|ed|ing)?\b/i, 'fix, correct'],
  [/\btold\b/i, 'reported, shown, sent'],
  // `nobody` is a user of Splunk.
  [/(?<![`/']|owner: |not as )\bnobody\b(?![`/'])/i, 'no provider, no source, not known'],
  [/\bsomebody\b/i, 'an analyst, another program, "needs a review"'],
  [/\bwhoever\b/i, 'anyone who, the user who'],
  [/(?<!\b[Tt]here )\b(is|are) no (?!longer\b|more\b|later\b)/, 'is not a, are not'],
  [/\btally\b/i, 'counts, summary'],
  [/\bworkshop\b/i, 'what the build needs'],
  [/\bpremises\b/i, 'what it depends on'],
  [/\banew\b/i, 'again'],
  [/\bnot spoken\b/i, 'not supported'],
  [/\bmakes? up for\b|\bmade up for\b/i, 'looks up again'],
  [/\bthe last word\b/i, 'decides'],
  [/\btakes? .{0,12}of the doubt away\b/i, 'reduces the uncertainty'],
];

/** The lines of a text with what is wrong in them. */
function faultsIn(name: string, text: string): string[] {
  return text
    .split('\n')
    .flatMap((line, n) =>
      UNPLAIN.flatMap(([word, instead]) =>
        word.test(line) ? [`${name}:${n + 1}: "${word.exec(line)?.[0]}": write ${instead}: ${line.trim().slice(0, 120)}`] : [],
      ),
    );
}

const files = (pattern: string) => globSync(pattern, { cwd: projectRoot }).sort();
const read = (path: string) => readFileSync(join(projectRoot, path), 'utf8');

/** The texts of a page, between its tags. */
function textsOfPage(source: string): string {
  const code = source.replaceAll(/\/\*[\s\S]*?\*\//g, '').replaceAll(/(^|\s)\/\/.*$/gm, '$1');
  return [...code.matchAll(/[>}]([^<>{}=;]*\s[^<>{}=;]*)[<{]/g)].map(([, text = '']) => text.replaceAll(/\s+/g, ' ')).join('\n');
}

/** Texts in quotes, one a line; comments and what is computed are left out. */
function textsOf(source: string): string {
  const code = source.replaceAll(/\/\*[\s\S]*?\*\//g, (comment) => comment.replaceAll(/[^\n]/g, ' ')).replaceAll(/(^|\s)\/\/.*$/gm, '$1');
  const texts = code.match(/'(?:[^'\\\n]|\\.)*'|"(?:[^"\\\n]|\\.)*"|`(?:[^`\\]|\\.)*`/g) ?? [];
  // One word is a name, a value or an import.
  return texts
    .map((text) => text.replaceAll(/\$\{(?:[^{}]|\{[^{}]*\})*(?:\}|$)/g, '…').replaceAll('\n', ' '))
    .filter((text) => /\S\s+\S/.test(text.slice(1, -1)))
    .join('\n');
}

describe('plain words', () => {
  it.each(['README.md', 'SECURITY.md', 'CONTRIBUTING.md', ...files('docs/*.md')])('%s', (path) => {
    expect(faultsIn(path, read(path))).toEqual([]);
  });

  it('in what the programs say: messages, help, settings, metrics, the HTTP description', () => {
    expect(
      [...files('src/**/*.ts'), ...files('splunk-ui/setup/**/*.{ts,mts,tsx}')].flatMap((path) => faultsIn(path, textsOf(read(path)))),
    ).toEqual([]);
  });

  it('on the pages of the console', () => {
    const pages = files('src/console/**/*.tsx');
    expect(pages.length).toBeGreaterThan(10);
    expect(pages.flatMap((path) => faultsIn(path, `${textsOf(read(path))}\n${textsOfPage(read(path))}`))).toEqual([]);
    expect(textsOfPage('<p>\n  Nobody knows {count} of it.\n</p>')).toContain('Nobody knows');
  });

  it.each([
    [
      'the Splunk app',
      ['splunk-app/README/*', 'splunk-app/default/*.conf', 'splunk-app/default/data/ui/**/*.xml', 'splunk-app/lookups/*.csv'],
    ],
    ['the Logstash pipelines', ['logstash/**/*.{conf,yml,snippet}']],
    ['the Elastic assets', ['elastic/**/*.json', 'elastic/**/*.ndjson']],
  ])('in %s', (_what, patterns) => {
    const found = patterns.flatMap(files);
    expect(found).not.toEqual([]);
    expect(found.flatMap((path) => faultsIn(path, read(path)))).toEqual([]);
  });

  it('a text in quotes is looked at, a comment is not', () => {
    const source = "// somebody's comment\n/** nobody */\nconst a = 'is told so';\nconst b = `count ${tally} of it`;\n";
    expect(faultsIn('x', textsOf(source))).toEqual(['x:1: "told": write reported, shown, sent: \'is told so\'']);
  });
});
