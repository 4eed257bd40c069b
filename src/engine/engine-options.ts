import type { Tracer } from '../model/enrichment.ts';
import type { EngineProvider, Memory } from './cache/provider-view.ts';
import type { WaitingLimit } from './calls/jobs/waiting-limit.ts';
import type { SharedCache } from './cache/redis/shared-cache.ts';
import type { VerdictStore } from './cache/verdict-store.ts';
import type { Clock } from './clock.ts';
import type { FieldRoutes } from './field-routes.ts';
import type { Figures } from './feedback/figures.ts';
import type { FeedbackSource } from './feedback/overrides.ts';
import type { LocalSource } from './privacy/local-source.ts';
import type { PrivacyGuard } from './privacy/privacy-guard.ts';
import type { Scoring } from './score/scoring.ts';

/** What an engine is made of, and the rules it keeps. */
export interface EngineOptions {
  readonly providers: readonly EngineProvider[];
  /** Who is not asked about values of some fields; left out: everybody is asked about all. */
  readonly routes?: FieldRoutes | undefined;
  readonly local: LocalSource;
  /** Analysts' overrides; `undefined`: nobody gave one. */
  readonly feedback?: FeedbackSource | undefined;
  readonly guard: PrivacyGuard;
  readonly store: VerdictStore;
  /** What several machines share; left out: this one is alone. */
  readonly shared?: SharedCache | undefined;
  readonly scoring: Scoring;
  readonly clock: Clock;
  /** Verdicts kept in memory; 0: none, for programs that ask once and keep what they are told. */
  readonly memoryEntries: number;
  readonly createMemory: (entries: number) => Memory;
  /** Answers past their lifetime are kept this long, for the time when a provider is down; seconds. */
  readonly staleS: number;
  /** Answers past their lifetime by no more than this are given at once and renewed in the background; 0: never. Seconds. */
  readonly revalidateS: number;
  /** How many look-ups may wait at once; programs with several engines have one for all of them. */
  readonly waiting: WaitingLimit;
  /** Whether paid providers are asked only about what they could still move to another tier. */
  readonly stopsEarly: boolean;
  /** Counts for the weekly report; `undefined`: nobody keeps them. */
  readonly figures?: Figures | undefined;
  /** Longest value that is looked up, in bytes; left out: `MAX_VALUE_BYTES`. */
  readonly maxValueBytes?: number | undefined;
  /** For answers that say where they come from; left out: they do not. */
  readonly tracer?: Tracer | undefined;
  /** Released with the engine: transports, logs. */
  readonly onClose: () => Promise<void>;
}
