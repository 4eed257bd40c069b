import { describe, expect, it } from 'vitest';
import { FORMATS } from '../../src/console/exports/formats.ts';
import type { Row } from '../../src/console/look-up/rank.ts';
import { parseIndicator } from '../../src/model/parse-indicator.ts';

function rowOf(value: string, type: string | null, said: string): Row {
  const provider = {
    provider: said,
    status: 'ok',
    score: 90,
    confidence: 80,
    categories: [said],
    sightings: null,
    first_seen: '2026-01-02T00:00:00Z',
    last_seen: null,
    reference: null,
    contribution: 90,
  };
  const answer = {
    indicator: value,
    type,
    verdict: 'malicious',
    status: 'ok',
    score: 90,
    confidence: 80,
    categories: [said],
    attributes: [],
    tier: 'p1',
    auto_resolve: false,
    source: 'live',
    checked_at: '2026-11-30T00:00:00Z',
    expires_at: null,
    message: said,
    providers: [provider],
  };
  return { value, type, original: value, places: 1, within: null, answer };
}

const render = (id: string, rows: readonly Row[]) => FORMATS.find((format) => format.id === id)!.render(rows);
const ROWS = [
  rowOf('9.9.9.9', 'ipv4-addr', 'c2'),
  rowOf('2001:db8::1', 'ipv6-addr', 'c2'),
  rowOf('evil.com', 'domain-name', 'c2'),
  rowOf('http://evil.com/a"b', 'url', 'c2'),
  rowOf('a'.repeat(64), 'file:sha256', 'c2'),
  rowOf('CVE-2024-1', 'cve', 'c2'),
  rowOf('x@evil.com', 'email-addr', 'c2'),
];

describe('what is taken along', () => {
  it('a defanged list reads back as the same values', () => {
    const values = render('list', ROWS)
      .trim()
      .split('\n')
      .map((line) => {
        const parsed = parseIndicator(line);
        return parsed.kind === 'invalid' ? line : parsed.indicator.value;
      });
    expect(values.slice(0, 3)).toEqual(['9.9.9.9', '2001:db8::1', 'evil.com']);
    expect(render('list', ROWS)).not.toMatch(/https?:|evil\.com$/m);
  });

  it.each([
    ['spl', /^index=\* earliest=-7d \("9\.9\.9\.9" OR .*"http:\/\/evil\.com\/a\\"b"/],
    [
      'kql',
      /source\.ip: \("9\.9\.9\.9" or "2001:db8::1"\).*dns\.question\.name: \("evil\.com"\).*file\.hash\.sha256: \("a{64}"\).*vulnerability\.id: \("CVE-2024-1"\)/,
    ],
    ['esql', /^FROM logs-\*\n\| WHERE .*\n\| WHERE CIDR_MATCH\(source\.ip, "9\.9\.9\.9\/32", "2001:db8::1\/128"\)/],
  ])('a search in %s finds each value in its fields, quotes escaped', (id, pattern) => expect(render(id, ROWS)).toMatch(pattern));

  it.each(['spl', 'kql', 'esql'])('nothing to search for gives no search in %s, which would find everything', (id) => {
    expect(render(id, [])).toBe('');
    expect(render(id, [rowOf('not one', null, 'x')])).toBe('');
  });

  it.each(['=cmd|x', '+1+1', '@SUM(A1)', '-2+3', '\t=1'])('in CSV %j is guarded, so that no spreadsheet runs it', (said) => {
    const [, line = ''] = render('csv', [rowOf('9.9.9.9', 'ipv4-addr', said)]).split('\r\n');
    expect(line).toContain(`'${said}`);
  });
  it('CSV quotes what holds commas, quotes and line breaks', () => {
    expect(render('csv', [rowOf('9.9.9.9', 'ipv4-addr', 'a,"b"\nc')])).toContain('"a,""b""\nc"');
  });

  it.each([
    ['[x](javascript:alert(1))', '\\[x\\](javascript:alert(1))'],
    ['a|b', 'a\\|b'],
    ['<img src=x>', '&#60;img src=x>'],
    ['@everyone', '&#64;everyone'],
    ['see #12', 'see \\#12'],
    ['https://evil.test', 'https&#58;//evil.test'],
    ['www.evil.test', 'www&#46;evil.test'],
    ['two\nlines', 'two lines'],
    ['`x`', '\\`x\\`'],
  ])('in Markdown %j is a text', (said, written) => {
    expect(render('markdown', [rowOf('9.9.9.9', 'ipv4-addr', said)])).toContain(`| ${written}, ${written} | ${written} +90 |`);
  });

  it('STIX holds indicators with their patterns, and nothing that stays here', () => {
    const hidden = rowOf('10.0.0.5', 'ipv4-addr', 'x');
    const rows = [...ROWS, { ...hidden, answer: { ...hidden.answer!, status: 'skipped_private' } }, rowOf('junk', null, 'x')];
    const { objects } = JSON.parse(render('stix', rows)) as { objects: { type: string; pattern?: string; valid_from?: string }[] };
    expect(objects.map(({ type }) => type)).toEqual([
      'identity',
      ...Array.from({ length: 5 }, () => 'indicator'),
      'vulnerability',
      'indicator',
    ]);
    expect(objects[1]).toMatchObject({ pattern: "[ipv4-addr:value = '9.9.9.9']", valid_from: '2026-01-02T00:00:00.000Z' });
  });
});
