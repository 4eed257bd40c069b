import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import * as z from 'zod/mini';
import { DASHBOARDS } from '../../scripts/generate/elastic-panels.ts';
import { monitors } from '../../scripts/generate/elastic-monitors.ts';
import { detectionRules } from '../../scripts/generate/elastic-rules.ts';
import { createUndiciTransport } from '../../src/engine/calls/http/undici-transport.ts';
import { readAssets } from '../../src/search-engine/assets/asset.ts';
import { runAssets } from '../../src/search-engine/assets/run-assets.ts';
import { createEngineClient } from '../../src/search-engine/engine-client.ts';
import { createSidecar } from '../../src/hosts/sidecar/server.ts';
import { SidecarSettings } from '../../src/compose/sidecar-settings.ts';
import { toIocDocument } from '../../src/mapping/ioc-document.ts';
import type { Enrichment } from '../../src/model/enrichment.ts';
import { ecsFaults } from '../support/ecs-conformance.ts';
import { EVENT_VALUES, ecsEvents } from '../support/ecs-events.ts';
import { createFakeEnricher } from '../support/fake-sidecar-enricher.ts';
import { hasFixtures, projectRoot } from '../support/fixtures.ts';
import { kqlToDsl } from '../support/kql.ts';
import type { EcsDetail } from '../../src/mapping/ecs-roll-up.ts';
import { enrichByReference } from '../support/reference-enrichment.ts';
import { type EngineAnswer, engineAbsence, leaseEngine, type LeasedEngine } from '../support/search-engine.ts';

const NOW = '2026-11-21T10:00:00.000Z';
const EVENTS = 'logs-ismalicious.events-default';
const INDICATORS = 'logs-ti_ismalicious.indicator-default';

const enricher = createFakeEnricher({
  sayings: {
    '45.155.205.9': {
      verdict: 'malicious',
      score: 87,
      confidence: 95,
      categories: ['c2'],
      lastSeen: '2026-11-20T08:00:00Z',
      sightings: 12,
    },
    '185.220.101.1': { verdict: 'suspicious', score: 55, confidence: 40, categories: ['scanner'] },
    'bad.example.net': { verdict: 'malicious', score: 91, confidence: 80 },
    'http://bad.example.net:8080/gate.php?id=1': { verdict: 'malicious', score: 99, confidence: 80 },
    [EVENT_VALUES.sha256[1]]: { verdict: 'malicious', score: 100, confidence: 100, categories: ['ransomware'] },
    '94.102.61.5': { verdict: 'unknown', status: 'timeout', message: 'ismalicious: no answer within 2000 ms' },
  },
});
const lookUp = (value: string) => enricher.peek(value) as Enrichment;
const events = ecsEvents(400);

/** The events as NDJSON through a sidecar's `/v1/enrich`. */
async function throughSidecar(detail: EcsDetail): Promise<string[]> {
  const sidecar = await createSidecar({ enricher, settings: z.parse(SidecarSettings, { port: 0 }), detail });
  const { port } = await sidecar.listen();
  const body = events.map((event) => `${JSON.stringify(event)}\n`).join('');
  const answer = await fetch(`http://127.0.0.1:${port}/v1/enrich`, {
    method: 'POST',
    headers: { 'content-type': 'application/x-ndjson' },
    body,
  });
  const lines = (await answer.text()).trimEnd().split('\n');
  await sidecar.close();
  return lines;
}

interface Entry {
  readonly indicator: { readonly name?: string; readonly ip?: string; readonly confidence?: string };
  readonly matched: { readonly field: string };
}
const entriesOf = (event: Record<string, EngineAnswer>): Entry[] => [event.threat?.enrichments ?? []].flat();

