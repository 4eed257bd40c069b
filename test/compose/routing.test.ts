import { describe, expect, it } from 'vitest';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { checkConfig } from '../../src/compose/check/check-config.ts';
import { openEngine } from '../../src/compose/open-engine.ts';
import { newStateFolder } from '../support/open-test-engine.ts';
import { sendJson, startStandIn } from '../support/stand-in-api.ts';

const HASH = '44d88612fea8a8f36de82e1278abb02f';

describe('providers.<id>.types', () => {
  it('a provider is asked about the types that it is left with, and about no other', async () => {
    await using vendor = await startStandIn((_call, response) => sendJson(response, 404, { error: { code: 'NotFoundError' } }));
    const asked = async (types: Record<string, string>) => {
      const before = vendor.calls.length;
      const env = { VIRUSTOTAL_API_KEY: 'k', VIRUSTOTAL_BASE_URL: vendor.url, ISMALICIOUS_STATE_DIR: newStateFolder(), ...types };
      const { engine } = await openEngine({ env });
      const found = await engine.enrichMany(['11.0.0.1', 'bad-host.net', HASH]);
      await engine.close();
      const names = [...found.values()].map(({ answer }) => answer.providers.map(({ provider }) => provider).join());
      return [
        vendor.calls
          .slice(before)
          .map(({ path }) => path.split('/')[3])
          .toSorted(),
        names,
      ];
    };
    expect(await asked({})).toEqual([
      ['domains', 'files', 'ip_addresses'],
      ['virustotal', 'virustotal', 'virustotal'],
    ]);
    expect(await asked({ VIRUSTOTAL_TYPES: 'file:md5,file:sha1' })).toEqual([['files'], ['local', 'local', 'virustotal']]);
  });

  it.each<[string, RegExp]>([
    ['domain-name', /providers\.abuseipdb\.types.*AbuseIPDB knows no domain-name/],
    ['ip', /providers\.abuseipdb\.types/],
  ])('%s for a provider of addresses stops the start', async (types, words) => {
    const env = { ABUSEIPDB_API_KEY: 'k', ABUSEIPDB_TYPES: types, ISMALICIOUS_STATE_DIR: newStateFolder() };
    await expect(openEngine({ env })).rejects.toThrow(words);
  });
});

describe('providers.<id>.fields', () => {
  const fileWith = (text: string) => {
    const path = join(newStateFolder(), 'c.yaml');
    writeFileSync(path, text);
    return { env: { ISMALICIOUS_STATE_DIR: newStateFolder() }, configPath: path };
  };

  it.each(['[]', '[""]'])('%s stops the start: a provider that is asked about nothing is switched off by enabled', async (fields) => {
    const options = fileWith(`providers: { abuseipdb: { api_key: k, fields: ${fields} } }\n`);
    await expect(openEngine(options)).rejects.toThrow(/providers\.abuseipdb\.fields/);
  });

  it('names no route where nobody has fields, also in no profile', async () => {
    const routeOf = async (text: string) => {
      const { engine } = await openEngine(fileWith(text));
      await engine.close();
      return engine.routeOf;
    };
    expect(
      await routeOf('providers: { abuseipdb: { api_key: k } }\nprofiles: { soc: { providers: { abuseipdb: { api_key: s } } } }\n'),
    ).toBe(undefined);
    const inProfile = await routeOf(
      'providers: { abuseipdb: { api_key: k } }\nprofiles: { soc: { providers: { abuseipdb: { fields: [a] } } } }\n',
    );
    expect([inProfile?.('a'), inProfile?.('b')]).toEqual(['', '']);
    const two =
      'providers: { abuseipdb: { api_key: k, fields: [a.*, c] }, virustotal: { api_key: k, fields: [c] }, greynoise: { api_key: k } }\n';
    const route = await routeOf(two);
    expect(['a.b', 'a', 'c', 'd'].map((field) => route?.(field))).toEqual([
      'virustotal',
      'virustotal,abuseipdb',
      '',
      'virustotal,abuseipdb',
    ]);
  });

  it('config check names what no event has, but for what may be a column', async () => {
    const fields = '[destination.ip, "file.hash.*", dest_ip, my_column, destination.ipp, own.field, "elsewhere.*"]';
    const options = fileWith(
      `providers: { abuseipdb: { api_key: k, fields: ${fields} } }\nsidecar: { fields: [own.field] }\ngateway: { fields_by_index: { "logs-*": [elsewhere.a] } }\n`,
    );
    const { warnings, faults } = await checkConfig(options);
    expect(faults).toEqual([]);
    expect(warnings).toEqual([expect.stringMatching(/^providers\.abuseipdb\.fields: no event is looked up by "destination\.ipp"/)]);
  });
});
