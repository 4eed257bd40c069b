import { expect } from 'vitest';
import { openEngine, type OpenedEngine } from '../../src/compose/open-engine.ts';
import { newStateFolder, openTestEngine } from './open-test-engine.ts';
import type { RedisServer } from './redis-server.ts';

const PATIENT = { timeout: 60_000, interval: 20 };

/** How each value was answered, in their order. `timeoutMs`: 0 waits for all. */
export async function statusesOf({ engine }: OpenedEngine, values: readonly string[], timeoutMs = 0): Promise<string[]> {
  return [...(await engine.enrichMany(values, { timeoutMs })).values()].map(({ answer }) => answer.status);
}

/** Resolves when Redis is there for this machine. */
export async function untilBack(opened: OpenedEngine): Promise<void> {
  await expect.poll(() => opened.health().shared?.fault, PATIENT).toBeNull();
}

/** Resolves when this machine knows that Redis is away. */
export async function untilAway(opened: OpenedEngine): Promise<void> {
  await expect.poll(() => opened.health().shared?.fault, PATIENT).toContain('away');
}

/** Engines with state folders of their own: machines. */
export function openMachines(
  count: number,
  url: string,
  redis: Pick<RedisServer, 'url'>,
  env: Record<string, string> = {},
): Promise<OpenedEngine[]> {
  return Promise.all(Array.from({ length: count }, () => openTestEngine(url, { ISMALICIOUS_REDIS_URL: redis.url, ...env })));
}

/** The same that ask VirusTotal alone. */
export function openVirusTotal(count: number, redis: RedisServer, env: Record<string, string>): Promise<OpenedEngine[]> {
  const folderOf = () => ({ ISMALICIOUS_STATE_DIR: newStateFolder(), ISMALICIOUS_REDIS_URL: redis.url });
  return Promise.all(Array.from({ length: count }, () => openEngine({ env: { ...folderOf(), ...env } })));
}

/** Ends them as a program does. Whatever became of Redis, the file of this machine had no fault. */
export async function closeAll(machines: readonly OpenedEngine[]): Promise<void> {
  for (const opened of machines) expect(opened.health().cache).toMatchObject({ faults: 0, setAside: 0 });
  await Promise.all(machines.map(({ engine }) => engine.close()));
}
