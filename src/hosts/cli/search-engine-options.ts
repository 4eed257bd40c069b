import { readFileSync } from 'node:fs';
import { createUndiciTransport } from '../../engine/calls/http/undici-transport.ts';
import { proxyFromEnv } from '../../compose/proxy.ts';
import { type Io, UsageError } from './command.ts';
import type { ENGINE_ACCESS_OPTIONS } from './synopses/shared-options.ts';
import type { ValuesOf } from './synopsis.ts';
import { type EngineAuth, type EngineClient, createEngineClient } from '../../search-engine/engine-client.ts';
import { readUnicode } from '../../model/formats/text-encoding.ts';

/** Values of `ENGINE_ACCESS_OPTIONS` as they were given. */
export type EngineAccess = ValuesOf<typeof ENGINE_ACCESS_OPTIONS>;

/** A client for the engine that options and environment name. `close` frees its connections. */
export function openEngineAccess(access: EngineAccess, io: Io): { readonly engine: EngineClient; close(): Promise<void> } {
  const url = access.url ?? io.env.ISMALICIOUS_ELASTIC_URL;
  if (url === undefined || !URL.canParse(url)) throw new UsageError('which engine? --url http(s)://host:port, or ISMALICIOUS_ELASTIC_URL');
  if (access['api-key'] !== undefined)
    io.stderr.write('warning: --api-key can be seen by other users of this machine: set ISMALICIOUS_ELASTIC_API_KEY instead\n');
  const transport = createUndiciTransport({
    provider: 'search engine',
    connections: 4,
    proxy: proxyFromEnv(new URL(url), io.env),
    ca: access.ca === undefined ? null : readText(access.ca, '--ca'),
  });
  return { engine: createEngineClient(url, authOf(access, io), transport), close: () => transport.close() };
}

function authOf(access: EngineAccess, io: Io): EngineAuth {
  const keyFile = access['api-key-file'];
  const user = access.user ?? io.env.ISMALICIOUS_ELASTIC_USER;
  if (access.user !== undefined && (access['api-key'] ?? keyFile) !== undefined)
    throw new UsageError('either --user or an API key, not both');
  const key = access['api-key'] ?? (keyFile === undefined ? undefined : readText(keyFile, '--api-key-file'));
  if (key !== undefined) return { kind: 'api_key', key: key.trim() };
  if (access.user === undefined && io.env.ISMALICIOUS_ELASTIC_API_KEY)
    return { kind: 'api_key', key: io.env.ISMALICIOUS_ELASTIC_API_KEY.trim() };
  if (user === undefined) return { kind: 'none' };
  const file = access['password-file'];
  const password = file === undefined ? io.env.ISMALICIOUS_ELASTIC_PASSWORD : readText(file, '--password-file').replace(/\r?\n$/, '');
  if (password === undefined) throw new UsageError(`no password for ${user}: set ISMALICIOUS_ELASTIC_PASSWORD, or give --password-file`);
  return { kind: 'user', user, password };
}

function readText(path: string, option: string): string {
  try {
    return readUnicode(readFileSync(path));
  } catch (cause) {
    throw new UsageError(`${option}: ${path} cannot be read (${(cause as NodeJS.ErrnoException).code ?? 'unknown'})`);
  }
}
