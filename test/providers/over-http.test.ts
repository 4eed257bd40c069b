import { http, HttpResponse } from 'msw';
import { setupServer } from 'msw/node';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { createFetchTransport } from '../../src/engine/calls/http/fetch-transport.ts';
import { LookupError } from '../../src/model/lookup-error.ts';
import { loadProviders } from '../../src/providers/registry.ts';
import { type ExpectedCall, type FixtureStep, readProviderFixture, settingsFor } from './provider-fixture.ts';
import { exchangeOver } from './scripted-exchange.ts';

const providers = await loadProviders();

// Everything down to the socket is real: the call as undici's fetch puts it on the wire, the answer as it comes back.
const server = setupServer();
beforeAll(() => server.listen({ onUnhandledFrame: 'error' }));
afterEach(() => server.resetHandlers());
afterAll(() => server.close());

interface Seen {
  readonly url: string;
  readonly method: string;
  readonly headers: Headers;
  readonly body: string;
}

/** Answers any call with the steps in order and keeps what came in. */
function answerWith(steps: readonly FixtureStep[]): Seen[] {
  const seen: Seen[] = [];
  server.use(
    http.all('*', async ({ request }) => {
      const step = steps[seen.length];
      seen.push({ url: request.url, method: request.method, headers: request.headers, body: await request.text() });
      if (!step) return HttpResponse.json({ error: 'one call too many' }, { status: 500 });
      const init = { status: step.status ?? 200, headers: { ...step.headers } };
      return typeof step.body === 'string' ? new HttpResponse(step.body, init) : HttpResponse.json(step.body as object, init);
    }),
  );
  return seen;
}

function expectOnWire(seen: Seen | undefined, { url, method = 'GET', headers, body, json }: ExpectedCall): void {
  expect(seen?.url).toBe(url);
  expect(seen?.method).toBe(method);
  for (const [name, value] of Object.entries(headers)) expect(seen?.headers.get(name), name).toBe(value);
  expect(seen?.headers.get('accept')).toBe('application/json');
  if (body !== undefined) expect(seen?.body).toBe(body);
  if (json !== undefined) {
    const sent = JSON.parse(seen?.body ?? '') as Record<string, unknown>;
    expect((json as Record<string, unknown>).query === '*' ? { ...sent, query: '*' } : sent).toEqual(json);
  }
}

describe.each(providers.map((provider) => [provider.id, provider] as const))('%s over HTTP', (id, provider) => {
  const fixture = readProviderFixture(id);

  it.each(fixture.cases.map((one) => [one.name, one] as const))('%s', async (_name, one) => {
    const steps = [one.signIn, one, one.next].filter((step) => step !== undefined);
    const seen = answerWith(steps);
    const exchange = exchangeOver(provider, settingsFor(provider, fixture, one.settings), createFetchTransport(id));
    const result = await exchange.single(one.indicator, new AbortController().signal).then(
      (verdict) => ({ verdict }),
      (error: unknown) => ({ code: error instanceof LookupError ? error.code : error }),
    );
    expect(result).toEqual(one.error ? { code: one.error.code } : { verdict: one.verdict });
    expect(seen.length).toBeGreaterThan(0);
    for (const [n, step] of steps.entries()) if (step.request) expectOnWire(seen[n], step.request);
    if (one.notices) expect(exchange.notices).toEqual(one.notices);
  });
});

it('a call that no stand-in expects fails the test', async () => {
  const spied = vi.spyOn(console, 'error').mockImplementation(() => undefined);
  await expect(fetch('https://www.virustotal.com/api/v3/domains/example.org')).rejects.toThrow('fetch failed');
  expect(spied).toHaveBeenCalledWith(expect.stringContaining('[MSW] Error: intercepted a request without a matching request handler'));
});
