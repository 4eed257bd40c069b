import { expect, it } from 'vitest';
import { abuseipdb } from '../../src/providers/abuseipdb.ts';
import { ismalicious } from '../../src/providers/ismalicious.ts';
import { opencti } from '../../src/providers/opencti.ts';
import { virustotal } from '../../src/providers/virustotal.ts';
import { openTestEngine } from '../support/open-test-engine.ts';
import { healthy, sendJson, startStandIn } from '../support/stand-in-api.ts';

const indicator = { type: 'ipv4-addr', value: '8.8.4.4' } as const;
const settings = ismalicious.settings.parse({ xApiKey: 'a2V5OnNlY3JldA==' });
const accused = { malicious: true, riskScore: { score: 90 } };

it.each([
  { knownGood: 'true' },
  { categories: ['c2', 5], firstSeen: 7 },
  { sources: 'none', lookupStatus: 5 },
  { sources: [{ name: 5, categories: 'x' }, 7] },
  { classification: { primary: 5, secondary: {} }, timeline: 'x', evidence: [] },
])('isMalicious: a field of another type costs no verdict: %j', (odd) => {
  expect(ismalicious.read({ ...accused, ...odd }, indicator, settings)).toMatchObject({ verdict: 'malicious', score: 90 });
});

it('says how many fields were left out', () => {
  const verdict = ismalicious.read({ ...accused, firstSeen: 7, categories: ['c2', 5] }, indicator, settings);
  expect(verdict).toMatchObject({ categories: ['c2'], note: '2 fields of the answer had another type than documented and were left out' });
});

it.each([
  { malicious: 'true' },
  { malicious: false, sources: 'none' },
  { malicious: false, lookupStatus: 5 },
  { malicious: false, reputation: 'good' },
])('isMalicious: what decides is held to its type: %j', (body) =>
  expect(() => ismalicious.read({ riskScore: { score: 0 }, ...body }, indicator, settings)).toThrow(),
);

it('isMalicious: what is pending in another shape is not finished', () => {
  expect(ismalicious.read({ malicious: false, pending: 'yes' }, indicator, settings)).toMatchObject({ isPending: true });
});

it('AbuseIPDB and VirusTotal: decoration is left out, what decides is not', () => {
  const data = { ipAddress: '8.8.4.4', abuseConfidenceScore: 100, totalReports: 9 };
  const abuse = abuseipdb.settings.parse({ apiKey: 'k' });
  expect(abuseipdb.read({ data: { ...data, usageType: 5, isTor: 'no', reports: [{ reportedAt: 5 }] } }, indicator, abuse)).toMatchObject({
    score: 100,
  });
  expect(() => abuseipdb.read({ data: { ...data, abuseConfidenceScore: '100' } }, indicator, abuse)).toThrow();
  const vt = virustotal.settings.parse({ apiKey: 'k' });
  const stats = { malicious: 20, suspicious: 0, undetected: 10, harmless: 30 };
  const answer = (attributes: object) => ({
    data: { id: '8.8.4.4', type: 'ip_address', attributes: { last_analysis_stats: stats, ...attributes } },
  });
  expect(virustotal.read(answer({ tags: 'x', last_analysis_date: 'today', last_analysis_results: { A: 5 } }), indicator, vt)).toMatchObject(
    {
      verdict: 'malicious',
    },
  );
  expect(() => virustotal.read(answer({ last_analysis_stats: { ...stats, malicious: '20' } }), indicator, vt)).toThrow();
});

it('OpenCTI: a query that is refused with HTTP 400 is not the value’s fault', () => {
  const body = {
    errors: [{ message: 'Unknown type "StixCyberObservablesFiltering".', extensions: { code: 'GRAPHQL_VALIDATION_FAILED' } }],
  };
  expect(opencti.judge?.({ status: 400, headers: {}, body }, null)).toMatchObject({ code: 'bad_response' });
});

it('an answer of an unknown shape is not paid for again at once, and a row of a batch costs no other row', async () => {
  const odd = '9.9.9.9';
  await using api = await startStandIn((call, response, attempt) => {
    if (call.method !== 'POST') return sendJson(response, 200, { malicious: 'false' });
    if (!call.values.includes(odd)) return healthy(call, response, attempt);
    return sendJson(response, 200, {
      results: call.values.map((entity) => ({ entity, malicious: entity === odd ? 'false' : false, riskScore: { score: 1 } })),
    });
  });
  api.bulkCap = 10;
  const { engine } = await openTestEngine(api.url);
  const statusOf = async (...values: string[]) => [...(await engine.enrichMany(values)).values()].map(({ answer }) => answer.status);
  expect(await statusOf('11.0.0.1', odd, '11.0.0.2')).toEqual(['ok', 'bad_response', 'ok']);
  expect(await statusOf(odd)).toEqual(['bad_response']);
  expect(await statusOf(odd, '11.0.0.3')).toContain('bad_response');
  expect(api.asked().filter((value) => value === odd)).toHaveLength(1);
  await engine.close();
});