describe.each([
  { kind: 'elasticsearch', target: 'elasticsearch-oss-7.10', detail: 'lean' },
  { kind: 'elasticsearch', target: 'elasticsearch-oss-7.10', detail: 'full' },
  { kind: 'opensearch', target: 'opensearch', detail: 'lean' },
  { kind: 'opensearch', target: 'opensearch', detail: 'full' },
] as const)('enriched events ($detail) in a real $kind', ({ kind, target, detail }) => {
  // What the events are expected to say. What is indexed is what the sidecar makes of them.
  const enriched = events.map((event) => enrichByReference(event, lookUp, NOW, detail));
  const countBy = (member: string) => countOf(enriched, member);

  describe.skipIf(engineAbsence(kind) !== null)(target, () => {
    const transport = createUndiciTransport({ provider: 'test', connections: 2, proxy: null, ca: null });
    let engine: LeasedEngine;

    beforeAll(async () => {
      engine = await leaseEngine(kind);
      const client = createEngineClient(engine.url, { kind: 'none' }, transport);
      const command = { action: 'install', target, isDryRun: false, withHooks: false } as const;
      const lines: string[] = [];
      const code = await runAssets(command, {
        engine: client,
        assets: readAssets(join(projectRoot, 'elastic'), target),
        say: (line) => lines.push(line),
      });
      expect(lines.join('\n')).not.toContain('failed');
      expect(code).toBe(0);
    }, 300_000);

    afterAll(async () => {
      engine?.release();
      await transport.close();
    });

    async function search(query: unknown, index = EVENTS): Promise<Record<string, EngineAnswer>[]> {
      const answer = await engine.call('POST', `/${index}/_search`, { size: 1000, track_total_hits: true, query });
      expect(answer.status).toBe(200);
      expect(answer.body.hits.total.value).toBe(answer.body.hits.hits.length);
      return answer.body.hits.hits;
    }

    const nestedQuery = (...terms: Record<string, unknown>[]) => ({
      nested: { path: 'threat.enrichments', query: { bool: { filter: terms.map((term) => ({ term })) } } },
    });

    it('are all taken by one _bulk, none refused', async () => {
      const lines = (await throughSidecar(detail)).flatMap((event, n) => [JSON.stringify({ create: { _id: `e${n}` } }), event]);
      const { body } = await engine.call('POST', `/${EVENTS}/_bulk?refresh=true`, `${lines.join('\n')}\n`);
      const refused = body.items.filter((item: EngineAnswer) => item.create.error).map((item: EngineAnswer) => item.create.error);
      expect(refused).toEqual([]);
      expect(body).toMatchObject({ errors: false, items: { length: 400 } });
    });

    it('a nested query finds exactly those with the entry', async () => {
      const hits = await search(
        nestedQuery({ 'threat.enrichments.indicator.ip': '45.155.205.9' }, { 'threat.enrichments.matched.field': 'destination.ip' }),
      );
      const wanted = enriched.flatMap((event, n) =>
        entriesOf(event).some((entry) => entry.indicator.ip === '45.155.205.9' && entry.matched.field === 'destination.ip')
          ? [`e${n}`]
          : [],
      );
      expect(wanted.length).toBeGreaterThan(5);
      expect(hits.map(({ _id }) => _id).toSorted()).toEqual(wanted.toSorted());
    });

    it('a nested query never mixes the members of two entries', async () => {
      const mixed = enriched.filter((event) => {
        const names = entriesOf(event).map((entry) => `${entry.indicator.ip} ${entry.indicator.confidence}`);
        return names.includes('45.155.205.9 High') && names.includes('185.220.101.1 Medium');
      });
      expect(mixed.length).toBeGreaterThan(0);
      expect(
        await search(
          nestedQuery({ 'threat.enrichments.indicator.ip': '185.220.101.1' }, { 'threat.enrichments.indicator.confidence': 'High' }),
        ),
      ).toEqual([]);
      const flat = { bool: { filter: [{ term: { 'threat.enrichments.indicator.ip': '185.220.101.1' } }] } };
      expect(await search(flat)).toEqual([]);
    });

    it('the flat twins aggregate to what the events say', async () => {
      const aggs = {
        verdicts: { terms: { field: 'ismalicious.verdict' } },
        tiers: { terms: { field: 'ismalicious.tier' } },
        status: { terms: { field: 'ismalicious.status' } },
        worst: { max: { field: 'ismalicious.score' } },
        bad: {
          filter: { term: { 'ismalicious.malicious': true } },
          aggs: { indicators: { terms: { field: 'ismalicious.indicator', size: 50 } } },
        },
      };
      const { body } = await engine.call('POST', `/${EVENTS}/_search`, { size: 0, aggs });
      const counted = (name: string) =>
        Object.fromEntries(body.aggregations[name].buckets.map((bucket: EngineAnswer) => [bucket.key, bucket.doc_count]));
      for (const member of ['verdict', 'tier', 'status'])
        expect(counted(member === 'status' ? 'status' : `${member}s`)).toEqual(countBy(member));
      expect(body.aggregations.worst.value).toBe(100);
      const indicators = body.aggregations.bad.indicators.buckets.map((bucket: EngineAnswer) => bucket.key);
      expect(indicators.toSorted()).toEqual(
        [...new Set(enriched.filter(flatOf('malicious', true)).map((event: EngineAnswer) => event.ismalicious.indicator))].toSorted(),
      );
    });

    it('failures are found by their tag, and never among the clean', async () => {
      const failed = await search({ term: { tags: '_ismalicious_failure' } });
      expect(failed.map(({ _id }) => _id).toSorted()).toEqual(
        enriched.flatMap((event: EngineAnswer, n) => ([event.tags].flat().includes('_ismalicious_failure') ? [`e${n}`] : [])).toSorted(),
      );
      expect(failed.length).toBeGreaterThan(5);
      expect(failed.filter(({ _source }) => _source.ismalicious.verdict === 'clean')).toEqual([]);
    });

    it('values of the wrong type do not keep an event out', async () => {
      const wrong = {
        '@timestamp': NOW,
        threat: {
          enrichments: [
            {
              indicator: { ip: 'bad.example', first_seen: '', sightings: 'many', as: { number: 'AS15169' } },
              matched: { occurred: 'yesterday', id: 'wrong-1' },
            },
            'text',
          ],
        },
        ismalicious: { verdict: 'malicious', score: 'high', checked_at: 'now' },
        related: { ip: ['not an ip'] },
      };
      const { body } = await engine.call('POST', `/${EVENTS}/_bulk?refresh=true`, `{"create":{"_id":"wrong"}}\n${JSON.stringify(wrong)}\n`);
      expect(body.errors, JSON.stringify(body.items)).toBe(false);
      const found = await search(nestedQuery({ 'threat.enrichments.matched.id': 'wrong-1' }));
      expect(found.map(({ _source }) => _source.threat.enrichments.length)).toEqual([1]);
    });

    it('every rule, panel and recipe is a query the engine takes', async () => {
      for (const query of [
        ...detectionRules().map((rule) => String(rule.query)),
        ...DASHBOARDS.flatMap(({ panels }) => panels.map((panel) => panel.query ?? '')),
        ...recipes('kql'),
      ]) {
        const { status, body } = await engine.call('POST', `/${EVENTS}/_search`, { size: 0, query: kqlToDsl(query) });
        expect(status, `${query}: ${JSON.stringify(body)}`).toBe(200);
      }
      for (const { panels } of DASHBOARDS) {
        for (const { by, max, value, title } of panels) {
          const aggs = Object.fromEntries([
            ...by.map((field) => [field, { terms: { field } }]),
            ...(max ? [['max', { max: { field: max } }]] : []),
            ...(value ? [['value', { [value.op]: { field: value.field } }]] : []),
          ]);
          const { status, body } = await engine.call('POST', `/${EVENTS}/_search`, { size: 0, aggs });
          expect(status, `${title}: ${JSON.stringify(body)}`).toBe(200);
        }
      }
    });

    it.each([
      [
        'ismalicious-malicious-indicator',
        (event: EngineAnswer) => event.ismalicious?.verdict === 'malicious' && ![event.event?.type].flat().includes('denied'),
      ],
      [
        'ismalicious-malicious-file',
        (event: EngineAnswer) => event.ismalicious?.verdict === 'malicious' && /hash/.test(event.ismalicious.field),
      ],
      ['ismalicious-suspicious-spread', (event: EngineAnswer) => event.ismalicious?.verdict === 'suspicious'],
      ['ismalicious-enrichment-failing', (event: EngineAnswer) => [event.tags].flat().includes('_ismalicious_failure')],
    ])('the rule %s finds exactly the events it means', async (id, means) => {
      const rule = detectionRules().find((one) => one.rule_id === id);
      const hits = await search({ bool: { filter: [kqlToDsl(String(rule?.query))], must_not: [{ ids: { values: ['wrong'] } }] } });
      const wanted = enriched.flatMap((event, n) => (means(event) ? [`e${n}`] : []));
      expect(wanted.length).toBeGreaterThan(0);
      expect(hits.map(({ _id }) => _id).toSorted()).toEqual(wanted.toSorted());
    });

    it('every monitor is a search the engine takes, and counts what it means', async () => {
      const counts: Record<string, number> = {};
      for (const monitor of monitors() as EngineAnswer[]) {
        const text = JSON.stringify(monitor.inputs[0].search.query)
          .replaceAll('{{period_start}}', '0')
          .replaceAll('{{period_end}}', String(Date.UTC(2100, 0, 1)));
        const { body } = await engine.call('POST', `/${EVENTS}/_search`, JSON.parse(text));
        counts[monitor.name] = body.hits.total.value;
      }
      const { malicious = 0, suspicious = 0 } = countBy('verdict');
      expect(counts['isMalicious: malicious indicator in an event']).toBe(malicious);
      expect(counts['isMalicious: suspicious indicator in an event']).toBe(suspicious);
    });

    it('a monitor takes an event by when it came in, and one of which nobody noted that by its own time', async () => {
      const index = 'monitored';
      const mappings = {
        properties: {
          ismalicious: { properties: { verdict: { type: 'keyword' }, status: { type: 'keyword' }, indicator: { type: 'keyword' } } },
        },
      };
      await engine.call('PUT', `/${index}`, { mappings });
      const [start, end] = [Date.UTC(2026, 10, 21, 10, 0), Date.UTC(2026, 10, 21, 10, 5)];
      const at = (ms: number) => new Date(ms).toISOString();
      const [before, within, after] = [at(start - 1), at(start), at(end)];
      const times = {
        'own time': { '@timestamp': within },
        'own time before': { '@timestamp': before },
        'own time behind': { '@timestamp': after },
        'late, came in now': { '@timestamp': before, event: { ingested: within } },
        'came in afterwards': { '@timestamp': within, event: { ingested: after } },
      };
      const ismalicious = { verdict: 'malicious', status: 'ok', indicator: '45.155.205.9' };
      const lines = Object.entries(times).flatMap(([name, event]) => [{ index: { _id: name } }, { ...event, ismalicious }]);
      await engine.call('POST', `/${index}/_bulk?refresh=true`, `${lines.map((line) => JSON.stringify(line)).join('\n')}\n`);
      const [monitor] = monitors() as EngineAnswer[];
      const text = JSON.stringify(monitor.inputs[0].search.query)
        .replaceAll('{{period_start}}', String(start))
        .replaceAll('{{period_end}}', String(end));
      const { body } = await engine.call('POST', `/${index}/_search`, { ...JSON.parse(text), size: 10 });
      expect(body.hits.hits.map(({ _id }: EngineAnswer) => _id).toSorted()).toEqual(['late, came in now', 'own time']);
    });

    it('indicator documents replace one another, and leave the valid ones when they expire', async () => {
      const digest = (text: string) => createHash('sha256').update(text).digest('hex');
      const documents = ['45.155.205.9', 'bad.example.net', 'http://bad.example.net:8080/gate.php?id=1', EVENT_VALUES.sha256[1]].map(
        (value) => toIocDocument({ ...lookUp(value), checkedAtS: Date.now() / 1000 }, { digest, nowMs: Date.now() }),
      );
      const old = toIocDocument({ ...lookUp('185.220.101.1'), checkedAtS: Date.UTC(2020, 0, 1) / 1000 }, { digest, nowMs: Date.now() });
      const lines = [...documents, old, documents[0]].flatMap((one) => [
        JSON.stringify({ index: { _id: one?.id } }),
        JSON.stringify(one?.document),
      ]);
      const { body } = await engine.call('POST', `/${INDICATORS}/_bulk?refresh=true`, `${lines.join('\n')}\n`);
      expect(body.errors, JSON.stringify(body.items)).toBe(false);
      expect(await search({ match_all: {} }, INDICATORS)).toHaveLength(5);
      const valid = await search({ match_all: {} }, 'logs-ti_ismalicious_latest.indicator');
      expect(valid.map(({ _source }) => _source.threat.indicator.name).toSorted()).toEqual(
        documents.map((one) => one?.document.threat.indicator.name).toSorted(),
      );
      expect(valid.every(({ _source }) => Date.parse(_source.event.ingested) > 0)).toBe(true);
      // What Elastic's prebuilt rules ask for.
      const rule = {
        bool: {
          filter: [
            { wildcard: { 'event.module': 'ti_*' } },
            { term: { 'event.kind': 'enrichment' } },
            { term: { 'event.category': 'threat' } },
            { term: { 'event.type': 'indicator' } },
            { exists: { field: 'threat.indicator.ip' } },
          ],
        },
      };
      expect(await search(rule, 'logs-ti_*')).toHaveLength(2);
    });
  });
});

