import { readFileSync } from 'node:fs';
import http from 'node:http';
import type { ClientRequest, IncomingMessage } from 'node:http';
import https from 'node:https';
import { isLoopback } from '../../../compose/door/loopback.ts';
import { lookUpOutside } from '../../../engine/calls/http/inner-addresses.ts';
import { PatientAgent, PatientTlsAgent } from './patient-agent.ts';

/** Headers that belong to one connection (RFC 9110 §7.6.1), and those that must not reach the next one or are made anew for it. */
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
  // Whoever stands before the engine may take them for the method, which was judged already.
  'x-http-method-override',
  'x-http-method',
  'x-method-override',
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
  const agent = isTls
    ? new PatientTlsAgent({ ...kept, rejectUnauthorized: true, ...(caFile !== undefined && { ca: readFileSync(caFile) }) })
    : new PatientAgent(kept);
  const client = isTls ? https : http;
  const prefix = base.pathname.replace(/\/$/, '');
  const hostname = base.hostname.replace(/^\[|\]$/g, '');
  return {
    isHere: isLoopback(hostname),
    request(method, path, headers) {
      const port = base.port === '' ? (isTls ? 443 : 80) : base.port;
      const target = {
        agent,
        lookup: lookUpOutside,
        hostname,
        port,
        method,
        path: `${prefix}${path}`,
        headers: ['host', base.host, ...headers],
      };
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

/** Names that the message's own `Connection` headers declare to be of the connection: all of them. */
function connectionHeaders(rawHeaders: readonly string[]): string[] {
  const names: string[] = [];
  for (let n = 0; n + 1 < rawHeaders.length; n += 2) {
    const name = rawHeaders[n] ?? '';
    if (name.length !== 10 || name.toLowerCase() !== 'connection') continue;
    for (const declared of (rawHeaders[n + 1] ?? '').split(',')) names.push(declared.trim().toLowerCase());
  }
  return names;
}
