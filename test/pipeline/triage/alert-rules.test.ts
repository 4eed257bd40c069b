import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import type { Answer } from '../../../src/model/enrichment.ts';
import { decideTriage } from '../../../src/pipeline/triage/decide-triage.ts';
import { readAlert, textsAt } from '../../../src/pipeline/triage/read-alert.ts';
import { alertsOf, readAlertWhole } from '../../../src/pipeline/triage/read-alerts.ts';
import { outcomeOf } from '../../../src/pipeline/triage/read-outcome.ts';
import { TriageSettings } from '../../../src/pipeline/triage/triage-settings.ts';
import { enrichmentOf } from '../../store/samples.ts';
import { judged } from '../fake-enricher.ts';

const rules = TriageSettings.parse({});
const found = (answer: Partial<Answer>, value = '45.83.64.7') =>
  enrichmentOf(answer, { input: value, indicator: { type: 'ipv4-addr', value } });
const NO_FACTS = { id: 'a', observables: [], unread: 0, actions: [], outcome: null, bytesOut: null };
const withAction = (action: string, bytesOut: number | null = null) => ({ ...NO_FACTS, actions: [[action]], bytesOut });
const said = (action: string) => outcomeOf(withAction(action), rules);

describe('the rules of triage', () => {
  it.each([
    ['bytesOut', 1, Number.MAX_SAFE_INTEGER, 1_000_000],
    ['watchDays', 1, 3650, 30],
  ])('%s goes from %i to %i, and is %i unless set', (key, least, most, usual) => {
    expect(rules).toMatchObject({ [key]: usual });
    for (const value of [least, most]) expect(TriageSettings.parse({ [key]: value })).toMatchObject({ [key]: value });
    for (const value of [least - 1, most + 1, 1.5]) expect(TriageSettings.safeParse({ [key]: value }).success).toBe(false);
  });
});

describe('a tier', () => {
  it.each([
    ['blocked', null, 85, 'p2', 'action "blocked": it was stopped, p1 → p2'],
    ['blocked', null, 65, 'watch', 'action "blocked": it was stopped, p2 → watch'],
    ['blocked', null, 45, 'log', 'action "blocked": it was stopped, watch → log'],
    ['blocked', null, 5, 'log', undefined],
    ['allowed', 1_000_000, 45, 'p2', 'action "allowed" and 1000000 bytes out: watch → p2'],
    ['allowed', 1_000_000, 65, 'p1', 'action "allowed" and 1000000 bytes out: p2 → p1'],
    ['allowed', 1_000_000, 85, 'p1', undefined],
    ['allowed', 999_999, 45, 'watch', undefined],
    ['allowed', null, 45, 'watch', undefined],
    ['allowed', 9_000_000, 5, 'log', undefined],
    ['seen', 9_000_000, 45, 'watch', undefined],
  ])('after %j with %j bytes out and score %i is %s, and says why', (action, bytesOut, score, tier, reason) => {
    const decision = decideTriage(withAction(action, bytesOut), [found(judged(score))], rules);
    expect([decision.tier, decision.reasons.find((one) => one.includes('action'))]).toEqual([tier, reason]);
  });

  it('log is resolved only when that may be done with every value', () => {
    const [sure, unsure] = [found({ ...judged(0), autoResolve: true }), found({ ...judged(0), autoResolve: false }, '45.83.64.8')];
    expect(decideTriage(NO_FACTS, [sure, sure], rules).autoResolve).toBe(true);
    expect(decideTriage(NO_FACTS, [sure, unsure], rules)).toMatchObject({ tier: 'log', autoResolve: false });
  });

  it('nobody knows is not moved, whatever became of it', () => {
    const unknown = found({ verdict: 'unknown', score: null, tier: 'review' });
    expect(decideTriage(withAction('blocked'), [unknown], rules).tier).toBe('review');
    expect(decideTriage(withAction('allowed', 9_000_000), [unknown], rules).tier).toBe('review');
  });

  it.each([
    [0, 5, 'log'],
    [1, 5, 'review'],
    [1, 45, 'review'],
    [1, 65, 'p2'],
    [1, 85, 'p1'],
  ])('with %i values unread and score %i is %s', (unread, score, tier) => {
    expect(decideTriage({ ...NO_FACTS, unread }, [found(judged(score))], rules)).toMatchObject({
      tier,
      autoResolve: unread === 0 && score === 5,
    });
  });

  it('of private values alone is log; with unread ones beside them a person looks', () => {
    const internal = found({ status: 'skipped_private', verdict: 'unknown', score: null, tier: 'log' });
    expect(decideTriage(NO_FACTS, [internal], rules)).toMatchObject({
      tier: 'log',
      reasons: ['only private or allow-listed values in the alert'],
      decisive: internal,
    });
    expect(decideTriage({ ...NO_FACTS, unread: 1 }, [internal], rules)).toMatchObject({ tier: 'review', autoResolve: false });
    expect(decideTriage(NO_FACTS, [], rules)).toMatchObject({ reasons: ['no indicator in the alert'], decisive: null });
  });
});

