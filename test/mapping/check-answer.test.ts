import { describe, expect, it } from 'vitest';
import { toCheckAnswer } from '../../src/mapping/check-answer.ts';
import type { Answer, ProviderResult, Status } from '../../src/model/enrichment.ts';
import { enrichmentOf } from '../store/samples.ts';

const answerTo = (answer: Partial<Answer>) => toCheckAnswer(enrichmentOf(answer));
const levelOf = (answer: Partial<Answer>) => (answerTo(answer).body as { riskScore: { level: string } }).riskScore.level;

describe('an answer in the form of the API', () => {
  it.each<[Status, number, string | null]>([
    ['ok', 404, null],
    ['stale', 404, null],
    ['partial', 503, '60'],
    ['pending', 503, '60'],
    ['invalid', 400, null],
    ['skipped_empty', 400, null],
    ['skipped_private', 422, null],
    ['skipped_allowlist', 422, null],
    ['skipped_tlp', 422, null],
    ['over_budget', 429, '60'],
    ['rate_limited', 429, '60'],
    ['quota_exhausted', 429, null],
    ['timeout', 504, null],
    ['unauthorized', 401, null],
    ['unavailable', 503, '60'],
    ['bad_response', 502, null],
  ])('without a verdict (%s) is an error, HTTP %i', (status, http, retryAfter) => {
    const found = answerTo({ verdict: 'unknown', status, message: 'why' });
    expect([found.status, found.headers['retry-after'] ?? null]).toEqual([http, retryAfter]);
    expect(found.body).toMatchObject({ message: 'why', errors: ['why'], status });
    const says = status === 'ok' || status === 'stale' ? 'lookupStatus' : 'error';
    expect(found.body[says]).toMatch(/\w/);
    if ('retryAfter' in found.body) expect(found.body.retryAfter).toBe(Number(retryAfter));
    expect('malicious' in found.body).toBe(false);
  });
  it('that nobody lists says that this is not clean', () => {
    expect(answerTo({ verdict: 'unknown', message: null }).body.message).toBe('no source lists it: that is not the same as clean');
  });
  it.each(['malicious', 'suspicious', 'clean'] as const)('with a verdict is one: %s', (verdict) => {
    const said = (provider: string, word: string | null) => ({ provider, verdict: word, categories: ['c2'] }) as unknown as ProviderResult;
    const providers = [said('a', 'malicious'), said('b', 'suspicious'), said('c', 'clean'), said('d', null)];
    const { status, headers, body } = answerTo({ verdict, providers });
    expect([status, headers, body.malicious, body.verdict, body.lookupStatus]).toEqual([
      200,
      {},
      verdict === 'malicious',
      verdict,
      'found',
    ]);
    expect(body.sources).toEqual([
      { name: 'a', threatClass: 'threat', categories: ['c2'] },
      { name: 'b', threatClass: 'threat', categories: ['c2'] },
    ]);
  });
  it('of what is no indicator has no type', () => {
    expect(toCheckAnswer(enrichmentOf({}, { indicator: null })).body.type).toBeNull();
    const known = enrichmentOf({}, { indicator: { type: 'ipv4-addr', value: '9.9.9.9' } });
    expect(toCheckAnswer(known).body.type).toBe('ipv4-addr');
  });
  it.each<[Answer['verdict'], number | null, string]>([
    ['clean', null, 'safe'],
    ['clean', 0, 'safe'],
    ['clean', 1, 'low'],
    ['suspicious', null, 'medium'],
    ['suspicious', 39, 'low'],
    ['suspicious', 40, 'medium'],
    ['suspicious', 99, 'medium'],
    ['malicious', null, 'high'],
    ['malicious', 59, 'medium'],
    ['malicious', 60, 'high'],
    ['malicious', 79, 'high'],
    ['malicious', 80, 'critical'],
  ])('%s with score %j is %s', (verdict, score, level) => expect(levelOf({ verdict, score })).toBe(level));
});
