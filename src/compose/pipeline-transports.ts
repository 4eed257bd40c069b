import { createUndiciTransport } from '../engine/calls/http/undici-transport.ts';
import { proxyFromEnv } from './proxy.ts';
import type { OwnedTransport, Reach } from '../pipeline/open-pipeline.ts';

const CONNECTIONS = 4;

/** Transports over undici: the proxy of the block, else that of the environment; TLS is always checked. */
export function pipelineTransports(env: Readonly<Record<string, string | undefined>>): (reach: Reach) => OwnedTransport {
  return ({ id, baseUrl, proxy, ca, client = null }) =>
    createUndiciTransport({
      provider: id,
      connections: CONNECTIONS,
      proxy: proxy ?? (baseUrl === null ? null : proxyFromEnv(new URL(baseUrl), env)),
      ca,
      client,
    }) as OwnedTransport;
}
