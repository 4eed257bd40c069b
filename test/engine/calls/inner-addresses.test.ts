import dns from 'node:dns';
import { connect } from 'node:net';
import { once } from 'node:events';
import { beforeAll, describe, expect, it, vi } from 'vitest';
import { createFetchTransport } from '../../../src/engine/calls/http/fetch-transport.ts';
import { isInnerAddress, lookUpOutside } from '../../../src/engine/calls/http/inner-addresses.ts';
import { createUndiciTransport } from '../../../src/engine/calls/http/undici-transport.ts';

type Done = (error: Error | null, found: { address: string; family: number }[]) => void;

beforeAll(() => {
  const lookup = (name: string, _options: unknown, done: Done) => {
    const address = name === 'inside.test' ? '169.254.169.254' : '127.0.0.1';
    done(null, [
      { address: '127.0.0.1', family: 4 },
      { address, family: 4 },
    ]);
  };
  vi.spyOn(dns, 'lookup').mockImplementation(lookup as unknown as typeof dns.lookup);
});

describe('addresses where no provider is', () => {
  it.each([
    ['169.254.169.254', true],
    ['169.254.170.2', true],
    ['[::ffff:a9fe:a9fe]', true],
    ['[fd00:ec2::254]', true],
    ['[fe80::1]', true],
    ['[64:ff9b::a9fe:a9fe]', true],
    ['100.100.100.200', true],
    ['192.0.0.192', true],
    // As URLs write numbers: octal, hexadecimal, one number.
    [new URL('http://0251.0376.0251.0376/').hostname, true],
    [new URL('http://0xa9fea9fe/').hostname, true],
    [new URL('http://2852039166/').hostname, true],
    ['127.0.0.1', false],
    ['10.0.0.1', false],
    ['[fd00::1]', false],
    ['169.253.1.1', false],
    ['api.example.com', false],
  ])('%s: %s', (host, expected) => expect(isInnerAddress(host)).toBe(expected));

  it.each([
    ['undici', () => createUndiciTransport({ provider: 'p', connections: 1, proxy: null, ca: null })],
    ['undici by way of a proxy', () => createUndiciTransport({ provider: 'p', connections: 1, proxy: 'http://127.0.0.1:9', ca: null })],
    ['fetch', () => createFetchTransport('p')],
  ])('are not called, whoever put them into a URL: %s', async (_name, open) => {
    const transport = open();
    for (const url of ['https://169.254.169.254/latest/meta-data/', 'http://[fd00:ec2::254]/'])
      await expect(transport.send({ url: new URL(url) }, { timeoutMs: 1000 })).rejects.toThrow('metadata service');
    await transport.close();
  });

  it('are not connected to when a name leads there, be it one of several answers', async () => {
    const transport = createUndiciTransport({ provider: 'p', connections: 1, proxy: null, ca: null });
    await expect(transport.send({ url: new URL('http://inside.test/') }, { timeoutMs: 5000 })).rejects.toThrow('metadata service');
    await transport.close();
    const [error] = (await once(connect({ host: 'inside.test', port: 9, lookup: lookUpOutside }), 'error').catch((e: unknown) => [e])) as [
      Error,
    ];
    expect(error.message).toContain('metadata service');
  });

  it('leave every other name alone', async () => {
    const transport = createUndiciTransport({ provider: 'p', connections: 1, proxy: null, ca: null });
    await expect(transport.send({ url: new URL('http://outside.test:9/') }, { timeoutMs: 5000 })).rejects.toThrow('ECONNREFUSED');
    await transport.close();
  });
});
