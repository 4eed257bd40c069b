import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { createFakeEnricher } from '../../support/fake-sidecar-enricher.ts';
import { projectRoot } from '../../support/fixtures.ts';
import { startGateway, startSidecar } from './support/start-sidecar.ts';
import { startUpstream } from './support/upstream-stand-in.ts';

interface Sample {
  readonly kind: string;
  readonly message: string;
  /** As they stand in the message. */
  readonly finds: readonly string[];
}
const SAMPLES = JSON.parse(readFileSync(join(projectRoot, 'test/fixtures/events/message-only.json'), 'utf8')) as Sample[];
const BAD = '203.0.114.7';
const allBad = () => createFakeEnricher({ sayings: { '*': { verdict: 'malicious' } } });
const EXTRACTS = { extractFields: ['message'] };

interface Threat {
  readonly matched: { readonly atomic: string; readonly field: string };
}
const matchesOf = (event: { threat?: { enrichments?: Threat[] } }) => (event.threat?.enrichments ?? []).map(({ matched }) => matched);

describe('events that nobody has parsed yet', () => {
  it.each(SAMPLES)('$kind: what stands in its message is looked up', async ({ message, finds }) => {
    const { call } = await startSidecar(EXTRACTS, { enricher: allBad() });
    const { json } = await call('/v1/enrich', { body: { '@timestamp': '2026-11-20T10:00:00Z', message } });
    const found = matchesOf(json as object);
    expect(found.map(({ atomic }) => atomic).sort()).toEqual([...finds].sort());
    expect(new Set(found.map(({ field }) => field))).toEqual(new Set(['message']));
    expect((json as { message: string }).message).toBe(message);
  });

  it('their messages are left alone unless the setting names the field', async () => {
    const { call } = await startSidecar({}, { enricher: allBad() });
    const body = JSON.stringify({ message: `to ${BAD}` });
    expect((await call('/v1/enrich', { headers: { 'content-type': 'application/json' }, body })).text).toBe(body);
  });

  it('what is not known is asked for, once, and a field that is parsed counts beside the text', async () => {
    const enricher = createFakeEnricher({ sayings: { [BAD]: { verdict: 'malicious' } }, cold: new Set([BAD]) });
    const { call } = await startSidecar(EXTRACTS, { enricher });
    const { json } = await call('/v1/enrich', { body: { message: `${BAD} then ${BAD}`, destination: { ip: BAD } } });
    expect(enricher.asked.flat()).toEqual([BAD]);
    expect(new Set(matchesOf(json as object).map(({ field }) => field))).toEqual(new Set(['message', 'destination.ip']));
  });

  it('a message without an indicator leaves its event as it was, byte for byte', async () => {
    const { call } = await startSidecar(EXTRACTS, { enricher: allBad() });
    const body = '{"message":"service started \\u00e4 \\"x\\" in 1.2.3","list":["message"]}';
    expect((await call('/v1/enrich', { headers: { 'content-type': 'application/json' }, body })).text).toBe(body);
  });

  it('of a long text the beginning is searched', async () => {
    const { call } = await startSidecar(EXTRACTS, { enricher: allBad() });
    const message = `${BAD} ${'x '.repeat(40_000)} 203.0.114.8`;
    expect(matchesOf((await call('/v1/enrich', { body: { message } })).json as object).map(({ atomic }) => atomic)).toEqual([BAD]);
  });

  it.each([
    ['\\u0032\\u00303.0.114.7', ['203.0.114.7']],
    ['\\ud83d\\ude00 \\n203.0.114.7\\t\\"hxxp:\\/\\/evil-host[.]net\\/a\\"', ['203.0.114.7', 'hxxp://evil-host[.]net/a']],
    ['😀 ä 203.0.114.7 ü evil-host.net', ['203.0.114.7', 'evil-host.net']],
  ])('in whatever way JSON spells it: %s', async (message, finds) => {
    const { call } = await startSidecar(EXTRACTS, { enricher: allBad() });
    const { json } = await call('/v1/enrich', { headers: { 'content-type': 'application/json' }, body: `{"message":"${message}"}` });
    expect(matchesOf(json as object).map(({ atomic }) => atomic)).toEqual(finds);
  });

  it('the gateway looks into them too, also by an own setting, and not where an index is left out', async () => {
    const upstream = await startUpstream();
    const gateway = { extractFields: ['message'], fieldsByIndex: { 'quiet-*': [] } };
    const { call } = await startGateway(upstream.url, { enricher: allBad(), gateway });
    const lines = [
      '{"create":{"_index":"logs-a"}}',
      `{"message":"to ${BAD}"}`,
      '{"create":{"_index":"quiet-a"}}',
      `{"message":"to ${BAD}"}`,
    ];
    await call('/_bulk', { headers: { 'content-type': 'application/x-ndjson' }, body: `${lines.join('\n')}\n` });
    const sent = upstream.seen.at(-1)?.body.split('\n') ?? [];
    expect(matchesOf(JSON.parse(sent[1] ?? '{}') as object)).toMatchObject([{ atomic: BAD, field: 'message' }]);
    expect(sent[3]).toBe(lines[3]);
  });
});
