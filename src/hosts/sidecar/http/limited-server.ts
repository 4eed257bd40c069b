import type { Server } from 'node:http';
import { openServer, type Speaking } from '../../../compose/sidecar-access/open-server.ts';
import type { SidecarSettings } from '../../../compose/sidecar-settings.ts';
import type { Listener } from './listener.ts';

/** Times and sizes of the socket. The time of a whole request has no bound: how long a body may pause is the listener's to watch. */
export function limitedServer(listener: Listener, settings: SidecarSettings, speaking: Pick<Speaking, 'tls' | 'log'>): Server {
  const { requestTimeoutMs, keepAliveMs, maxConnections } = settings;
  const server = openServer({ connectionsCheckingInterval: Math.ceil(requestTimeoutMs / 4) }, listener.listen, {
    ...speaking,
    handshakeTimeoutMs: requestTimeoutMs,
    endConnections: () => listener.endConnections(),
  });
  server.keepAliveTimeout = keepAliveMs;
  server.headersTimeout = requestTimeoutMs;
  server.requestTimeout = 0;
  server.maxConnections = maxConnections;
  return server;
}
