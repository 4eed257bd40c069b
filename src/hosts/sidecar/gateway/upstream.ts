import { readFileSync } from 'node:fs';
import http from 'node:http';
import type { ClientRequest, IncomingMessage } from 'node:http';
import https from 'node:https';
import { isLoopback } from '../http/guard.ts';

/** Headers that belong to one connection (RFC 9110 §7.6.1), and those that are made anew for the next one. */
const OF_THE_CONNECTION: ReadonlySet<string> = new Set([
  'connection',
  'keep-alive',
  'proxy-connection',
  'proxy-authenticate',
  'proxy-authorization',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
  'expect',
  'host',
]);

/** The engine behind the gateway. */
export interface Upstream {
  /** Whether it is this very machine: bodies go there without being compressed. */
  readonly isHere: boolean;
  /** Starts a request there. `headers`: name, value, name, value. It ends with an `UpstreamTimeout` when nothing moves for too long. */
  request(method: string, path: string, headers: readonly string[]): ClientRequest;
  close(): void;
}

/** The upstream takes nothing, or says nothing, for longer than it is waited for. */
export class UpstreamTimeout extends Error {
  override readonly name = 'UpstreamTimeout';
}

/** What is known of the upstream. */
export interface UpstreamOptions {
  readonly url: string;
  readonly caFile: string | undefined;
  readonly maxConnections: number;
  readonly timeoutMs: number;
}

/** Opens the way to the upstream. Certificates are always checked. */
export function openUpstream({ url, caFile, maxConnections, timeoutMs }: UpstreamOptions): Upstream {
  const base = new URL(url);
  const isTls = base.protocol === 'https:';
  const kept = { keepAlive: true, maxSockets: maxConnections, maxFreeSockets: maxConnections };
  const agent = isTls ? new https.Agent({ ...kept, ...(caFile !== undefined && { ca: readFileSync(caFile) }) }) : new http.Agent(kept);
  const client = isTls ? https : http;
  const prefix = base.pathname.replace(/\/$/, '');
  const hostname = base.hostname.replace(/^\[|\]$/g, '');
  return {
    isHere: isLoopback(hostname),
    request(method, path, headers) {
      const port = base.port === '' ? (isTls ? 443 : 80) : base.port;
      const target = { agent, hostname, port, method, path: `${prefix}${path}`, headers: ['host', base.host, ...headers] };
      const out = client.request({ ...target, timeout: timeoutMs });
      out.on('timeout', () => {
        // Everything there was has gone out: it is the caller who is slow, and who is watched elsewhere.
        if (!out.writableEnded && !out.writableNeedDrain) out.setTimeout(timeoutMs);
        else out.destroy(new UpstreamTimeout());
      });
      return out;
    },
    close: () => agent.destroy(),
  };
}

/** The headers of a message that go on, in their own spelling and order, but for those named. */
export function headersToForward({ rawHeaders }: Pick<IncomingMessage, 'rawHeaders'>, without: readonly string[] = []): string[] {
  const headers: string[] = [];
  const named = connectionHeaders(rawHeaders);
  for (let n = 0; n + 1 < rawHeaders.length; n += 2) {
    const name = rawHeaders[n] ?? '';
    const lower = name.toLowerCase();
    if (!OF_THE_CONNECTION.has(lower) && !without.includes(lower) && !named.includes(lower)) headers.push(name, rawHeaders[n + 1] ?? '');
  }
  return headers;
}

/** Names that the message's own `Connection` header declares to be of the connection. */
function connectionHeaders(rawHeaders: readonly string[]): string[] {
  const at = rawHeaders.findIndex((name, n) => n % 2 === 0 && name.toLowerCase() === 'connection');
  return at < 0 ? [] : (rawHeaders[at + 1] ?? '').split(',').map((name) => name.trim().toLowerCase());
}
