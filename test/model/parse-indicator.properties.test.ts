import { isIP } from 'node:net';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { ParsedObservable } from '../../src/model/indicator.ts';
import { INDICATOR_TYPES } from '../../src/model/indicator.ts';
import { parseIndicator } from '../../src/model/parse-indicator.ts';

const CASES = Number(process.env.ISMALICIOUS_PROPERTY_CASES ?? 250_000);
const SEED = Number(process.env.ISMALICIOUS_PROPERTY_SEED ?? 20_261_121);

const SEEDS = [
  '8.8.8.8', '010.0.0.1', '0x7f.1', '1.2.3.4:443', '10.0.0.0/8', '2606:4700:4700::1111', '::ffff:1.2.3.4', '[2001:db8::1]:80', 'fe80::1%eth0',
  '64:ff9b::808:808', 'evil.com', 'www.Evil.co.uk.', 'xn--mnchen-3ya.de', 'münchen.de', '例え。テスト', 'пример.рф', 'раураl.com', 'İstanbul.com', 'straße.de', 'server01',
  'a_b.evil.com', 'hxxp://evil[.]com/a?b=c#d', 'https://user:pw@evil.com:8443/a/../b/%2e%2e/c;d?e=f&g', 'http://[::1]:8080/', 'http://1.2.3.4', 'ftp://evil.com/x',
  'evil[.]com', 'evil(dot)com', 'user[at]evil[dot]com', 'Bob <bob@evil.com>', 'mailto:a@b.com', 'd41d8cd98f00b204e9800998ecf8427e',
  'sha1:da39a3ee5e6b4b0d3255bfef95601890afd80709', 'C:\\Windows\\x.exe', '2026-11-21T10:00:00Z', 'CVE-2024-1234', '００１.1.1.1', '①.1.1.1', 'http：／／evil。com',
]; // prettier-ignore
const PIECES = [
  '.', '..', ':', '::', '/', '//', '://', '@', '[', ']', '(', ')', '[.]', '(.)', '{.}', '[dot]', '[.', '.]', '[@]', '(at)', '[:]', '[://]', '<', '>', '"', "'", ',', ';', ' ', '\t',
  '\n', '\r\n', '\0', '%', '%41', '%2e', '%00', '#', '?', '&', '=', '\\', '\\.', '*', '_', '-', '--', '0', '00', '1', '255', '256', '4294967295', '0x', 'f', 'ffff', 'xn--', 'hxxp', 'h**p', 'http', 's', 'com', 'local',
  '\u200b', '\ufeff', '。', '．', '１', 'ａ', 'ß', 'ı', 'İ', 'К', '\u0301', '\ud800', '\udfff', '😀', '\u202e', '\u00a0', '\u3000', 'É',
]; // prettier-ignore

/** Small deterministic generator (mulberry32): a failure is repeated by its seed. */
function randomFrom(seed: number): (below: number) => number {
  let state = seed >>> 0;
  return (below) => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return Math.floor((((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296) * below);
  };
}

function mutated(random: (below: number) => number): string {
  let text = SEEDS[random(SEEDS.length)]!;
  for (let left = random(5); left >= 0; left -= 1) {
    const at = random(text.length + 1);
    const piece = PIECES[random(PIECES.length)]!;
    switch (random(6)) {
      case 0: text = text.slice(0, at) + text.slice(at + 1 + random(4)); break;
      case 1: text = piece + text; break;
      case 2: text += piece; break;
      case 3: text = text.slice(0, at) + SEEDS[random(SEEDS.length)]! + text.slice(at); break;
      default: text = text.slice(0, at) + piece + text.slice(at + random(2));
    }
  }
  return text;
} // prettier-ignore

/** Everything that holds for every answer; a string says what is broken. */
function brokenLaw(parsed: ParsedObservable): string | null {
  if (parsed.kind === 'invalid' || parsed.kind === 'private') {
    if (parsed.reason === '' || parsed.reason.length > 200 || /[^ -~]/.test(parsed.reason))
      return 'the reason is not one short line of ASCII';
    if (parsed.kind === 'invalid') return null;
  }
  const { type, value } = parsed.indicator;
  if (!INDICATOR_TYPES.includes(type)) return 'unknown type';
  if (value === '' || /[\s\0-\u0020\u007f]/.test(value)) return 'blank or control character in the value';
  if (type !== 'email-addr' && /[^!-~]/.test(value)) return 'not ASCII';
  if (type !== 'url' && type !== 'cve' && /[A-Z]/.test(value)) return 'not lower case';
  if (type === 'ipv4-addr' && isIP(value) !== 4) return 'no IPv4 address for Node';
  if (type === 'ipv6-addr' && (isIP(value) !== 6 || new URL(`http://[${value}]`).hostname !== `[${value}]`))
    return 'not the spelling of RFC 5952';
  if (type === 'url' && /^(?:https?|wss?|ftp):/.test(value) && (!URL.canParse(value) || new URL(value).href !== value))
    return 'not the spelling of the URL parser';
  if (type === 'url' && /^[^/]*\/\/[^/?]*@/.test(value)) return 'user information in a URL';
  const again = parseIndicator(value);
  return JSON.stringify(again) === JSON.stringify(parsed) ? null : `reading it again gives ${JSON.stringify(again)}`;
}

describe('every value there is', () => {
  it(`keeps the laws over ${CASES} mutated values`, () => {
    const random = randomFrom(SEED);
    const broken: string[] = [];
    const kinds = { public: 0, private: 0, invalid: 0 };
    for (let n = 0; n < CASES; n += 1) {
      const raw = mutated(random);
      const parsed = parseIndicator(raw);
      kinds[parsed.kind] += 1;
      const law = brokenLaw(parsed);
      if (law !== null && broken.push(`${JSON.stringify(raw)} → ${JSON.stringify(parsed)}: ${law}`) > 20) break;
    }
    expect(broken).toEqual([]);
    expect(Math.min(kinds.public, kinds.private, kinds.invalid)).toBeGreaterThan(CASES / 50);
  }, 120_000);

  it('keeps the laws over arbitrary text', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 80 }), (raw) => {
        expect(brokenLaw(parseIndicator(raw))).toBeNull();
      }),
      { numRuns: 5_000, seed: SEED },
    );
  });
});

