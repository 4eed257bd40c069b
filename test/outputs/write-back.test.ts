import { describe, expect, it } from 'vitest';
import { outputBlock } from '../../src/pipeline/settings/pipeline-settings.ts';
import { passesFilter } from '../../src/outputs/forms/filter.ts';
import type { OutputItem, OutputStep } from '../../src/outputs/output.ts';
import type { ProviderResult } from '../../src/model/enrichment.ts';
import { bodyOf, contextOf, itemOf, outputOf, read, SETTINGS, start } from './samples.ts';

const saidBy = (...contributions: [provider: string, points: number][]): ProviderResult[] =>
  contributions.map(([provider, contribution]) => ({
    provider,
    contribution,
    status: 'ok',
    verdict: 'malicious',
    score: 90,
    confidence: null,
    categories: [],
    attributes: [],
    sightings: null,
    firstSeen: null,
    lastSeen: null,
    reference: null,
    message: null,
  }));
const alert = (more: Parameters<typeof itemOf>[1] = {}): OutputItem =>
  itemOf('45.83.64.7', {
    event: 'triage',
    tlp: 'CLEAR',
    note: 'seen here in the last 30 days by FINANCE-LAPTOP-7',
    ...more,
    answer: {
      providers: saidBy(['greynoise', 50], ['abuseipdb', 20], ['virustotal', 17]),
      categories: ['ssh-attack', 'c2'],
      ...more.answer,
    },
  });
const textOf = ({ call }: OutputStep) => (call.kind === 'http' ? (call.body ?? '') : '');
const filterOf = (id: string) => {
  const settings = outputBlock(outputOf(id)).parse(SETTINGS[id]) as never as Parameters<typeof passesFilter>[2];
  return { ...settings, minScore: null };
};
const passes = (id: string, item: OutputItem) => passesFilter(item, outputOf(id), filterOf(id));

describe.each(['abuseipdb', 'virustotal'])('%s is public', (id) => {
  it.each<[string, OutputItem, boolean]>([
    ['a malicious value of an alert, marked CLEAR', alert(), true],
    ['the same without a label', alert({ tlp: null }), false],
    ['the same marked GREEN', alert({ tlp: 'GREEN' }), false],
    ['what a feed listed and nobody here met', alert({ event: 'enriched' }), false],
    ['what the receiver alone says', alert({ answer: { providers: saidBy([id, 87], ['otx', 0]) } }), false],
    ['a suspicious value', alert({ answer: { verdict: 'suspicious' } }), false],
    ['a clean one', alert({ answer: { verdict: 'clean' } }), false],
    ['tier p2', alert({ answer: { tier: 'p2' } }), false],
  ])('%s', (_name, item, isSent) => expect(passes(id, item)).toBe(isSent));
  it('is told no asset, feed, provider or note', () => {
    const words =
      textOf(start(id, [alert()], { say: ['vote', 'comment'] })) +
      textOf(read(id, [alert()], {}, { say: ['vote', 'comment'] }).next ?? start(id, [alert()]));
    expect(words).not.toMatch(/FINANCE|misp|greynoise|otx/i);
  });
  it('only counts until dry_run is false', () => expect(outputBlock(outputOf(id)).parse(SETTINGS[id])).toMatchObject({ dryRun: true }));
});

describe('AbuseIPDB', () => {
  const form = (item: OutputItem, more = {}) => Object.fromEntries(new URLSearchParams(textOf(start('abuseipdb', [item], more))));
  it('gets address, categories by its numbers, time and comment', () => {
    expect(form(alert())).toEqual({
      ip: '45.83.64.7',
      categories: '22,20',
      timestamp: '2026-11-18T11:06:40Z',
      comment: 'malicious (ssh-attack, c2), score 87 of 100; seen in an alert, 2026-11-18T11:06:40Z. isMalicious integration pack',
    });
    expect(form(alert({ answer: { categories: ['odd'] } }), { categories: [14, 18] })['categories']).toBe('14,18');
  });
  it('has an address that was reported a moment ago already; another 429 is a limit', () => {
    const detail = 'You can only report the same IP address (`45.83.64.7`) once in 15 minutes.';
    const item = alert();
    expect(read('abuseipdb', [item], { status: 429, body: { errors: [{ detail, status: 429 }] } })).toEqual({ duplicate: [item] });
    const limit = { errors: [{ detail: 'Daily rate limit of 1000 requests exceeded', status: 429 }] };
    expect(read('abuseipdb', [item], { status: 429, headers: { 'retry-after': '29241' }, body: limit })).toMatchObject({
      retryAfterMs: 29_241_000,
      retryable: [{ item }],
    });
    expect(read('abuseipdb', [item], { body: { data: { ipAddress: '45.83.64.7', abuseConfidenceScore: 52 } } })).toEqual({
      delivered: [item],
    });
  });
});

