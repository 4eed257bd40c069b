import { readSources, type SourceOptions } from './config-sources.ts';
import { loadEngineConfig } from './engine-config.ts';
import { type OpenedEngine, openEngine } from './open-engine.ts';
import { pipelineTransports } from './pipeline-transports.ts';
import { loadTogether } from '../pipeline/load-together.ts';
import { moveFeedback } from '../pipeline/move-feedback.ts';
import { loadPipelineConfig, type OpenedPipeline, openPipeline } from '../pipeline/open-pipeline.ts';

/** The pipeline with its engine, as a configuration file and the environment have it. */
export interface ConfiguredPipeline {
  readonly pipeline: OpenedPipeline;
  readonly engine: OpenedEngine;
  close(): Promise<void>;
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
  return {
    pipeline,
    engine,
    async close() {
      await pipeline.close();
      await engine.engine.close();
    },
  };
}