/** Code blocks of one language in docs/elastic.md. */
function recipes(language: string): string[] {
  const text = readFileSync(join(projectRoot, 'docs', 'elastic.md'), 'utf8');
  return [...text.matchAll(new RegExp(`^\`\`\`${language}\\n(.*?)^\`\`\``, 'gms'))].map((match) => match[1] ?? '');
}

function flatOf(member: string, value: unknown) {
  return (event: EngineAnswer) => event.ismalicious?.[member] === value;
}

function countOf(enriched: readonly EngineAnswer[], member: string): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const event of enriched) {
    const word = event.ismalicious?.[member];
    if (word !== undefined) counts[word] = (counts[word] ?? 0) + 1;
  }
  return counts;
}

describe.skipIf(!hasFixtures)('what is added to an event', () => {
  it('is in ECS with a fitting value, or under ismalicious', () => {
    const added = events
      .map((event): EngineAnswer => enrichByReference(event, lookUp, NOW))
      .map((event) => ({
        ismalicious: event.ismalicious,
        threat: { enrichments: entriesOf(event) },
        related: event.related,
      }));
    const faults = added.flatMap((part) => ecsFaults(JSON.parse(JSON.stringify(part))));
    expect(faults.filter((fault) => !fault.endsWith('empty object'))).toEqual([]);
  });
});
