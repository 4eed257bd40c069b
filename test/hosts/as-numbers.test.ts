import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, it, onTestFinished, vi } from 'vitest';
import { stringify } from 'yaml';
import { openEngine } from '../../src/compose/open-engine.ts';
import { columnOf, readCsv } from '../support/csv-oracle.ts';
import { mmdbFile } from '../support/mmdb-file.ts';
import { newStateFolder } from '../support/open-test-engine.ts';
import { search } from '../support/remembered-search.ts';
import { runCli } from './cli/run-cli.ts';
import { startSidecar } from './sidecar/support/start-sidecar.ts';

const folder = mkdtempSync(join(tmpdir(), 'ismalicious-as-hosts-'));
afterAll(() => rmSync(folder, { recursive: true }));

const LISTED = '45.83.1.1';
const FED = '2a00:1450::7';
const OTHER = '45.85.1.1';
/** As Spamhaus writes it. */
const ASN_DROP = '{"asn":64501,"rir":"ripencc","domain":"x.net","cc":"NL","asname":"BAD"}\n{"type":"metadata","records":1}\n';

/** A house with one system on a list of its own, and one that a feed lists. */
function house(): Record<string, string> {
  const at = (name: string) => join(folder, name);
  writeFileSync(at('own.txt'), 'AS64500 ; BAD-NET\n');
  writeFileSync(at('asndrop.json'), ASN_DROP);
  writeFileSync(
    at('asn.mmdb'),
    mmdbFile({
      '45.83.0.0/16': { autonomous_system_number: 64_500 },
      '2a00:1450::/32': { autonomous_system_number: 64_501 },
      '45.85.0.0/16': { autonomous_system_number: 64_502 },
    }),
  );
  const settings = {
    local: { lists: [at('own.txt')], asn_database: at('asn.mmdb') },
    feeds: { csv: { enabled: true, path: at('asndrop.json'), column: 'asn' } },
  };
  writeFileSync(at('ismalicious.yaml'), stringify(settings));
  return { ISMALICIOUS_STATE_DIR: newStateFolder(), ISMALICIOUS_CONFIG: at('ismalicious.yaml') };
}

it('addresses in a listed autonomous system are answered alike by command line, sidecar and search, with its number', async () => {
  const env = house();
  const report = JSON.parse((await runCli(['pipeline', 'run', '--json'], { env })).stdout.trim().split('\n').at(-1)!) as object;
  expect(report).toMatchObject({ feeds: { csv: { items: 2, accepted: 1, quarantined: 1 } } });

  const checked = async (value: string) =>
    JSON.parse((await runCli(['check', value, '--json'], { env })).stdout) as { verdict: string; providers: { message: string }[] };
  expect(await checked(LISTED)).toMatchObject({ verdict: 'malicious', providers: [{ message: 'in AS64500' }] });
  expect(await checked(`http://[${FED}]/a`)).toMatchObject({
    verdict: 'suspicious',
    providers: [{ message: 'listed by csv, in AS64501' }],
  });
  expect((await checked(OTHER)).verdict).toBe('unknown');

  const { stdout } = await runCli(['enrich', '-', '--format', 'csv', '--field', 'ip'], { env, stdin: `ip\n${LISTED}\n${FED}\n${OTHER}\n` });
  expect(columnOf(readCsv(stdout), 'im_verdict')).toEqual(['malicious', 'suspicious', 'unknown']);

  const { engine } = await openEngine({ env, stays: true });
  onTestFinished(() => engine.close());
  const sidecar = await startSidecar({}, { enricher: engine });
  const found = (await sidecar.call('/v1/lookup', { body: { indicators: [LISTED, FED, OTHER] } })).json as { enrichments: object[] };
  expect(found.enrichments).toMatchObject([
    { verdict: 'malicious', attributes: expect.arrayContaining(['as64500']) },
    { verdict: 'suspicious', attributes: ['feed:csv', 'as64501'] },
    { verdict: 'unknown' },
  ]);

  for (const [name, value] of Object.entries(env)) vi.stubEnv(name, value);
  onTestFinished(() => void vi.unstubAllEnvs());
  const body = `ip,__mv_ip\n${LISTED},\n${FED},\n${OTHER},\n`;
  const table = (await search(['ip'], { body })).tables[0]!;
  expect(columnOf(table, 'im_verdict')).toEqual(['malicious', 'suspicious', 'unknown']);
});
