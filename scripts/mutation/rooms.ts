/** One part of the program that decides something, and the tests that have to notice when it decides otherwise. */
export interface Room {
  /** What is changed: globs as Stryker takes them (`!` takes out). */
  readonly sources: readonly string[];
  readonly tests: readonly string[];
  /** Kinds of change that are left out, by Stryker's names. */
  readonly without?: readonly string[];
}

/** How `mutate.ts` tells Vitest's config which tests to run: it is read in another process. */
export const TESTS_VARIABLE = 'ISMALICIOUS_MUTATION_TESTS';

/**
 * Tests that start programs are left out: they see no change made in this process, and cost seconds each. So is what tries a whole engine,
 * where a test of the part itself is at hand.
 */
export const ROOMS: Readonly<Record<string, Room>> = {
  scoring: {
    sources: ['src/engine/score/*.ts', 'src/compose/scoring-settings.ts'],
    tests: [
      'test/engine/score/{scoring,merge-single,merging-rules,outcome,own-words,seed-score,stop-early}.test.ts',
      'test/compose/scoring-settings.test.ts',
    ],
  },
  triage: {
    sources: ['src/pipeline/triage/*.ts'],
    tests: ['test/pipeline/triage/*.test.ts'],
  },
  limits: {
    sources: [
      'src/engine/calls/{spending,bulk-cap,next-step,standing-refusals}.ts',
      'src/engine/calls/pace/{pacer,circuit-breaker,allowance,call-rate,learned-pace}.ts',
      'src/engine/cache/call-windows.ts',
    ],
    tests: [
      'test/engine/calls/{allowance,bulk-cap,call-rate,learned-pace,next-step,pacer,spending,standing-refusals}.test.ts',
      'test/engine/cache/call-windows.test.ts',
    ],
  },
  lifetimes: {
    sources: ['src/engine/{clock,round,round-parts}.ts', 'src/engine/cache/keep-answer.ts'],
    tests: ['test/engine/{lifetimes,round}.test.ts'],
  },
  filters: {
    sources: ['src/outputs/forms/filter.ts', 'src/model/tlp.ts'],
    tests: ['test/outputs/filter.test.ts', 'test/model/tlp.test.ts'],
  },
  settings: {
    sources: ['src/config/{core,provider}-settings.ts', 'src/pipeline/settings/{pipeline,watchlist}-settings.ts'],
    tests: ['test/config/bounds.test.ts', 'test/compose/scoring-settings.test.ts'],
    // Descriptions: the generated pages hold them.
    without: ['StringLiteral'],
  },
  mapping: {
    sources: ['src/mapping/*.ts'],
    tests: ['test/mapping/*.test.ts'],
  },
  protocol: {
    sources: ['src/hosts/splunk/protocol/{frames,generating-conversation}.ts'],
    tests: ['test/hosts/splunk/protocol/frames.test.ts'],
  },
  conversation: {
    sources: ['src/hosts/splunk/protocol/{reply-writer,search-conversation}.ts'],
    tests: ['test/hosts/splunk/protocol/{conversation,conversation-end,conversation-memory,broken-text}.test.ts'],
  },
};
