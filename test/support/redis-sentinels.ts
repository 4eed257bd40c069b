import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { Redis } from 'ioredis';
import { freePort } from './free-port.ts';
import { type RedisServer, startRedisServer } from './redis-server.ts';

const NAME = 'main';
const SENTINELS = 3;
const POLL_MS = 50;

/** A server, its replica, and the sentinels that let the replica take over when it dies. */
export interface WatchedRedis extends AsyncDisposable {
  readonly servers: readonly [RedisServer, RedisServer];
  /** As `cache.redis_url` takes it. */
  readonly url: string;
  /** The port of the server that takes writes, as the sentinels say. */
  master(): Promise<number>;
}

/** Starts all of them on the loopback; resolves when the sentinels know each other and the replica. */
export async function startWatchedRedis(program: string): Promise<WatchedRedis> {
  const first = await startRedisServer(program, ['--repl-diskless-sync-delay', '0']);
  const second = await startRedisServer(program, ['--repl-diskless-sync-delay', '0', '--replicaof', '127.0.0.1', String(first.port)]);
  const ports = await Promise.all(Array.from({ length: SENTINELS }, () => freePort()));
  const sentinels = ports.map((port) => startSentinel(program, port, first.port));
  await Promise.all(ports.map((port) => untilMet(port)));
  return {
    servers: [first, second],
    url: `redis+sentinel://${ports.map((port) => `127.0.0.1:${port}`).join(',')}/${NAME}`,
    async master() {
      const said = await ask(ports[0] as number, (client) => client.call('SENTINEL', 'GET-MASTER-ADDR-BY-NAME', NAME));
      return Number((said as string[])[1]);
    },
    async [Symbol.asyncDispose]() {
      const gone = sentinels.map((child) => once(child, 'exit'));
      for (const child of sentinels) child.kill('SIGKILL');
      await Promise.all(gone);
      for (const server of [first, second]) await server[Symbol.asyncDispose]();
    },
  };
}

function startSentinel(program: string, port: number, watched: number): ChildProcess {
  const folder = mkdtempSync(join(tmpdir(), 'ismalicious-sentinel-'));
  // It writes there what it learns.
  const path = join(folder, 'sentinel.conf');
  const lines = [
    `port ${port}`,
    'bind 127.0.0.1',
    `dir ${folder}`,
    `sentinel monitor ${NAME} 127.0.0.1 ${watched} 2`,
    `sentinel down-after-milliseconds ${NAME} 1000`,
    `sentinel failover-timeout ${NAME} 4000`,
  ];
  writeFileSync(path, `${lines.join('\n')}\n`);
  return spawn(program, [path, '--sentinel'], { stdio: ['ignore', 'ignore', 'inherit'] });
}

async function untilMet(port: number): Promise<void> {
  for (;;) {
    const said = await ask(port, (client) => client.call('SENTINEL', 'MASTER', NAME)).catch(() => []);
    const fields = said as string[];
    const valueOf = (name: string) => Number(fields[fields.indexOf(name) + 1]);
    if (fields.length > 0 && valueOf('num-slaves') === 1 && valueOf('num-other-sentinels') === SENTINELS - 1) return;
    await delay(POLL_MS);
  }
}

async function ask<T>(port: number, question: (client: Redis) => Promise<T>): Promise<T> {
  const client = new Redis({ host: '127.0.0.1', port, lazyConnect: true, retryStrategy: null });
  client.on('error', () => undefined);
  try {
    await client.connect();
    return await question(client);
  } finally {
    client.disconnect();
  }
}
