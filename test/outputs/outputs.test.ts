import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { settingMeta } from '../../src/config/setting.ts';
import { outputBlock } from '../../src/pipeline/settings/pipeline-settings.ts';
import { csvLine } from '../../src/outputs/forms/csv-line.ts';
import { passesFilter, type OutputFilter } from '../../src/outputs/forms/filter.ts';
import { toHecEvent } from '../../src/outputs/forms/hec-event.ts';
import type { HttpOutputCall, OutputItem } from '../../src/outputs/output.ts';
import { OUTPUTS } from '../../src/outputs/registry.ts';
import { summaryOf } from '../../src/outputs/forms/item-summary.ts';
import { readCsvRows } from '../../src/model/formats/csv-rows.ts';
import { hasFixtures, readJsonFixture } from '../support/fixtures.ts';
import { bodyOf, contextOf, itemOf, NOW, outputOf, read, SETTINGS, start } from './samples.ts';

const A = itemOf('45.83.64.7');
const B = itemOf('45.83.64.8');
const C = itemOf('45.83.64.9');
const D = itemOf('45.83.64.10');
const values = (items: readonly OutputItem[] | undefined) => (items ?? []).map(({ indicator }) => indicator.value);
const refused = (refusals: readonly { item: OutputItem }[] | undefined) => values((refusals ?? []).map(({ item }) => item));
const HTTP = OUTPUTS.map(({ id }) => id).filter((id) => id !== 'file' && id !== 'email');

describe('every output', () => {
  it('has the ids that users write', () => {
    expect(OUTPUTS.map(({ id }) => id).toSorted()).toEqual(
      'splunk_hec sentinel sentinel_logs crowdstrike misp elasticsearch file webhook jira servicenow pagerduty thehive slack teams email abuseipdb virustotal opencti'
        .split(' ')
        .toSorted(),
    );
  });
  it.each(OUTPUTS.map((output) => [output.id, output] as const))(
    '%s: is off, documents each setting, and hides its secrets',
    (_id, output) => {
      const block = outputBlock(output);
      for (const [key, schema] of Object.entries(block.shape))
        expect(settingMeta.get(schema), key).toMatchObject({
          doc: expect.stringMatching(/\.$/),
          env: expect.stringMatching(/^ISMALICIOUS_OUTPUTS_/),
        });
      expect(block.parse(SETTINGS[output.id])).toMatchObject({
        enabled: false,
        dryRun: ['abuseipdb', 'virustotal', 'opencti'].includes(output.id),
      });
      const secrets = Object.entries(block.shape).filter(([key]) => String(SETTINGS[output.id]?.[key]).startsWith('s3cret'));
      for (const [key, schema] of secrets) expect(settingMeta.get(schema)?.secret, key).toBe(true);
    },
  );
  it.each(HTTP)('%s: no secret in its URL, unless the URL is the secret', (id) => {
    const { call } = start(id, [A]);
    if (call.kind !== 'http') throw new Error('no HTTP call');
    if (!call.isSecretUrl) expect(call.url.href).not.toContain('s3cret');
    expect(call.url.protocol).toBe('https:');
  });
  it.each(HTTP.flatMap((id) => [429, 500, 503].map((status) => [id, status] as const)))(
    '%s: HTTP %i is tried again, after the time it names',
    (id, status) => {
      const result = read(id, [A], { status, headers: { 'retry-after': '17' } });
      expect([refused(result.retryable), result.retryAfterMs, result.delivered ?? [], result.rejected ?? []]).toEqual([
        [A.indicator.value],
        17_000,
        [],
        [],
      ]);
    },
  );
  it.each(HTTP.flatMap((id) => [401, 404].map((status) => [id, status] as const)))(
    '%s: HTTP %i waits for a person and gives nothing up',
    (id, status) => {
      const result = read(id, [A], { status, body: null });
      expect([typeof result.halt, result.rejected ?? [], result.delivered ?? []]).toEqual(['string', [], []]);
    },
  );
  it.each(HTTP.filter((id) => id !== 'splunk_hec'))('%s: HTTP 400 names no culprit: it goes again in halves', (id) => {
    expect(read(id, [A], { status: 400, body: { message: 'bad' } }).split).toMatch(/400.*bad/);
  });
  it.each(HTTP)('%s: a page of HTML is not success, wherever JSON is promised', (id) => {
    const result = read(id, [A], { status: 502, body: '<html>proxy</html>' });
    expect([result.delivered ?? [], result.duplicate ?? []]).toEqual([[], []]);
    expect(JSON.stringify(result.retryable?.map(({ reason }) => reason))).not.toContain('<html>');
  });
});

