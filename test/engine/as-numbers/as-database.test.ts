import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { asDatabaseAt } from '../../../src/engine/as-numbers/as-database.ts';
import { mmdbFile, type MmdbForm } from '../../support/mmdb-file.ts';
import { hasPeer, hasPeers, peerPython } from '../../support/python-peers.ts';

const folder = mkdtempSync(join(tmpdir(), 'ismalicious-asn-'));
afterAll(() => rmSync(folder, { recursive: true }));
let files = 0;
function write(bytes: Buffer | string): string {
  files += 1;
  const path = join(folder, `${files}.mmdb`);
  writeFileSync(path, bytes);
  return path;
}

const named = (asNumber: number) => ({ autonomous_system_number: asNumber, autonomous_system_organization: `Owner ${asNumber}` });
const IPV4 = { '45.83.0.0/16': named(64_500), '45.83.64.0/24': named(64_501), '45.84.0.0/30': named(4_200_000_000) };
const IPV6 = { ...IPV4, '2a00:1450::/32': named(64_502), '2a00:1450:4000::/48': named(701) };
const ADDRESSES: readonly (readonly [address: string, asNumber: number | null])[] = [
  ['45.83.0.0', 64_500],
  ['45.83.64.255', 64_501],
  ['45.83.65.0', 64_500],
  ['45.84.0.3', 4_200_000_000],
  ['45.84.0.4', null],
  ['2a00:1450::1', 64_502],
  ['2a00:1450:4000::1', 701],
  ['2a00:1451::', null],
];
const FORMS: readonly MmdbForm[] = ([24, 28, 32] as const).flatMap((recordSize) =>
  ([4, 6] as const).map((ipVersion) => ({ recordSize, ipVersion })),
);

/** Whether the second reader is among the Python peers. */
const hasReader = hasPeer('maxminddb');
if (hasPeers && !hasReader)
  process.stderr.write('maxminddb is not among the Python peers: the file format is not checked by a second reader\n');

describe.each(FORMS)('a tree of IPv$ipVersion addresses with records of $recordSize bits', (form) => {
  const path = write(mmdbFile(form.ipVersion === 4 ? IPV4 : IPV6, form));
  // A tree of IPv4 addresses knows nothing of others, and must not read their first bits as if they were one.
  const expected = ADDRESSES.map(([address, asNumber]) => (form.ipVersion === 4 && address.includes(':') ? null : asNumber));

  it('tells the number of the smallest network around an address', () => {
    const database = asDatabaseAt(path);
    expect(ADDRESSES.map(([address]) => database.numberOf(address))).toEqual(expected);
    expect(database.fault()).toBeNull();
  });

  it.skipIf(!hasReader)('is read alike by the reader of MaxMind', () => {
    const program = `
import json, maxminddb, sys
reader = maxminddb.open_database(sys.argv[1], maxminddb.MODE_MEMORY)
def number(address):
    try:
        return (reader.get(address) or {}).get('autonomous_system_number')
    except ValueError:
        return None
print(json.dumps([number(address) for address in sys.argv[2:]]))`;
    const answer = execFileSync(peerPython, ['-c', program, path, ...ADDRESSES.map(([address]) => address)], { encoding: 'utf8' });
    expect(JSON.parse(answer)).toEqual(expected);
  });
});

it('IPv4 addresses are found in the forms that IPv6 has for them', () => {
  const database = asDatabaseAt(write(mmdbFile(IPV6)));
  expect(['::ffff:2d53:4001', '2002:2d53:4001::1'].map((address) => database.numberOf(address))).toEqual([64_501, 64_501]);
});

it.each([
  ['MaxMind and DB-IP', { autonomous_system_number: 64_500 }, 64_500],
  ['IPinfo', { country: 'DE', asn: 'AS64500', as_name: 'x' }, 64_500],
  ['a bare number', { asn: 64_500 }, 64_500],
  ['a bare number as text', { asn: '64500' }, 64_500],
  ["MaxMind's Enterprise", { traits: { autonomous_system_number: 64_500 } }, 64_500],
  ['a network that nobody announces', { asn: '', as_name: '' }, null],
  ['a word', { asn: 'unknown' }, null],
])('the number is read as %s writes it', (_who, record, asNumber) => {
  const networks = { '45.83.0.0/16': record, '45.84.0.0/16': named(1) };
  expect(asDatabaseAt(write(mmdbFile(networks))).numberOf('45.83.64.7')).toBe(asNumber);
});

describe('a file that tells nothing', () => {
  const whole = mmdbFile(IPV6);
  const city = mmdbFile({ '45.83.0.0/16': { city: { names: { en: 'Berlin' } } } }, { type: 'GeoLite2-City' });
  it.each([
    ['that is missing', () => join(folder, 'none.mmdb'), /none\.mmdb cannot be read \(ENOENT\): check the path/],
    ['that is a folder', () => folder, /cannot be read \(EISDIR\)/],
    ['that is empty', () => write(''), /not a MaxMind DB, or a broken one/],
    ['of another kind', () => write('network,asn\n45.83.0.0/16,64500\n'), /not a MaxMind DB, or a broken one/],
    ['that was cut', () => write(whole.subarray(0, whole.length / 2)), /not a MaxMind DB, or a broken one/],
    ['whose beginning is lost', () => write(whole.subarray(whole.length / 2)), /not a MaxMind DB, or a broken one|has no AS numbers/],
    ['without AS numbers', () => write(city), /\(GeoLite2-City\) has no AS numbers: name a file that has/],
  ])('%s is one fault, told once, with what to do', (_what, pathOf, fault) => {
    const told: string[] = [];
    const database = asDatabaseAt(pathOf(), (message) => told.push(message));
    expect(database.fault()).toBeNull();
    expect(['45.83.64.7', '45.83.64.8'].map((address) => database.numberOf(address))).toEqual([null, null]);
    expect(database.fault()).toMatch(fault);
    expect(told).toEqual([expect.stringMatching(/^local\.asn_database: /)]);
    expect(database.kind()).toBeNull();
  });
});

describe('a file that is replaced', () => {
  it('by a newer one tells what that says; by a broken one what was known, and the fault', () => {
    const told: string[] = [];
    const path = write(mmdbFile(IPV6));
    const database = asDatabaseAt(path, (message) => told.push(message));
    expect(database.numberOf('45.83.64.7')).toBe(64_501);
    writeFileSync(path, mmdbFile({ '45.83.0.0/16': named(64_777) }));
    expect(database.numberOf('45.83.64.7')).toBe(64_501);
    database.refresh();
    expect(database.numberOf('45.83.64.7')).toBe(64_777);
    writeFileSync(path, 'half a file');
    database.refresh();
    expect([database.numberOf('45.83.64.7'), told]).toEqual([64_777, [expect.stringMatching(/what it said before is still used$/)]]);
    writeFileSync(path, mmdbFile(IPV6));
    database.refresh();
    expect([database.numberOf('45.83.64.7'), database.fault()]).toEqual([64_501, null]);
  });

  it('before anybody asked is not read at all', () => {
    const database = asDatabaseAt(join(folder, 'none.mmdb'));
    database.refresh();
    expect(database.fault()).toBeNull();
  });
});

it('a file says what it is and of which day', () => {
  const database = asDatabaseAt(write(mmdbFile(IPV6)));
  database.open();
  expect(database.kind()).toEqual({ type: 'GeoLite2-ASN', builtOn: '2026-11-18' });
});
