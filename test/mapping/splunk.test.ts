import { describe, expect, it } from 'vitest';
import { toExplainLine } from '../../src/mapping/explain-line.ts';
import { SPLUNK_DETAIL_FIELDS, SPLUNK_FIELDS, toMaliciousCell, toSplunkCells } from '../../src/mapping/splunk.ts';
import { EMPTY_PLACE, placeOf } from '../../src/model/worst-answer.ts';
import type { Answer, Enrichment, ProviderResult, Status } from '../../src/model/enrichment.ts';
import { STATUSES } from '../../src/model/enrichment.ts';
import type { VerdictWord } from '../../src/model/verdict.ts';

const ANSWER: Answer = {
  verdict: 'malicious',
  status: 'ok',
  score: 87,
  confidence: 90,
  tier: 'p1',
  autoResolve: false,
  categories: ['c2', 'botnet'],
  attributes: ['tor-exit'],
  sightings: 12,
  firstSeen: '2026-01-01T00:00:00Z',
  lastSeen: null,
  reference: 'https://ismalicious.com/x',
  message: null,
  providers: [],
};

function resultOf(provider: string, status: ProviderResult['status'], contribution: number): ProviderResult {
  const score = status === 'ok' ? contribution : null;
  return {
    provider,
    status,
    verdict: 'unknown',
    score,
    confidence: null,
    categories: [],
    attributes: [],
    sightings: null,
    firstSeen: null,
    lastSeen: null,
    reference: null,
    contribution,
    message: null,
  };
}

function enrichmentOf(answer: Answer): Enrichment {
  return {
    input: '198[.]51.100.7',
    indicator: { type: 'ipv4-addr', value: '198.51.100.7' },
    answer,
    source: 'live',
    checkedAtS: 1,
    expiresAtS: 2,
  };
}

describe('fields of one enrichment', () => {
  it('has the contract’s fields in the contract’s order', () => {
    expect(SPLUNK_FIELDS.map((name) => `im_${name}`).join(' ')).toBe(
      'im_verdict im_malicious im_score im_confidence im_category im_status im_tier im_auto_resolve im_source im_type im_indicator im_field im_providers im_reference im_first_seen im_last_seen im_message',
    );
  });

  it('shows every fact, and an empty cell for what nobody said', () => {
    const providers = [resultOf('ismalicious', 'ok', 87), resultOf('local', 'not_listed', 0), resultOf('otx', 'timeout', 0)];
    const cells = toSplunkCells(enrichmentOf({ ...ANSWER, providers }), 'dest_ip');
    expect(Object.fromEntries(SPLUNK_FIELDS.map((name, n) => [name, cells[n]]))).toEqual({
      verdict: 'malicious',
      malicious: 'True',
      score: '87',
      confidence: '90',
      category: 'c2, botnet',
      status: 'ok',
      tier: 'p1',
      auto_resolve: 'False',
      source: 'live',
      type: 'ipv4-addr',
      indicator: '198.51.100.7',
      field: 'dest_ip',
      providers: 'ismalicious, local',
      reference: 'https://ismalicious.com/x',
      first_seen: '2026-01-01T00:00:00Z',
      last_seen: '',
      message: '',
    });
  });

  it('shows a value that is no indicator as it was given', () => {
    const cells = toSplunkCells({ ...enrichmentOf(ANSWER), indicator: null }, 'dest_ip');
    expect(cells.slice(9, 11)).toEqual(['', '198[.]51.100.7']);
  });

  it('keeps a message on one line: a line break would make the cell a multivalue', () => {
    expect(toSplunkCells(enrichmentOf({ ...ANSWER, message: 'one \r\n two\nthree' }), 'f').at(-1)).toBe('one two three');
  });

  it.each<[VerdictWord, Status, string]>([
    ['malicious', 'ok', 'True'],
    ['malicious', 'stale', 'True'],
    ['suspicious', 'ok', 'False'],
    ['clean', 'ok', 'False'],
    ['clean', 'stale', 'False'],
    ['unknown', 'ok', ''],
    ['unknown', 'pending', ''],
    ['unknown', 'skipped_private', ''],
    ['unknown', 'timeout', ''],
  ])('im_malicious of %s with status %s is "%s"', (verdict, status, cell) => {
    expect(toMaliciousCell({ ...ANSWER, verdict, status })).toBe(cell);
  });

  it.each(
    STATUSES.filter(
      (status) =>
        !['ok', 'stale', 'partial', 'pending', 'skipped_empty', 'skipped_private', 'skipped_allowlist', 'skipped_tlp'].includes(status),
    ),
  )('a look-up that failed (%s) never says False, whatever verdict it carries', (status) => {
    expect(toMaliciousCell({ ...ANSWER, verdict: 'clean', status })).toBe('');
  });

  it('has the fields of details=t', () => {
    expect(SPLUNK_DETAIL_FIELDS).toEqual(['verdict', 'score', 'status', 'confidence', 'category', 'message']);
    const cells = toSplunkCells(enrichmentOf({ ...ANSWER, score: null, message: 'why' }), 'dest_ip');
    const shown = SPLUNK_DETAIL_FIELDS.map((name) => cells[SPLUNK_FIELDS.indexOf(name)]);
    expect(shown).toEqual(['malicious', '', 'ok', '90', 'c2, botnet', 'why']);
  });
});