describe('what is let through', () => {
  const filter: OutputFilter = { minScore: 70, tiers: [], types: [], events: [], maxTlp: 'AMBER' };
  const hec = outputOf('splunk_hec');
  it.each([
    ['score 70', itemOf('1.1.1.1', { answer: { score: 70 } }), {}, true],
    ['score 69', itemOf('1.1.1.1', { answer: { score: 69 } }), {}, false],
    ['no score', itemOf('1.1.1.1', { answer: { score: null } }), {}, false],
    ['no score, no minimum', itemOf('1.1.1.1', { answer: { score: null } }), { minScore: null }, true],
    ['tier p1 of p1', itemOf('1.1.1.1'), { tiers: ['p1' as const] }, true],
    ['tier p1 of p2', itemOf('1.1.1.1'), { tiers: ['p2' as const] }, false],
    ['an address where domains are wanted', itemOf('1.1.1.1'), { types: ['domain-name' as const] }, false],
    ['TLP:AMBER to AMBER', itemOf('1.1.1.1', { tlp: 'AMBER' }), {}, true],
    ['TLP:RED to AMBER', itemOf('1.1.1.1', { tlp: 'RED' }), {}, false],
    ['unmarked to GREEN', itemOf('1.1.1.1', { tlp: null }), { maxTlp: 'GREEN' as const }, false],
    ['a triage event where only judgements go', itemOf('1.1.1.1', { event: 'triage' }), { events: ['enriched' as const] }, false],
    [
      'a verdict that turned from bad to clean',
      itemOf('1.1.1.1', {
        event: 'verdict_changed',
        answer: { score: 5, verdict: 'clean', tier: 'log' },
        before: { verdict: 'malicious', score: 90, tier: 'p1', atS: NOW },
      }),
      {},
      true,
    ],
    [
      'one that was never told',
      itemOf('1.1.1.1', {
        event: 'verdict_changed',
        answer: { score: 5 },
        before: { verdict: 'suspicious', score: 50, tier: 'watch', atS: NOW },
      }),
      {},
      false,
    ],
  ])('%s: %#', (_name, item, more, passes) => expect(passesFilter(item, hec, { ...filter, ...more })).toBe(passes));
  it.each(['sentinel', 'crowdstrike', 'elasticsearch'])('%s never gets what is clean or unknown, whatever the minimum', (id) => {
    for (const verdict of ['clean', 'unknown'] as const)
      expect(passesFilter(itemOf('1.1.1.1', { answer: { verdict } }), outputOf(id), { ...filter, minScore: null })).toBe(false);
  });
  it('Falcon has no form for URLs', () =>
    expect(passesFilter(itemOf('http://x.net/', { type: 'url' }), outputOf('crowdstrike'), filter)).toBe(false));
});

