import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { openEngine } from '../../src/compose/open-engine.ts';
import { createProfiledEnricher } from '../../src/compose/profiled-enricher.ts';
import { systemPipelineClock } from '../../src/pipeline/pipeline-clock.ts';
import { TriageSettings } from '../../src/pipeline/triage/triage-settings.ts';
import { triageWithEvidence } from '../../src/pipeline/triage/triage.ts';
import { enrichPage } from '../../src/search-engine/backfill/enrich-page.ts';
import { createValueReader } from '../../src/search-engine/backfill/document-values.ts';
import type { EngineClient } from '../../src/search-engine/engine-client.ts';
import { shareThroughKvStore } from '../../src/splunkd/kv-verdicts.ts';
import { newStateFolder } from '../support/open-test-engine.ts';
import { frameOf, getinfoOf, readFrames, replay } from '../support/splunk-streams.ts';
import { DESTINATION_ONLY, eventOf, matchedIn, openTwo, type Written } from '../support/two-by-field.ts';
import { saidInTable } from './every-host.ts';
import { startSidecar } from './sidecar/support/start-sidecar.ts';

const BOTH = eventOf('12.0.0.1', '12.0.0.1');

describe('a call that says as whom it asks', () => {
  it.each([
    ['a profile with fields of its own', '?profile=soc', ['source.ip']],
    ['a profile without', '?profile=guests', ['destination.ip']],
    ['a label', '?tlp=GREEN', ['destination.ip']],
    ['nobody', '', ['destination.ip']],
  ])('%s: /v1/enrich and /v1/logstash route by its settings', async (_, query, fields) => {
    const { env } = await openTwo(DESTINATION_ONLY);
    const folder = newStateFolder();
    const path = join(folder, 'c.yaml');
    writeFileSync(path, 'profiles: { soc: { providers: { abuseipdb: { fields: [source.ip] } } }, guests: { scoring: { p1: 99 } } }\n');
    const options = { env: { ...env, ISMALICIOUS_STATE_DIR: folder, ISMALICIOUS_CONFIG: path, ABUSEIPDB_MAX_TLP: 'AMBER' } };
    const opened = await openEngine(options);
    const enricher = createProfiledEnricher(opened, options);
    onTestFinished(() => enricher.close());
    const { call } = await startSidecar({}, { enricher, profiles: opened.config.profiles, detail: 'full' });
    for (const _again of [1, 2]) expect(matchedIn((await call(`/v1/enrich${query}`, { body: BOTH })).json as Written)).toEqual(fields);
    const { json } = await call(`/v1/logstash${query}`, { body: { '[source][ip]': '12.0.0.1', 'destination.ip': '12.0.0.1' } });
    const bracketed = fields.map((field) => (field === 'source.ip' ? '[source][ip]' : field));
    expect(
      (json as Written & { enrichments: NonNullable<Written['threat']>['enrichments'] }).enrichments.map(({ matched }) => matched.field),
    ).toEqual(bracketed);
  });
});

describe('what is known at home', () => {
  it('counts in every field, and at once', async () => {
    const { engine, feedback } = await openTwo(DESTINATION_ONLY);
    const { call } = await startSidecar({ frontCacheMs: 60_000 }, { enricher: engine, detail: 'full' });
    const verdict = async () => ((await call('/v1/enrich', { body: eventOf('12.0.0.1') })).json as Written).ismalicious.verdict;
    expect([await verdict(), await verdict()]).toEqual(['clean', 'clean']);
    const decision = { verdict: 'malicious', score: 100, author: 'ana', reason: 'seen', saidVerdict: null, saidScore: null } as const;
    feedback.add({ value: '12.0.0.1', type: 'ipv4-addr', ...decision, atS: Math.trunc(Date.now() / 1000), untilS: null });
    expect(await verdict()).toBe('malicious');
  });
});

