import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { openEngine } from '../../src/compose/open-engine.ts';
import { openLocalLists } from '../../src/compose/lists/local-lists.ts';
import { parseIndicator } from '../../src/model/parse-indicator.ts';
import { parseList } from '../../src/providers/local/local-list.ts';

const folder = mkdtempSync(join(tmpdir(), 'ismalicious-lists-'));
function write(name: string, text: string): string {
  const path = join(folder, name);
  writeFileSync(path, text);
  return path;
}

const CSV = `value,type,verdict,score,confidence,categories,note
198.18.5.5,ipv4-addr,suspicious,45,70,scanner;bruteforce,"seen, twice"
203.0.113.0/28,,malicious,,,botnet,whole net
*.bad-zone.example,domain-name,malicious,95,,phishing,
exact.example,,malicious,,,,
good.example,,clean,0,99,,ours
`;

function indicatorOf(value: string) {
  const parsed = parseIndicator(value);
  if (parsed.kind === 'invalid') throw new Error(parsed.reason);
  return parsed.indicator;
}

describe('own lists', () => {
  const source = openLocalLists({
    lists: [write('own.csv', CSV)],
    allowLists: [write('allow.txt', '81.2.69.0/24 # VPN pool\nupdates.example.org\n')],
    sample: null,
    watches: false,
  });

  it.each([
    ['198.18.5.5', 'suspicious', 45, ['scanner', 'bruteforce']],
    ['203.0.113.9', 'malicious', 90, ['botnet']],
    ['a.b.bad-zone.example', 'malicious', 95, ['phishing']],
    ['exact.example', 'malicious', 90, []],
    ['http://exact.example/login', 'malicious', 90, []],
    ['good.example', 'clean', 0, []],
  ])('%s is %s with score %i', (value, verdict, score, categories) => {
    expect(source.lookup(indicatorOf(value))).toMatchObject({ provider: 'local', verdict, score, categories });
  });

  it.each(['198.18.5.6', '203.0.113.16', 'sub.exact.example', 'http://good.example/login', 'sub.good.example'])(
    '%s is not listed',
    (value) => {
      expect(source.lookup(indicatorOf(value))).toBeNull();
    },
  );

  it('what is on an allow list is told with its owner', () => {
    expect(source.allowance(indicatorOf('81.2.69.7'))).toContain('81.2.69.0/24');
    expect(source.allowance(indicatorOf('updates.example.org'))).not.toBeNull();
    expect(source.allowance(indicatorOf('www.example.org'))).toBeNull();
  });

  it('infrastructure is an attribute, not a verdict', () => {
    expect(source.lookup(indicatorOf('8.8.8.8'))).toMatchObject({ verdict: 'unknown', score: null, attributes: ['public-dns'] });
  });
});

describe('a list that is wrong in places', () => {
  it('gives what can be read and tells the rest with its place', () => {
    const { entries, faults } = parseList('x.csv', 'value,verdict,score\n1.2.3.4,bad,\n5.6.7.8,malicious,900\n9.9.9.9,malicious,80\n');
    expect(entries.map(({ value }) => value)).toEqual(['9.9.9.9']);
    expect(faults).toHaveLength(2);
    expect(faults[0]).toContain('x.csv, entry 1');
  });

  it('loses the line with a stray quote and no other, and tells it', () => {
    const { entries, faults } = parseList('x.csv', 'value,note\n1.2.3.4,a\n5.6.7.8,"stray\n9.9.9.9,"c, and\nd"\n');
    expect(entries.map(({ value, note }) => [value, note])).toEqual([
      ['1.2.3.4', 'a'],
      ['9.9.9.9', 'c, and\nd'],
    ]);
    expect(faults).toEqual([expect.stringContaining('5.6.7.8,"stray')]);
  });

  it.each([
    ['notes and networks', '; DROP\n203.0.112.0/20 ; SBL434604\n', '203.0.114.7'],
    ['a hosts file', '0.0.0.0 evil.example other.example\n', 'other.example'],
    ['labels', `MD5=${'ab'.repeat(16)}\n`, 'ab'.repeat(16)],
    ['a cell with several values', 'ip,note\n"198.18.0.1; 198.18.0.2",x\n', '198.18.0.2'],
    ['UTF-16', Buffer.from('\uFEFFip,note\r\n198.18.0.3,x\r\n', 'utf16le'), '198.18.0.3'],
  ])('with %s is read', (_name, text, value) => {
    const path = join(folder, 'form.txt');
    writeFileSync(path, text);
    const source = openLocalLists({ lists: [path], allowLists: [], sample: null, watches: false });
    expect(source.lookup(indicatorOf(value))).toMatchObject({ verdict: 'malicious' });
    expect(source.stats().lists.at(-1)?.faults).toEqual([]);
  });

  it('that is missing is a warning, not an end', async () => {
    const { engine, warnings } = await openEngine({
      env: { ISMALICIOUS_STATE_DIR: folder, ISMALICIOUS_LOCAL_LISTS: join(folder, 'nowhere.csv') },
    });
    expect(warnings).toEqual([expect.stringContaining('nowhere.csv')]);
    expect((await engine.enrichMany(['198.51.100.7'])).get('198.51.100.7')?.answer.status).toBe('ok');
    await engine.close();
  });
});