describe('the reasons', () => {
  const clean = found({ ...judged(0), autoResolve: true, confidence: 88 });
  it.each<[string, Partial<Answer>[], string[]]>([
    [
      'a clean one',
      [{ ...judged(0), confidence: 88 }],
      ['45.83.64.7 is clean, score 0, tier log', 'safe to resolve: clean with confidence 88'],
    ],
    [
      'one that says how sure it is to nobody',
      [{ ...judged(0), confidence: null }],
      ['45.83.64.7 is clean, score 0, tier log', 'safe to resolve: clean with confidence unknown'],
    ],
    ['one without a score', [{ verdict: 'unknown', score: null, tier: 'review' }], ['45.83.64.7 is unknown, no score, tier review']],
    [
      'an analyst who left a note',
      [{ ...judged(90), message: 'seen before' }],
      ['45.83.64.7 is malicious, score 90, tier p1', 'seen before'],
    ],
    [
      'a failure, whose message is no reason',
      [{ status: 'timeout', verdict: 'unknown', score: null, tier: 'review', message: 'late' }],
      ['45.83.64.7 is unknown, no score, tier review', '1 of 1 look-ups gave no whole answer: not resolved by itself'],
    ],
    [
      'an answer in part',
      [{ ...judged(90), status: 'partial' }],
      ['45.83.64.7 is malicious, score 90, tier p1', '1 of 1 look-ups gave no whole answer: not resolved by itself'],
    ],
    [
      'one that is being worked on',
      [{ ...judged(90), status: 'pending' }],
      ['45.83.64.7 is malicious, score 90, tier p1', '1 of 1 look-ups gave no whole answer: not resolved by itself'],
    ],
  ])('of %s', (_name, answers, reasons) => {
    expect(
      decideTriage(
        NO_FACTS,
        answers.map((answer) => found(answer)),
        rules,
      ).reasons,
    ).toEqual(reasons);
  });
  it('count the values that were not looked up', () => {
    expect(decideTriage({ ...NO_FACTS, unread: 1 }, [clean], rules).reasons[1]).toMatch(/^1 more values/);
    expect(decideTriage({ ...NO_FACTS, unread: 3 }, [clean], rules).reasons).toEqual([
      '45.83.64.7 is clean, score 0, tier log',
      '3 more values in the alert were not looked up: not resolved by itself',
    ]);
  });
  it('are of the first of two that are as bad', () => {
    const decision = decideTriage(NO_FACTS, [found(judged(85), '45.83.64.1'), found(judged(85), '45.83.64.2')], rules);
    expect(decision.decisive?.input).toBe('45.83.64.1');
  });
  it('name a value that is no indicator as it was given', () => {
    const odd = enrichmentOf({ status: 'invalid', verdict: 'unknown', score: null, tier: 'review' }, { input: 'odd', indicator: null });
    expect(decideTriage(NO_FACTS, [odd], rules).reasons[0]).toBe('odd is unknown, no score, tier review');
  });
});

describe('what an alert says of its own outcome', () => {
  it.each(rules.blockedWords.map((word) => [word]))('%s: it was stopped', (word) => {
    expect(said(`Traffic ${word.toUpperCase()}`)).toEqual({ word: 'stopped', said: `Traffic ${word.toUpperCase()}` });
  });
  it.each(rules.allowedWords.map((word) => [word]))('%s: it passed', (word) => {
    expect(said(`traffic-${word}`)).toEqual({ word: 'passed', said: `traffic-${word}` });
  });
  // One of each kind of doubt.
  it.each([
    'cannot',
    'without',
    'would',
    'failed',
    'failures',
    'attempted',
    'partially',
    'continued',
    'bypass',
    'exempt',
    'simulated',
    'monitor',
    'tap',
    'warned',
    'unblocked',
    'expired',
  ])('blocked beside %s is not plain', (word) => expect(said(`blocked ${word}`)).toEqual({ word: 'unclear', said: '' }));
  it.each(['not', 'no', 'non', 'never', 'cannot'])('%s allowed did not pass', (word) =>
    expect(said(`${word} allowed`).word).toBe('unclear'),
  );
  it.each<[string[][], string | null, string, string]>([
    [[], 'success', 'passed', 'success'],
    [[['seen']], 'success', 'unclear', ''],
    [[], 'blocked', 'unclear', ''],
    [[], null, 'unclear', ''],
    [[['deny', 'drop']], null, 'stopped', 'deny, drop'],
    [[['deny', 'seen']], null, 'unclear', ''],
    [[['deny'], ['not blocked']], null, 'unclear', ''],
    [[['deny'], ['seen']], null, 'stopped', 'deny'],
    [[['blocked and allowed']], null, 'passed', 'blocked and allowed'],
  ])('actions %j with outcome %j: %s', (actions, outcome, word, text) => {
    expect(outcomeOf({ ...NO_FACTS, actions, outcome }, rules)).toEqual({ word, said: text });
  });
  it('a word of doubt that is set as a word for blocked is one', () => {
    expect(outcomeOf(withAction('restored'), TriageSettings.parse({ blockedWords: ['restored'] })).word).toBe('stopped');
  });
});

