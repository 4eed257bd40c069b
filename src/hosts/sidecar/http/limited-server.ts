import { createServer, type Server } from 'node:http';
import type { SidecarSettings } from '../../../compose/sidecar-settings.ts';
import type { Listener } from './listener.ts';

/** Times and sizes of the socket. The time of a whole request has no bound: how long a body may pause is the listener's to watch. */
export function limitedServer({ listen }: Listener, { requestTimeoutMs, keepAliveMs, maxConnections }: SidecarSettings): Server {
  const server = createServer({ connectionsCheckingInterval: Math.ceil(requestTimeoutMs / 4) }, listen);
  server.keepAliveTimeout = keepAliveMs;
  server.headersTimeout = requestTimeoutMs;
  server.requestTimeout = 0;
  server.maxConnections = maxConnections;
  return server;
}
