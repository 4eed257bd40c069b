import { describe, expect, it } from 'vitest';
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
