import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it, onTestFinished } from 'vitest';
import { answeringFiles, openEngine } from '../../src/compose/open-engine.ts';
import { runCli } from '../hosts/cli/run-cli.ts';
import { mmdbFile, type MmdbValue } from '../support/mmdb-file.ts';
import { newStateFolder } from '../support/open-test-engine.ts';

const folder = mkdtempSync(join(tmpdir(), 'ismalicious-as-lists-'));
afterAll(() => rmSync(folder, { recursive: true }));
let files = 0;
function write(name: string, content: string | Buffer): string {
  files += 1;
  const path = join(folder, `${files}-${name}`);
  writeFileSync(path, content);
  return path;
}
const databaseOf = (networks: Record<string, number>) =>
  mmdbFile(
    Object.fromEntries(
      Object.entries(networks).map(([network, asNumber]) => [network, { autonomous_system_number: asNumber } as MmdbValue]),
    ),
  );
const NETWORKS = { '45.83.0.0/16': 64_500, '2a00:1450::/32': 64_500, '8.8.8.0/24': 64_500, '10.0.0.0/8': 64_500, '45.84.0.0/16': 64_501 };
const database = write('asn.mmdb', databaseOf(NETWORKS));

async function open(lists: readonly string[], more: Record<string, string> = {}, stays = false) {
  const env = {
    ISMALICIOUS_STATE_DIR: newStateFolder(),
    ISMALICIOUS_LOCAL_LISTS: lists.join(','),
    ISMALICIOUS_LOCAL_ASN_DATABASE: database,
    ...more,
  };
  const opened = await openEngine({ env, stays });
  onTestFinished(() => opened.engine.close());
  const answerOf = async (value: string) => (await opened.engine.enrichMany([value])).get(value)!.answer;
  return { ...opened, env, answerOf };
}

describe('an AS number on a list', () => {
  it.each(['45.83.1.1', '2a00:1450::7', 'http://45.83.1.1/a', 'https://[2a00:1450::7]:8443/', '::ffff:45.83.1.1'])(
    'accuses %s, and says why',
    async (value) => {
      const { answerOf } = await open([write('own.txt', 'AS64500 ; BAD-NET\n')]);
      expect(await answerOf(value)).toMatchObject({
        verdict: 'malicious',
        score: 90,
        attributes: expect.arrayContaining(['as64500']),
        providers: [expect.objectContaining({ provider: 'local', status: 'ok', message: 'in AS64500' })],
      });
    },
  );

  it.each(['45.84.1.1', '45.85.1.1', '10.0.0.1', 'http://10.0.0.1/', 'evil-host.net'])('says nothing of %s', async (value) => {
    const { answerOf } = await open([write('own.txt', 'AS64500\n')]);
    expect((await answerOf(value)).verdict).toBe('unknown');
  });

  it.each([
    ['a value', '45.83.1.1,suspicious\n', 'suspicious'],
    ['a value that is cleared', '45.83.1.1,clean\n', 'clean'],
    ['a value that nobody knows', '45.83.1.1,unknown\n', 'unknown'],
    ['a network', '45.83.0.0/20,suspicious\n', 'suspicious'],
    ['a network that is cleared', '45.83.0.0/20,clean\n', 'unknown'],
  ])('knows less than %s of a list', async (_what, line, verdict) => {
    const { answerOf } = await open([write('own.csv', `value,verdict\n${line}AS64500,malicious\n`)]);
    expect((await answerOf('45.83.1.1')).verdict).toBe(verdict);
    expect((await answerOf('45.83.99.1')).verdict).toBe('malicious');
  });

  it('counts beside what only tells what an address is', async () => {
    const { answerOf } = await open([write('own.txt', 'AS64500\n')]);
    expect(await answerOf('8.8.8.8')).toMatchObject({ verdict: 'malicious', attributes: expect.arrayContaining(['public-dns']) });
  });

  it('on an allow list keeps every address inside from being looked up', async () => {
    const allowed = write('allow.csv', 'value,reason,owner\nAS64500,our hoster,bob\n');
    const { answerOf } = await open([], { ISMALICIOUS_LOCAL_ALLOW_LISTS: allowed });
    expect(await answerOf('45.83.1.1')).toMatchObject({
      status: 'skipped_allowlist',
      message: expect.stringContaining('AS64500 (our hoster, by bob)'),
    });
    expect((await answerOf('45.84.1.1')).status).toBe('ok');
  });

  it.each([
    [
      'asndrop.json of Spamhaus',
      '{"asn":64500,"rir":"ripencc","domain":"good-host.net","cc":"DE","asname":"X"}\n{"type":"metadata","records":1}\n',
    ],
    ['an array of objects', '[{"asn":"64500"}]'],
    ['an array whose last object tells of the list', '[{"asn":64500},{"type":"metadata","records":1}]'],
    ['an array of words', '["AS64500"]'],
    ['a table', 'asn,note\n64500,x\n'],
    ['a STIX pattern', JSON.stringify({ objects: [{ type: 'indicator', pattern: '[autonomous-system:number = 64500]' }] })],
    ['a STIX object', JSON.stringify({ objects: [{ type: 'autonomous-system', id: 'autonomous-system--1', number: 64_500 }] })],
  ])('is read from %s', async (_what, text) => {
    const { answerOf, warnings } = await open([write('list.json', text)]);
    expect([(await answerOf('45.83.1.1')).verdict, (await answerOf('good-host.net')).verdict, warnings]).toEqual([
      'malicious',
      'unknown',
      [],
    ]);
  });

  it('that only tells where an address of the same bundle belongs accuses no other address', async () => {
    const address = { type: 'ipv4-addr', value: '45.83.1.1', belongs_to_refs: ['autonomous-system--1'] };
    const objects = [address, { type: 'autonomous-system', id: 'autonomous-system--1', number: 64_500 }];
    const { answerOf } = await open([write('bundle.json', JSON.stringify({ objects }))]);
    expect([(await answerOf('45.83.1.1')).verdict, (await answerOf('45.83.1.2')).verdict]).toEqual(['malicious', 'unknown']);
  });
});

