import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { ONLY_LOCAL } from '../compose/askable.ts';
import { readSources } from '../compose/config-sources.ts';
import type { LoadedConfig, OpenOptions } from '../compose/engine-config.ts';
import { openEngine } from '../compose/open-engine.ts';
import { epochS, systemClock } from '../engine/clock.ts';
import { loadPipelineConfig } from '../pipeline/open-pipeline.ts';
import { openStore, type Store } from '../store/store-client.ts';
import type { Assistant } from './assistant.ts';

/** An assistant's tools, opened as configured. */
export interface OpenedAssistant {
  readonly assistant: Assistant;
  readonly config: LoadedConfig;
  close(): Promise<void>;
}

/** Opens engine and, when it is first asked for, the store with the sighting index. */
export async function openAssistant(options: OpenOptions): Promise<OpenedAssistant> {
  const { watchlist } = loadPipelineConfig(await readSources(options));
  const { engine, config, feedback, warnings, health } = await openEngine(options);
  const path = join(config.stateFolder, 'pipeline.sqlite');
  let opening: Promise<Store> | null = null;
  const assistant: Assistant = {
    enricher: engine,
    stats: () => engine.stats(),
    health,
    warnings,
    note: config.wanted.length === 0 ? ONLY_LOCAL : null,
    feedback,
    async store() {
      if (opening === null && !existsSync(path)) return null;
      opening ??= openStore(path);
      try {
        return await opening;
      } catch (error) {
        opening = null;
        throw error;
      }
    },
    lookBackDays: watchlist.lookBackDays,
    nowS: () => epochS(systemClock),
  };
  return {
    assistant,
    config,
    async close() {
      await (await opening)?.close();
      await engine.close();
    },
  };
}
