import { fork } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { openStoreCore } from '../../../src/store/store.ts';
import { startStandIn } from '../stand-in.ts';

// 200 in the nightly run: ISMALICIOUS_KILLS=200.
const KILLS = Number(process.env.ISMALICIOUS_KILLS ?? 15);
const MESSAGES = 400;
const BATCH = 10;

it(
  `killed with -9 at ${KILLS} random moments: nothing lost, a repeat carries the same key and is no larger than the batch in flight`,
  { timeout: KILLS * 5000 + 60_000 },
  async () => {
    const folder = mkdtempSync(join(tmpdir(), 'ismalicious-kill-'));
    const path = join(folder, 'pipeline.sqlite');
    const received = new Map<string, number>();
    const batches: { events: { id: string }[] }[] = [];
    // The stand-in has taken a batch before it answers, as a real receiver may: the answer may come too late for the sender.
    const receiver = await startStandIn(async ({ text }) => {
      const batch = JSON.parse(text) as { events: { id: string }[] };
      batches.push(batch);
      for (const { id } of batch.events) received.set(id, (received.get(id) ?? 0) + 1);
      await delay(Math.random() * 4);
      return { status: 202 };
    });
    let kills = 0;
    let repeats = 0;
    const tally = () => {
      for (const times of received.values()) repeats += times - 1;
    };
    for (let isDone = false; !isDone;) {
      const child = fork(join(import.meta.dirname, 'deliver-child.ts'), [path, receiver.url, String(MESSAGES)], {
        stdio: 'ignore',
        execArgv: [],
      });
      const ended = new Promise<number | null>((resolve) => child.once('exit', resolve));
      await new Promise((resolve) => child.once('message', resolve));
      const timer = kills < KILLS ? setTimeout(() => child.kill('SIGKILL'), Math.random() * 60) : null;
      const code = await ended;
      if (timer) clearTimeout(timer);
      if (code === null) kills += 1;
      else isDone = kills >= KILLS;
      const store = openStoreCore(path);
      const counts = store.counts('webhook');
      const broken = store.check();
      // Work left, so that the next kill has something to hit: delivered ones are forgotten, their keys too.
      if (code === 0 && kills < KILLS) {
        expect(received.size).toBe(MESSAGES);
        tally();
        store.prune(Number.MAX_SAFE_INTEGER);
        received.clear();
        batches.length = 0;
      }
      store.close();
      expect(broken).toEqual([]);
      expect(counts.accepted).toBe(counts.delivered + counts.pending + counts.quarantined);
      expect([code === null || code === 0, counts.quarantined]).toEqual([true, 0]);
    }
    expect([...received.keys()].toSorted()).toEqual(Array.from({ length: MESSAGES }, (_, n) => `k${n}`).toSorted());
    tally();
    expect(repeats).toBeLessThanOrEqual(kills * BATCH);
    expect(Math.max(...batches.map(({ events }) => events.length))).toBeLessThanOrEqual(BATCH);
    process.stdout.write(
      `kill -9: ${kills} kills, ${received.size} of ${MESSAGES} messages arrived, ${repeats} repeats under the same key\n`,
    );
    await receiver.close();
    rmSync(folder, { recursive: true });
  },
);