it.each([
  ['an empty array', '[]', []],
  ['a bundle without objects', '{"objects":[]}', []],
  ['objects without a value', '[{"a":1}]', [/no list whose objects have one of value, /]],
  [
    'STIX objects, a line each',
    '{"type":"indicator","pattern":"x"}\n{"type":"url","value":"http://evil-host.net/"}\n',
    [/is not JSON with STIX objects/],
  ],
  ['half a bundle', '{"objects":[', [/is not JSON with STIX objects/]],
])('%s is no list in silence', async (_what, text, faults) => {
  const { warnings } = await open([write('list.json', text)]);
  expect(warnings).toEqual(faults.map((fault) => expect.stringMatching(fault)));
});

describe('AS numbers that cannot be matched are said with their list, count and what to do', () => {
  const list = write('bad-as.txt', '45.85.0.0/16\nAS64500\nAS64501\nASN 64502\n');
  const named = /bad-as\.txt: AS64500 and 2 more match nothing: /;

  it('without a file that tells them', async () => {
    const { warnings, answerOf, engine } = await open([list], { ISMALICIOUS_LOCAL_ASN_DATABASE: '' });
    expect(warnings).toEqual([expect.stringMatching(new RegExp(`${named.source}.*local\\.asn_database.*CIDR form`))]);
    expect([(await answerOf('45.83.1.1')).verdict, (await answerOf('45.85.1.1')).verdict]).toEqual(['unknown', 'malicious']);
    expect(engine.stats().local.lists.find(({ name }) => name.endsWith('bad-as.txt'))?.entries).toBe(1);
  });

  it.each([
    ['that is missing', join(folder, 'none.mmdb'), /none\.mmdb cannot be read \(ENOENT\)/],
    ['that is broken', write('half.mmdb', 'half a file'), /half\.mmdb is not a MaxMind DB, or a broken one/],
    [
      'without them',
      write('city.mmdb', mmdbFile({ '45.83.0.0/16': { city: 'x' } }, { type: 'GeoLite2-City' })),
      /GeoLite2-City\) has no AS numbers/,
    ],
  ])('with a file %s', async (_what, path, fault) => {
    const { warnings, env } = await open([list], { ISMALICIOUS_LOCAL_ASN_DATABASE: path });
    expect(warnings).toEqual([expect.stringMatching(new RegExp(named.source + '.*' + fault.source))]);
    const doctor = await runCli(['doctor', '--offline'], { env });
    expect([doctor.code, doctor.stdout]).toEqual([1, expect.stringMatching(new RegExp(`FAIL {2}AS numbers +.*${fault.source}`))]);
    const checked = await runCli(['config', 'check'], { env });
    expect(checked.code).toBe(2);
    expect(checked.stderr).toContain('local.asn_database');
  });

  it('a file that is not needed is not read, and doctor looks at it all the same', async () => {
    const { warnings, env } = await open([write('own.txt', '45.83.1.1\n')], { ISMALICIOUS_LOCAL_ASN_DATABASE: join(folder, 'none.mmdb') });
    expect(warnings).toEqual([]);
    expect((await runCli(['doctor', '--offline'], { env })).stdout).toMatch(/FAIL {2}AS numbers/);
    const good = await runCli(['doctor', '--offline'], { env: { ...env, ISMALICIOUS_LOCAL_ASN_DATABASE: database } });
    expect(good.stdout).toMatch(/ok {4}AS numbers +GeoLite2-ASN of 2026-11-18/);
  });
});

it('a program that stays answers by the file as it is', async () => {
  const path = write('watched.mmdb', databaseOf({ '45.83.0.0/16': 64_500 }));
  const { engine, answerOf } = await open([write('own.txt', 'AS64500\n')], { ISMALICIOUS_LOCAL_ASN_DATABASE: path }, true);
  const faults = () => engine.stats().local.lists.flatMap((list) => list.faults);
  expect([(await answerOf('45.83.1.1')).verdict, (await answerOf('45.84.1.1')).verdict]).toEqual(['malicious', 'unknown']);
  writeFileSync(path, databaseOf({ '45.84.0.0/15': 64_500 }));
  await expect.poll(async () => (await answerOf('45.84.1.1')).verdict, { timeout: 10_000 }).toBe('malicious');
  expect([(await answerOf('45.83.1.1')).verdict, faults()]).toEqual(['unknown', []]);
  writeFileSync(path, 'half a file');
  await expect.poll(faults, { timeout: 10_000 }).toEqual([expect.stringMatching(/AS64500 is matched by an older file: .*still used$/)]);
  expect((await answerOf('45.84.1.1')).verdict).toBe('malicious');
});

it('the file is among those that answers rest on', async () => {
  const { config } = await open([]);
  expect(answeringFiles(config)).toContain(database);
});
