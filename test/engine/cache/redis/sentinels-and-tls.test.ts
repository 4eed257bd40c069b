import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { OpenedEngine } from '../../../../src/compose/open-engine.ts';
import { createCertificates } from '../../../support/certificates.ts';
import { hasOpenssl } from '../../../support/loopback-splunkd.ts';
import { publicAddresses } from '../../../support/open-test-engine.ts';
import { closeAll, openMachines, statusesOf, untilBack } from '../../../support/redis-machines.ts';
import { startWatchedRedis } from '../../../support/redis-sentinels.ts';
import { findRedisServer, findTlsRedisServer, startRedisServer } from '../../../support/redis-server.ts';
import { startStandIn } from '../../../support/stand-in-api.ts';
import { startTlsFront } from '../../../support/tls-front.ts';

const program = findRedisServer();
const tlsProgram = findTlsRedisServer();

describe.skipIf(program === null)('a Redis behind sentinels (needs redis)', { timeout: 120_000 }, () => {
  it('is followed when another server takes over: nothing is paid twice, and what waits is asked then', async () => {
    await using watched = await startWatchedRedis(program ?? '');
    await using api = await startStandIn();
    const machines = (await openMachines(2, api.url, watched)) as [OpenedEngine, OpenedEngine];
    const [one, other] = machines;
    const values = publicAddresses(60);
    const [before, after] = [values.slice(0, 30), values.slice(30)];
    await Promise.all([statusesOf(one, before), statusesOf(other, before.toReversed())]);
    const [first, second] = watched.servers;
    expect(await watched.master()).toBe(first.port);
    await first.kill();
    // Asked while the sentinels are still at it.
    const waiting = await Promise.all([statusesOf(one, values, 60_000), statusesOf(other, values.toReversed(), 60_000)]);
    expect(new Set(waiting.flat())).toEqual(new Set(['ok']));
    expect(await watched.master()).toBe(second.port);
    expect(api.asked().toSorted()).toEqual([...before, ...after].toSorted());
    await Promise.all(machines.map(untilBack));
    // The old one comes back as a replica, and nobody writes to it.
    await first.start();
    const late = publicAddresses(90).slice(60);
    expect(new Set(await statusesOf(one, late))).toEqual(new Set(['ok']));
    expect(new Set(await statusesOf(other, late))).toEqual(new Set(['ok']));
    expect(api.asked()).toHaveLength(90);
    await closeAll(machines);
  });
});

// The server that installs without root has no TLS of its own: Node's ends it before it.
describe.skipIf(program === null || !hasOpenssl)('Redis by TLS (needs redis and openssl)', { timeout: 120_000 }, () => {
  const certificates = createCertificates();
  beforeAll(() => {
    if (!hasOpenssl) return;
    certificates.authority('ca');
    certificates.authority('other-ca');
    certificates.issue('redis', 'ca');
  });
  afterAll(() => certificates.remove());

  const open = async (host = '127.0.0.1') => {
    const redis = await startRedisServer(program ?? '', ['--requirepass', 's3cret']);
    const front = await startTlsFront(redis.port, { key: certificates.read('redis.key'), cert: certificates.read('redis.pem'), host });
    return {
      url: `rediss://:s3cret@${host}:${front.port}`,
      async [Symbol.asyncDispose]() {
        await front[Symbol.asyncDispose]();
        await redis[Symbol.asyncDispose]();
      },
    };
  };

  /** The server itself speaks TLS. */
  const openOwn = async () => {
    const files = { cert: 'redis.pem', key: 'redis.key', 'ca-cert': 'ca.pem' };
    const flags = Object.entries(files).flatMap(([name, file]) => [`--tls-${name}-file`, certificates.file(file)]);
    const redis = await startRedisServer(tlsProgram ?? '', [...flags, '--tls-auth-clients', 'no', '--requirepass', 's3cret'], 'rediss');
    return { url: `rediss://:s3cret@127.0.0.1:${redis.port}`, [Symbol.asyncDispose]: () => redis[Symbol.asyncDispose]() };
  };

  it.for([
    ['TLS ended before it', false],
    ['TLS of its own [needs redis]', true],
  ] as const)('is shared by those who know its authority: %s', async ([, isOwn], { skip }) => {
    if (isOwn && tlsProgram === null) return skip('needs redis');
    await using redis = await (isOwn ? openOwn() : open());
    await using api = await startStandIn();
    const machines = await openMachines(3, api.url, redis, { ISMALICIOUS_REDIS_CA_FILE: certificates.file('ca.pem') });
    const values = publicAddresses(30);
    const said = await Promise.all(machines.map((machine) => statusesOf(machine, values)));
    expect(new Set(said.flat())).toEqual(new Set(['ok']));
    expect(api.asked().toSorted()).toEqual(values.toSorted());
    expect(machines.flatMap(({ warnings }) => warnings)).toEqual([]);
    await closeAll(machines);
  });

  it.each([
    [
      'is signed by another authority than ours',
      'other-ca.pem',
      '127.0.0.1',
      'signed by an unknown authority, UNABLE_TO_VERIFY_LEAF_SIGNATURE: set cache.redis_ca_file',
    ],
    ['is for another host', 'ca.pem', '127.0.0.2', 'its certificate is for another host, ERR_TLS_CERT_ALTNAME_INVALID'],
  ])('is refused when its certificate %s', async (_name, ca, host, words) => {
    await using redis = await open(host);
    await using api = await startStandIn();
    const [one] = (await openMachines(1, api.url, redis, { ISMALICIOUS_REDIS_CA_FILE: certificates.file(ca) })) as [OpenedEngine];
    expect(one.health().shared?.fault).toContain(words);
    expect(one.warnings.join()).not.toContain('s3cret');
    await one.engine.close();
  });

  it('is refused when nobody said which authority signs it', async () => {
    await using redis = await open();
    await using api = await startStandIn();
    const [one] = (await openMachines(1, api.url, redis)) as [OpenedEngine];
    expect(one.health().shared?.fault).toContain(
      'signed by an unknown authority, UNABLE_TO_VERIFY_LEAF_SIGNATURE: set cache.redis_ca_file',
    );
    await one.engine.close();
  });
});
