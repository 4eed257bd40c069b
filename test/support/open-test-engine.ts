import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openEngine, type OpenedEngine } from '../../src/compose/open-engine.ts';

/** A folder of its own for every engine, or one that two of them share. */
export function newStateFolder(): string {
  return mkdtempSync(join(tmpdir(), 'ismalicious-test-'));
}

/** The real engine against a stand-in, configured as a user would: by the environment. */
export function openTestEngine(baseUrl: string, env: Record<string, string> = {}): Promise<OpenedEngine> {
  return openEngine({
    env: { ISMALICIOUS_BASE_URL: baseUrl, ISMALICIOUS_X_API_KEY: 'a2V5OnNlY3JldA==', ISMALICIOUS_STATE_DIR: newStateFolder(), ...env },
  });
}

/** Public addresses, all different, from ranges that nobody keeps for documentation. */
export function publicAddresses(count: number): string[] {
  return Array.from({ length: count }, (_, n) => `${11 + (n % 80)}.${(n >> 8) & 255}.${n & 255}.${1 + ((n * 7) % 250)}`);
}
