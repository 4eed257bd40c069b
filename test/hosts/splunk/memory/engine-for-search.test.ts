import { writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { openEngineForSearch } from '../../../../src/hosts/splunk/memory/engine-for-search.ts';
import { newStateFolder } from '../../../support/open-test-engine.ts';

const server = createServer((_request, response) => {
  response.setHeader('content-type', 'application/json').end('{"data":{"reputation":8}}');
});
beforeAll(() => new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve)));
afterAll(() => void server.close());

beforeEach(() => {
  const folder = newStateFolder();
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  writeFileSync(
    join(folder, 'ismalicious.yaml'),
    `providers:
  custom:
    - { id: acme_ti, types: [ipv4-addr], url: "${url}/{value}", paths: { score: data.reputation }, scale: { min: -10, max: 10 } }
profiles:
  soc: { privacy: { tlp: RED } }
`,
  );
  vi.stubEnv('ISMALICIOUS_STATE_DIR', folder);
  vi.stubEnv('ISMALICIOUS_CONFIG', join(folder, 'ismalicious.yaml'));
});
afterEach(() => vi.unstubAllEnvs());

describe('the providers a search may name', () => {
  it('are also those that the file declares', async () => {
    const { engine, warnings } = await openEngineForSearch(['acme_ti', 'local']);
    const found = await engine.enrichMany(['9.9.9.3'], { providers: ['acme_ti'] });
    await engine.close();
    expect(found.get('9.9.9.3')?.answer).toMatchObject({ status: 'ok', score: 90 });
    expect(warnings).toEqual([]);
  });

  it('are asked with the settings of the profile that the search names', async () => {
    const { engine, config } = await openEngineForSearch(['acme_ti'], undefined, 'soc');
    const found = await engine.enrichMany(['9.9.9.4'], { providers: ['acme_ti'] });
    await engine.close();
    expect([config.profile, found.get('9.9.9.4')?.answer.status]).toEqual(['soc', 'skipped_tlp']);
    await expect(openEngineForSearch(null, undefined, 'ir')).rejects.toThrow(/ir.*is not among the profiles of the file: soc/);
  });

  it.each([
    [['acme'], /providers="acme" is not known; the providers are local, ismalicious, .*acme_ti\.$/],
    [['acme_ti', 'virustotal', 'x'], /providers="x" is not known/],
    [['acme_ti', 'virustotal'], /providers="virustotal" has no key yet; configured are local, acme_ti\./],
  ])('%j is refused by name, and what there is is told', async (wanted, words) => {
    await expect(openEngineForSearch(wanted)).rejects.toThrow(words);
  });
});
