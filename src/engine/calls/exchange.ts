import type { Indicator } from '../../model/indicator.ts';
import { LookupError } from '../../model/lookup-error.ts';
import type { Verdict } from '../../model/verdict.ts';
import type { HttpAnswer, HttpCall, Provider, QuotaNotice } from '../../providers/provider.ts';
import type { Clock } from '../clock.ts';
import { blamesSize, errorFromStatus, parseRetryAfter } from './http/status.ts';
import type { HttpTransport } from './http/transport.ts';

/** One provider's calls, made and read: rejects with a coded `LookupError`, resolves with what the provider says. */
export interface Exchange {
  single(indicator: Indicator, signal: AbortSignal): Promise<Verdict | null>;
  /** By canonical value; indicators that are missing have to be asked alone. An error: what came back about this one cannot be read. */
  bulk(indicators: readonly Indicator[], signal: AbortSignal): Promise<ReadonlyMap<string, Verdict | null | LookupError>>;
  /** How many indicators one bulk call may carry on this account; 0: none. */
  bulkCap(signal: AbortSignal): Promise<number>;
}

export interface ExchangeOptions {
  readonly provider: Provider;
  readonly settings: unknown;
  readonly transport: HttpTransport;
  readonly timeoutMs: number;
  readonly clock: Clock;
  readonly onNotices: (notices: readonly QuotaNotice[]) => void;
  /** Told of every call that carries indicators, before it is made; throws a `LookupError` when it must not be. */
  readonly onLeave: (indicators: readonly Indicator[]) => void;
  /** Waits for the turn of a second call for one look-up, and counts it; rejects when there is no room for it soon. */
  readonly beforeFurtherCall: (signal: AbortSignal) => Promise<void>;
}

/** Says where an answer differs from the documented shape, without its values (they may be hostile). */
function describeShape(cause: unknown): string {
  const issue = (cause as { issues?: { path?: unknown[]; code?: string }[] }).issues?.[0];
  if (!issue) return 'answer has an unknown shape';
  return `answer has an unknown shape at "${(issue.path ?? []).join('.')}"`;
}

function readAnswer<T>(provider: string, answer: HttpAnswer, reader: () => T): T {
  if (answer.body === '') throw new LookupError('bad_response', provider, 'empty answer');
  if (typeof answer.body === 'string') {
    throw new LookupError('bad_response', provider, `answer is not JSON (content-type ${answer.headers['content-type'] ?? 'missing'})`);
  }
  try {
    return reader();
  } catch (cause) {
    if (cause instanceof LookupError) throw cause;
    throw new LookupError('bad_response', provider, describeShape(cause), { cause });
  }
}

/** A token is fetched anew this long before it runs out. */
const TOKEN_MARGIN_MS = 30_000;

/** Keeps the short-lived token of providers that want one; callers at the same time share one sign-in. */
function createTokenKeeper(options: ExchangeOptions, settings: never, send: (call: HttpCall, signal: AbortSignal) => Promise<HttpAnswer>) {
  const { provider, clock } = options;
  let token: Promise<{ text: string; untilMs: number }> | null = null;
  async function signIn(call: HttpCall, signal: AbortSignal): Promise<{ text: string; untilMs: number }> {
    const answer = await send(call, signal);
    const refused = errorFromStatus(provider.id, answer, clock.epochMs());
    if (refused)
      throw refused.code === 'invalid'
        ? new LookupError('unauthorized', provider.id, 'sign-in refused: check client id and secret')
        : refused;
    const read = readAnswer(provider.id, answer, () => provider.signIn?.read(answer.body));
    return { text: read?.token ?? '', untilMs: clock.monotonicMs() + (read?.lifetimeS ?? 0) * 1000 - TOKEN_MARGIN_MS };
  }
  return async (signal: AbortSignal): Promise<string | undefined> => {
    const call = provider.signIn?.request(settings) ?? null;
    if (call === null) return undefined;
    if (token && (await token).untilMs < clock.monotonicMs()) token = null;
    token ??= signIn(call, signal).catch((error: unknown) => {
      token = null;
      throw error;
    });
    return (await token).text;
  };
}

export function createExchange(options: ExchangeOptions): Exchange {
  const { provider, transport, clock } = options;
  // The schema of this very provider has checked them: each provider sees its own type again.
  const settings = options.settings as never;

  async function send(call: HttpCall, signal: AbortSignal): Promise<HttpAnswer> {
    const answer = await transport.send(call, { timeoutMs: options.timeoutMs, signal });
    const notices = provider.quotaNotices?.(answer);
    if (notices && notices.length > 0) options.onNotices(notices);
    return answer;
  }

  function judge(answer: HttpAnswer, indicator: Indicator | null): 'answer' | 'not-listed' {
    const judged = provider.judge?.(answer, indicator) ?? errorFromStatus(provider.id, answer, clock.epochMs());
    if (judged === null) return 'answer';
    if (!(judged instanceof LookupError)) return judged;
    // A batch that is refused for its length is asked in parts.
    const isTooMany = indicator === null && [400, 413, 422].includes(answer.status) && blamesSize(answer.body);
    if (isTooMany && judged.code === 'bad_response')
      throw new LookupError('invalid', provider.id, `refuses so many at once (HTTP ${answer.status})`);
    const retryAfterMs = judged.retryAfterMs ?? parseRetryAfter(answer.headers['retry-after'], clock.epochMs());
    throw new LookupError(judged.code, provider.id, judged.message.slice(provider.id.length + 2), { retryAfterMs, cause: judged.cause });
  }

  const tokenFor = createTokenKeeper(options, settings, send);
  return {
    async single(indicator, signal) {
      const token = await tokenFor(signal);
      options.onLeave([indicator]);
      let answer = await send(provider.request(indicator, settings, token), signal);
      if (judge(answer, indicator) === 'not-listed') return null;
      const next = provider.followUp?.(answer.body, indicator, settings) ?? null;
      if (next) {
        await options.beforeFurtherCall(signal);
        answer = await send(next, signal);
        if (judge(answer, indicator) === 'not-listed') return null;
      }
      return readAnswer(provider.id, answer, () => provider.read(answer.body, indicator, settings));
    },
    async bulk(indicators, signal) {
      const { bulk } = provider;
      if (!bulk) throw new TypeError(`${provider.id} has no bulk form`);
      const token = await tokenFor(signal);
      options.onLeave(indicators);
      const answer = await send(bulk.request(indicators, settings, token), signal);
      if (judge(answer, null) === 'not-listed') return new Map(indicators.map((indicator) => [indicator.value, null]));
      return readAnswer(provider.id, answer, () => bulk.read(answer.body, indicators, settings));
    },
    async bulkCap(signal) {
      const { bulk } = provider;
      if (!bulk) return 0;
      if (!bulk.capRequest || !bulk.readCap) return bulk.maxSize;
      const answer = await send(bulk.capRequest(settings), signal);
      if (answer.status >= 400 && answer.status < 500 && answer.status !== 401 && answer.status !== 429) return 0;
      judge(answer, null);
      const { readCap } = bulk;
      return Math.min(
        bulk.maxSize,
        readAnswer(provider.id, answer, () => readCap(answer)),
      );
    },
  };
}