describe('against Node', () => {
  it('reads the IPv4 addresses that Node reads, and no others', () => {
    fc.assert(
      fc.property(fc.oneof(fc.ipV4(), fc.stringMatching(/^[0-9.]{5,17}$/), fc.stringMatching(/^(?:[0-9]{1,3}\.){3}[0-9]{1,3}$/)), (raw) => {
        const parsed = parseIndicator(raw);
        const isAddress = parsed.kind !== 'invalid' && parsed.indicator.type === 'ipv4-addr' && parsed.indicator.value === raw;
        expect(isAddress).toBe(isIP(raw) === 4);
      }),
      { numRuns: 20_000, seed: SEED },
    );
  });

  it('reads the IPv6 addresses that Node reads, in the spelling of the URL parser', () => {
    fc.assert(
      fc.property(
        fc.oneof(fc.ipV6(), fc.stringMatching(/^[0-9A-Fa-f:]{2,40}$/), fc.stringMatching(/^(?:[0-9a-f]{0,4}:){2,8}[0-9a-f]{0,4}$/)),
        (raw) => {
          fc.pre(raw.includes(':', raw.indexOf(':') + 1) && !/^::ffff:|^64:ff9b:/i.test(new URLHost(raw).canonical));
          const parsed = parseIndicator(raw);
          const value = parsed.kind !== 'invalid' && parsed.indicator.type === 'ipv6-addr' ? parsed.indicator.value : null;
          expect(value).toBe(isIP(raw) === 6 ? new URLHost(raw).canonical : null);
        },
      ),
      { numRuns: 20_000, seed: SEED },
    );
  });

  it('spells web URLs as the URL parser does, less user information and fragment', () => {
    const path = fc.stringMatching(/^[ -~]{0,30}$/);
    fc.assert(
      fc.property(
        fc.constantFrom('http', 'https', 'HTTP', 'ws', 'ftp'),
        fc.constantFrom('evil.com', 'EVIL.com', '8.8.8.8', '[2606:4700::1]'),
        path,
        (scheme, host, rest) => {
          const raw = `${scheme}://${host}/${rest}x`;
          fc.pre(!/[[({<\\]/.test(rest));
          const expected = new URL(raw);
          expected.hash = '';
          const parsed = parseIndicator(raw);
          expect(parsed.kind === 'invalid' ? parsed.reason : parsed.indicator.value).toBe(expected.href);
        },
      ),
      { numRuns: 10_000, seed: SEED },
    );
  });
});

describe('long values', () => {
  const length = 65_000;
  it.each(
    ['[', ' [', '[.', '[ ', '(', '<', '<a', '.', '..', ':', '::', 'a.', 'a@', '@', '/', '/.', '\\', '%', '%2e', ' ', '\t', '\0', '"', ',', 'hxxp', 'hxxp:/', '0', '0.', '1:', 'f:', 'é', '。', '\u200b', '[dot', 'a-', 'xn--', '<a@b>', '://', '://['].map((piece) => [piece]),
  )('are read in linear time: %j', (piece) => {
    // Quadratic reading of 65,000 characters takes seconds and runs into the time limit of the test.
    for (const frame of [(body: string) => body, (body: string) => `http://evil.com/${body}`, (body: string) => `http://${body}`, (body: string) => `a${body}b`, (body: string) => `x@${body}`]) {
      const raw = frame(piece.repeat(length / piece.length)).slice(0, 65_500);
      expect(brokenLaw(parseIndicator(raw))).toBeNull();
    }
  }, 2_000); // prettier-ignore
});

/** The spelling the URL parser gives an IPv6 address; empty when it has none. */
class URLHost {
  readonly canonical: string;
  constructor(raw: string) {
    const url = `http://[${raw}]/`;
    this.canonical = URL.canParse(url) ? new URL(url).hostname.slice(1, -1) : '';
  }
}
