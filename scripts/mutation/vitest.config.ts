import { defineConfig } from 'vitest/config';
import { TESTS_VARIABLE } from './rooms.ts';

/** The tests of one room, for the mutation tester: it may not search all of `test/` for each change it makes. */
export default defineConfig({
  test: {
    include: (process.env[TESTS_VARIABLE] ?? '').split(' ').filter((pattern) => pattern !== ''),
    globalSetup: ['test/support/one-temporary-folder.ts'],
    setupFiles: ['test/support/no-outside-network.ts', 'scripts/mutation/shorter-properties.ts'],
    testTimeout: 20_000,
    hookTimeout: 60_000,
    // One thread a change, not one a test file: starting them takes most of the time.
    isolate: false,
  },
});