describe('VirusTotal', () => {
  it.each<[OutputItem['indicator']['type'], string, string]>([
    ['ipv4-addr', '45.83.64.7', 'ip_addresses/45.83.64.7'],
    ['domain-name', 'bad-host.net', 'domains/bad-host.net'],
    ['file:md5', '44d88612fea8a8f36de82e1278abb02f', 'files/44d88612fea8a8f36de82e1278abb02f'],
    ['url', 'http://bad-host.net/a', 'urls/aHR0cDovL2JhZC1ob3N0Lm5ldC9h'],
  ])('%s has its own path', (type, value, path) => {
    const { call } = start('virustotal', [itemOf(value, { type })]);
    expect(call.kind === 'http' && call.url.pathname).toBe(`/api/v3/${path}/votes`);
  });
  it('votes, then comments; what is there already is left as it is', () => {
    const item = alert();
    const more = { say: ['vote', 'comment'] };
    expect(bodyOf(start('virustotal', [item], more))).toEqual({ data: { type: 'vote', attributes: { verdict: 'malicious' } } });
    const there = { status: 409, body: { error: { code: 'AlreadyExistsError', message: 'voted' } } };
    const { next } = read('virustotal', [item], there, more);
    expect([next?.call.kind === 'http' && next.call.url.pathname, bodyOf(next)]).toEqual([
      '/api/v3/ip_addresses/45.83.64.7/comments',
      { data: { type: 'comment', attributes: { text: expect.stringContaining('score 87 of 100') } } },
    ]);
    const end = (status: number, body: unknown) =>
      outputOf('virustotal').read({ status, headers: {}, body }, next!, [item], contextOf('virustotal', more));
    expect(end(200, {})).toEqual({ delivered: [item] });
    expect(end(409, there.body)).toEqual({ duplicate: [item] });
    expect(end(429, { error: { code: 'QuotaExceededError' } })).toMatchObject({ retryAfterMs: 60_000, retryable: [{ item }] });
    expect(end(404, { error: { code: 'NotFoundError' } }).rejected?.[0]?.reason).toMatch(/does not know it/);
  });
});

describe('OpenCTI', () => {
  const found = { data: { stixCyberObservables: { edges: [{ node: { id: 'obs-1', observable_value: '45.83.64.7' } }] } } };
  const more = { sightedBy: 'org-1' };
  const after = (step: OutputStep, item: OutputItem, body: unknown, settings = more) =>
    outputOf('opencti').read({ status: 200, headers: {}, body }, step, [item], contextOf('opencti', settings));
  it('gets a note and, of an alert, a sighting; sent again they have the same ids', () => {
    const item = alert();
    const { next: note } = read('opencti', [item], { body: found }, more);
    const { next: sighting } = after(note!, item, { data: { noteAdd: { id: 'n' } } });
    expect([bodyOf(note), bodyOf(sighting)]).toMatchObject([
      {
        variables: {
          input: { stix_id: expect.stringMatching(/^note--/), objects: ['obs-1'], content: expect.stringContaining('FINANCE') },
        },
      },
      { variables: { input: { stix_id: expect.stringMatching(/^sighting--/), fromId: 'obs-1', toId: 'org-1', attribute_count: 1 } } },
    ]);
    expect(bodyOf(read('opencti', [item], { body: found }, more).next)).toEqual(bodyOf(note));
    expect(after(sighting!, item, { data: { stixSightingRelationshipAdd: { id: 's' } } })).toEqual({ delivered: [item] });
  });
  it.each<[string, OutputItem, Record<string, unknown>]>([
    ['what no alert met', alert({ event: 'enriched' }), more],
    ['what turned to clean', alert({ event: 'triage', answer: { verdict: 'clean' } }), more],
    ['an alert, without the id of who saw it', alert(), {}],
  ])('%s: a note, no sighting', (_name, item, settings) => {
    const { next } = read('opencti', [item], { body: found }, settings);
    expect(after(next!, item, { data: {} }, settings as typeof more)).toEqual({ delivered: [item] });
  });
  it('is left alone where it does not have the observable', () => {
    const other = { data: { stixCyberObservables: { edges: [{ node: { id: 'x', observable_value: '45.83.64.70' } }] } } };
    expect(read('opencti', [alert()], { body: other }).duplicate).toHaveLength(1);
  });
  it.each<[string, string]>([
    ['AUTH_REQUIRED', 'halt'],
    ['FORBIDDEN_ACCESS', 'halt'],
    ['LOCK_ERROR', 'retryable'],
    ['FUNCTIONAL_ERROR', 'split'],
  ])('%s inside HTTP 200: %s', (code, outcome) => {
    const result = read('opencti', [alert()], { body: { errors: [{ message: 'no', extensions: { code } }], data: null } });
    expect(Object.keys(result)).toEqual([outcome]);
  });
});
