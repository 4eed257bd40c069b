import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseCurve, scoreOfCount } from '../../src/providers/reading/score-curve.ts';
import { loadProviders } from '../../src/providers/registry.ts';
import { threatCategories } from '../../src/providers/reading/threat-words.ts';
import { virustotal } from '../../src/providers/virustotal.ts';

const providers = await loadProviders();

const ENGINE_SCORES = '1:20,3:50,5:70,10:90,30:100';

describe('a curve', () => {
  it.each([
    [0, 0],
    [0.5, 10],
    [1, 20],
    [2, 35],
    [3, 50],
    [5, 70],
    [9, 86],
    [10, 90],
    [29, 100],
    [30, 100],
    [1000, 100],
  ])('gives %f engines the score %i', (count, score) => {
    expect(scoreOfCount(count, ENGINE_SCORES)).toBe(score);
  });

  it.each(['', '1', '1:', ':1', '1:20,1:30', '2:20,1:30', '1:30,2:20', '0:10', '1:101', '-1:5', '1:20;2:30', 'a:b'])(
    'refuses %j',
    (text) => {
      expect(parseCurve(text)).toBeNull();
    },
  );

  it('never falls, and stays within 0 to 100', () => {
    const point = fc.tuple(fc.integer({ min: 1, max: 50 }), fc.integer({ min: 0, max: 30 }));
    fc.assert(
      fc.property(fc.array(point, { minLength: 1, maxLength: 6 }), fc.nat(400), fc.nat(400), (steps, low, more) => {
        let [count, score] = [0, 0];
        const text = steps.map(([byCount, byScore]) => `${(count += byCount)}:${(score = Math.min(100, score + byScore))}`).join(',');
        expect(parseCurve(text)).not.toBeNull();
        const [lower, higher] = [scoreOfCount(low, text), scoreOfCount(low + more, text)];
        expect(lower).toBeLessThanOrEqual(higher);
        expect(lower).toBeGreaterThanOrEqual(0);
        expect(higher).toBeLessThanOrEqual(100);
      }),
    );
  });

  it.each(
    providers
      .flatMap((provider) => Object.entries(provider.settings.shape).map(([key, schema]) => [provider.id, key, schema] as const))
      .filter(([, key]) => key.endsWith('Scores')),
  )('%s.%s refuses one that falls', (_id, _key, schema) => {
    expect(schema.safeParse('1:50,2:40').success).toBe(false);
    expect(parseCurve(schema.parse(undefined) as string)).not.toBeNull();
  });
});

describe('VirusTotal', () => {
  const settings = virustotal.settings.parse({ apiKey: 'k' });
  const stats = fc.record({ malicious: fc.nat(90), suspicious: fc.nat(20), undetected: fc.nat(90), harmless: fc.nat(90) });
  const read = (last_analysis_stats: object) =>
    virustotal.read(
      { data: { type: 'domain', id: 'a.example', attributes: { last_analysis_stats } } },
      { type: 'domain-name', value: 'a.example' },
      settings,
    );

  it('scores one engine more never lower, and never calls it clean', () => {
    fc.assert(
      fc.property(stats, (before) => {
        const worse = read({ ...before, malicious: before.malicious + 1 });
        expect(worse?.score).toBeGreaterThanOrEqual(read(before)?.score ?? 0);
        expect(['malicious', 'suspicious']).toContain(worse?.verdict);
      }),
    );
  });

  it('is clean only when nobody objects and ten vouch', () => {
    fc.assert(
      fc.property(stats, (one) => {
        const isClear = one.malicious + one.suspicious === 0 && one.harmless >= 10;
        expect(read(one)?.verdict === 'clean').toBe(isClear);
      }),
    );
  });

  it.each(['timeout', 'confirmed-timeout', 'failure', 'type-unsupported'])('leaves engines out that ended in %s', (field) => {
    const base = { malicious: 0, suspicious: 0, undetected: 0, harmless: 0 };
    expect(read({ ...base, [field]: 70 })).toBeNull();
    expect(read({ ...base, malicious: 2, harmless: 8, [field]: 70 })).toEqual(read({ ...base, malicious: 2, harmless: 8 }));
  });
});

describe('free tags', () => {
  it.each([
    [['C&C server', 'weekly'], ['c2']],
    [['botnet_cc'], ['c2', 'botnet']],
    [['command-and-control'], ['c2']],
    [['ecsirt:malicious-code="ransomware"'], ['ransomware', 'malware']],
    [['PhishTank', 'Docusign'], ['phishing']],
    [
      ['InfoStealer', 'RAT'],
      ['stealer', 'rat'],
    ],
    [['SSH-Bruteforce'], ['brute-force']],
    [['operations', 'generation', 'corporate', 'spammy word'], []],
    [[null, undefined, ''], []],
  ])('%j name %j', (tags, categories) => {
    expect(threatCategories(tags)).toEqual(categories);
  });
});
