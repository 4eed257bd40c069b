import { createServer, type RequestListener, type Server, type ServerOptions } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import { createHandshakeFaults } from './handshake-faults.ts';
import type { ListenerTls } from './listener-tls.ts';

/** What a listener speaks TLS with (`null`: plain http), and how it goes on when that changes. */
export interface Speaking {
  readonly tls: ListenerTls | null;
  /** Milliseconds a handshake may take. */
  readonly handshakeTimeoutMs: number;
  /** Told why callers cannot connect, and what cannot be used of files that changed. */
  readonly log: (line: string) => void;
  /** Ends the connections that are open: who came in by the certificates from before comes in by the new ones, or not at all. */
  readonly endConnections: () => void;
}

/** A server that answers by http, or by https and nothing else. Whoever opens it closes `tls` when it is closed. */
export function openServer(options: ServerOptions, listener: RequestListener, speaking: Speaking): Server {
  const { tls, handshakeTimeoutMs, log, endConnections } = speaking;
  if (tls === null) return createServer(options, listener);
  const { context, asksCallers } = tls;
  const callers = { requestCert: asksCallers, rejectUnauthorized: asksCallers };
  const server = createTlsServer({ ...options, ...context, ...callers, handshakeTimeout: handshakeTimeoutMs }, listener);
  server.on(
    'tlsClientError',
    createHandshakeFaults(log, () => performance.now()),
  );
  tls.watch((next) => {
    server.setSecureContext(next);
    endConnections();
    server.closeIdleConnections();
  }, log);
  return server;
}