describe('triage', () => {
  const triage = async (alert: Record<string, unknown>, fieldsOf?: () => string[]) => {
    const { engine, api } = await openTwo({ ABUSEIPDB_FIELDS: 'dest_*,victim' });
    const work = { enricher: engine, rules: TriageSettings.parse({}), clock: systemPipelineClock, store: null, outputs: [], maxPending: 0 };
    const [triaged] = await triageWithEvidence([alert], work, {}, fieldsOf);
    const { verdict, field } = triaged!.decision;
    return [verdict, field, api.asked.abuseipdb.length];
  };

  it.each([
    [{ src_ip: '12.0.0.1' }, ['clean', 'src_ip', 0]],
    [{ dest_ip: '12.0.0.1' }, ['malicious', 'dest_ip', 1]],
    [{ src_ip: '12.0.0.1', dest_ip: '12.0.0.1', dest: '12.0.0.1' }, ['malicious', 'dest_ip', 1]],
  ])('%j is asked about by its fields', async (alert, said) => {
    expect(await triage(alert)).toEqual(said);
  });

  it('asks by the fields that the results of a search had, whatever they are handed over as', async () => {
    expect(await triage({ indicator: ['12.0.0.1'] }, () => ['victim'])).toEqual(['malicious', 'victim', 1]);
    expect(await triage({ indicator: ['12.0.0.1'] }, () => ['attacker'])).toEqual(['clean', 'attacker', 0]);
    expect(await triage({ indicator: ['12.0.0.1'] }, () => [])).toEqual(['clean', 'indicator', 0]);
  });
});

it('a backfill asks by the fields of its documents', async () => {
  const { engine, api } = await openTwo(DESTINATION_ONLY);
  const sent: string[] = [];
  const client: EngineClient = {
    name: 'stub',
    call(_method, _path, body) {
      sent.push(...String(body).trim().split('\n'));
      return Promise.resolve({
        status: 200,
        body: { items: [{ update: { status: 200 } }, { update: { status: 200 } }] },
        headers: {},
      } as never);
    },
  };
  const fields = ['source.ip', 'destination.ip'];
  const documents = [BOTH, eventOf('12.0.0.1')].map((source, n) => ({
    index: 'i',
    id: `${n}`,
    routing: null,
    seqNo: n,
    primaryTerm: 1,
    source,
  }));
  const rules = { matchedType: null, occurred: '2026-01-01T00:00:00.000Z' };
  const work = { engine: client, enricher: engine, readValues: createValueReader(fields), fields, withFailures: false, rules };
  await enrichPage({ ...work, budget: { remaining: 9 }, wait: () => Promise.resolve() }, documents);
  const written = sent.filter((_, n) => n % 2 === 1).map((line) => (JSON.parse(line) as { doc: Written }).doc);
  expect(written.map((one) => [one.ismalicious.verdict, matchedIn(one)])).toEqual([
    ['malicious', ['destination.ip']],
    ['clean', []],
  ]);
  expect([api.asked.ismalicious, api.asked.abuseipdb]).toEqual([['12.0.0.1'], ['12.0.0.1']]);
});

it('a cluster shares answers by value', async () => {
  const { engine } = await openTwo(DESTINATION_ONLY);
  const bodies: string[] = [];
  const splunkd = {
    request(call: { readonly body?: string }) {
      bodies.push(call.body ?? '');
      return Promise.resolve([]);
    },
    secrets: () => Promise.resolve({}),
    close: () => Promise.resolve(),
  };
  const shared = shareThroughKvStore(engine, splunkd, { batchSize: 10, maxRows: 10, nowS: () => Math.trunc(Date.now() / 1000) });
  const table = 'source.ip,destination.ip\n12.0.0.1,\n12.0.0.2,12.0.0.1\n';
  const search = Buffer.concat([getinfoOf(['source.ip', 'destination.ip']), frameOf({ action: 'execute', finished: true }, table)]);
  const { output } = await replay(search, shared);
  expect(saidInTable(readFrames(output).at(-1)!.body).map(([verdict]) => verdict)).toEqual(['clean', 'malicious']);
  const [asked = '', given = ''] = bodies;
  expect(JSON.parse(asked)).toEqual([{ query: { value: '12.0.0.1' } }, { query: { value: '12.0.0.2' } }]);
  expect(
    (JSON.parse(given) as { provider: string; value: string }[]).map(({ provider, value }) => `${provider} ${value}`).toSorted(),
  ).toEqual(['abuseipdb 12.0.0.1', 'ismalicious 12.0.0.1', 'ismalicious 12.0.0.2']);
});
