import { expect, it } from 'vitest';
import type { Store } from '../../src/store/store-client.ts';
import { FEEDS } from '../../src/feeds/registry.ts';
import { readFeed } from '../../src/pipeline/read-feed.ts';
import { exitCodeOf, type RunReport } from '../../src/pipeline/run-report.ts';
import type { HttpAnswer } from '../../src/providers/provider.ts';

const uuid = (n: number) => `00000000-0000-4000-8000-${String(n).padStart(12, '0')}`;
const event = { Event: { Attribute: [{ type: 'ip-dst', value: '45.83.64.1' }] } };

/** Reads a MISP feed of ten events; `status` says what each of them answers. */
async function read(status: (n: number) => number) {
  const kept = { items: 0, rejected: [] as string[], cursor: null as string | null, calls: 0 };
  const feed = FEEDS.find(({ id }) => id === 'misp_feed');
  if (!feed) throw new Error('no feed');
  const report = await readFeed(
    {
      feed,
      settings: feed.settings.parse({ baseUrl: 'https://f.corp-net.com' }),
      timeoutMs: 1000,
      transport: {
        send: ({ url }): Promise<HttpAnswer> => {
          kept.calls += 1;
          const manifest = Object.fromEntries(Array.from({ length: 10 }, (_, n) => [uuid(n), { timestamp: 1_794_999_000 + n }]));
          if (url.pathname === '/manifest.json') return Promise.resolve({ status: 200, headers: {}, body: manifest });
          return Promise.resolve({ status: status(Number(url.pathname.slice(-9, -5))), headers: {}, body: event });
        },
      },
    },
    {
      isDry: false,
      signal: new AbortController().signal,
      clock: { nowMs: () => 1_795_000_000_000, wait: () => Promise.resolve() },
      store: {
        cursor: () => Promise.resolve(kept.cursor),
        saveCursor: (_feed: string, cursor: string) => Promise.resolve(void (kept.cursor = cursor)),
        quarantineItems: (_feed: string, items: { reason: string }[]) =>
          Promise.resolve(kept.rejected.push(...items.map(({ reason }) => reason))),
        observe: (items: unknown[]) => Promise.resolve({ new: (kept.items += items.length), updated: 0 }),
      } as unknown as Store,
    },
  );
  return { report, kept };
}

it('an event that is gone costs itself: the others are kept, the cursor goes on, and the run is no whole one', async () => {
  const { report, kept } = await read((n) => (n === 3 ? 404 : 200));
  expect([report.accepted, report.quarantined, report.failure, report.faults]).toEqual([9, 1, null, [expect.stringContaining(uuid(3))]]);
  expect(kept.cursor).toContain('1794999009');
  expect(exitCodeOf({ feeds: { misp_feed: report }, failures: report.faults } as unknown as RunReport)).toBe(3);
});

it('a server that is down is asked for three events, not for all; what came before is kept', async () => {
  const { report, kept } = await read((n) => (n < 2 ? 200 : 503));
  expect([report.accepted, report.failure]).toEqual([2, expect.stringContaining('HTTP 503')]);
  expect(kept.calls).toBe(1 + 2 + 3 * 4);
});

it('a key that is refused is not shown again for the other events', async () => {
  const { report, kept } = await read(() => 401);
  expect([report.failure, kept.calls]).toEqual([expect.stringContaining('key refused'), 2]);
});

it('faults are told one by one up to ten, then counted', async () => {
  const { report } = await read(() => 404);
  expect([report.quarantined, report.faults.length]).toEqual([10, 10]);
});
