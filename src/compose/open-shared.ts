import { existsSync, readFileSync } from 'node:fs';
import type { SharedCache } from '../engine/cache/redis/shared-cache.ts';
import { shownPlace } from '../config/shown-name.ts';
import { ConfigError } from '../config/config-error.ts';
import { builtinModule } from '../disk/builtin-module.ts';
import { parseRedisAddress } from '../model/parsing/redis-address.ts';
import type { LoadedConfig } from './engine-config.ts';

const MACHINE_CHARS = 16;
/** The name of an installation of Linux: machine-id(5). Containers may have none, but a host name of their own. */
const MACHINE_ID = '/etc/machine-id';

/** What machines share, where there is an address; the client is loaded only then. */
export async function openShared(config: LoadedConfig, onFault: (message: string) => void): Promise<SharedCache | undefined> {
  const { redisUrl, redisCaFile, redisPrefix, replicas, redisPatienceS, redisAway, path } = config.core.cache;
  const address = redisUrl === undefined ? null : parseRedisAddress(redisUrl);
  if (address === null) return undefined;
  if (redisCaFile !== undefined && !existsSync(redisCaFile)) {
    const fault = {
      key: 'cache.redis_ca_file',
      place: shownPlace(redisCaFile),
      message: 'cannot be read: check the path and its permissions',
    };
    throw new ConfigError([fault]);
  }
  const { openRedisSharedCache } = await import('../engine/cache/redis/redis-shared-cache.ts');
  return openRedisSharedCache({
    address,
    caFile: redisCaFile ?? null,
    prefix: redisPrefix,
    replicas: replicas ?? null,
    machine: machineName(path === 'memory' ? `process ${process.pid}` : (path ?? config.stateFolder)),
    away: { habit: redisAway, patienceMs: redisPatienceS * 1000 },
    onFault,
  });
}

/** The same for all processes that share a cache, also after they were started again; another one elsewhere. */
function machineName(cachePath: string): string {
  const id = existsSync(MACHINE_ID) ? readFileSync(MACHINE_ID, 'utf8') : '';
  const place = [builtinModule('node:os').hostname(), id, cachePath].join('\n');
  return builtinModule('node:crypto').createHash('sha256').update(place).digest('hex').slice(0, MACHINE_CHARS);
}
