import { defineConfig } from 'vitest/config';

/** How many times as long as on a machine that does nothing else: every limit of a test that has none of its own, and of what it waits for. */
const slow = Math.max(1, Number(process.env.ISMALICIOUS_SLOW ?? 1) || 1);

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    globalSetup: ['test/support/one-temporary-folder.ts'],
    setupFiles: ['test/support/no-outside-network.ts'],
    testTimeout: 60_000 * slow,
    hookTimeout: 120_000 * slow,
    expect: { poll: { timeout: 15_000 * slow } },
    pool: 'forks',
    maxWorkers: 2,
  },
});