describe('Splunk HEC', () => {
  it.skipIf(!hasFixtures)('sends the shape of the seed pipeline, and ours [needs recordings]', () => {
    const [golden] = (readJsonFixture('providers/outputs/splunk-hec-batch.ndjson.json') as { objects: Record<string, unknown>[] }).objects;
    const sent = toHecEvent(itemOf('203.0.113.7'), { index: 'threat_intel', host: 'sidecar-1' });
    expect(Object.keys(sent)).toEqual(Object.keys(golden!));
    expect(sent).toMatchObject({
      sourcetype: 'ioc:enriched',
      source: 'ismalicious',
      index: 'threat_intel',
      event: golden!.event as object,
    });
    expect(sent.event).toMatchObject({ event_id: 'ismalicious:203.0.113.7:1', verdict: 'malicious', tier: 'p1', categories: ['c2'] });
  });
  it('carries what VirusTotal, Shodan and AbuseIPDB answered, under the names of the published event', () => {
    const said = {
      status: 'ok',
      verdict: 'unknown',
      score: null,
      confidence: null,
      categories: [],
      attributes: [],
      sightings: null,
    } as const;
    const rest = { firstSeen: null, lastSeen: null, reference: null, contribution: 0, message: null };
    const providers = [
      { ...said, ...rest, provider: 'virustotal', sightings: 15, detections: { malicious: 14, total: 91 } },
      { ...said, ...rest, provider: 'shodan', attributes: ['vpn', 'port-22', 'port-443'], organization: 'Example Hosting Ltd' },
      { ...said, ...rest, provider: 'abuseipdb', score: 93 },
    ];
    const sent = toHecEvent(itemOf('203.0.113.7', { answer: { providers } }), { host: 'h' });
    expect(sent.event).toMatchObject({
      vt_malicious_engines: 14,
      vt_total_engines: 91,
      shodan_open_ports: [22, 443],
      shodan_org: 'Example Hosting Ltd',
      abuseipdb_confidence: 93,
      first_seen: '2026-11-16T11:06:40Z',
      last_seen: '2026-11-18T10:06:40Z',
    });
    const failed = providers.map((one) => ({ ...one, status: 'timeout' as const }));
    const without = toHecEvent(itemOf('203.0.113.7', { answer: { providers: failed } }), { host: 'h' });
    expect(Object.keys(without.event).filter((name) => /^(vt|shodan|abuseipdb)_/.test(name))).toEqual([]);
  });
  it('stacks objects, without array or commas', () => {
    const { call } = start('splunk_hec', [A, B]);
    if (call.kind !== 'http') throw new Error('no HTTP call');
    expect([call.url.href, call.gzip, call.headers.authorization]).toEqual([
      'https://splunk.corp-net.com:8088/services/collector/event',
      true,
      'Splunk s3cret-hec',
    ]);
    expect(call.body?.split('\n').map((line) => JSON.parse(line).event.ioc_value)).toEqual(['45.83.64.7', '45.83.64.8']);
  });
  it('takes the full address of the seed config', () => {
    const { call } = start('splunk_hec', [A], { baseUrl: 'https://splunk.corp-net.com:8088/services/collector/event' });
    expect(call.kind === 'http' && call.url.href).toBe('https://splunk.corp-net.com:8088/services/collector/event');
  });
  const outcomes: Record<number, string> = { 0: 'delivered', 17: 'delivered', 24: 'delivered', 25: 'delivered' };
  for (const code of [8, 9, 18, 19, 20, 23, 26, 27]) outcomes[code] = 'retry';
  for (const code of [1, 2, 3, 4, 7, 10, 11, 14, 16]) outcomes[code] = 'halt';
  for (const code of [5, 6, 12, 13, 15]) outcomes[code] = 'split';
  it.skipIf(!hasFixtures)('does as each code of its table asks [needs recordings]', () => {
    const table = (
      readJsonFixture('providers/outputs/splunk-hec-responses.json') as {
        http: number;
        body: { code?: number; text?: string };
        when?: string;
        path?: string;
      }[]
    ).filter(({ when, path }) => !when && !path);
    expect(table.length).toBeGreaterThan(24);
    for (const { http, body } of table) {
      const result = read('splunk_hec', [A, B], { status: http, body });
      const outcome =
        result.delivered?.length === 2
          ? 'delivered'
          : result.retryable?.length === 2
            ? 'retry'
            : result.halt
              ? 'halt'
              : result.split
                ? 'split'
                : 'nothing';
      expect([body.code, outcome]).toEqual([body.code, outcomes[body.code ?? -1]]);
    }
    expect(read('splunk_hec', [A], { body: { text: 'HEC queue is approaching its capacity limit', code: 24 } }).retryAfterMs).toBe(5000);
  });
  it('sets the event aside that HEC points at, and sends the others at once', () => {
    const result = read('splunk_hec', [A, B, C], {
      status: 400,
      body: { text: 'Invalid data format', code: 6, 'invalid-event-number': 1 },
    });
    expect([refused(result.rejected), bodyLines(result.next)]).toEqual([['45.83.64.8'], ['45.83.64.7', '45.83.64.9']]);
  });
  it('waits for the acknowledgement, and sends again when it never comes', () => {
    const context = contextOf('splunk_hec', { ack: true });
    const output = outputOf('splunk_hec');
    let { next } = read('splunk_hec', [A], { body: { text: 'Success', code: 0, ackId: 7 } }, { ack: true });
    expect(next?.call.kind === 'http' && [next.call.url.search, next.call.headers['x-splunk-request-channel'], next.waitMs]).toEqual([
      expect.stringContaining('channel='),
      expect.any(String),
      1000,
    ]);
    expect(output.read({ status: 200, headers: {}, body: { acks: { 7: true } } }, next!, [A], context).delivered).toEqual([A]);
    for (let polls = 0; polls < 8 && next; polls++) {
      const result = output.read({ status: 200, headers: {}, body: { acks: { 7: false } } }, next, [A], context);
      next = result.next;
      if (!next) expect(result.retryable?.[0]?.reason).toMatch(/not acknowledged/);
    }
    expect(next).toBeUndefined();
  });
  function bodyLines(step: ReturnType<typeof start> | undefined): string[] {
    return step?.call.kind === 'http' ? (step.call.body ?? '').split('\n').map((line) => JSON.parse(line).event.ioc_value) : [];
  }
});

