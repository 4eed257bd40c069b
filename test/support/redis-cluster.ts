import { Redis } from 'ioredis';
import { freePort } from './free-port.ts';
import { type RedisServer, startRedisServer } from './redis-server.ts';

const SLOTS = 16_384;

/** A cluster of masters on the loopback. */
export interface RedisCluster extends AsyncDisposable {
  readonly nodes: readonly RedisServer[];
  /** As `cache.redis_url` takes it. */
  readonly url: string;
}

async function untilWhole(port: number, count: number): Promise<void> {
  const client = new Redis({ host: '127.0.0.1', port });
  try {
    for (;;) {
      const said = await client.cluster('INFO');
      if (said.includes('cluster_state:ok') && said.includes(`cluster_known_nodes:${count}`)) return;
      await new Promise((resolve) => setTimeout(resolve, 25));
    }
  } finally {
    client.disconnect();
  }
}

/** Starts one of `count` nodes; each keeps an equal part of the slots. */
export async function startRedisCluster(program: string, count = 3): Promise<RedisCluster> {
  const buses = await Promise.all(Array.from({ length: count }, () => freePort()));
  const flags = (bus: number) => ['--cluster-enabled', 'yes', '--cluster-port', String(bus), '--cluster-node-timeout', '2000'];
  const nodes: RedisServer[] = [];
  for (const bus of buses) nodes.push(await startRedisServer(program, flags(bus)));
  for (const [n, { port }] of nodes.entries()) {
    const client = new Redis({ host: '127.0.0.1', port });
    await client.call('CLUSTER', 'ADDSLOTSRANGE', Math.ceil((SLOTS * n) / count), Math.ceil((SLOTS * (n + 1)) / count) - 1);
    for (const [m, other] of nodes.entries())
      if (m !== n) await client.call('CLUSTER', 'MEET', '127.0.0.1', other.port, buses[m] as number);
    client.disconnect();
  }
  await Promise.all(nodes.map(({ port }) => untilWhole(port, count)));
  return {
    nodes,
    url: `redis+cluster://${nodes.map(({ port }) => `127.0.0.1:${port}`).join(',')}`,
    async [Symbol.asyncDispose]() {
      await Promise.all(nodes.map((node) => node[Symbol.asyncDispose]()));
    },
  };
}
