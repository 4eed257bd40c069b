import type { Dispatcher } from 'undici';
import { LookupError } from '../../../model/lookup-error.ts';
import type { HttpAnswer, HttpCall } from '../../../providers/provider.ts';
import { bodyOf, readBytes, readStream } from './body.ts';
import { tlsOptionsOf } from './client-certificate.ts';
import { lookUpOutside, refuseInnerAddress } from './inner-addresses.ts';
import { errorFromNetwork } from './network-error.ts';
import { type HttpTransport, MAX_ANSWER_BYTES, type SendOptions, type TransportSettings } from './transport.ts';
import { emptyRecord } from '../../../model/tables/word-table.ts';

const KEEP_ALIVE_MS = 30_000;
const CONNECT_TIMEOUT_MS = 10_000;

type Undici = typeof import('undici');

function headersOf(headers: Readonly<Record<string, string | string[] | undefined>>): Record<string, string | undefined> {
  const flat = emptyRecord<string | undefined>();
  for (const [name, value] of Object.entries(headers)) flat[name] = Array.isArray(value) ? value.join(', ') : value;
  return flat;
}

/** Bracketed by `no_proxy`-like settings upstream of here: a proxy given is a proxy used. TLS is verified in both legs. */
async function createDispatcher(undici: Undici, settings: TransportSettings): Promise<Dispatcher> {
  const tls = {
    // Said outright, for the environment could say otherwise (NODE_TLS_REJECT_UNAUTHORIZED).
    rejectUnauthorized: true,
    ...(settings.ca === null ? {} : { ca: [...(await import('node:tls')).rootCertificates, settings.ca] }),
  };
  const common = { connections: settings.connections, keepAliveTimeout: KEEP_ALIVE_MS, pipelining: 1 };
  const toServer = { ...tls, ...tlsOptionsOf(settings.client ?? null) };
  if (settings.proxy === null)
    return new undici.Agent({ ...common, connect: { timeout: CONNECT_TIMEOUT_MS, lookup: lookUpOutside, ...toServer } });
  const proxy = new URL(settings.proxy);
  const user = decodeURIComponent(proxy.username);
  const token = user === '' ? {} : { token: `Basic ${Buffer.from(`${user}:${decodeURIComponent(proxy.password)}`).toString('base64')}` };
  proxy.username = '';
  proxy.password = '';
  return new undici.ProxyAgent({ ...common, uri: proxy.href, requestTls: toServer, proxyTls: tls, ...token });
}

/**
 * The production transport: undici's own `request` over a keep-alive pool, a sixth of what global fetch costs a call.
 * undici is loaded with the first call, so that a run answered from the cache never pays for it.
 */
export function createUndiciTransport(settings: TransportSettings): HttpTransport {
  let ready: Promise<{ undici: Undici; dispatcher: Dispatcher }> | null = null;
  const open = async () => {
    const module = (await import('undici')) as Undici & { default?: Undici };
    const undici = module.default ?? module;
    return { undici, dispatcher: await createDispatcher(undici, settings) };
  };
  async function exchange(call: HttpCall, signal: AbortSignal, maxBytes: number): Promise<HttpAnswer> {
    refuseInnerAddress(settings.provider, call.url);
    ready ??= open();
    const { undici, dispatcher } = await ready;
    const { statusCode, headers, body } = await undici.request(call.url, {
      dispatcher,
      signal,
      method: call.method ?? 'GET',
      headers: { accept: 'application/json', ...call.headers },
      body: call.body ?? null,
    });
    const flat = headersOf(headers);
    const bytes = call.stream ? await readStream(body, call.stream) : await readBytes(settings.provider, body, maxBytes);
    const answer = { bytes, encoding: flat['content-encoding'], maxBytes, saidOnce: call.saidOnce };
    return { status: statusCode, headers: flat, body: bodyOf(settings.provider, statusCode, answer) };
  }
  return {
    send: (call, options) =>
      withDeadline(
        settings.provider,
        { ...options, timeoutMs: options.timeoutMs + (call.stream?.forMs ?? 0), proxy: settings.proxy },
        (signal) => exchange(call, signal, options.maxBytes ?? MAX_ANSWER_BYTES),
      ),
    async close() {
      if (ready) await (await ready).dispatcher.destroy();
    },
  };
}

/** Runs an exchange with a time limit and the caller's signal; what fails becomes a coded error. */
export async function withDeadline(
  provider: string,
  options: SendOptions & { readonly proxy?: string | null },
  exchange: (signal: AbortSignal) => Promise<HttpAnswer>,
): Promise<HttpAnswer> {
  const controller = new AbortController();
  let isLate = false;
  const timer = setTimeout(() => {
    isLate = true;
    controller.abort();
  }, options.timeoutMs);
  const abort = () => controller.abort();
  options.signal?.addEventListener('abort', abort, { once: true });
  try {
    if (options.signal?.aborted) throw options.signal.reason;
    return await exchange(controller.signal);
  } catch (cause) {
    if (isLate) throw new LookupError('timeout', provider, `no answer within ${options.timeoutMs} ms`, { cause });
    throw errorFromNetwork(provider, cause, options.proxy);
  } finally {
    clearTimeout(timer);
    options.signal?.removeEventListener('abort', abort);
  }
}
