import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { extractFromText } from '../../src/extract/extract.ts';
import { parseIndicator } from '../../src/model/parse-indicator.ts';

const CASES = Number(process.env.ISMALICIOUS_PROPERTY_CASES ?? 60_000);
const SEED = Number(process.env.ISMALICIOUS_PROPERTY_SEED ?? 20_261_121);

type Random = (below: number) => number;

/** Small deterministic generator (mulberry32): a failure is repeated by its seed. */
function randomFrom(seed: number): Random {
  let state = seed >>> 0;
  return (below) => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return Math.floor((((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296) * below);
  };
}

const pick = <T>(random: Random, from: readonly T[]): T => from[random(from.length)]!;
const WORDS = ['update', 'secure', 'login', 'cdn', 'mail', 'img', 'static', 'files', 'api', 'pay', 'x1', 'a-b', 'evil', '1337'];
const SUFFIXES = [
  'com',
  'net',
  'org',
  'co.uk',
  'com.br',
  'ru',
  'info',
  'xyz',
  'top',
  'io',
  'de',
  'online',
  'dev',
  'app',
  'biz',
  'cn',
  'onion',
  'su',
  'to',
  'me',
];
const word = (random: Random): string => pick(random, WORDS);

const domain = (random: Random): string =>
  `${random(2) ? `${word(random)}.` : ''}${word(random)}-${word(random)}${random(99)}.${pick(random, SUFFIXES)}`;
const ipv4 = (random: Random): string => `${40 + random(180)}.${random(256)}.${random(256)}.${random(256)}`;
const ipv6 = (random: Random): string => {
  const group = (): string => random(65_536).toString(16);
  return pick(random, [() => `2a0${random(10)}:${group()}::${group()}`, () => `2001:db8:${group()}:${group()}:${group()}:${group()}:${group()}:${group()}`, () => `fe80::${group()}:1`])();
}; // prettier-ignore
const hash = (random: Random): string => {
  const text = createHash(pick(random, ['md5', 'sha1', 'sha256', 'sha512'])).update(String(random(1e9))).digest('hex');
  return random(3) === 0 ? text.toUpperCase() : text;
}; // prettier-ignore
const path = (random: Random): string =>
  pick(random, [
    '',
    '/',
    '/a',
    '/a/b.php?x=1&y=%20z',
    '/~u/x_y-z.exe',
    '/p;v=1?q=a',
    '/wiki/A_(b)',
    '/a?u=http://x.com/y',
    '/index.html#top',
    '?id=5',
    '/x/../y',
    '/a+b=c',
  ]);
const url = (random: Random): string => {
  const scheme = pick(random, ['http', 'https', 'http', 'https', 'ftp', 'tcp', 'ldap', 'wss', 'HTTP', 'stratum+tcp']);
  const host = pick(random, [domain, domain, domain, ipv4])(random);
  return `${scheme}://${pick(random, ['', '', '', 'user:pw@', 'admin@'])}${host}${pick(random, ['', '', ':8080', ':80'])}${path(random)}`;
};
const email = (random: Random): string => `${word(random)}${pick(random, ['.', '_', '+', ''])}${word(random)}@${domain(random)}`;
const cve = (random: Random): string => `CVE-${2000 + random(26)}-${1000 + random(90_000)}`;
const KINDS = [domain, ipv4, ipv6, hash, url, email, cve];

/** Ways of writing an indicator that mean the same. */
function defanged(random: Random, value: string): string {
  const dot = pick(random, ['[.]', '(.)', '{.}', '[dot]', '(dot)', ' [.] ', '[.', '\\.', '&#46;']);
  const scheme = /^(https?|ftp)/i.exec(value);
  if (/^(?:[\da-f]{32,128}|cve.*)$/i.test(value)) return value;
  if (!value.includes('://')) {
    if (value.includes('@'))
      return value.replace('@', pick(random, ['[@]', '[at]', '(at)', '@', ' [at] '])).replace(/(?<=@.*|\]|\))\.(?=[a-z.]+$)/, dot);
    return value.includes(':') ? value.replace(':', '[:]') : value.replaceAll('.', dot);
  }
  if (scheme === null) return value;
  const [head = ''] = value.split('://');
  const rest = value.slice(head.length + 3);
  const host = /^[^/?#]*/.exec(rest)?.[0] ?? '';
  const safeHost = dot.startsWith(' ') || dot.length === 2 ? '[.]' : dot;
  return `${pick(random, [head.replace(/tt/i, 'xx'), head, head.replace(/tt/i, 'XX')])}${pick(random, ['://', '[:]//', '[://]'])}${host.replaceAll('.', safeHost)}${rest.slice(host.length)}`;
}

/** Text around a find, `%` in its place. None of it holds a find of its own. */
const FRAMES = [
  '%', 'see % for more', 'bad: %', '(%)', '[%]', '"%"', "'%'", '<%>', '`%`', '**%**', '%,', '%.', '%;', '% - seen twice', '|%|', '| % |', 'value="%"', "value='%'", 'x=%', 'x: %', '{"a":"%"}',
  '{"a":["%","b"]}', '<td>%</td>', '<a href="%">x</a>', '“%”', '• %', '- %', '\t%\t', 'line\n%\nline', '1,%,x', 'Is it %?', '%!', '访问 % 查看', 'адрес: %', '%…', '\r\n%\r\n', '[x](%)', '&quot;%&quot;', '🚀 %🚀',
]; // prettier-ignore
/** Text that looks like something and is nothing. */
const DECOYS = [
  'v1.2.3.4', '1.3.6.1.4.1.311', 'main.py', 'README.md', 'invoice.pdf', '12:30:45', '2026-11-20T10:00:00Z', '00:1a:2b:3c:4d:5e', 'java.lang.String', 'org.apache.commons.lang', 'a.b', 'std::string', 'foo()', 'e.g.', '10.0.0.0/8', 'deadbeef',
  '550e8400-e29b-41d4-a716-446655440000', 'C:\\Windows\\x.dll', '/usr/lib/libz.so.1', 'lodash@4.17.21', '3.14', '$1,234.56', 'Chrome/120.0.0.0', '%TEMP%', 'key=value', 'and/or', 'x@y', '#tag', '@user', 'CVE-1', '0x7f000001',
]; // prettier-ignore

function canonical(value: string): string {
  if (value.startsWith('CVE')) return `cve ${value}`;
  const parsed = parseIndicator(value);
  if (parsed.kind === 'invalid') throw new Error(`${value}: ${parsed.reason}`);
  return `${parsed.indicator.type} ${parsed.indicator.value}`;
}

describe('any indicator, in any frame, however defanged', () => {
  it(`is found whole, alone, at its place, over ${CASES} texts`, () => {
    const random = randomFrom(SEED);
    const wrong: string[] = [];
    for (let n = 0; n < CASES && wrong.length < 20; n += 1) {
      const value = pick(random, KINDS)(random);
      const written = random(2) === 0 ? value : defanged(random, value);
      const frame = pick(random, FRAMES);
      const text = `${pick(random, DECOYS)} ${frame.replace('%', () => written)} ${pick(random, DECOYS)}`;
      const found = extractFromText(text, { withHosts: false });
      const got = found.map((each) => `${each.type} ${each.value}`);
      const atPlace = found.every((each) => text.startsWith(each.original, each.offset));
      if (!atPlace || got.length !== 1 || got[0] !== canonical(value))
        wrong.push(`${JSON.stringify(text)} has ${canonical(value)}, gave ${JSON.stringify(found)}`);
    }
    expect(wrong).toEqual([]);
  }, 60_000);
});