describe.skipIf(!hasFixtures)('recorded answers [needs recordings]', () => {
  const recorded = (name: string) =>
    readJsonFixture(`providers/outputs/${name}.json`) as { http?: number; body?: unknown; headers?: Record<string, string> }[];
  it('Sentinel: single objects fail inside HTTP 200; 429 says when in its text', () => {
    const [, partial, busy] = recorded('sentinel-upload-responses');
    const result = read('sentinel', [A, B, C, D], { body: partial!.body });
    expect([values(result.delivered), refused(result.rejected), result.rejected?.[0]?.reason]).toEqual([
      values([A, B, C]),
      values([D]),
      expect.stringContaining('Required property is missing'),
    ]);
    expect(read('sentinel', [A], { status: 429, body: busy!.body }).retryAfterMs).toBe(17_000);
    expect(read('sentinel', [A, B], { body: null }).delivered).toHaveLength(2);
  });
  it('Elasticsearch: 201, 409, 400 and 429 in one answer', () => {
    const result = read('elasticsearch', [A, B, C, D], { body: readJsonFixture('providers/outputs/elasticsearch-bulk-partial.json') });
    expect([values(result.delivered), values(result.duplicate), refused(result.rejected), refused(result.retryable)]).toEqual([
      values([A]),
      values([B]),
      values([C]),
      values([D]),
    ]);
  });
  it.each([
    ['logs-ti_ismalicious.indicator-default', 'auto', 'create'],
    ['logs-ti_ismalicious', 'auto', 'index'],
    ['iocs-a-b', 'auto', 'index'],
    ['iocs', 'data_stream', 'create'],
    ['logs-ti_ismalicious.indicator-default', 'index', 'index'],
  ])('Elasticsearch: %s, target %s: %s', (index, target, action) => {
    const { call } = start('elasticsearch', [A], { index, target });
    expect(Object.keys(JSON.parse((call as HttpOutputCall).body!.split('\n')[0]!) as object)).toEqual([action]);
  });
  it('Elasticsearch: 201 of what is only in the failure store is no delivery', () => {
    const items = [
      { create: { status: 201, failure_store: 'used' } },
      { create: { status: 201, failure_store: 'not_applicable_or_unknown' } },
    ];
    const result = read('elasticsearch', [A, B], { body: { errors: false, items } });
    expect([result.delivered, result.rejected]).toEqual([[B], [{ item: A, reason: expect.stringContaining('failure store') }]]);
  });
  it('CrowdStrike: created; a duplicate is found and updated; a limit names its time in epoch seconds', () => {
    const [created, duplicate, busy] = recorded('crowdstrike-responses');
    const item = itemOf('203.0.113.7');
    expect(read('crowdstrike', [item], { status: 201, body: created!.body }).delivered).toEqual([item]);
    const { next } = read('crowdstrike', [item], { status: 400, body: duplicate!.body });
    expect(next?.call.kind === 'http' && decodeURIComponent(next.call.url.search)).toContain("type:'ipv4'+value:'203.0.113.7'");
    const found = outputOf('crowdstrike').read(
      { status: 200, headers: {}, body: { resources: ['id-1'] } },
      next!,
      [item],
      contextOf('crowdstrike'),
    ).next;
    expect([found?.call.kind === 'http' && found.call.method, bodyOf(found)]).toEqual([
      'PATCH',
      expect.objectContaining({ indicators: [expect.objectContaining({ id: 'id-1', action: 'detect' })] }),
    ]);
    expect(
      outputOf('crowdstrike').read({ status: 200, headers: {}, body: {} }, found!, [item], contextOf('crowdstrike')).duplicate,
    ).toEqual([item]);
    const limit = read('crowdstrike', [item], { status: 429, headers: { 'x-ratelimit-retryafter': String(NOW + 60) }, body: busy!.body });
    expect([limit.retryAfterMs, refused(limit.retryable)]).toEqual([60_000, ['203.0.113.7']]);
  });
  describe('MISP', () => {
    const output = outputOf('misp');
    const context = contextOf('misp');
    const ok = (body: unknown) => ({ status: 200, headers: {}, body });
    /** All calls about A where MISP has `known`, and what became of it. */
    const walk = (known: readonly object[]) => {
      const calls: [path: string, body: unknown][] = [];
      let result = output.read(ok({ response: { Attribute: known } }), start('misp', [A]), [A], context);
      for (; result.next; result = output.read(ok({ saved: true }), result.next, [A], context)) {
        const { call } = result.next;
        if (call.kind === 'http') calls.push([call.url.pathname, bodyOf(result.next)]);
      }
      return { calls, result };
    };
    const inEvent = (uuid: string, more: object = {}) => ({
      uuid: 'u-1',
      value: '45.83.64.7',
      Event: { uuid, info: 'Some campaign' },
      ...more,
    });
    const ELSEWHERE = '5f0f1c8e-1111-4222-8333-444455556666';
    const tags = ['verdict="malicious"', 'tier="p1"'].map((tag) => [
      '/tags/attachTagToObject',
      { uuid: 'u-1', tag: `ismalicious:${tag}`, local: true },
    ]);

    it.each([
      ['in another event', {}],
      ['as another type', { type: 'ip-src' }],
      ['in a composite', { value: '45.83.64.7|443' }],
    ])('a value that it has from others %s gets a sighting and our tags, no copy', (_where, more) => {
      const { calls, result } = walk([inEvent(ELSEWHERE, more)]);
      expect(calls).toEqual([['/sightings/add', { values: ['45.83.64.7'], source: 'isMalicious', type: 0 }], ...tags]);
      expect(result.duplicate).toEqual([A]);
    });
    it('what it has from us alone is brought up to date, and gets no sighting from us', () => {
      const old = [{ name: 'ismalicious:verdict="suspicious"' }, { name: 'tlp:green' }];
      const { calls, result } = walk([inEvent('784f3129-515d-51bd-afdf-4d35d122e497', { Tag: old })]);
      expect(calls).toEqual([
        ['/attributes/edit/u-1', { to_ids: true, comment: 'isMalicious: malicious, score 87, tier p1' }],
        ['/tags/removeTagFromObject', { uuid: 'u-1', tag: 'ismalicious:verdict="suspicious"' }],
        ...tags,
      ]);
      expect(result.duplicate).toEqual([A]);
    });
    it('what only looks like it by a wildcard is another value: ours is added, with our mark', () => {
      const { calls, result } = walk([inEvent(ELSEWHERE, { value: '145.83.64.7' })]);
      expect(calls).toEqual([
        [
          '/attributes/add/784f3129-515d-51bd-afdf-4d35d122e497',
          expect.objectContaining({ value: '45.83.64.7', Tag: expect.arrayContaining([{ name: 'ismalicious:origin="pack"' }]) }),
        ],
      ]);
      expect(result.delivered).toEqual([A]);
    });
    it('an event that is not there yet is made, with our mark; somebody who was faster counts as delivered', () => {
      const errors = readJsonFixture('providers/misp/errors.json') as { status: number; body: unknown }[];
      const add = output.read(ok({ response: [] }), start('misp', [A]), [A], context).next!;
      const refusedWith = (status: number, body: unknown) => output.read({ status, headers: {}, body }, add, [A], context);
      expect(bodyOf(refusedWith(404, null).next)).toMatchObject({
        Event: { published: false, distribution: 0, Tag: [{ name: 'ismalicious:origin="pack"' }] },
      });
      expect(refusedWith(403, errors[2]!.body).duplicate).toEqual([A]);
      expect(refusedWith(403, errors[0]!.body).halt).toMatch(/403/);
    });
  });
  it('Jira, ServiceNow, PagerDuty, TheHive: what is asked for is what they document', () => {
    const jira = outputOf('jira');
    const create = jira.read({ status: 200, headers: {}, body: { issues: [] } }, start('jira', [A]), [A], contextOf('jira')).next!;
    const golden = readJsonFixture('providers/outputs/jira-create-request-adf.json') as { fields: object };
    expect(Object.keys(bodyOf(create)!.fields!).toSorted()).toEqual(Object.keys(golden.fields).toSorted());
    expect(
      jira.read(
        { status: 201, headers: {}, body: readJsonFixture('providers/outputs/jira-create-issue-201.json') },
        create,
        [A],
        contextOf('jira'),
      ).delivered,
    ).toEqual([A]);
    const [pager] = readJsonFixture('providers/outputs/pagerduty.json') as { request: { payload: object } }[];
    expect(Object.keys(bodyOf(start('pagerduty', [A]))!)).toEqual(Object.keys(pager!.request));
    expect(Object.keys(bodyOf(start('pagerduty', [A]))!.payload!)).toEqual(Object.keys(pager!.request.payload));
    expect(Object.keys(bodyOf(start('thehive', [A]))!)).toEqual(
      Object.keys(readJsonFixture('providers/outputs/thehive-alert-request.json') as object),
    );
    const snow = outputOf('servicenow').read(
      { status: 200, headers: {}, body: { result: [] } },
      start('servicenow', [A]),
      [A],
      contextOf('servicenow'),
    ).next;
    expect(String(bodyOf(snow)!.correlation_id).length).toBeLessThanOrEqual(100);
  });
  it('CrowdStrike is asked in the form falconpy sends', () => {
    const golden = readJsonFixture('providers/outputs/crowdstrike-create-request.json') as { indicators: object[] };
    expect(Object.keys((bodyOf(start('crowdstrike', [A]))!.indicators as unknown as object[])[0]!)).toEqual(
      Object.keys(golden.indicators[0]!),
    );
  });
});

