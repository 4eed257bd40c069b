import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { OutputAnswer } from '../../src/outputs/output.ts';
import { engineAbsence, leaseEngine, type LeasedEngine } from '../support/search-engine.ts';
import { contextOf, itemOf, outputOf } from './samples.ts';

const kind = 'opensearch';

describe.skipIf(engineAbsence(kind) !== null)('a real OpenSearch [needs java]', () => {
  let engine: LeasedEngine;
  beforeAll(async () => {
    engine = await leaseEngine(kind);
  }, 240_000);
  afterAll(() => engine?.release());

  it('takes new documents, knows second copies, and refuses only what does not fit', async () => {
    await engine.call('PUT', '/iocs', {
      mappings: {
        properties: {
          threat: { properties: { indicator: { properties: { ip: { type: 'ip' }, url: { properties: { path: { type: 'ip' } } } } } } },
        },
      },
    });
    const output = outputOf('elasticsearch');
    const context = contextOf('elasticsearch', { baseUrl: engine.url, apiKey: '', index: 'iocs' });
    const items = [
      itemOf('45.83.64.7'),
      itemOf('2606:4700::1111', { type: 'ipv6-addr' }),
      itemOf('http://evil-host.net/a', { type: 'url' }),
    ];
    const send = async () => {
      const step = output.start(items, context);
      if (step.call.kind !== 'http') throw new Error('no HTTP call');
      const response = await fetch(step.call.url, { method: 'POST', headers: step.call.headers, body: step.call.body });
      const answer: OutputAnswer = { status: response.status, headers: {}, body: await response.json() };
      return output.read(answer, step, items, context);
    };
    const first = await send();
    expect([first.delivered?.length, first.rejected?.map(({ item }) => item.indicator.type)]).toEqual([2, ['url']]);
    const again = await send();
    expect([again.delivered?.length, again.duplicate?.length, again.rejected?.length]).toEqual([0, 2, 1]);
    await engine.call('POST', '/iocs/_refresh');
    expect((await engine.call('GET', '/iocs/_count')).body.count).toBe(2);
  });
});
