import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { extractFromText } from '../../src/extract/extract.ts';
import { projectRoot } from '../support/fixtures.ts';

interface Case {
  readonly id: string;
  readonly text: string;
  /** `type value`, without the hosts of URLs and e-mail addresses. */
  readonly expect: readonly string[];
}

const cases = readFileSync(join(projectRoot, 'test/fixtures/extract/cases.jsonl'), 'utf8')
  .trim()
  .split('\n')
  .map((line) => JSON.parse(line) as Case);

describe('labelled texts', () => {
  it.each(cases.map((each) => [each.id, each] as const))('%s', (_, { text, expect: expected }) => {
    const found = extractFromText(text, { withHosts: false });
    expect(found.map(({ type, value }) => `${type} ${value}`)).toEqual(expected);
    for (const { original, offset } of found) expect(text.slice(offset, offset + original.length)).toBe(original);
  });
});

describe('a URL whose scheme and port are defanged', () => {
  it.each([
    ['https[s]://evil[.]com[:]8443/a', 'https://evil.com:8443/a'],
    ['fxp[:]//evil[.]com(:)2121/a', 'ftp://evil.com:2121/a'],
    ['FXPS:\\\\evil.com', 'ftps://evil.com/'],
    ['ftp：／／ evil.com/a', 'ftp://evil.com/a'],
    ['hxxp[://]203.0.113.5[:]80/x', 'http://203.0.113.5/x'],
    ['hxxp__evil[.]com[:]81/a', 'http://evil.com:81/a'],
  ])('%s is %s', (text, url) => {
    expect(extractFromText(text, { withHosts: false }).map(({ type, value }) => `${type} ${value}`)).toEqual([`url ${url}`]);
  });
});

describe('an e-mail address whose local part has signs in it', () => {
  it.each([
    ["o'brien@evil.ie", "o'brien@evil.ie"],
    ['Bounce+abc=corp.org@mailer.evil.com', 'bounce+abc=corp.org@mailer.evil.com'],
    ['John[.]Doe[@]evil[.]com', 'john.doe@evil.com'],
  ])('%s is %s', (text, address) => {
    expect(extractFromText(text, { withHosts: false }).map(({ type, value }) => `${type} ${value}`)).toEqual([`email-addr ${address}`]);
  });
});

describe('options', () => {
  const text = 'see hxxp://evil[.]com/a and http://evil.com/a, mail bob@bad.net or evil.com';
  it('gives the hosts of URLs and addresses as finds of their own, at their own place', () => {
    expect(extractFromText(text).map(({ type, value, offset }) => [type, value, offset])).toEqual([
      ['url', 'http://evil.com/a', 4],
      ['domain-name', 'evil.com', 11],
      ['url', 'http://evil.com/a', 28],
      ['domain-name', 'evil.com', 35],
      ['email-addr', 'bob@bad.net', 52],
      ['domain-name', 'bad.net', 56],
      ['domain-name', 'evil.com', 67],
    ]);
  });

  it('leaves them out when asked to', () => {
    expect(extractFromText(text, { withHosts: false }).map(({ value }) => value)).toEqual([
      'http://evil.com/a',
      'http://evil.com/a',
      'bob@bad.net',
      'evil.com',
    ]);
  });

  it('gives each value once, at its first place, when asked to', () => {
    expect(extractFromText(text, { isUnique: true }).map(({ value, offset }) => [value, offset])).toEqual([
      ['http://evil.com/a', 4],
      ['evil.com', 11],
      ['bob@bad.net', 52],
      ['bad.net', 56],
    ]);
  });
});

describe('one text after the other', () => {
  it('reads a file name as one, also when it stood in a defanged list before', () => {
    expect(extractFromText('qz-tool.rs。qz-bad[.]net').map(({ value }) => value)).toEqual(['qz-tool.rs', 'qz-bad.net']);
    expect(extractFromText('built from qz-tool.rs yesterday')).toEqual([]);
  });
});

describe('addresses in brackets', () => {
  it.each([
    ['http://[fe80::1%eth0]/x', ['http://[fe80::1]/x', 'fe80::1']],
    ['http://[fe80::1%eth0 and others]/x', ['fe80::1']],
    ['http://[fe80::1%a/b]/x', ['fe80::1']],
    ['ssh://root@[2001:db8::1]:2222/x', ['ssh://[2001:db8::1]:2222/x', '2001:db8::1']],
  ])('%s', (text, values) => {
    expect(extractFromText(text).map(({ value }) => value)).toEqual(values);
  });
});

describe('hostile texts', () => {
  const pieces = [
    '.', '[.', '[.]', ' [', '(', 'a[.]', 'a.', 'a@', '@', '@a', ':', '::', '1:', 'f:', '1.', '1.1.1.1', '1.1.1.1-', '/', '//', '://', 'http://', 'http:', 'hxxp', 'http://a', 'http://a.com/', 'http://[', 'http://a.com/(', 'http://a@',
    'http://a.com/,', 'http://a.com/a;', '&', '&#46;', '&lt;', '\\', '\\n', '\\/', '%', '%20', ' at a', 'a at b dot ', 'cve-', 'CVE-2024-', 'a-', '_', '。', 'あ', 'あ.', '😀', '\u200b', 'é', 'deadbeef', '0', '\0', 'a ', 'com.', 'A.b', 'a:b@', '=a@', '"', '<', "'",
  ]; // prettier-ignore
  it.each(pieces.map((piece) => [piece]))('are read in linear time: %j', (piece) => {
    // Quadratic reading of 150,000 characters runs into the time limit of the test.
    for (const end of ['', 'evil.com', '@evil.com', '://evil.com/a']) {
      const found = extractFromText(piece.repeat(Math.ceil(150_000 / piece.length)) + end);
      expect(found.length).toBeLessThan(150_000);
    }
  }, 15_000); // prettier-ignore

  it.each([['From 192.0.2.1\n'], ['+http://a.com/'], ['http%3A%2F%2F']])('are read in linear time, where each step is a short one: %j', (piece) => {
    expect(extractFromText(piece.repeat(Math.ceil(1_000_000 / piece.length))).length).toBeLessThan(200_000);
  }, 15_000); // prettier-ignore
});