describe('CrowdStrike', () => {
  it('cannot be made to block an address or a domain', () => {
    expect(outputOf('crowdstrike').settings.safeParse({ ...SETTINGS.crowdstrike, action: 'prevent' }).success).toBe(false);
    const hash = itemOf('a'.repeat(64), { type: 'file:sha256' });
    const sent = bodyOf(start('crowdstrike', [A, hash], { hashAction: 'prevent' }))!.indicators as unknown as { action: string }[];
    expect(sent.map(({ action }) => action)).toEqual(['detect', 'prevent']);
    expect((bodyOf(start('crowdstrike', [hash]))!.indicators as unknown as { action: string }[])[0]!.action).toBe('detect');
  });
  it('one bad row does not stop the others', () => {
    const rows = [
      { row: 1, value: '45.83.64.7', message_type: 'error', message: 'Duplicate type' },
      { row: 2, message_type: 'error', message: 'Invalid value' },
    ];
    const result = read('crowdstrike', [A, B, C], { status: 400, body: { errors: [{ message: 'x' }], resources: rows } });
    expect([
      refused(result.rejected),
      (bodyOf(result.next)!.indicators as unknown as { value: string }[]).map(({ value }) => value),
    ]).toEqual([['45.83.64.8'], ['45.83.64.9']]);
    const after = outputOf('crowdstrike').read(
      { status: 201, headers: {}, body: { resources: [{}] } },
      result.next!,
      [A, C],
      contextOf('crowdstrike'),
    );
    expect([values(after.delivered), after.next?.call.kind === 'http' && decodeURIComponent(after.next.call.url.search)]).toEqual([
      ['45.83.64.9'],
      expect.stringContaining('45.83.64.7'),
    ]);
  });
});

