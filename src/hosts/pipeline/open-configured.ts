import { ConfigError, type ConfigFault } from '../../config/load.ts';
import { readSources } from '../compose/config-sources.ts';
import { type OpenedEngine, openEngine } from '../compose/open-engine.ts';
import { hostTransports } from './host-transport.ts';
import { loadPipelineConfig, type OpenedPipeline, openPipeline, type PipelineConfig } from './open-pipeline.ts';

/** The pipeline with its engine, as a configuration file and the environment have it. */
export interface ConfiguredPipeline {
  readonly pipeline: OpenedPipeline;
  readonly engine: OpenedEngine;
  close(): Promise<void>;
}

/** Opens engine and pipeline. Throws a `ConfigError` with every fault of both. */
export async function openConfigured(options: {
  env: Readonly<Record<string, string | undefined>>;
  configPath?: string | undefined;
}): Promise<ConfiguredPipeline> {
  const faults: ConfigFault[] = [];
  const gather = async <T>(load: () => Promise<T>): Promise<T | null> => {
    try {
      return await load();
    } catch (error) {
      if (!(error instanceof ConfigError)) throw error;
      faults.push(...error.faults);
      return null;
    }
  };
  const sources = await readSources(options);
  const config = await gather<PipelineConfig>(() => Promise.resolve().then(() => loadPipelineConfig(sources)));
  const engine = await gather(() => openEngine(options));
  if (!config || !engine) {
    await engine?.engine.close();
    throw new ConfigError(faults);
  }
  const pipeline = await openPipeline(config, {
    stateFolder: engine.config.stateFolder,
    enricher: engine.engine,
    transportTo: hostTransports(options.env),
  });
  return {
    pipeline,
    engine,
    async close() {
      await pipeline.close();
      await engine.engine.close();
    },
  };
}
