import { createServer, get } from 'node:http';
import { connect } from 'node:net';
import type { AddressInfo } from 'node:net';
import { setupServer } from 'msw/node';
import { connect as connectTls } from 'node:tls';
import { Agent, request } from 'undici';
import { expect, it, onTestFinished } from 'vitest';
import { OutsideNetworkError } from '../support/no-outside-network.ts';

// RFC 5737: an address that nobody has, so that a guard that failed would show as a time-out and not as somebody's answer.
const OUTSIDE = '192.0.2.1';

/** The error at the bottom: clients wrap what the socket says. */
async function rootCauseOf(failing: () => Promise<unknown>): Promise<unknown> {
  let error: unknown = await failing().then(
    () => 'it went through',
    (caught: unknown) => caught,
  );
  while (error instanceof Error && error.cause !== undefined) error = error.cause;
  return error;
}

/** Resolves when the emitter fails. */
function failureOf(emitter: NodeJS.EventEmitter): Promise<unknown> {
  const { promise, reject } = Promise.withResolvers<unknown>();
  emitter.on('error', reject);
  return promise;
}

const agent = new Agent();
const clients: Readonly<Record<string, (host: string) => Promise<unknown>>> = {
  'global fetch': (host) => fetch(`http://${host}/check`),
  'global fetch over TLS': (host) => fetch(`https://${host}/check`),
  'undici.request': (host) => request(`http://${host}/check`),
  'undici.request with an agent of its own': (host) => request(`https://${host}/check`, { dispatcher: agent }),
  'node:http': (host) => failureOf(get(`http://${host}/check`)),
  'node:net': (host) => failureOf(connect(443, host)),
  'node:tls': (host) => failureOf(connectTls(443, host)),
};

it.each(Object.keys(clients))('a call that nobody mocked fails: %s, by address', async (name) => {
  expect(await rootCauseOf(() => clients[name]!(OUTSIDE))).toBeInstanceOf(OutsideNetworkError);
});

it.each(Object.keys(clients))('a call that nobody mocked fails: %s, by name', async (name) => {
  expect(await rootCauseOf(() => clients[name]!('api.provider.example'))).toBeInstanceOf(OutsideNetworkError);
});

it.each(['global fetch', 'undici.request', 'node:http'])('it fails beside msw, too: %s', async (name) => {
  const msw = setupServer();
  msw.listen({ onUnhandledFrame: 'bypass' });
  onTestFinished(() => msw.close());
  expect(await rootCauseOf(() => clients[name]!(OUTSIDE))).toBeInstanceOf(OutsideNetworkError);
});

it('loopback stays open', async () => {
  const server = createServer((_, response) => response.end('here'));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  expect(await (await fetch(`http://127.0.0.1:${port}/`)).text()).toBe('here');
  expect(await (await request(`http://localhost:${port}/`, { dispatcher: agent })).body.text()).toBe('here');
  await agent.close();
  server.close();
});
