import dns from 'node:dns';
import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import { type AddressInfo, isIP } from 'node:net';
import { networkInterfaces } from 'node:os';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { createUndiciTransport } from '../../../src/engine/calls/http/undici-transport.ts';
import { type DnsServer, startDnsServer } from '../../support/dns-server.ts';

const hasIpv6 = Object.values(networkInterfaces()).some((all) => all?.some(({ address }) => address === '::1'));

type Done = (error: Error | null, found: dns.LookupAddress[]) => void;

/** What the names lead to now. */
let answers = (_name: string, _before: number): readonly string[] | null => null;
let names: DnsServer;
const opened: (() => unknown)[] = [];

beforeEach(async () => {
  names = await startDnsServer((name, before) => answers(name, before));
  const resolver = new dns.promises.Resolver();
  resolver.setServers([names.address]);
  // In the place of the system's resolver, which has its servers in a file: real questions, real answers.
  const resolve = async (name: string): Promise<dns.LookupAddress[]> => {
    // Servers of the test ask for the address they listen on.
    const family = isIP(name);
    if (family !== 0) return [{ address: name, family }];
    const [four, six] = await Promise.allSettled([resolver.resolve4(name), resolver.resolve6(name)]);
    const found = [
      ...(four.status === 'fulfilled' ? four.value.map((address) => ({ address, family: 4 })) : []),
      ...(six.status === 'fulfilled' ? six.value.map((address) => ({ address, family: 6 })) : []),
    ];
    if (found.length === 0) throw Object.assign(new Error(`getaddrinfo ENOTFOUND ${name}`), { code: 'ENOTFOUND' });
    return found;
  };
  const answer = async (name: string, done: Done) => {
    let found: dns.LookupAddress[] = [];
    let fault: Error | null = null;
    try {
      found = await resolve(name);
    } catch (error) {
      fault = error as Error;
    }
    done(fault, found);
  };
  const lookup = (name: string, _options: unknown, done: Done) => void answer(name, done);
  vi.spyOn(dns, 'lookup').mockImplementation(lookup as unknown as typeof dns.lookup);
});
afterEach(async () => {
  vi.restoreAllMocks();
  for (const close of opened.splice(0).toReversed()) await close();
  await names.close();
});

/** A server at one address of this machine that says where it is and closes each connection after its answer. */
async function startAt(address: string, port = 0): Promise<{ port: number; calls: () => number; stop: () => Promise<void> }> {
  let calls = 0;
  const server: Server = createServer((_request, response) => {
    calls++;
    response.writeHead(200, { 'content-type': 'application/json', connection: 'close' }).end(JSON.stringify({ at: address }));
  });
  server.listen(port, address);
  await once(server, 'listening');
  const stop = async () => {
    if (!server.listening) return;
    server.closeAllConnections();
    server.close();
    await once(server, 'close');
  };
  opened.push(stop);
  return { port: (server.address() as AddressInfo).port, calls: () => calls, stop };
}

function openTransport() {
  const transport = createUndiciTransport({ provider: 'p', connections: 1, proxy: null, ca: null });
  opened.push(() => transport.close());
  return (port: number, name = 'api.vendor.test') => transport.send({ url: new URL(`http://${name}:${port}/`) }, { timeoutMs: 30_000 });
}

describe('names of providers, with a resolver that answers over UDP', () => {
  it('that led outside first and lead to a metadata service then are not connected to (DNS rebinding)', async () => {
    const server = await startAt('127.0.0.1');
    answers = (_name, before) => (before === 0 ? ['127.0.0.1'] : ['169.254.169.254']);
    const call = openTransport();
    expect((await call(server.port)).body).toEqual({ at: '127.0.0.1' });
    await expect(call(server.port)).rejects.toThrow('metadata service');
    await expect(call(server.port)).rejects.toThrow('metadata service');
    // Each connection asked once: what was looked at is what is connected to.
    expect([names.asked.get('api.vendor.test'), server.calls()]).toEqual([3, 1]);
  });

  it('that lead outside and inside at once are not connected to, whichever comes first', async () => {
    const server = await startAt('127.0.0.1');
    const call = openTransport();
    for (const found of [
      ['127.0.0.1', '169.254.169.254'],
      ['169.254.169.254', '127.0.0.1'],
      ['127.0.0.1', 'fd00:ec2::254'],
    ]) {
      // prettier-ignore
      answers = () => found;
      await expect(call(server.port)).rejects.toThrow('metadata service');
    }
    expect(server.calls()).toBe(0);
  });

  it('are asked for again when their server has moved', async () => {
    const first = await startAt('127.0.0.1');
    answers = () => ['127.0.0.1'];
    const call = openTransport();
    expect((await call(first.port)).body).toEqual({ at: '127.0.0.1' });
    await first.stop();
    await expect(call(first.port)).rejects.toMatchObject({ code: 'unavailable' });
    const second = await startAt('127.0.0.2', first.port);
    answers = () => ['127.0.0.2'];
    expect((await call(second.port)).body).toEqual({ at: '127.0.0.2' });
  });

  it('that are gone for a while are an outage, and no longer than that', async () => {
    const server = await startAt('127.0.0.1');
    answers = () => null;
    const call = openTransport();
    await expect(call(server.port)).rejects.toMatchObject({ code: 'unavailable' });
    answers = () => ['127.0.0.1'];
    expect((await call(server.port)).status).toBe(200);
  });

  it.skipIf(!hasIpv6)('that have nothing but an IPv6 address are called there [needs IPv6]', async () => {
    const server = await startAt('::1');
    answers = () => ['::1'];
    expect((await openTransport()(server.port)).body).toEqual({ at: '::1' });
  });

  it('with several addresses are called at the one that answers', async () => {
    const server = await startAt('127.0.0.2');
    answers = () => ['127.0.0.1', '127.0.0.2'];
    expect((await openTransport()(server.port)).body).toEqual({ at: '127.0.0.2' });
  });
});
