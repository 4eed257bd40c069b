import { chmodSync, rmSync, statSync } from 'node:fs';
import { connect } from 'node:net';
import type { FastifyInstance } from 'fastify';
import type { AddressInfo } from 'node:net';
import type { SidecarSettings } from '../../compose/sidecar-settings.ts';
import { errorMessage } from '../../model/formats/error-message.ts';
import { isLoopback } from '../../compose/door/loopback.ts';
import { type ListenerTls, readListenerTls } from '../../compose/sidecar-access/listener-tls.ts';
import { openTokens, type Tokens } from '../../compose/sidecar-access/open-tokens.ts';

/** Settings that cannot work together. */
export class SidecarConfigError extends Error {
  override readonly name = 'SidecarConfigError';
}

/** Where a sidecar listens; `port` is 0 for a socket, whose path is the host. */
export interface Listening {
  readonly scheme: 'http' | 'https';
  readonly host: string;
  readonly port: number;
}

const OWN_ONLY = 0o600;

/** The tokens that open the door. Throws a `SidecarConfigError` when there are none and others could come in, or the file of them cannot be read. */
export function openDoor(settings: SidecarSettings, log: (line: string) => void): Tokens {
  const tokens = asConfigError(() => openTokens(settings, log));
  if (tokens.areWanted || settings.socket !== undefined || isLoopback(settings.host)) return tokens;
  throw new SidecarConfigError(
    `sidecar.host is ${settings.host}, which others can reach: set sidecar.token (ISMALICIOUS_SIDECAR_TOKEN), or listen on 127.0.0.1`,
  );
}

/** What it speaks TLS with; `null`: nothing, it speaks plain http. Throws a `SidecarConfigError` when that cannot be used. */
export function openTls(settings: SidecarSettings): ListenerTls | null {
  return asConfigError(() => readListenerTls(settings));
}

function asConfigError<T>(open: () => T): T {
  try {
    return open();
  } catch (error) {
    throw new SidecarConfigError(errorMessage(error));
  }
}

/** Begins to listen. A socket that a sidecar left behind which is not there any more is taken over. */
export async function listenOn(app: FastifyInstance, { host, port, socket, tlsCertFile }: SidecarSettings): Promise<Listening> {
  if (socket !== undefined) return await listenOnSocket(app, socket);
  // In brackets as in URLs: the socket knows it without.
  await app.listen({ host: host.replace(/^\[|\]$/g, ''), port });
  const found = app.server.address() as AddressInfo;
  return { scheme: tlsCertFile === undefined ? 'http' : 'https', host: found.address, port: found.port };
}

async function listenOnSocket(app: FastifyInstance, path: string): Promise<Listening> {
  if (statSync(path, { throwIfNoEntry: false })?.isSocket() === true && !(await isAnswered(path))) rmSync(path, { force: true });
  // Nobody else may connect between its making and the change of its mode.
  const umask = process.umask(0o177);
  try {
    await app.listen({ path });
  } finally {
    process.umask(umask);
  }
  chmodSync(path, OWN_ONLY);
  return { scheme: 'http', host: path, port: 0 };
}

/** Whether a program listens on a socket. */
function isAnswered(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const probe = connect(path);
    probe.once('connect', () => {
      probe.destroy();
      resolve(true);
    });
    probe.once('error', (error: NodeJS.ErrnoException) => resolve(error.code !== 'ECONNREFUSED' && error.code !== 'ENOENT'));
  });
}
