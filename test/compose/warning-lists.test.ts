import { mkdirSync, mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { openLocalLists } from '../../src/compose/lists/local-lists.ts';
import { openEngine } from '../../src/compose/open-engine.ts';
import { openWarningLists } from '../../src/compose/infrastructure/warning-lists.ts';
import { parseIndicator } from '../../src/model/parse-indicator.ts';
import { buildSubstringFinder } from '../../src/model/tables/substring-finder.ts';
import { parseWarningList } from '../../src/providers/local/warning-list.ts';
import { startFourProviders } from '../support/four-providers.ts';

const folder = mkdtempSync(join(tmpdir(), 'ismalicious-warnings-'));
function write(name: string, list: object): string {
  mkdirSync(join(folder, name), { recursive: true });
  const path = join(folder, name, 'list.json');
  writeFileSync(path, JSON.stringify({ description: 'made up', version: 1, ...list }));
  return path;
}

function indicatorOf(value: string) {
  const parsed = parseIndicator(value);
  if (parsed.kind === 'invalid') throw new Error(parsed.reason);
  return parsed.indicator;
}

const cloud = write('cloud', {
  name: 'List of known cloud ranges',
  type: 'cidr',
  list: ['11.0.0.0/8', '2a00:1450::/32', '12.1.2.3'],
  matching_attributes: ['ip-src', 'ip-dst', 'domain|ip'],
});
const top = write('top', {
  name: 'Top sites',
  type: 'hostname',
  list: ['popular.example.com', 'famous.org'],
  matching_attributes: ['domain', 'hostname', 'url'],
});
const exact = write('exact', {
  name: 'Exact names',
  type: 'string',
  list: ['one.example.net', '.zone.example.net', 'd41d8cd98f00b204e9800998ecf8427e'],
});
const mail = write('mail', {
  name: 'Throw-away mail',
  type: 'substring',
  list: ['0-mail.com', 'mailinator'],
  matching_attributes: ['email-src'],
});
const contact = write('contact', {
  name: 'Common contacts',
  type: 'regex',
  list: ['/^(security|noc|soc|abuse)\\@.*\\..*$/i', '/(a+)+$/', '/[/'],
  matching_attributes: ['email-dst'],
});

describe('what is on a warning list gets its name as an attribute, and no verdict', () => {
  const lists = openWarningLists([cloud, top, exact, mail, contact], []);
  it.each([
    ['11.2.3.4', ['warning-list:cloud-ranges']],
    ['2a00:1450:4001::1', ['warning-list:cloud-ranges']],
    ['12.1.2.3', ['warning-list:cloud-ranges']],
    ['12.1.2.4', null],
    ['popular.example.com', ['warning-list:top-sites']],
    ['www.popular.example.com', ['warning-list:top-sites']],
    ['unpopular.example.com', null],
    ['https://www.famous.org/x?y', ['warning-list:top-sites']],
    ['jane@famous.org', null],
    ['one.example.net', ['warning-list:exact-names']],
    ['sub.one.example.net', null],
    ['sub.zone.example.net', ['warning-list:exact-names']],
    ['d41d8cd98f00b204e9800998ecf8427e', ['warning-list:exact-names']],
    ['jane@eu.0-mail.com', ['warning-list:throw-away-mail']],
    ['jane@MAILINATOR.example.net', ['warning-list:throw-away-mail']],
    ['mailinator.com', null],
    ['Abuse@provider.net', ['warning-list:common-contacts']],
  ])('%s: %j', (value, attributes) => {
    const verdict = lists.lookup(indicatorOf(value));
    expect(verdict?.attributes ?? null).toEqual(attributes);
    if (verdict) expect(verdict).toMatchObject({ provider: 'local', verdict: 'unknown', score: null });
  });

  it('expressions that could take very long are told and not used', () => {
    const faults = lists.stats().flatMap((list) => list.faults);
    expect(faults).toEqual([expect.stringMatching(/\(a\+\)\+.*very long/), expect.stringMatching(/Invalid regular expression/)]);
  });

  it('a folder of lists is read whole; what is no list is told', () => {
    writeFileSync(join(folder, 'junk.json'), '{"weather":"fine"}');
    const all = openWarningLists([folder, join(folder, 'missing')], []);
    expect(all.stats().filter(({ entries }) => entries > 0)).toHaveLength(5);
    expect(all.stats().flatMap((list) => list.faults)).toEqual(
      expect.arrayContaining([
        expect.stringMatching(/junk\.json: is not a warning list/),
        expect.stringMatching(/missing: cannot be read \(ENOENT\)/),
      ]),
    );
  });
});

describe('lists of false positives cap what others say', () => {
  const one = (value: string) => indicatorOf(value);
  it('a value on one is allow-listed; the host of a URL is not enough for that', () => {
    const lists = openWarningLists([cloud], [top]);
    expect(lists.lookup(one('famous.org'))?.attributes).toEqual(['warning-list:top-sites', 'allowlist']);
    expect(lists.lookup(one('https://famous.org/bad.exe'))?.attributes).toEqual(['warning-list:top-sites']);
    expect(lists.lookup(one('11.2.3.4'))?.attributes).toEqual(['warning-list:cloud-ranges']);
  });

  it('a list that says so of itself does as well', () => {
    const own = { name: 'Resolvers', type: 'string', list: ['11.0.0.1'], category: 'False positive' };
    expect(parseWarningList(JSON.stringify(own))?.isFalsePositive).toBe(true);
    expect(openWarningLists([write('resolvers', own)], []).lookup(one('11.0.0.1'))?.attributes).toContain('allowlist');
  });

  it('the answer keeps every word, and its score stays below what pages people', async () => {
    await using four = await startFourProviders();
    const { engine } = await openEngine({ env: four.env({ ISMALICIOUS_LOCAL_FALSE_POSITIVE_LISTS: cloud }) });
    const found = (await engine.enrichMany(['11.0.0.1'], { timeoutMs: 4000 })).get('11.0.0.1')!;
    expect(found.answer).toMatchObject({ score: 59, verdict: 'malicious', tier: 'watch', autoResolve: false });
    expect(found.answer.attributes).toEqual(expect.arrayContaining(['allowlist', 'warning-list:cloud-ranges']));
    await engine.close();
  });

  it('an own list that accuses keeps its word, and shows the warning', () => {
    const csv = join(folder, 'own.csv');
    writeFileSync(csv, 'value,verdict,score,owner,reason\n11.5.5.5,malicious,90,jane,seen in a case\n');
    const source = openLocalLists({ lists: [csv], allowLists: [csv], warningLists: [cloud], sample: null, watches: false });
    expect(source.lookup(one('11.5.5.5'))).toMatchObject({
      verdict: 'malicious',
      score: 90,
      attributes: ['list:own.csv', 'warning-list:cloud-ranges'],
    });
    expect(source.allowance(one('11.5.5.5'))).toBe('11.5.5.5 (seen in a case, by jane)');
  });
});

it('the substring finder finds what includes() finds', () => {
  const text = fc.string({ unit: fc.constantFrom('a', 'b', 'c', '.', '-'), minLength: 1, maxLength: 5 });
  fc.assert(
    fc.property(
      fc.array(text, { minLength: 1, maxLength: 12 }),
      fc.string({ unit: fc.constantFrom('a', 'b', 'c', '.', '-', ' ') }),
      (texts, value) => {
        const { finder, refused } = buildSubstringFinder(texts.map((one, entry) => ({ text: one, entry })));
        expect(refused).toEqual([]);
        const at = finder.find(value);
        if (at === -1) for (const one of texts) expect(value.includes(one)).toBe(false);
        else expect(value.includes(texts[at]!)).toBe(true);
      },
    ),
  );
});
