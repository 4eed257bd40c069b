import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { openEngine } from '../../../../src/compose/open-engine.ts';
import { createProfiledEnricher } from '../../../../src/compose/profiled-enricher.ts';
import { accuse, startFourProviders } from '../../../support/four-providers.ts';
import { newStateFolder } from '../../../support/open-test-engine.ts';
import { startSidecar } from '../support/start-sidecar.ts';

/** A sidecar whose file has the profiles `soc` (a key of its own) and `guests` (cleared for nothing beyond CLEAR). */
async function start() {
  const four = await startFourProviders();
  onTestFinished(() => four[Symbol.asyncDispose]());
  const keys: string[] = [];
  four.replies.virustotal = (response, value, id) => {
    keys.push(`${response.req.headers['x-apikey'] as string} ${value}`);
    accuse(response, value, id);
  };
  const folder = newStateFolder();
  writeFileSync(
    join(folder, 'c.yaml'),
    `cache: { path: memory }
providers: { virustotal: { api_key: k-house, base_url: "${four.url}", per_minute: 1000, max_tlp: GREEN } }
profiles:
  soc: { providers: { virustotal: { api_key: k-soc, budget_per_day: 2 } }, scoring: { p1: 3, p2: 2, watch: 1 } }
  guests: { privacy: { tlp: AMBER } }
`,
  );
  const options = { env: { ISMALICIOUS_STATE_DIR: folder, ISMALICIOUS_CONFIG: join(folder, 'c.yaml') } };
  const opened = await openEngine(options);
  const enricher = createProfiledEnricher(opened, options);
  onTestFinished(() => enricher.close());
  const sidecar = await startSidecar({}, { enricher, profiles: opened.config.profiles });
  return { ...sidecar, keys };
}

type Sidecar = Awaited<ReturnType<typeof start>>;

/** The status each route gives about one value, asked with these words. */
const ROUTES: Readonly<Record<string, (sidecar: Sidecar, value: string, words: Words) => Promise<{ http: number; status: string }>>> = {
  async '/v1/lookup'(sidecar, value, { query, headers }) {
    const { status, json } = await sidecar.call(`/v1/lookup${query}`, { body: { indicators: [value] }, headers });
    return { http: status, status: json.enrichments?.[0]?.status ?? json.error.code };
  },
  async '/v1/enrich'(sidecar, value, { query, headers }) {
    const { status, json } = await sidecar.call(`/v1/enrich${query}`, { body: { destination: { ip: value } }, headers });
    return { http: status, status: json.ismalicious?.status ?? json.error.code };
  },
  async '/v1/logstash'(sidecar, value, { query, headers }) {
    const { status, json } = await sidecar.call(`/v1/logstash${query}`, { body: { 'destination.ip': value }, headers });
    return { http: status, status: json.status };
  },
  async '/check'(sidecar, value, { query, headers }) {
    const { status, json } = await sidecar.call(`/check?query=${value}${query.replace('?', '&')}`, { headers });
    return { http: status, status: status === 200 ? 'ok' : (json.status ?? 'bad') };
  },
};

interface Words {
  readonly query: string;
  readonly headers: Readonly<Record<string, string>>;
}

const inQuery = (name: string, value: string): Words => ({ query: `?${name}=${value}`, headers: {} });
const inHeader = (name: string, value: string): Words => ({ query: '', headers: { [`x-ismalicious-${name}`]: value } });
const NOTHING: Words = { query: '', headers: {} };

describe.each(Object.keys(ROUTES))('%s', (path) => {
  const ask = (sidecar: Sidecar, value: string, words: Words) => ROUTES[path]!(sidecar, value, words);

  it('asks with the key of the profile it is told, and with the house’s when it is told none', async () => {
    const sidecar = await start();
    await ask(sidecar, '11.0.0.1', NOTHING);
    await ask(sidecar, '11.0.0.2', inQuery('profile', 'soc'));
    await ask(sidecar, '11.0.0.3', inHeader('profile', 'soc'));
    expect(sidecar.keys).toEqual(['k-house 11.0.0.1', 'k-soc 11.0.0.2', 'k-soc 11.0.0.3']);
    // Its budget is its own, and what others know is not handed out for it.
    expect((await ask(sidecar, '11.0.0.4', inQuery('profile', 'soc'))).status).toBe('over_budget');
    expect((await ask(sidecar, '11.0.0.5', NOTHING)).status).toBe('ok');
  });

  it('asks nobody who is not cleared for the label it is told', async () => {
    const sidecar = await start();
    const asked = [inQuery('tlp', 'amber'), inHeader('tlp', 'TLP:RED'), inQuery('profile', 'guests')];
    for (const words of asked) expect((await ask(sidecar, '11.0.0.6', words)).status).toBe('skipped_tlp');
    expect(sidecar.keys).toEqual([]);
    expect((await ask(sidecar, '11.0.0.6', inQuery('tlp', 'GREEN'))).status).toBe('ok');
    expect(sidecar.keys).toEqual(['k-house 11.0.0.6']);
  });

  it('refuses a profile or a label that nobody has, and names those there are', async () => {
    const sidecar = await start();
    for (const words of [inQuery('profile', 'sco'), inHeader('profile', ''), inQuery('tlp', 'PINK')]) {
      const { http, status } = await ask(sidecar, '11.0.0.7', words);
      expect([http, status]).toEqual(
        path === '/v1/logstash' ? [200, 'invalid'] : [400, expect.stringMatching(/unknown_profile|invalid_tlp|bad/)],
      );
    }
    const { text } = await sidecar.call(
      path === '/check' ? '/check?query=11.0.0.7&profile=sco' : `${path}?profile=sco`,
      path === '/check' ? {} : { body: { indicators: ['11.0.0.7'] } },
    );
    expect(text).toContain('soc, guests');
    expect(sidecar.keys).toEqual([]);
  });
});

describe('the body of /v1/lookup', () => {
  it('may say both, before query and headers, also for a plan; scores are explained as the profile has them', async () => {
    const sidecar = await start();
    const { json } = await sidecar.call('/v1/lookup?profile=guests', { body: { indicators: ['11.0.0.1'], profile: 'soc', explain: true } });
    expect(json.enrichments[0]).toMatchObject({
      status: 'ok',
      tier: 'p1',
      explain: [expect.stringContaining('virustotal'), expect.anything()],
    });
    const plan = await sidecar.call('/v1/lookup', { body: { indicators: ['11.0.0.8'], plan: true, tlp: 'RED' } });
    expect(plan.json.plan).toMatchObject({ to_pay: 0, refused: 1 });
    const wrong = await sidecar.call('/v1/lookup', { body: { indicators: ['11.0.0.8'], tlp: 'PINK' } });
    expect([wrong.status, wrong.json.error]).toEqual([
      400,
      { code: 'invalid_tlp', message: 'tlp is one of CLEAR, GREEN, AMBER, AMBER+STRICT, RED' },
    ]);
  });

  it('names no profile where there are none', async () => {
    const sidecar = await startSidecar();
    const { status, json } = await sidecar.call('/v1/lookup', { body: { indicators: ['11.0.0.8'], profile: 'soc' } });
    expect([status, json.error.message]).toEqual([400, 'there is no profile "soc": the configuration has none']);
  });
});
