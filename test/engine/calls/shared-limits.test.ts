import { spawn } from 'node:child_process';
import { join } from 'node:path';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { openSqliteVerdictStore } from '../../../src/engine/cache/sqlite-verdict-store.ts';
import { loadProviders } from '../../../src/providers/registry.ts';
import { projectRoot } from '../../support/fixtures.ts';
import { startFourProviders } from '../../support/four-providers.ts';
import { newStateFolder, publicAddresses } from '../../support/open-test-engine.ts';

const providers = await loadProviders();

const PROCESSES = 8;
const EACH = 10;

/** Statuses of one process that looks these values up. */
function lookUpInProcess(env: Record<string, string>, values: readonly string[]): Promise<string[]> {
  const child = spawn(process.execPath, ['--no-warnings', join(projectRoot, 'test/support/look-up-child.ts'), '12000', ...values], {
    env: { PATH: process.env['PATH'], ...env },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let text = '';
  child.stdout.on('data', (part) => (text += String(part)));
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('exit', () => resolve(JSON.parse(text) as string[]));
  });
}

describe('eight processes that share one cache file', () => {
  it.each([
    ['VirusTotal’s own 4 a minute', {}, 4],
    ['a day’s limit', { VIRUSTOTAL_PER_MINUTE: '1000', VIRUSTOTAL_PER_DAY: '13' }, 13],
    ['a day’s budget', { VIRUSTOTAL_PER_MINUTE: '1000', VIRUSTOTAL_BUDGET_PER_DAY: '9' }, 9],
  ])('never exceed %s, and use it up', async (_name, limits, most) => {
    await using four = await startFourProviders();
    const env = { ISMALICIOUS_STATE_DIR: newStateFolder(), VIRUSTOTAL_BASE_URL: four.url, VIRUSTOTAL_API_KEY: 'k', ...limits };
    const values = publicAddresses(PROCESSES * EACH);
    const statuses = await Promise.all(
      Array.from({ length: PROCESSES }, (_, n) => lookUpInProcess(env, values.slice(n * EACH, (n + 1) * EACH))),
    );
    expect(four.asked.virustotal).toHaveLength(most);
    expect(new Set(four.asked.virustotal).size).toBe(most);
    expect(statuses.flat().filter((status) => status === 'ok')).toHaveLength(most);
    expect(statuses.flat().filter((status) => status !== 'ok' && status !== 'rate_limited' && status !== 'over_budget')).toEqual([]);
  });

  it('VirusTotal’s limits are what they are by default', () => {
    expect(providers.find(({ id }) => id === 'virustotal')?.quotas).toEqual([
      { requests: 4, perMs: 60_000 },
      { requests: 500, perMs: 86_400_000 },
    ]);
  });
});

it('no window ever holds more calls than it may, however bookings of several handles fall', async () => {
  const path = join(newStateFolder(), 'verdicts.sqlite');
  const handles = await Promise.all([openSqliteVerdictStore(path), openSqliteVerdictStore(path)]);
  const windows = [
    { requests: 4, perMs: 60_000 },
    { requests: 50, perMs: 3_600_000 },
  ];
  let run = 0;
  fc.assert(
    fc.property(fc.array(fc.tuple(fc.nat(1), fc.integer({ min: 0, max: 120_000 })), { maxLength: 120 }), (steps) => {
      const provider = `p${run++}`;
      const bookedMs: number[] = [];
      let nowMs = 1_000_000_000_000;
      for (const [handle, stepMs] of steps) {
        nowMs += stepMs;
        const waitMs = handles[handle]!.book(provider, windows, 1, nowMs);
        if (waitMs === 0) bookedMs.push(nowMs);
        else expect(handles[handle]!.book(provider, windows, 1, nowMs + waitMs - 1)).toBeGreaterThan(0);
      }
      for (const { requests, perMs } of windows)
        for (const at of bookedMs)
          expect(bookedMs.filter((other) => other > at - perMs && other <= at).length).toBeLessThanOrEqual(requests);
    }),
    { numRuns: 20 },
  );
  for (const handle of handles) handle.close();
});
