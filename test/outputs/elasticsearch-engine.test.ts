import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { OutputAnswer, OutputItem } from '../../src/outputs/output.ts';
import { ENGINE_KINDS, engineAbsence, leaseEngine, type LeasedEngine } from '../support/search-engine.ts';
import { contextOf, itemOf, outputOf } from './samples.ts';

const MAPPINGS = {
  mappings: {
    properties: {
      threat: { properties: { indicator: { properties: { ip: { type: 'ip' }, url: { properties: { path: { type: 'ip' } } } } } } },
    },
  },
};

describe.each(ENGINE_KINDS)('a real %s [needs java]', (kind) => {
  describe.skipIf(engineAbsence(kind) !== null)('indicator documents', () => {
    let engine: LeasedEngine;
    beforeAll(async () => {
      engine = await leaseEngine(kind);
    }, 240_000);
    afterAll(() => engine?.release());

    const items = [
      itemOf('45.83.64.7'),
      itemOf('2606:4700::1111', { type: 'ipv6-addr' }),
      itemOf('http://evil-host.net/a', { type: 'url' }),
    ];
    const send = async (index: string, sent: readonly OutputItem[], more: object = {}) => {
      const output = outputOf('elasticsearch');
      const context = contextOf('elasticsearch', { baseUrl: engine.url, apiKey: '', index, ...more });
      const step = output.start(sent, context);
      if (step.call.kind !== 'http') throw new Error('no HTTP call');
      const response = await fetch(step.call.url, { method: 'POST', headers: step.call.headers, body: step.call.body });
      const answer: OutputAnswer = { status: response.status, headers: {}, body: await response.json() };
      const { delivered, duplicate, rejected, retryable } = output.read(answer, step, sent, context);
      if (retryable?.length) return retryable.map(({ reason }) => reason);
      await engine.call('POST', `/${index}/_refresh`);
      const { body } = await engine.call('GET', `/${index}/_count`);
      return [delivered?.length, duplicate?.length, rejected?.map(({ item }) => item.indicator.type), body.count];
    };

    it('a stream takes new ones, knows second copies, and refuses only what does not fit', async () => {
      await engine.call('PUT', '/iocs-stream', MAPPINGS);
      const target = { target: 'data_stream' };
      expect(await send('iocs-stream', items, target)).toEqual([2, 0, ['url'], 2]);
      expect(await send('iocs-stream', items, target)).toEqual([0, 2, ['url'], 2]);
    });

    it('an engine without room takes them later, all of them', async () => {
      await engine.call('PUT', '/iocs-full', { ...MAPPINGS, settings: { 'index.blocks.read_only_allow_delete': true } });
      const full = expect.stringMatching(/^Elasticsearch: cluster_block_exception index \[iocs-full\] blocked by: \[TOO_MANY_REQUESTS/);
      expect(await send('iocs-full', items)).toEqual([full, full, full]);
      await engine.call('PUT', '/iocs-full/_settings', { 'index.blocks.read_only_allow_delete': null });
      expect(await send('iocs-full', items)).toEqual([2, 0, ['url'], 2]);
    });

    it('an index holds the newest verdict on each value, whatever comes again or late', async () => {
      await engine.call('PUT', '/iocs', MAPPINGS);
      expect(await send('iocs', items)).toEqual([2, 0, ['url'], 2]);
      expect(await send('iocs', items)).toEqual([2, 0, ['url'], 2]);
      const [first] = items as [OutputItem];
      const judgedAt = (checkedAtS: number, score: number): OutputItem => {
        const { enrichment } = first;
        return { ...first, enrichment: { ...enrichment, checkedAtS, answer: { ...enrichment.answer, score } } };
      };
      const nowS = first.enrichment.checkedAtS!;
      expect(await send('iocs', [judgedAt(nowS + 60, 99)])).toEqual([1, 0, [], 2]);
      expect(await send('iocs', [judgedAt(nowS - 60, 50)])).toEqual([0, 1, [], 2]);
      const { body } = await engine.call('GET', '/iocs/_search?q=threat.indicator.ip:45.83.64.7');
      expect(body.hits.hits.map(({ _source }: { _source: { ismalicious: { score: number } } }) => _source.ismalicious.score)).toEqual([99]);
    });
  });
});
