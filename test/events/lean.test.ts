import { describe, expect, it } from 'vitest';
import type { EcsDetail } from '../../src/mapping/ecs-roll-up.ts';
import { ROLL_UP_MEMBERS } from '../../src/mapping/ecs-roll-up.ts';
import type { Enricher } from '../../src/engine/enricher.ts';
import { toDocumentUpdate } from '../../src/search-engine/backfill/document-update.ts';
import { startGateway, startSidecar } from '../hosts/sidecar/support/start-sidecar.ts';
import { startUpstream } from '../hosts/sidecar/support/upstream-stand-in.ts';
import { createFakeEnricher, type Saying } from '../support/fake-sidecar-enricher.ts';
import { enriched, textEnricherOn } from './support/text-enricher.ts';

const BAD = '45.9.148.114';
const CHECKED_S = 1_795_000_000;
const QUIET = { clean: '8.8.8.8', unsure: '8.8.4.4', unlisted: '9.9.9.9' } as const;
const SAYINGS: Readonly<Record<string, Saying>> = {
  [BAD]: { verdict: 'malicious' },
  '45.9.148.115': { verdict: 'suspicious', categories: [] },
  [QUIET.unsure]: { verdict: 'clean', score: 12, confidence: 30, autoResolve: false, categories: ['cdn'] },
  [QUIET.unlisted]: { verdict: 'unknown' },
  '1.1.1.1': { verdict: 'unknown', status: 'timeout', message: 'no answer in time' },
  '1.1.1.2': { verdict: 'clean', status: 'partial', autoResolve: false, message: 'one source gave no answer' },
  '1.1.1.3': { verdict: 'clean', status: 'stale', autoResolve: false },
};

/** The stand-in, with a time at which it looked. */
function engine(): Enricher {
  const fake = createFakeEnricher({ sayings: SAYINGS });
  return {
    ...fake,
    peek: (value) => {
      const enrichment = fake.peek(value);
      return enrichment === undefined ? undefined : { ...enrichment, checkedAtS: CHECKED_S };
    },
  };
}

const texts = (detail: EcsDetail) => textEnricherOn(engine(), { detail });
const eventWith = (...ips: string[]) => `{"@timestamp":"2026-11-21T10:00:00Z","destination":{"ip":${JSON.stringify(ips)}}}`;
const rollUpOf = (text: string) => (JSON.parse(text) as { ismalicious: Record<string, unknown> }).ismalicious;

describe('an event about which there is nothing to say', () => {
  it.each(Object.entries(QUIET))('%s: verdict, status and time in whole seconds, at most 90 bytes more, lean', (_, value) => {
    const before = eventWith(value);
    const after = enriched(texts('lean'), before);
    const { verdict } = SAYINGS[value] ?? { verdict: 'clean' };
    const added = `,"ismalicious":{"verdict":"${verdict}","status":"ok","checked_at":"2026-11-18T11:06:40Z"}`;
    expect(after).toBe(`${before.slice(0, -1)}${added}}`);
    expect(added.length).toBeLessThanOrEqual(90);
  });

  it('says everything in full', () => {
    expect(JSON.parse(enriched(texts('full'), eventWith(QUIET.clean)))).toMatchObject({
      related: { ip: [QUIET.clean] },
      ismalicious: {
        verdict: 'clean',
        status: 'ok',
        score: 0,
        confidence: 90,
        categories: [],
        attributes: [],
        tier: 'log',
        auto_resolve: true,
        source: 'cache',
        checked_at: '2026-11-18T11:06:40.000Z',
        indicator: QUIET.clean,
        field: 'destination.ip',
        malicious: false,
      },
    });
  });

  it('stays one when it is enriched again, by an answer of the same verdict', () => {
    for (const value of Object.values(QUIET)) {
      const once = enriched(texts('lean'), eventWith(value));
      expect(enriched(texts('lean'), once)).toBe(once);
      expect(enriched(texts('full'), once)).toContain(JSON.stringify(rollUpOf(once)));
    }
  });

  it('gives way whole to a worse answer', () => {
    const once = enriched(texts('lean'), eventWith(QUIET.clean));
    const worse = once.replace(QUIET.clean, BAD);
    expect(rollUpOf(enriched(texts('lean'), worse))).toMatchObject({ verdict: 'malicious', indicator: BAD, field: 'destination.ip' });
  });
});

