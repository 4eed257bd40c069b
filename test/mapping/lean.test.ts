import { describe, expect, it } from 'vitest';
import { toPlaybook, toRollUp } from '../../src/mapping/ecs-roll-up.ts';
import { toEnrichmentJson } from '../../src/mapping/enrichment-json.ts';
import { toTrace } from '../../src/mapping/trace.ts';
import type { Answer, Enrichment, Origin, ProviderResult } from '../../src/model/enrichment.ts';
import { enrichmentOf } from '../store/samples.ts';

const LEAN = { canResolve: true, detail: 'lean' } as const;
const QUIET = { verdict: 'clean', score: 0, confidence: 90, categories: [], tier: 'log', autoResolve: true } as const;
const rollUp = (answer: Partial<Answer>) => toRollUp(enrichmentOf(answer), 'source.ip', LEAN);

describe('lean', () => {
  it.each(['clean', 'unknown'] as const)('%s and ok: verdict, status, the time in whole seconds, and nothing else', (verdict) => {
    expect(rollUp({ ...QUIET, verdict })).toEqual({ verdict, status: 'ok', checked_at: '2026-11-18T11:06:40Z' });
  });
  it.each<[string, Partial<Answer>]>([
    ['malicious', { verdict: 'malicious' }],
    ['suspicious', { ...QUIET, verdict: 'suspicious' }],
    ['clean, from some of the sources', { ...QUIET, status: 'partial' }],
    ['unknown, for nobody answered', { ...QUIET, verdict: 'unknown', status: 'timeout' }],
    ['clean, with something to say', { ...QUIET, message: 'the host was asked' }],
  ])('all of it where there is something to say: %s', (_name, answer) => {
    expect(Object.keys(rollUp(answer))).toEqual(expect.arrayContaining(['tier', 'source', 'indicator', 'field']));
  });
  it('writes no empty list, full does', () => {
    expect(Object.keys(rollUp({ categories: [], attributes: ['x'] }))).not.toContain('categories');
    expect(rollUp({ categories: ['c2'] })).toMatchObject({ categories: ['c2'] });
    const full = toRollUp(enrichmentOf({ ...QUIET }), 'source.ip');
    expect(full).toMatchObject({ categories: [], attributes: [], auto_resolve: true, checked_at: '2026-11-18T11:06:40.000Z' });
    expect(toPlaybook(enrichmentOf({ ...QUIET }))).toEqual({ malicious: false, score: 0, category: [] });
    expect(toPlaybook(enrichmentOf({ ...QUIET, score: null }), 'lean')).toEqual({ malicious: false });
  });
});

describe('a trace', () => {
  const said = (provider: string, status: ProviderResult['status']) => ({ provider, status }) as ProviderResult;
  const tracer = { settings: 's1', idOf: ({ provider, checkedAtS, sent }: Origin) => `${provider}@${checkedAtS}:${sent ?? 'home'}` };
  const traced = (
    providers: readonly ProviderResult[],
    origins: readonly Origin[] | undefined = undefined,
    more: Partial<Enrichment> = {},
  ) => enrichmentOf({ providers }, { checkedAtS: 100, ...more, trace: { tracer, origins: origins ?? [] } });

  it('names who answered with when and what was sent, who did not with why, and the settings', () => {
    const origins = [{ provider: 'b', checkedAtS: 42, sent: 'host.example' }];
    const providers = [said('a', 'ok'), said('b', 'not_listed'), said('c', 'timeout'), said('d', 'pending')];
    expect(toTrace(traced(providers, origins, { indicator: { type: 'ipv4-addr', value: '9.9.9.9' } }))).toEqual([
      'a@100:9.9.9.9',
      'b@42:host.example',
      'c!timeout',
      'd@100:9.9.9.9',
      'settings=s1',
    ]);
  });
  it('says that nothing was sent for own lists, overrides, and what is no indicator', () => {
    const home = traced([said('local', 'ok'), said('feedback', 'ok'), said('a', 'ok')], undefined, { indicator: null, checkedAtS: null });
    expect(toTrace(home)).toEqual(['local@0:home', 'feedback@0:home', 'a@0:home', 'settings=s1']);
  });
  it('is written where one was asked for, and nowhere else', () => {
    const trace = ['settings=s1'];
    expect([toRollUp(traced([]), 'source.ip').trace, toEnrichmentJson(traced([])).trace]).toEqual([trace, trace]);
    const plain = enrichmentOf({});
    expect(['trace' in toRollUp(plain, 'source.ip'), 'trace' in toEnrichmentJson(plain), toTrace(plain)]).toEqual([false, false, []]);
  });
});
