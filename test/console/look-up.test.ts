import { describe, expect, it } from 'vitest';
import { cutText, cutValues } from '../../src/console/look-up/cut-text.ts';
import { inputOf } from '../../src/console/look-up/input.ts';
import { ALL_SHOWN, countWords, type Row, shownRows, wordOf } from '../../src/console/look-up/rank.ts';
import { ageOf } from '../../src/console/look-up/words.ts';
import type { EnrichmentJson } from '../../src/mapping/enrichment-json.ts';

function answer(change: Partial<EnrichmentJson>): EnrichmentJson {
  const nothing = {
    score: null,
    confidence: null,
    categories: [],
    attributes: [],
    checked_at: null,
    expires_at: null,
    message: null,
    providers: [],
  };
  return {
    indicator: 'x',
    type: 'ipv4-addr',
    verdict: 'unknown',
    status: 'ok',
    tier: 'review',
    auto_resolve: false,
    source: 'live',
    ...nothing,
    ...change,
  };
}

function row(value: string, change: Partial<EnrichmentJson> | null, more: Partial<Row> = {}): Row {
  return { value, type: 'ipv4-addr', original: value, places: 1, within: null, answer: change === null ? null : answer(change), ...more };
}

describe('the word for an answer', () => {
  it.each([
    [{ verdict: 'malicious' }, 'malicious'],
    [{ verdict: 'malicious', status: 'partial' }, 'malicious'],
    [{ verdict: 'clean', status: 'stale' }, 'clean'],
    [{ verdict: 'unknown', status: 'ok' }, 'unknown'],
    [{ status: 'pending' }, 'unknown'],
    [{ status: 'skipped_tlp' }, 'unknown'],
    [{ status: 'skipped_private' }, 'private'],
    [{ status: 'skipped_private', verdict: 'malicious' }, 'malicious'],
    [{ status: 'skipped_allowlist' }, 'allowed'],
    [{ status: 'invalid' }, 'invalid'],
    ...['timeout', 'unauthorized', 'unavailable', 'bad_response', 'rate_limited', 'quota_exhausted', 'over_budget'].map(
      (status) => [{ status }, 'failed'] as const,
    ),
  ] as const)('%j is %s', (said, word) => {
    expect(wordOf(answer(said))).toBe(word);
  });
  it('none yet is waiting', () => expect(wordOf(null)).toBe('waiting'));
});

describe('rows', () => {
  const rows = [
    row('a', { verdict: 'clean', score: 0 }),
    row('b', { status: 'timeout' }),
    row('c', { verdict: 'malicious', score: 70 }),
    row('d', null),
    row('e', { verdict: 'malicious', score: 95 }),
    row('f', { status: 'skipped_private' }),
    row('host', { verdict: 'malicious', score: 70 }, { within: 'c' }),
    row('worse', { verdict: 'malicious', score: 90 }, { within: 'a' }),
  ];
  const values = (shown: Partial<typeof ALL_SHOWN>) => shownRows(rows, { ...ALL_SHOWN, ...shown }).map(({ value }) => value);

  it('stand worst first, then by score; a failure before what is known to be harmless', () => {
    expect(values({})).toEqual(['e', 'worse', 'c', 'b', 'a', 'f', 'd']);
  });
  it('show a host inside of a URL when it is worse than the URL, or when asked for', () => {
    expect(values({ hosts: true })).toContain('host');
    expect(countWords(rows, false).get('malicious')).toBe(3);
    expect(countWords(rows, true).get('malicious')).toBe(4);
  });
  it.each([
    [{ word: 'failed' as const }, ['b']],
    [{ status: 'timeout' }, ['b']],
    [{ search: ' HOST ', hosts: true }, ['host']],
    [{ sort: 'indicator' as const }, ['a', 'b', 'c', 'd', 'e', 'f', 'worse']],
    [{ sort: 'score' as const, isReversed: true, word: 'malicious' as const }, ['c', 'worse', 'e']],
  ])('by %j: %j', (shown, expected) => expect(values(shown)).toEqual(expected));
});

describe('a text in pieces', () => {
  it.each([
    ['ab\ncd\nef', 6, ['ab\ncd\n', 'ef']],
    ['ab cd ef', 4, ['ab ', 'cd ', 'ef']],
    ['abcdefgh', 3, ['abc', 'def', 'gh']],
    ['ab😀cd', 3, ['ab', '😀c', 'd']],
    ['', 3, []],
  ])('%j of at most %i', (text, most, pieces) => {
    const cut = [...cutText(text, most)];
    expect(cut.map(({ text: piece }) => piece)).toEqual(pieces);
    expect(cut.every(({ text: piece, offset }) => text.startsWith(piece, offset))).toBe(true);
  });
  it('values go out in parts, the last size for all that follow', () => {
    expect([...cutValues([1, 2, 3, 4, 5, 6, 7], [1, 3])]).toEqual([[1], [2, 3, 4], [5, 6, 7]]);
  });
});

describe('a file', () => {
  const bytes = (text: string) => new TextEncoder().encode(text);
  it.each([
    ['a.log', bytes('SRC=9.9.9.9 ok'), 'text'],
    ['a.csv', bytes('\uFEFFvalue\n9.9.9.9'), 'text'],
    ['a.txt', Uint8Array.from([0xff, 0xfe, 0x39, 0, 0x2e, 0]), 'text'],
    ['with one NUL.log', bytes(`${'a'.repeat(50)}\u0000${'b'.repeat(50)}`), 'text'],
    ['a.eml', bytes('From: a@b.com\r\nSubject: x\r\n\r\nhi'), 'file'],
    ['no ending', bytes('Received: from x\r\nSubject: y\r\n\r\nhi'), 'file'],
    ['a.bin', bytes('%PDF-1.7'), 'file'],
    ['a.zip', Uint8Array.from([0x50, 0x4b, 3, 4, 0x41]), 'file'],
    ['a.png', Uint8Array.from([0x89, 0x50, 0x4e, 0x47, 0, 0, 0, 13]), 'file'],
  ])('%s is read as a text or opened as a file', (name, content, kind) => {
    expect(inputOf(name, content).text === null ? 'file' : 'text').toBe(kind);
  });
});

it.each([
  [0, 'just now'],
  [59, 'just now'],
  [60, '1 min ago'],
  [3599, '59 min ago'],
  [3600, '1 h ago'],
  [172_800, '2 days ago'],
  [-5, 'just now'],
])('an answer of %i seconds ago: %s', (seconds, words) => {
  const now = Date.parse('2026-11-30T00:00:00Z');
  expect(ageOf(new Date(now - seconds * 1000).toISOString(), now)).toBe(words);
});