describe('an event about which there is something to say', () => {
  it.each(Object.keys(SAYINGS).filter((value) => !Object.values<string>(QUIET).includes(value)))(
    '%s: says lean what it says in full, but for empty lists',
    (value) => {
      const text = enriched(texts('lean'), eventWith(QUIET.clean, value));
      const lean = rollUpOf(text);
      const { checked_at: _, ...full } = rollUpOf(enriched(texts('full'), eventWith(QUIET.clean, value)));
      expect(text).not.toContain('[]');
      expect(lean).toMatchObject(Object.fromEntries(Object.entries(full).filter(([, one]) => !(Array.isArray(one) && one.length === 0))));
      expect(JSON.parse(text)).toHaveProperty('related.ip', [QUIET.clean, value]);
    },
  );
});

it('a playbook field without categories is no empty list, lean', () => {
  const lean = enriched(textEnricherOn(engine(), { detail: 'lean', writesPlaybook: true }), eventWith(QUIET.clean));
  expect(JSON.parse(lean).threat.enrichment).toEqual({ malicious: false, score: 0 });
});

it('the gateway writes lean documents, and full updates: an engine merges those into what is there', async () => {
  const upstream = await startUpstream();
  const { call } = await startGateway(upstream.url, { enricher: engine() });
  const lines = [{ index: {} }, JSON.parse(eventWith(QUIET.clean)), { update: { _id: '1' } }, { doc: JSON.parse(eventWith(QUIET.clean)) }];
  const body = [...lines, { create: {} }, JSON.parse(eventWith(QUIET.clean))].map((line) => `${JSON.stringify(line)}\n`).join('');
  await call('/logs-a/_bulk', { body, headers: { 'content-type': 'application/x-ndjson' } });
  const sent = upstream.seen
    .at(-1)!
    .body.trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line));
  for (const document of [sent[1], sent[5]]) expect(Object.keys(document.ismalicious)).toEqual(['verdict', 'status', 'checked_at']);
  expect(sent[3].doc.ismalicious).toMatchObject({ verdict: 'clean', score: 0, tier: 'log', indicator: QUIET.clean, categories: [] });
});

it.each(['lean', 'full'] as const)('/v1/logstash, %s: an answer without a finding, a failure, and nothing to look up', async (detail) => {
  const { call } = await startSidecar({}, { enricher: engine(), detail });
  const answer = async (body: object) => (await call('/v1/logstash', { body })).json as Record<string, unknown>;
  const quiet = await answer({ 'source.ip': QUIET.unsure, 'destination.ip': QUIET.clean });
  const failed = await answer({ 'destination.ip': '1.1.1.1' });
  const nothing = await answer({ 'destination.ip': '' });
  if (detail === 'lean') expect(quiet).toEqual({ verdict: 'clean', status: 'ok', checked_at: '2026-11-18T11:06:40Z' });
  else expect(quiet).toMatchObject({ auto_resolve: false, failed: false, enrichments: [], fields: { 'source.ip': { score: 12 } } });
  expect(failed).toMatchObject({ verdict: 'unknown', status: 'timeout', failed: true, retry: true, tier: 'review' });
  expect(nothing).toMatchObject({ status: 'skipped_empty', nothing_to_look_up: true, failed: false });
  expect(JSON.stringify([failed, nothing]).includes('[]')).toBe(detail === 'full');
});

it('a backfill writes the same, and empties what a failed look-up left', () => {
  const found = [{ field: 'destination.ip', enrichment: engine().peek(QUIET.clean)! }];
  const failed = Object.fromEntries(ROLL_UP_MEMBERS.map((member) => [member, 'x']));
  const rules = { matchedType: null, occurred: '2026-11-21T10:00:00.000Z', detail: 'lean' } as const;
  const lean = { verdict: 'clean', status: 'ok', checked_at: '2026-11-18T11:06:40Z' };
  expect(toDocumentUpdate({}, found, rules)).toEqual({ kind: 'write', doc: { ismalicious: lean } });
  expect(toDocumentUpdate({ ismalicious: failed }, found, rules)).toEqual({
    kind: 'write',
    doc: { ismalicious: { ...Object.fromEntries(ROLL_UP_MEMBERS.map((member) => [member, null])), ...lean } },
  });
});
