import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { readCsvRows, RFC_4180 } from '../../src/model/formats/csv-rows.ts';
import { INDICATOR_TYPES } from '../../src/model/indicator.ts';
import { parseIndicator } from '../../src/model/parse-indicator.ts';
import { parseList } from '../../src/providers/local/local-list.ts';
import { SAMPLE_FEED } from '../../src/providers/local/sample-feed.ts';
import { OBSERVABLE_FIELDS } from '../../scripts/generate/sample-event.ts';
import { projectRoot } from '../support/fixtures.ts';

function read(name: string): string {
  return readFileSync(join(projectRoot, 'samples', name), 'utf8');
}

const lines = read('events.ndjson').trimEnd().split('\n');
const [header = [], ...rows] = readCsvRows(read('events.csv'), RFC_4180).rows;
const observables = rows.flatMap((row) =>
  OBSERVABLE_FIELDS.flatMap((field) => (row[header.indexOf(field)] ?? '').split('\n').filter((value) => value !== '')),
);

describe('the sample feed', () => {
  const { entries, faults } = parseList('sample', SAMPLE_FEED, ['sample']);

  it('is read without a fault, and every answer from it says sample', () => {
    expect(faults).toEqual([]);
    expect(entries.filter(({ verdict }) => !verdict.attributes.includes('sample'))).toEqual([]);
  });

  it('is what stands in samples/sample-feed.csv', () => {
    expect(SAMPLE_FEED).toBe(read('sample-feed.csv'));
  });

  it('has about 60 entries over all types, with each verdict', () => {
    const types = entries
      .map(({ value }) => parseIndicator(value))
      .map((parsed) => (parsed.kind === 'invalid' ? 'invalid' : parsed.indicator.type));
    expect(entries.length).toBeGreaterThanOrEqual(60);
    // No CVE id is set aside for examples: each is somebody's.
    expect([...new Set(types)].toSorted()).toEqual(INDICATOR_TYPES.filter((type) => type !== 'cve').toSorted());
    expect([...new Set(entries.map(({ verdict }) => verdict.verdict))].toSorted()).toEqual(['clean', 'malicious', 'suspicious']);
  });

  it('holds canonical values of nobody: documentation ranges, reserved names, made-up hashes', () => {
    for (const { value } of entries) {
      const parsed = parseIndicator(value);
      expect(parsed.kind !== 'invalid' && parsed.indicator.value).toBe(value);
      // What is not a hash never leaves the house.
      expect(`${value}: ${parsed.kind}`).toBe(/^[0-9a-f]{32,}$/.test(value) ? `${value}: public` : `${value}: private`);
    }
  });
});

describe('the sample events', () => {
  it('are the same ones for both hosts, at least 240', () => {
    expect(lines.length).toBeGreaterThanOrEqual(240);
    expect(rows).toHaveLength(lines.length);
  });

  it('are as many as the README says', () => {
    const readme = readFileSync(join(projectRoot, 'README.md'), 'utf8');
    expect([...readme.matchAll(/(\d+) (?:sample )?events\b/g)].map(([, count]) => Number(count))).toEqual([lines.length, lines.length]);
  });

  it('are JSON, some of it with numbers that a plain parse would change', () => {
    for (const line of lines) expect(() => JSON.parse(line) as unknown).not.toThrow();
    expect(lines.filter((line) => JSON.stringify(JSON.parse(line)) !== line).length).toBeGreaterThan(50);
  });

  it('name nobody: no observable may be sent out but made-up hashes', () => {
    const sendable = observables
      .map((value) => ({ value, parsed: parseIndicator(value) }))
      .filter(({ parsed }) => parsed.kind === 'public');
    expect(sendable.filter(({ value }) => !/^[0-9A-Fa-f]{32,}$/.test(value)).map(({ value }) => value)).toEqual([]);
  });

  it.each([
    ['several values in a field', (value: string) => value, () => rows.some((row) => row.some((cell) => cell.includes('\n')))],
    ['private addresses', /^(10|192\.168|172\.16|100\.64)\./],
    ['IPv6 in brackets with a port', /^\[2001:/],
    ['IPv4 inside IPv6', /^::ffff:/],
    ['defanged addresses', /\[\.\]\d+$/],
    ['defanged URLs', /^hxxp/],
    ['defanged mail', /\[at\]/],
    ['letters outside ASCII', /ü/],
    ['internal names', /\.(corp|lan|internal|arpa)$/],
    ['Logstash fields that were not there', /^%\{/],
    ['a dash for nothing', /^-$/],
    ['words', /^N\/A$/],
    ['refused spellings', /^0x7f/],
    ['hashes in capitals', /^(?=.*[A-F])[0-9A-F]{32,}$/],
  ] as const)('hold %s', (_, pattern, isThere = () => observables.some((value) => pattern instanceof RegExp && pattern.test(value))) => {
    expect(isThere()).toBe(true);
  });
});
