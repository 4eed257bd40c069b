import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { loadEngineConfig } from '../../src/compose/engine-config.ts';
import { createProfiledEnricher } from '../../src/compose/profiled-enricher.ts';
import { openEngine } from '../../src/compose/open-engine.ts';
import { accuse, startFourProviders } from '../support/four-providers.ts';
import { newStateFolder, publicAddresses } from '../support/open-test-engine.ts';

const YAML = `
privacy: { tlp: GREEN }
providers:
  virustotal: { api_key: k-house, per_minute: 1000 }
profiles:
  soc:
    privacy: { tlp: CLEAR }
    providers:
      virustotal: { api_key: k-soc, budget_per_day: 5, base_url: "https://vt.example.com" }
      abuseipdb: { api_key: k-abuse, proxy: "http://proxy.example.com:3128" }
  shared_key: { providers: { virustotal: { budget_per_day: 1 } } }
  empty:
`;

function write(yaml: string): { env: Record<string, string> } {
  const folder = newStateFolder();
  writeFileSync(join(folder, 'ismalicious.yaml'), yaml);
  return { env: { ISMALICIOUS_STATE_DIR: folder, ISMALICIOUS_CONFIG: join(folder, 'ismalicious.yaml') } };
}

async function wantedOf(options: Parameters<typeof loadEngineConfig>[0]) {
  const { wanted, core, profile } = await loadEngineConfig(options);
  const shown = wanted.map(({ provider, own, common, account }) => [
    provider.id,
    (own as { apiKey: string }).apiKey,
    common.budgetPerDay,
    account,
  ]);
  return { shown, tlp: core.privacy.tlp, profile };
}

describe('a profile', () => {
  it('is none by default', async () => {
    expect(await wantedOf(write(YAML))).toEqual({
      shown: [['virustotal', 'k-house', undefined, 'virustotal']],
      tlp: 'GREEN',
      profile: null,
    });
  });

  it.each([
    ['the option', { profile: 'soc' }, {}],
    ['the environment', {}, { ISMALICIOUS_PROFILE: 'soc' }],
    ['the option over the environment', { profile: 'soc' }, { ISMALICIOUS_PROFILE: 'empty' }],
  ])('named by %s lays its settings over the others', async (_name, options, env) => {
    const file = write(YAML);
    const { shown, tlp } = await wantedOf({ ...options, env: { ...file.env, ...env } });
    expect(tlp).toBe('CLEAR');
    expect(shown).toEqual([
      ['virustotal', 'k-soc', 5, 'virustotal@soc'],
      ['abuseipdb', 'k-abuse', undefined, 'abuseipdb@soc'],
    ]);
  });

  it('named by the file itself is used', async () => {
    expect((await wantedOf(write(`${YAML}profile: soc\n`))).profile).toBe('soc');
  });

  it('wins over the environment, and has an environment of its own', async () => {
    const file = write(YAML);
    const env = { ...file.env, VIRUSTOTAL_API_KEY: 'k-env', SOC__VIRUSTOTAL_API_KEY: 'k-soc-env' };
    expect((await wantedOf({ env })).shown[0]?.[1]).toBe('k-env');
    expect((await wantedOf({ env, profile: 'soc' })).shown[0]?.[1]).toBe('k-soc-env');
    expect((await wantedOf({ env, profile: 'empty' })).shown[0]?.[1]).toBe('k-env');
  });

  it('that shares a key shares its limits and credits', async () => {
    expect((await wantedOf({ ...write(YAML), profile: 'shared_key' })).shown).toEqual([['virustotal', 'k-house', 1, 'virustotal']]);
  });

  it.each([
    ['an unknown name', 'sco', YAML, /profile sco .*soc, shared_key, empty/],
    ['no name at all', 'so c', YAML, /has to be 1 to 32/],
    ['a misspelt setting', 'soc', YAML.replace('budget_per_day: 5', 'budget_per_dya: 5'), /budget_per_dya .*profile soc.*did you mean/],
    ['a wrong value', 'soc', YAML.replace('budget_per_day: 5', 'budget_per_day: many'), /budget_per_day \(profile soc, line \d+ of /],
  ])('with %s stops the start', async (_name, profile, yaml, message) => {
    await expect(loadEngineConfig({ ...write(yaml), profile })).rejects.toThrow(message);
  });

  it('can be chosen by each request', async () => {
    await using four = await startFourProviders();
    const keys: (string | undefined)[] = [];
    four.replies.virustotal = (response, value, id) => {
      keys.push(response.req.headers['x-apikey'] as string | undefined);
      accuse(response, value, id);
    };
    const file = write(
      YAML.replace('per_minute: 1000', `per_minute: 1000, base_url: "${four.url}"`).replace('https://vt.example.com', four.url),
    );
    const env = { ...file.env, ABUSEIPDB_ENABLED: 'false', SOC__ABUSEIPDB_ENABLED: 'false' };
    const enricher = createProfiledEnricher(await openEngine({ env }), { env });
    await enricher.enrichMany(['11.0.0.1'], { timeoutMs: 8000 });
    await enricher.enrichMany(['11.0.0.2'], { timeoutMs: 8000, profile: 'soc' });
    await enricher.enrichMany(['11.0.0.1', '11.0.0.2'], { timeoutMs: 8000, profile: 'soc' });
    expect(keys).toEqual(['k-house', 'k-soc']);
    await expect(enricher.enrichMany(['11.0.0.1'], { profile: 'sco' })).rejects.toThrow(/is not among soc, shared_key, empty/);
    await enricher.close();
  });

  it('has a budget of its own and shares the cache', async () => {
    await using four = await startFourProviders();
    const folder = newStateFolder();
    writeFileSync(
      join(folder, 'c.yaml'),
      `providers: { virustotal: { api_key: a, base_url: "${four.url}", per_minute: 100, budget_per_day: 3 } }\nprofiles: { it: { providers: { virustotal: { api_key: b } } } }\n`,
    );
    const env = { ISMALICIOUS_STATE_DIR: folder, ISMALICIOUS_CONFIG: join(folder, 'c.yaml') };
    const values = publicAddresses(10);
    const house = await openEngine({ env });
    await house.engine.enrichMany(values.slice(0, 5), { timeoutMs: 8000 });
    await house.engine.close();
    const team = await openEngine({ env, profile: 'it' });
    const found = await team.engine.enrichMany(values, { timeoutMs: 8000 });
    expect([...found.values()].map(({ answer }) => answer.status).filter((status) => status === 'ok')).toHaveLength(6);
    expect(four.asked.virustotal).toHaveLength(6);
    await team.engine.close();
  });
});
