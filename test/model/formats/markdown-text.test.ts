import { describe, expect, it } from 'vitest';
import { markdownText, shortMarkdownText } from '../../../src/model/formats/markdown-text.ts';

it.each([
  ['botnet, c2 & more', 'botnet, c2 & more'],
  ['[free](https://evil.example/)', '\\[free\\]\\(https://evil.example/\\)'],
  ['![x](https://evil.example/t.png)', '\\!\\[x\\]\\(https://evil.example/t.png\\)'],
  ['**bold** _i_ ~~s~~ `c`', '\\*\\*bold\\*\\* \\_i\\_ \\~\\~s\\~\\~ \\`c\\`'],
  ['<a href="x">y</a>', '\\<a href="x"\\>y\\</a\\>'],
  ['\\[x](y)', '\\\\\\[x\\]\\(y\\)'],
  ['- item', '\\- item'],
  ['  + item', '  \\+ item'],
  ['1. item', '1\\. item'],
  ['2) item', '2\\) item'],
  ['# head', '\\# head'],
  ['2026-11-30', '2026-11-30'],
  ['1.2.3.4', '1\\.2.3.4'],
])('%j becomes %j', (text, inert) => {
  expect(markdownText(text)).toBe(inert);
});

describe('a short text', () => {
  it('is never cut inside an escape', () => {
    for (let most = 0; most < 12; most += 1) {
      const cut = shortMarkdownText('a[b]\\(c', most);
      expect(cut.length).toBeLessThanOrEqual(most);
      expect((/\\*$/.exec(cut)?.[0].length ?? 0) % 2).toBe(0);
    }
  });
});
