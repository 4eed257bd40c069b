import { existsSync } from 'node:fs';
import type { RegisterPlace } from '../engine/cache/redis/shared-cache.ts';
import type { FeedbackStore } from '../engine/feedback/overrides.ts';
import { DEFAULT_HALF_LIVES } from '../store/decay.ts';
import { openStore, type Store } from '../store/store-client.ts';
import { OUTPUTS } from '../outputs/registry.ts';
import type { DeliveryWorker } from './delivery/delivery-worker.ts';
import { startSharedDelivery } from './delivery/shared-delivery.ts';
import { moveFeedback } from './move-feedback.ts';
import type { OpenedOutputs, PipelineConfig } from './open-pipeline.ts';
import type { Recipient } from './route-judgements.ts';
import type { SightingForm } from './sightings/sighting-reader.ts';
import { watchlistPlace } from './watchlist/shared-watchlist.ts';
import { openSightingRecorder, type SightingCounts, type SightingRecorder } from './sightings/sighting-recorder.ts';

const LOOK_AGAIN_MS = 30_000;

/** `auto`: where it is; `always`: made where it is not; `never`: left alone. */
export type StoreUse = 'auto' | 'always' | 'never';

/** What a program that serves has of the pipeline: its store, its rules, and somebody who notes sightings. */
export interface PipelinePart {
  readonly config: PipelineConfig;
  /** Outputs that are told of triage. */
  readonly recipients: readonly Recipient[];
  /** Opened when it is first needed; `null`: there is none, or it is not to be used. */
  store(): Promise<Store | null>;
  /** Left out when nobody wants sightings noted. */
  readonly sightings?: {
    offer(text: Uint8Array, form: SightingForm): void;
    /** `null`: there is no store yet. */
    counts(): SightingCounts | null;
  };
  /** Delivers what is journalled; left out: that is left to others. */
  readonly delivery?: Pick<DeliveryWorker, 'poke' | 'figures' | 'faults'>;
  close(): Promise<void>;
}

interface PartOptions {
  readonly path: string;
  readonly use: StoreUse;
  /** Fields whose values are noted. */
  readonly fields: readonly string[];
  readonly feedback: FeedbackStore;
  /** Has other machines share a register; left out: there are none. */
  readonly share?: (register: string, makePlace: (onFault: (message: string) => void) => RegisterPlace) => Promise<void>;
  /** Where what is journalled is delivered to; left out: others deliver it. */
  readonly delivers?: OpenedOutputs;
}

/** Prepares that part. A store that comes only later, by the pipeline's first run, is found then. */
export function openPipelinePart(config: PipelineConfig, { path, use, fields, feedback, share, delivers }: PartOptions): PipelinePart {
  const { recordSightings, sightingDays, maxSightings } = config.watchlist;
  const isThere = () => use === 'always' || (use === 'auto' && existsSync(path));
  let opening: Promise<Store> | null = null;
  let recorder: SightingRecorder | null = null;
  const open = async () => {
    const store = await openStore(path, { halfLives: { ...DEFAULT_HALF_LIVES, ...config.pipeline.halfLifeDays } });
    await moveFeedback(store, feedback);
    return store;
  };
  const startRecorder = () => {
    if (recorder !== null || !isThere()) return;
    recorder = openSightingRecorder({ path, fields, keepDays: sightingDays, maxRows: maxSightings });
  };
  const notes = recordSightings && use !== 'never';
  if (notes) startRecorder();
  let isClosed = false;
  const store = async () => {
    if (isClosed) return null;
    if (opening === null && !isThere()) return null;
    opening ??= open();
    try {
      return await opening;
    } catch (error) {
      // The next call tries again: a locked file may be free by then.
      opening = null;
      throw error;
    }
  };
  void share?.('watchlist', (onFault) => watchlistPlace({ openStore: store, onFault }));
  const delivery = delivers && use !== 'never' ? startSharedDelivery({ openStore: store, delivers, feedback, config }) : null;
  const timer = notes ? setInterval(startRecorder, LOOK_AGAIN_MS).unref() : undefined;
  return {
    config,
    recipients: OUTPUTS.flatMap((output) => {
      const own = config.outputs[output.id];
      return own && !own.dryRun ? [{ output, filter: { ...own, minScore: own.minScore ?? null } }] : [];
    }),
    store,
    ...(notes ? { sightings: { offer: (text, form) => recorder?.offer(text, form), counts: () => recorder?.counts() ?? null } } : {}),
    ...(delivery ? { delivery } : {}),
    async close() {
      isClosed = true;
      clearInterval(timer);
      await delivery?.close();
      await delivers?.close();
      await recorder?.close();
      const opened = await opening;
      await opened?.close();
    },
  };
}
