import { DatabaseSync } from 'node:sqlite';
import { describe, expect, it } from 'vitest';
import { openEngine } from '../../../src/compose/open-engine.ts';
import { SqliteVerdictStore } from '../../../src/engine/cache/sqlite-verdict-store.ts';
import type { VerdictStore } from '../../../src/engine/cache/verdict-store.ts';
import { newStateFolder } from '../../support/open-test-engine.ts';
import { startStandIn } from '../../support/stand-in-api.ts';

const VALUES = ['11.22.33.44', '11.22.33.45', '11.22.33.46'];
const broken = () => {
  throw new TypeError('broken on purpose');
};

async function openTold(url: string) {
  const told: string[] = [];
  const env = {
    ISMALICIOUS_BASE_URL: url,
    ISMALICIOUS_X_API_KEY: 'a2V5',
    ISMALICIOUS_STATE_DIR: newStateFolder(),
    ISMALICIOUS_PER_DAY: '100',
  };
  const { engine } = await openEngine({ env, onFault: (line) => told.push(line) });
  return { engine, told };
}

describe('a throw in the queue that no caller can be blamed for', () => {
  it.each<[string, Partial<VerdictStore>]>([
    ['when leases are taken', { lease: broken }],
    ['when calls are booked', { book: broken }],
    ['when leases are given back', { release: broken }],
    ['when leases are given back and taken', { release: broken, lease: broken }],
    ['when answers of others are looked for', { readMany: broken }],
  ])('%s: whoever waits is told, it is counted, and later look-ups are answered', async (_when, faults) => {
    await using api = await startStandIn();
    const { engine, told } = await openTold(api.url);
    const sound = Object.fromEntries(Object.keys(faults).map((name) => [name, Reflect.get(engine.store, name) as unknown]));
    const restore = () => Object.keys(faults).forEach((name) => Reflect.deleteProperty(engine.store, name));
    expect(Object.values(sound).every((method) => typeof method === 'function')).toBe(true);
    const waiting = engine.enrichMany(VALUES, { timeoutMs: 0 });
    Object.assign(engine.store, faults);
    const found = await waiting;
    expect(found.size).toBe(VALUES.length);
    for (const { answer } of found.values()) expect(['unavailable', 'ok']).toContain(answer.status);
    expect(told).toContainEqual(
      expect.stringMatching(/^ismalicious: a fault of the program, please report it: TypeError: broken on purpose$/),
    );
    restore();
    const later = await engine.enrichMany(['11.22.33.99'], { timeoutMs: 0 });
    expect(later.get('11.22.33.99')?.answer.status).toBe('ok');
    await engine.close();
  });

  it('while another process is waited for: whoever waits is told', async () => {
    await using api = await startStandIn();
    const { engine, told } = await openTold(api.url);
    const nowS = Math.floor(Date.now() / 1000);
    engine.store.lease('ismalicious', [], nowS, nowS);
    const held = new DatabaseSync(engine.store.stats().path ?? '');
    // Somebody on another machine, of whom nobody here knows whether it lives.
    held.prepare('INSERT INTO leases VALUES (?, ?, ?, ?)').run('ismalicious', VALUES[0] ?? '', 'elsewhere b n 1 s m', nowS + 60);
    held.close();
    Object.assign(engine.store, { leasable: broken });
    const found = await engine.enrichMany(VALUES.slice(0, 1), { timeoutMs: 0 });
    expect(found.get(VALUES[0] ?? '')?.answer.status).toBe('unavailable');
    expect(told).toHaveLength(1);
    await engine.close();
  });

  it('when answers are written behind everybody: it is told, and they are written later', async () => {
    await using api = await startStandIn();
    const { engine, told } = await openTold(api.url);
    const { flush } = SqliteVerdictStore.prototype;
    SqliteVerdictStore.prototype.flush = broken;
    try {
      const found = await engine.enrichMany(VALUES, { timeoutMs: 0 });
      for (const { answer } of found.values()) expect(answer.status).toBe('ok');
      await expect.poll(() => told.length, { timeout: 15_000 }).toBe(1);
    } finally {
      SqliteVerdictStore.prototype.flush = flush;
    }
    await engine.close();
  });
});
