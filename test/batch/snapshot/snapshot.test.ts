import { generateKeyPairSync } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { COMMANDS } from '../../../src/hosts/cli/commands.ts';
import { openEngine } from '../../../src/compose/open-engine.ts';
import { runCli } from '../../hosts/cli/run-cli.ts';
import { mmdbFile } from '../../support/mmdb-file.ts';
import { startStandIn } from '../../support/stand-in-api.ts';

const folder = mkdtempSync(join(tmpdir(), 'ismalicious-snapshot-'));
const at = (name: string) => join(folder, name);
const VALUES = ['52.1.1.1', '53.1.1.1'];
const home = (name: string) => ({ ISMALICIOUS_STATE_DIR: at(name), ISMALICIOUS_X_API_KEY: 'anything' });

async function known(env: Record<string, string>) {
  const { engine } = await openEngine({ env });
  const found = await engine.enrichMany(VALUES, { mode: 'cache' });
  await engine.close();
  return VALUES.map((value) => {
    const { verdict, score, tier, status } = found.get(value)!.answer;
    return { verdict, score, tier, status };
  });
}

beforeAll(async () => {
  expect(COMMANDS.map(({ synopsis }) => synopsis.name)).toContain('cache');
  for (const name of ['key', 'other']) {
    const { privateKey, publicKey } = generateKeyPairSync('ed25519');
    writeFileSync(at(`${name}.pem`), privateKey.export({ type: 'pkcs8', format: 'pem' }));
    writeFileSync(at(`${name}.pub`), publicKey.export({ type: 'spki', format: 'pem' }));
  }
  await using api = await startStandIn();
  const { engine } = await openEngine({ env: { ...home('here'), ISMALICIOUS_BASE_URL: api.url } });
  await engine.enrichMany(VALUES);
  await engine.close();
});

afterAll(() => rmSync(folder, { recursive: true, force: true, maxRetries: 3 }));

it('carries answers to a site without a network: the same scores and tiers there, without a call', async () => {
  const exported = await runCli(['cache', 'export', at('all'), '--sign', at('key.pem')], { env: home('here') });
  expect(exported.stderr).toContain('2 answers and 0 lists, signed');
  const imported = await runCli(['cache', 'import', at('all'), '--verify', at('key.pub')], { env: home('there') });
  expect(imported.stderr).toContain('2 answers taken, 0 were here as new or newer');
  const there = await known(home('there'));
  expect(there).toEqual(await known(home('here')));
  expect(there.map(({ verdict }) => verdict)).toEqual(['malicious', 'clean']);
  const again = await runCli(['cache', 'import', at('all'), '--verify', at('key.pub')], { env: home('there') });
  expect(again.stderr).toContain('0 answers taken, 2 were here as new or newer');
});

it.each<[string, (bytes: Buffer) => Buffer, string, RegExp]>([
  [
    'was changed in one byte',
    (bytes) => Buffer.from(bytes.toString().replace('52.1.1.1', '52.1.1.2')),
    'key.pub',
    /was changed, or signed with another key/,
  ],
  [
    'has lost a line',
    (bytes) => Buffer.from(bytes.toString().split('\n').toSpliced(1, 1).join('\n')),
    'key.pub',
    /was changed, or signed with another key/,
  ],
  ['was cut off', (bytes) => bytes.subarray(0, -10), 'key.pub', /is not signed, or cut off/],
  [
    'was never signed',
    (bytes) => Buffer.from(`${bytes.toString().split('\n').slice(0, -2).join('\n')}\n`),
    'key.pub',
    /is not signed, or cut off/,
  ],
  ['is empty', () => Buffer.alloc(0), 'key.pub', /is not signed, or cut off/],
  ['was signed by somebody else', (bytes) => bytes, 'other.pub', /was changed, or signed with another key/],
])('refuses a snapshot that %s, and takes nothing of it', async (what, change, key, words) => {
  await runCli(['cache', 'export', at('whole'), '--sign', at('key.pem')], { env: home('here') });
  writeFileSync(at('changed'), change(readFileSync(at('whole'))));
  const site = `site ${what}`;
  const { code, stderr } = await runCli(['cache', 'import', at('changed'), '--verify', at(key)], { env: home(site) });
  expect(code).toBe(2);
  expect(stderr).toMatch(words);
  expect((await known(home(site))).map(({ verdict }) => verdict)).toEqual(['unknown', 'unknown']);
});

it.each([
  [['--tier', 'log'], 1],
  [['--tier', 'p1,p2,watch,review'], 1],
  [['--type', 'ipv4-addr'], 2],
  [['--type', 'url'], 0],
  [['--tlp', 'GREEN'], 0],
  [['--tlp', 'AMBER'], 2],
])('exports with %j: %i answers', async (filter, count) => {
  const { stderr } = await runCli(['cache', 'export', at('some'), '--sign', at('key.pem'), ...filter], { env: home('here') });
  expect(stderr).toContain(`${count} answers`);
});

it('carries own lists and the file that their AS numbers are matched by', async () => {
  writeFileSync(at('own.txt'), 'AS64500\n');
  writeFileSync(at('asn.mmdb'), mmdbFile({ '45.83.0.0/16': { asn: 'AS64500' } }));
  const env = { ...home('here'), ISMALICIOUS_LOCAL_LISTS: at('own.txt'), ISMALICIOUS_LOCAL_ASN_DATABASE: at('asn.mmdb') };
  const exported = await runCli(['cache', 'export', at('numbered'), '--sign', at('key.pem')], { env });
  expect(exported.stderr).toContain('2 answers and 2 lists, signed');
  const imported = await runCli(['cache', 'import', at('numbered'), '--verify', at('key.pub')], { env: home('numbers') });
  const [, path = ''] = /set local\.asn_database: (\S+)/.exec(imported.stderr) ?? [];
  expect(readFileSync(path)).toEqual(readFileSync(at('asn.mmdb')));
});

it('refuses a public key to sign with and a private one to check with, without showing it', async () => {
  const signed = await runCli(['cache', 'export', at('no'), '--sign', at('key.pub')], { env: home('here') });
  expect(signed.stderr).toMatch(/--sign: .*holds no private key in PEM: make one with/);
  const checked = await runCli(['cache', 'import', at('all'), '--verify', at('key.pem')], { env: home('here') });
  expect(checked.stderr).toMatch(/--verify: .*holds no public key in PEM/);
});
