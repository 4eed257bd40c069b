import { randomBytes } from 'node:crypto';
import { openRedisSharedCache, type RedisSharedCacheOptions } from '../../src/engine/cache/redis/redis-shared-cache.ts';
import type { SharedCache } from '../../src/engine/cache/redis/shared-cache.ts';
import { parseRedisAddress, type RedisAddress } from '../../src/model/parsing/redis-address.ts';

/** What a machine shares through the server at `url`; it asks as soon as the server is away. */
export function openSharedCache(url: string, options: Partial<Omit<RedisSharedCacheOptions, 'address'>> = {}): Promise<SharedCache> {
  return openRedisSharedCache({
    address: parseRedisAddress(url) as RedisAddress,
    caFile: null,
    prefix: 'x',
    replicas: 1,
    machine: randomBytes(8).toString('hex'),
    away: { habit: 'ask', patienceMs: 0 },
    onFault: () => {},
    ...options,
  });
}
