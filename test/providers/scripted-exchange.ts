import { createExchange, type Exchange } from '../../src/engine/calls/exchange.ts';
import type { HttpTransport } from '../../src/engine/calls/http/transport.ts';
import type { HttpAnswer, HttpCall, Provider, QuotaNotice } from '../../src/providers/provider.ts';

/** The engine's own exchange over answers from a list: what a provider is judged by in the end. */
export interface ScriptedExchange extends Exchange {
  readonly calls: readonly HttpCall[];
  readonly notices: readonly QuotaNotice[];
}

const NOW_MS = Date.parse('2026-11-21T10:00:00Z');

/** Answers are given in order; one call more is a fault of the provider. */
export function scriptedExchange(provider: Provider, settings: never, answers: readonly HttpAnswer[]): ScriptedExchange {
  const calls: HttpCall[] = [];
  const transport: HttpTransport = {
    send(call) {
      const answer = answers[calls.length];
      calls.push(call);
      return answer ? Promise.resolve(answer) : Promise.reject(new Error(`call ${calls.length} was not expected: ${call.url.href}`));
    },
    close: () => Promise.resolve(),
  };
  return exchangeOver(provider, settings, transport, calls);
}

/** The engine's exchange over any transport. */
export function exchangeOver(provider: Provider, settings: never, transport: HttpTransport, calls: HttpCall[] = []): ScriptedExchange {
  const notices: QuotaNotice[] = [];
  const exchange = createExchange({
    provider,
    settings,
    transport,
    timeoutMs: 5000,
    clock: { epochMs: () => NOW_MS, monotonicMs: () => 0 },
    onNotices: (told) => notices.push(...told),
    onLeave: () => undefined,
    beforeFurtherCall: () => Promise.resolve(),
  });
  return { ...exchange, calls, notices };
}
