import { expect, it } from 'vitest';
import { explainScore, mergeOutcomes } from '../../../src/engine/score/merge-outcomes.ts';
import type { IndicatorType } from '../../../src/model/indicator.ts';
import { answered, failed, NOW_S, RULES } from './score-samples.ts';

const SEED = { ...RULES, formula: 'seed' as const };
const vt = (malicious: number, total: number) => answered('virustotal', { score: 50, detections: { malicious, total } });
const abuse = (score: number) => answered('abuseipdb', { score });

it.each<[string, IndicatorType, Parameters<typeof mergeOutcomes>[0], number | null, number[]]>([
  ['an address: engines times 60, reports times 0.4', 'ipv4-addr', [vt(6, 93), abuse(50)], 23, [4, 19]],
  ['an IPv6 address too', 'ipv6-addr', [vt(6, 93), abuse(50)], 23, [4, 19]],
  ['all engines and all reports are 100', 'ipv4-addr', [vt(9, 9), abuse(100)], 100, [60, 40]],
  ['more engines accuse than there are: 100 at most', 'ipv4-addr', [vt(9, 3), abuse(100)], 100, [82, 18]],
  ['no engine answered: no share', 'ipv4-addr', [vt(0, 0), abuse(50)], 20, [0, 20]],
  ['one engine of one', 'domain-name', [vt(1, 1)], 100, [100]],
  ['a name: engines times 100, reports count for addresses alone', 'domain-name', [vt(29, 100), abuse(90)], 29, [29, 0]],
  ['cut off, not rounded', 'file:md5', [vt(2, 3)], 66, [66]],
  ['one that lists nothing counts 0', 'ipv4-addr', [answered('virustotal', null), abuse(50)], 20, [0, 20]],
  ['one that failed is left out', 'ipv4-addr', [failed('virustotal', 'timeout'), abuse(50)], 20, [0, 20]],
  ['one of reports that lists nothing counts 0', 'ipv4-addr', [vt(1, 2), answered('abuseipdb', null)], 30, [30, 0]],
  ['each has its own points', 'ipv4-addr', [vt(1, 2), abuse(50), answered('greynoise', { score: 99 })], 50, [30, 20, 0]],
  ['the word of others is shown only', 'ipv4-addr', [vt(1, 2), answered('greynoise', { score: 99 })], 30, [30, 0]],
  ['neither lists it: the general rule', 'ipv4-addr', [answered('virustotal', null), answered('greynoise', { score: 99 })], 99, [0, 99]],
  [
    'of several instances the highest figure counts, and has the points',
    'ipv4-addr',
    [
      answered('virustotal.hq', { score: 50, detections: { malicious: 1, total: 4 } }),
      answered('virustotal.cert', { score: 50, detections: { malicious: 1, total: 2 } }),
      failed('abuseipdb.a', 'timeout'),
      answered('abuseipdb.b', { score: 50 }),
    ],
    50,
    [0, 30, 0, 20],
  ],
  [
    'of two that say the same the first has the points',
    'url',
    [
      answered('virustotal.hq', { score: 50, detections: { malicious: 1, total: 2 } }),
      answered('virustotal.cert', { score: 50, detections: { malicious: 2, total: 4 } }),
    ],
    50,
    [50, 0],
  ],
  ['reports without a score count 0', 'ipv4-addr', [vt(1, 2), answered('abuseipdb', { score: null })], 30, [30, 0]],
  ['engines that were not counted', 'url', [answered('virustotal', { score: 70 })], 0, [0]],
])('by the published formula: %s', (_name, type, outcomes, score, points) => {
  const answer = mergeOutcomes(outcomes, SEED, { type, nowS: NOW_S });
  expect([answer.score, answer.providers.map(({ contribution }) => contribution)]).toEqual([score, points]);
});

it.each<[IndicatorType, Parameters<typeof mergeOutcomes>[0], string]>([
  ['ipv4-addr', [vt(6, 93), abuse(50)], "VirusTotal's share 0.065 × 60 + AbuseIPDB's 50 × 0.4"],
  ['url', [vt(6, 93), abuse(50)], "VirusTotal's share 0.065 × 100"],
  ['ipv4-addr', [answered('virustotal', null), abuse(50)], "VirusTotal's share 0.000 × 60 + AbuseIPDB's 50 × 0.4"],
  ['ipv4-addr', [failed('virustotal', 'timeout'), abuse(50)], "AbuseIPDB's 50 × 0.4"],
])('%s: it says how the score came about', (type, outcomes, line) => {
  const subject = { type, nowS: NOW_S };
  expect(explainScore(mergeOutcomes(outcomes, SEED, subject), SEED, subject)).toEqual([`published formula: ${line}`]);
});
