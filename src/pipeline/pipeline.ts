import type { Enricher } from '../engine/enricher.ts';
import type { FeedbackStore } from '../engine/feedback/overrides.ts';
import type { Tlp } from '../model/tlp.ts';
import type { OutputFilter } from '../outputs/forms/filter.ts';
import type { Store } from '../store/store-client.ts';
import type { ActiveOutput, DeliveryLimits } from './delivery/deliver.ts';
import type { PipelineClock } from './pipeline-clock.ts';
import type { ActiveFeed } from './read-feed.ts';

/** An output with what is let through to it. */
export interface RoutedOutput extends ActiveOutput {
  readonly filter: OutputFilter;
  readonly isDry: boolean;
}

/** Bounds of a run. */
export interface RunLimits extends DeliveryLimits {
  readonly batchSize: number;
  readonly maxPending: number;
  /** Paid look-ups; `null`: no bound of its own. */
  readonly budget: number | null;
  /** Indicators marked more strictly are not looked up. */
  readonly maxTlp: Tlp;
  /** How far back sightings are told with a threat. */
  readonly lookBackDays: number;
  readonly sightingDays: number;
  readonly maxSightings: number;
  readonly keepDays: number;
  readonly keepDeliveredDays: number;
}

/** What a run works with. */
export interface Pipeline {
  readonly store: Store;
  readonly enricher: Enricher;
  /** What analysts decided; left out: nobody could. */
  readonly feedback?: Pick<FeedbackStore, 'list'>;
  readonly feeds: readonly ActiveFeed[];
  readonly outputs: readonly RoutedOutput[];
  readonly limits: RunLimits;
  readonly clock: PipelineClock;
  readonly random: () => number;
  /** Told about each stage as it goes, for a progress bar. */
  readonly onProgress?: (progress: {
    readonly stage: 'feeds' | 'look-ups' | 'outputs';
    readonly done: number;
    readonly of: number;
  }) => void;
}
