import { createServer, type Server } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import { createHandshakeFaults } from '../../../compose/sidecar-access/handshake-faults.ts';
import type { ListenerTls } from '../../../compose/sidecar-access/listener-tls.ts';
import type { SidecarSettings } from '../../../compose/sidecar-settings.ts';
import type { Listener } from './listener.ts';

/** What a listener speaks TLS with (`null`: plain http), and where faults of callers are told. */
interface Speaking {
  readonly tls: ListenerTls | null;
  readonly log: (line: string) => void;
}

/** Times and sizes of the socket. The time of a whole request has no bound: how long a body may pause is the listener's to watch. */
export function limitedServer(listener: Listener, settings: SidecarSettings, speaking: Speaking): Server {
  const { requestTimeoutMs, keepAliveMs, maxConnections } = settings;
  const server = openServer(listener, { connectionsCheckingInterval: Math.ceil(requestTimeoutMs / 4) }, settings, speaking);
  server.keepAliveTimeout = keepAliveMs;
  server.headersTimeout = requestTimeoutMs;
  server.requestTimeout = 0;
  server.maxConnections = maxConnections;
  return server;
}

function openServer(listener: Listener, options: object, { requestTimeoutMs }: SidecarSettings, { tls, log }: Speaking): Server {
  if (tls === null) return createServer(options, listener.listen);
  const { context, asksCallers } = tls;
  const callers = { requestCert: asksCallers, rejectUnauthorized: asksCallers };
  const server = createTlsServer({ ...options, ...context, ...callers, handshakeTimeout: requestTimeoutMs }, listener.listen);
  server.on(
    'tlsClientError',
    createHandshakeFaults(log, () => performance.now()),
  );
  tls.watch((next) => {
    server.setSecureContext(next);
    // Who came in by the certificates from before comes in by these, or not at all.
    listener.endConnections();
    server.closeIdleConnections();
  }, log);
  return server;
}
