import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { extractFromText } from '../../src/extract/extract.ts';
import { defang, defangForReading } from '../../src/model/defang.ts';
import type { Indicator } from '../../src/model/indicator.ts';
import { parseIndicator } from '../../src/model/parse-indicator.ts';
import { projectRoot } from '../support/fixtures.ts';

describe('defanging', () => {
  it.each<[Indicator, string]>([
    [{ type: 'ipv4-addr', value: '8.8.8.8' }, '8[.]8[.]8[.]8'],
    [{ type: 'ipv6-addr', value: '2a00::1' }, '2a00[:][:]1'],
    [{ type: 'domain-name', value: 'www.evil.com' }, 'www[.]evil[.]com'],
    [{ type: 'email-addr', value: 'a.b@evil.com' }, 'a.b[@]evil[.]com'],
    [{ type: 'url', value: 'https://evil.com:8080/a.b?c=d.e' }, 'hxxps[:]//evil[.]com:8080/a.b?c=d.e'],
    [{ type: 'url', value: 'http://[2a00::1]/a' }, 'hxxp[:]//[2a00::1]/a'],
    [{ type: 'url', value: 'tcp://evil.com:4444/' }, 'tcp[:]//evil[.]com:4444/'],
    [{ type: 'file:md5', value: 'd41d8cd98f00b204e9800998ecf8427e' }, 'd41d8cd98f00b204e9800998ecf8427e'],
  ])('%j', (indicator, text) => expect(defang(indicator)).toBe(text));

  it('is undone by reading, for every indicator of the labelled texts', () => {
    const texts = readFileSync(join(projectRoot, 'test/fixtures/extract/cases.jsonl'), 'utf8');
    const found = extractFromText(texts, { isUnique: true });
    expect(found.length).toBeGreaterThan(300);
    for (const { type, value } of found) {
      const parsed = parseIndicator(defang({ type, value }));
      expect(parsed.kind === 'invalid' ? parsed.reason : parsed.indicator).toEqual({ type, value });
    }
  });
});

it.each([
  ['198.51.100.7', '198[.]51[.]100[.]7'],
  ['http://a.example/b.c?d=e.f', 'hxxp://a[.]example/b.c?d=e.f'],
  ['https://a.example', 'hxxps://a[.]example'],
  ['x@a.example', 'x[@]a[.]example'],
])('%s is shown as %s', (value, shown) => {
  expect(defangForReading(value)).toBe(shown);
});