describe('a field of an alert', () => {
  const nested = (lists: number): unknown => (lists === 0 ? '1.2.3.4' : [nested(lists - 1)]);
  it.each<[object, string, string[]]>([
    [{ a: { b: { c: 'x' } } }, 'a.b.c', ['x']],
    [{ 'a.b': { c: 'x' } }, 'a.b.c', ['x']],
    [{ a: { 'b.c': 'x' } }, 'a.b.c', ['x']],
    [{ 'a.b.c': 'x' }, 'a.b.c', ['x']],
    [{ 'a.b': 'x' }, 'a.b', ['x']],
    [{ a: 'x' }, 'a', ['x']],
    [{ a: { b: 'x' }, 'a.b': 'y' }, 'a.b', ['x', 'y']],
    [{ 'a.b.c': { d: 'x' } }, 'a.b.c.d', ['x']],
    [{ a: [{ b: 'x' }, { b: ['y', 7] }] }, 'a.b', ['x', 'y', '7']],
    [{ a: { b: true, c: null } }, 'a.b', []],
    [{ a: null }, 'a.b', []],
    [{ a: 'x' }, 'a.b', []],
    [{ a: { b: { c: 'x' } } }, 'a.b', []],
    [{ b: 'x' }, 'a', []],
    [{ a: nested(16) }, 'a', ['1.2.3.4']],
    [{ a: nested(17) }, 'a', []],
  ])('%j has at %s %j', (event, field, texts) => expect(textsAt(event as Record<string, unknown>, field)).toEqual(texts));

  it('is read in the order that is told: the first id and outcome, the largest count of bytes', () => {
    const alert = {
      id: 'late',
      _id: 'early',
      outcome: 'second',
      event: { outcome: 'first' },
      bytes_out: ['7', '9', 'many'],
      sent_bytes: 8,
    };
    expect(readAlert(alert)).toMatchObject({ id: 'early', outcome: 'first', bytesOut: 9 });
    expect(readAlert({ bytes_out: 'many' }).bytesOut).toBeNull();
    expect(readAlert({ bytes_out: 0 }).bytesOut).toBe(0);
  });

  it('gives each value once, and passes over what a field that holds other things carries besides', () => {
    expect(readAlert({ dest_ip: ['45.83.64.7', '45.83.64.7'], dest: '45.83.64.7', url: { original: 'GET /x y' } }).observables).toEqual([
      { field: 'dest_ip', value: '45.83.64.7', fields: ['dest_ip', 'dest'] },
    ]);
  });

  it('of indicators alone gives what is none, too: somebody has to look at it', () => {
    expect(readAlert({ dest_ip: 'no address' }).observables).toEqual([{ field: 'dest_ip', value: 'no address' }]);
  });

  it('counts each action by its field', () => {
    expect(readAlert({ action: ['a', 'b'], vendor_action: 'c', event: { action: '-' } }).actions).toEqual([['a', 'b'], ['c']]);
  });
});

describe('an alert', () => {
  const deep = (brackets: number): object =>
    brackets === 1 ? { dest_ip: '45.83.64.7' } : { n: deep(brackets - 1), dest_ip: '45.83.64.7' };
  const idOf = (alert: object) => readAlertWhole(alert as never, { notesSightings: false, nowS: 1 }).id;
  const digest = (alert: object) => createHash('sha256').update(JSON.stringify(alert)).digest('hex').slice(0, 32);

  it('without an id of its own has one of what it holds, down to 64 brackets', () => {
    expect(idOf(deep(64))).toBe(digest(deep(64)));
    expect(idOf(deep(65))).not.toBe(digest(deep(65)));
    expect(idOf(deep(66))).toBe(idOf(deep(67)));
    expect(idOf({ _id: 'own' })).toBe('own');
  });

  it('is a sighting of its public values only where that is noted', () => {
    const alert = { dest_ip: ['45.83.64.7', '10.0.0.1'], host: 'pc-7' };
    expect(readAlertWhole(alert, { notesSightings: false, nowS: 5 }).sightings).toEqual([]);
    expect(readAlertWhole(alert, { notesSightings: true, nowS: 5 }).sightings).toEqual([
      expect.objectContaining({ value: '45.83.64.7', times: 1, firstS: 5, lastS: 5 }),
    ]);
  });

  it.each<[unknown, number | null]>([
    [{}, 1],
    [[{}, {}], 2],
    [{ alerts: [{}, {}, {}] }, 3],
    [{ alerts: 'none' }, 1],
    [[], 0],
    [[{}, []], null],
    [[{}, 7], null],
    ['text', null],
    [null, null],
  ])('%j holds so many: %j', (parsed, count) => expect(alertsOf(parsed)?.length ?? null).toBe(count));
});