describe('the explanation of a score', () => {
  it.each<[number | null, ProviderResult[], string]>([
    [87, [resultOf('ismalicious', 'ok', 87)], '87 = ismalicious 87'],
    [
      62,
      [resultOf('ismalicious', 'ok', 40), resultOf('virustotal', 'ok', 22), resultOf('otx', 'ok', 0)],
      '62 = ismalicious 40 + virustotal 22',
    ],
    [0, [resultOf('ismalicious', 'ok', 0)], '0 = ismalicious 0'],
    [40, [resultOf('ismalicious', 'ok', 40), resultOf('abuseipdb', 'rate_limited', 0)], '40 = ismalicious 40; abuseipdb rate limited'],
    [null, [resultOf('ismalicious', 'not_listed', 0)], 'no score; ismalicious not listed'],
    [null, [], 'no score'],
  ])('of %j adds up', (score, providers, text) => {
    expect(toExplainLine({ ...ANSWER, score, providers })).toBe(text);
  });
});

describe('the worst of several answers', () => {
  const worstFirst: [string, Partial<Answer>][] = [
    ['malicious, high score', { verdict: 'malicious', score: 95 }],
    ['malicious, lower score', { verdict: 'malicious', score: 70 }],
    ['malicious, no score', { verdict: 'malicious', score: null }],
    ['suspicious', { verdict: 'suspicious', score: 99 }],
    ['failed', { verdict: 'unknown', status: 'timeout', score: null }],
    ['not an indicator', { verdict: 'unknown', status: 'invalid', score: null }],
    ['over-TLP, so unknown', { verdict: 'unknown', status: 'skipped_tlp', score: null }],
    ['clean', { verdict: 'clean', score: 3 }],
    ['private', { verdict: 'unknown', status: 'skipped_private', score: null }],
  ];

  it.each(worstFirst.slice(1).map(([name, answer], n) => [worstFirst[n]![0], name, worstFirst[n]![1], answer] as const))(
    '%s goes before %s',
    (_, __, worse, better) => {
      expect(placeOf({ ...ANSWER, ...worse })).toBeLessThan(placeOf({ ...ANSWER, ...better }));
    },
  );

  it.each(STATUSES)('an answer with status %s goes before an empty cell', (status) => {
    expect(placeOf({ ...ANSWER, verdict: 'unknown', score: null, status })).toBeLessThan(EMPTY_PLACE);
  });

  it.each(STATUSES.filter((status) => !['ok', 'stale', 'skipped_empty', 'skipped_private', 'skipped_allowlist'].includes(status)))(
    'an unknown with status %s is not hidden by a clean neighbour',
    (status) => {
      expect(placeOf({ ...ANSWER, verdict: 'unknown', score: null, status })).toBeLessThan(
        placeOf({ ...ANSWER, verdict: 'clean', score: 39 }),
      );
    },
  );
});
