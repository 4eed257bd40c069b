import { join } from 'node:path';
import { readSources, type SourceOptions } from './config-sources.ts';
import { loadEngineConfig } from './engine-config.ts';
import { type OpenedEngine, openEngine } from './open-engine.ts';
import { pipelineTransports } from './pipeline-transports.ts';
import { loadTogether } from '../pipeline/load-together.ts';
import { moveFeedback } from '../pipeline/move-feedback.ts';
import { loadPipelineConfig, type OpenedOutputs, type OpenedPipeline, openOutputs, openPipeline } from '../pipeline/open-pipeline.ts';
import { watchlistPlace } from '../pipeline/watchlist/shared-watchlist.ts';
import { openStore, type Store } from '../store/store-client.ts';
import { stateFolder as folderOf } from './state-folder.ts';

/** The pipeline with its engine, as a configuration file and the environment have it. */
export interface ConfiguredPipeline {
  readonly pipeline: OpenedPipeline;
  readonly engine: OpenedEngine;
  close(): Promise<void>;
}

/** The journal with the outputs it is emptied into: no engine, nobody is asked. */
export interface ConfiguredDelivery extends OpenedOutputs {
  readonly store: Store;
  readonly maxTries: number;
  readonly patienceMs: number;
}

/** Opens store and outputs as configured. Throws a `ConfigError` with every fault of the pipeline's blocks. */
export async function openConfiguredDelivery(options: SourceOptions): Promise<ConfiguredDelivery> {
  const config = loadPipelineConfig(await readSources(options));
  const store = await openStore(join(folderOf(options.env, false), 'pipeline.sqlite'));
  const { outputs, close } = await openOutputs(config, { transportTo: pipelineTransports(options.env) });
  const { maxTries, patienceSeconds } = config.pipeline;
  return {
    store,
    outputs: outputs.filter(({ isDry }) => !isDry),
    maxTries,
    patienceMs: patienceSeconds * 1000,
    async close() {
      await close();
      await store.close();
    },
  };
}

/**
 * Opens engine and pipeline. Throws a `ConfigError` with every fault of both before anything is opened. `usesStore`: whether what is in
 * the store counts as own knowledge; not where the store's own indicators are looked up. `keepsNothing`: a store is not made.
 */
export async function openConfiguredPipeline(
  options: SourceOptions & { readonly usesStore: boolean; readonly keepsNothing: boolean },
): Promise<ConfiguredPipeline> {
  const sources = await readSources(options);
  const [config, { stateFolder }] = await loadTogether(
    () => loadPipelineConfig(sources),
    () => loadEngineConfig(options),
  );
  const engine = await openEngine({ ...options, usesPipelineStore: options.usesStore });
  const { engine: enricher, feedback } = engine;
  const pipeline = await openPipeline(config, {
    stateFolder,
    enricher,
    feedback,
    transportTo: pipelineTransports(options.env),
    keepsNothing: options.keepsNothing,
  });
  await moveFeedback(pipeline.store, feedback);
  let isClosed = false;
  const storeNow = async () => (isClosed ? null : pipeline.store);
  await engine.share('watchlist', (onFault) => watchlistPlace({ openStore: storeNow, onFault }));
  return {
    pipeline,
    engine,
    async close() {
      isClosed = true;
      await pipeline.close();
      await engine.engine.close();
    },
  };
}
