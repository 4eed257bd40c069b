import { describe, expect, it } from 'vitest';
import { openEngine } from '../../../../src/compose/open-engine.ts';
import { createSidecar } from '../../../../src/hosts/sidecar/server.ts';
import { SidecarSettings } from '../../../../src/compose/sidecar-settings.ts';
import { newStateFolder } from '../../../support/open-test-engine.ts';

async function start() {
  const { engine, feedback } = await openEngine({ env: { ISMALICIOUS_STATE_DIR: newStateFolder() } });
  const sidecar = await createSidecar({ enricher: engine, feedback, settings: { ...SidecarSettings.parse({}), port: 0 } });
  const { port } = await sidecar.listen();
  return {
    async call(method: string, path: string, body?: unknown) {
      const init =
        body === undefined ? { method } : { method, headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) };
      const response = await fetch(`http://127.0.0.1:${port}${path}`, init);
      const text = await response.text();
      return { status: response.status, json: (text === '' ? null : JSON.parse(text)) as Record<string, unknown> };
    },
    async [Symbol.asyncDispose]() {
      await sidecar.close();
      await engine.close();
    },
  };
}

describe('/v1/extract', () => {
  it('finds indicators with their place, and looks nothing up', async () => {
    await using sidecar = await start();
    const { status, json } = await sidecar.call('POST', '/v1/extract', { text: 'to 8.8.8[.]8, again 8.8.8.8', unique: true });
    expect([status, json]).toEqual([200, { indicators: [{ type: 'ipv4-addr', value: '8.8.8.8', original: '8.8.8[.]8', offset: 3 }] }]);
  });

  it.each([[{}], [{ text: 1 }], [{ text: 'x', more: true }]])('%j does not fit', async (body) => {
    await using sidecar = await start();
    expect((await sidecar.call('POST', '/v1/extract', body)).status).toBe(400);
  });
});

describe('/v1/feedback', () => {
  it('overrules what lists say, at once, shows it, and takes it back', async () => {
    await using sidecar = await start();
    const look = async () =>
      (
        (await sidecar.call('POST', '/v1/lookup', { indicators: ['198.51.100.7'] })).json.enrichments as {
          verdict: string;
          providers: { provider: string }[];
        }[]
      )[0];
    expect((await look())?.verdict).toBe('malicious');
    const given = await sidecar.call('POST', '/v1/feedback', {
      indicator: '198.51.100[.]7',
      verdict: 'clean',
      author: 'm.keller',
      reason: 'our scanner',
    });
    expect([given.status, given.json]).toEqual([
      201,
      expect.objectContaining({ indicator: '198.51.100.7', verdict: 'clean', author: 'm.keller' }),
    ]);
    const after = await look();
    expect(after?.verdict).toBe('clean');
    expect(after?.providers.map(({ provider }) => provider)).toContain('feedback');
    expect((await sidecar.call('GET', '/v1/feedback')).json.overrides).toHaveLength(1);
    expect((await sidecar.call('DELETE', '/v1/feedback', { indicator: '198.51.100.7', author: 'm.keller' })).status).toBe(204);
    expect((await look())?.verdict).toBe('malicious');
  });

  it('wants an author and a reason', async () => {
    await using sidecar = await start();
    expect((await sidecar.call('POST', '/v1/feedback', { indicator: '198.51.100.7', verdict: 'clean' })).status).toBe(400);
  });
});
