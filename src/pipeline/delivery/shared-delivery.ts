import { errorMessage } from '../../model/formats/error-message.ts';
import type { FeedbackStore } from '../../engine/feedback/overrides.ts';
import type { Store } from '../../store/store-client.ts';
import type { OpenedOutputs, PipelineConfig } from '../open-pipeline.ts';
import { nowS, systemPipelineClock as clock } from '../pipeline-clock.ts';
import { type DeliveryWorker, startDeliveryWorker } from './delivery-worker.ts';
import { tellOverruled } from './tell-overruled.ts';

/** How often analysts' decisions are looked through for tickets that they end. */
const LOOK_MS = 30_000;

interface SharedDelivery {
  /** `null`: there is no store yet. */
  readonly openStore: () => Promise<Store | null>;
  readonly delivers: OpenedOutputs;
  readonly feedback: Pick<FeedbackStore, 'list'>;
  readonly config: Pick<PipelineConfig, 'pipeline'>;
}

/** What a program that stays does for the outputs: empties the journal as it fills, and ends tickets that analysts overruled. `null`: nobody is told. */
export function startSharedDelivery({ openStore, delivers, feedback, config }: SharedDelivery): DeliveryWorker | null {
  const outputs = delivers.outputs.filter(({ isDry }) => !isDry);
  if (outputs.length === 0) return null;
  const { maxTries, maxPending } = config.pipeline;
  const worker = startDeliveryWorker({ openStore, outputs, limits: { maxTries }, clock, random: Math.random });
  const ids = outputs.map(({ output }) => output.id);
  let fault: string | null = null;
  const endOverruled = async () => {
    try {
      const store = await openStore();
      const overrides = feedback.list({ inForceAtS: nowS(clock) });
      const told = store === null ? 0 : await tellOverruled({ store, overrides, outputs: ids, nowS: nowS(clock), maxPending });
      if (told > 0) worker.poke();
      fault = null;
    } catch (error) {
      fault = `what analysts decided was not sent to open tickets: ${errorMessage(error)}`;
    }
  };
  const timer = setInterval(() => void endOverruled(), LOOK_MS);
  timer.unref();
  return {
    poke: () => worker.poke(),
    figures: () => worker.figures(),
    faults: () => (fault === null ? worker.faults() : [...worker.faults(), fault]),
    async close() {
      clearInterval(timer);
      await worker.close();
    },
  };
}