describe('text for people', () => {
  it('shows values so that nobody clicks them by accident', () =>
    expect(summaryOf(itemOf('http://evil-host.net/a', { type: 'url' }))).toContain('hxxp[:]//evil-host[.]net/a'));
  it('a summary fits its line however long the URL is', () => {
    const long = itemOf(`http://evil-host.net/${'a'.repeat(5000)}`, { type: 'url' });
    expect(summaryOf(long).length).toBeLessThanOrEqual(250);
    expect(summaryOf(long)).toMatch(/^P1 .* malicious, score 87$/);
  });
  it.each([
    ['=cmd|calc', '"\'=cmd|calc"'],
    ['+1', '"\'+1"'],
    ['-cmd', '"\'-cmd"'],
    ['@x', '"\'@x"'],
    ['-5', '-5'],
    ['a,b', '"a,b"'],
    ['a"b', '"a""b"'],
    ['plain', 'plain'],
  ])('the CSV cell %j is written %s', (text, written) => {
    expect(csvLine([text])).toBe(written);
  });
  it('a CSV line never begins a formula, and reads back as cells', () => {
    fc.assert(
      fc.property(fc.array(fc.string(), { minLength: 1, maxLength: 4 }), (cells) => {
        const [row = []] = readCsvRows(`x,${csvLine(cells)}\n`, { delimiter: ',', mayBreak: () => true }).rows;
        return (
          row.length === cells.length + 1 &&
          row
            .slice(1)
            .every((cell, n) => (cell === cells[n] || cell === `'${cells[n]}`) && (!/^[=+@\t\r|%]/.test(cell) || /^-?\d/.test(cell)))
        );
      }),
    );
  });
  it('Teams: what feeds and providers wrote is no Markdown, in title and facts', () => {
    const evil = itemOf('http://evil-host.net/[x](https://y.example)', {
      type: 'url',
      tags: ['[free](https://evil.example/)', '**now**', '<at>all</at>'],
      note: `![x](https://evil.example/t.png)${'\\'.repeat(600)}`,
    });
    interface Card {
      readonly attachments: readonly { readonly content: { readonly body: readonly { text?: string; facts?: { value: string }[] }[] } }[];
    }
    const [attachment] = (bodyOf(start('teams', [evil])) as unknown as Card).attachments;
    const texts = attachment!.content.body.flatMap(({ text, facts }) => [text ?? '', ...(facts ?? []).map(({ value }) => value)]);
    // What is left when each escape is taken away holds nothing that Markdown reads.
    for (const text of texts) expect(text.replace(/\\./g, '')).not.toMatch(/[[\]()*_<>`\\]/);
    expect(texts.join('\n')).toContain('\\[free\\]\\(https://evil.example/\\)');
    expect(Math.max(...texts.map(({ length }) => length))).toBeLessThanOrEqual(502);
  });
  it('Slack and TheHive text cannot be broken out of', () => {
    const evil = itemOf('45.83.64.7', { tags: ['<!channel> [x](http://y)'] });
    expect(JSON.stringify(bodyOf(start('slack', [evil])))).not.toContain('<!channel>');
    expect(String(bodyOf(start('thehive', [evil]))!.description)).toContain('\\[x\\]\\(http://y\\)');
  });
});

it('PagerDuty keeps within its dedup key however long the URL is', () => {
  expect(bodyOf(start('pagerduty', [A]))!.dedup_key).toBe('ismalicious:ipv4-addr:45.83.64.7');
  expect(
    String(bodyOf(start('pagerduty', [itemOf(`http://x.net/${'a'.repeat(900)}`, { type: 'url' })]))!.dedup_key).length,
  ).toBeLessThanOrEqual(255);
});