describe('a STIX 2.1 bundle', () => {
  const bundle = (objects: readonly object[]) => JSON.stringify({ type: 'bundle', id: 'bundle--1', objects });
  const indicator = (pattern: string, more: object = {}) => ({
    type: 'indicator',
    id: 'indicator--1',
    pattern,
    pattern_type: 'stix',
    ...more,
  });

  it.each([
    ["[ipv4-addr:value = '198.18.0.1']", ['198.18.0.1']],
    ["[domain-name:value = 'evil.example'] OR [url:value = 'http://evil.example/a\\'b']", ['evil.example', "http://evil.example/a'b"]],
    ["[file:hashes.'SHA-256' = 'ab' OR file:hashes.MD5 = 'cd']", ['ab', 'cd']],
  ])('%s', (pattern, values) => {
    expect(parseList('b.json', bundle([indicator(pattern)])).entries.map(({ value }) => value)).toEqual(values);
  });

  it('leaves revoked ones out and tells patterns that cannot be looked up', () => {
    const { entries, faults } = parseList(
      'b.json',
      bundle([
        indicator("[ipv4-addr:value = '1.1.1.1']", { revoked: true }),
        indicator("[ipv4-addr:value = '1.1.1.1' AND ipv4-addr:value = '2.2.2.2']"),
        { type: 'malware' },
      ]),
    );
    expect(entries).toEqual([]);
    expect(faults).toHaveLength(1);
  });

  it('takes what a pattern names, tells the rest, and minds nothing that stands around it in another type', () => {
    const around = { pattern_type: null, confidence: '85', labels: 'c2', revoked: 'no', id: 7 };
    const text = bundle([indicator("[ipv4-addr:value = '1.1.1.1' OR mutex:name = 'x']", around)]);
    const { entries, faults } = parseList('b.json', text);
    expect(entries.map(({ value }) => value)).toEqual(['1.1.1.1']);
    expect(faults).toEqual([expect.stringContaining('mutex:name names no indicator')]);
  });
});

it('an address is found by the network that a list names, the smallest one first', () => {
  const lists = openLocalLists({
    lists: [],
    allowLists: [],
    sample: 'value,verdict\n203.0.112.0/20,suspicious\n203.0.114.0/24,malicious\n',
    watches: false,
  });
  const wordFor = (value: string) => lists.lookup({ type: 'ipv4-addr', value })?.verdict;
  expect([wordFor('203.0.114.7'), wordFor('203.0.112.1'), wordFor('203.0.128.1')]).toEqual(['malicious', 'suspicious', undefined]);
  lists.close();
});

it('a list that changes changes the answers, without a restart', async () => {
  const path = write('watched.txt', '198.18.7.1\n');
  const { engine } = await openEngine({ env: { ISMALICIOUS_STATE_DIR: folder, ISMALICIOUS_LOCAL_LISTS: path }, stays: true });
  expect((await engine.enrichMany(['198.18.7.1', '198.18.7.2'])).get('198.18.7.2')?.answer.verdict).toBe('unknown');
  writeFileSync(path, '198.18.7.2\n198.18.7.3\n');
  await expect.poll(() => engine.peek('198.18.7.2')?.answer.verdict, { timeout: 10_000 }).toBe('malicious');
  expect(engine.peek('198.18.7.1')?.answer.verdict).toBe('unknown');
  await engine.close();
});

it('the sample feed answers while nobody has a key, always marked as sample', async () => {
  const { engine } = await openEngine({ env: { ISMALICIOUS_STATE_DIR: folder } });
  const found = (await engine.enrichMany(['198.51.100.7'])).get('198.51.100.7')!;
  expect(found).toMatchObject({ source: 'local', answer: { verdict: 'malicious', status: 'ok' } });
  expect(found.answer.attributes).toContain('sample');
  await engine.close();
});
