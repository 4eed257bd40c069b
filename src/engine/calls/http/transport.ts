// src/engine/calls/http/: one call in, one answer out, over undici or fetch; coded errors.
import type { ClientCertificate } from './client-certificate.ts';
import type { HttpAnswer, HttpCall } from '../../../providers/provider.ts';

/** Bounds of one call. */
export interface SendOptions {
  readonly timeoutMs: number;
  readonly signal?: AbortSignal;
  /** Largest answer that is read, by default `MAX_ANSWER_BYTES`: lists that are downloaded whole are larger. */
  readonly maxBytes?: number;
}

/** Makes the calls that providers describe. Rejects with a coded `LookupError` when no whole answer came; any HTTP status is an answer. */
export interface HttpTransport {
  send(call: HttpCall, options: SendOptions): Promise<HttpAnswer>;
  close(): Promise<void>;
}

/** How a provider's host is reached. */
export interface TransportSettings {
  /** Who is asked: names the provider in errors. */
  readonly provider: string;
  /** Connections kept open to the host. */
  readonly connections: number;
  /** Proxy URL, `http://user:password@host:port`; `null`: none. */
  readonly proxy: string | null;
  /** PEM text of further certificate authorities, added to the built-in ones; `null`: none. */
  readonly ca: string | null;
  /** Shown to the server (never to the proxy) when it asks who calls; left out, `null`: none. */
  readonly client?: ClientCertificate | null;
}

/** Answers larger than this are refused: the largest recorded document is 109 KB, a batch of 500 rows about 1 MB. */
export const MAX_ANSWER_BYTES = 4 * 1024 * 1024;

/** The URL as it may be shown: without credentials and without the values of secret query parameters. */
export function redactUrl(call: HttpCall): string {
  const shown = new URL(call.url);
  shown.username = '';
  shown.password = '';
  for (const name of call.secretQuery ?? []) if (shown.searchParams.has(name)) shown.searchParams.set(name, 'REDACTED');
  return shown.href;
}
