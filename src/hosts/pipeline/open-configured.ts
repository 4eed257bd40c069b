import { readSources, type SourceOptions } from '../compose/config-sources.ts';
import { loadEngineConfig } from '../compose/engine-config.ts';
import { type OpenedEngine, openEngine } from '../compose/open-engine.ts';
import { hostTransports } from './host-transport.ts';
import { loadBoth } from './load-both.ts';
import { loadPipelineConfig, type OpenedPipeline, openPipeline } from './open-pipeline.ts';

/** The pipeline with its engine, as a configuration file and the environment have it. */
export interface ConfiguredPipeline {
  readonly pipeline: OpenedPipeline;
  readonly engine: OpenedEngine;
  close(): Promise<void>;
}

/** Opens engine and pipeline. Throws a `ConfigError` with every fault of both before anything is opened. */
export async function openConfigured(options: SourceOptions): Promise<ConfiguredPipeline> {
  const sources = await readSources(options);
  const [config, { stateFolder }] = await loadBoth(
    () => loadPipelineConfig(sources),
    () => loadEngineConfig(options),
  );
  const engine = await openEngine(options);
  const pipeline = await openPipeline(config, { stateFolder, enricher: engine.engine, transportTo: hostTransports(options.env) });
  return {
    pipeline,
    engine,
    async close() {
      await pipeline.close();
      await engine.engine.close();
    },
  };
}
