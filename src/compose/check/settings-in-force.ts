import { settingSource, type ConfigSources, type Blocks, type LoadedBlock } from '../../config/load.ts';
import { settingMeta, toSnakeCase } from '../../config/setting.ts';
import { loadPipelineBlocks } from '../../pipeline/open-pipeline.ts';
import { loadTogether } from '../../pipeline/load-together.ts';
import { readSources, type SourceOptions } from '../config-sources.ts';
import { loadEngineConfig } from '../engine-config.ts';
import { HOST_SETTINGS } from '../host-settings.ts';
import { knownProviders } from '../known-providers.ts';

/** Stands for the value of every secret. */
const MASK = '********';

/** One setting as a program works with it. */
export interface SettingInForce {
  /** Dotted, as in YAML: `providers.virustotal.api_key`. */
  readonly key: string;
  /** As it was checked; that of a secret is masked. */
  readonly value: unknown;
  /** `default`, `command line`, or the place that set it: `environment variable X`, `file Y, line 3`, `profile Z`. */
  readonly from: string;
}

/**
 * Every setting that has a value, of the engine, of all hosts and of the pipeline, secrets masked. `set`: what the command line set, by
 * dotted key. Throws a `ConfigError` with every fault.
 */
export async function settingsInForce(options: SourceOptions, set: ReadonlyMap<string, unknown> = new Map()): Promise<SettingInForce[]> {
  const sources = await readSources(options);
  const [engine, pipeline] = await loadTogether(
    () => loadEngineConfig({ ...options, blocks: HOST_SETTINGS }),
    () => loadPipelineBlocks(sources),
  );
  const known = await knownProviders(sources);
  // Without a word on it, the sample feed is on where no provider is asked.
  const isSample = engine.wanted.length === 0;
  const sample = engine.core.local.sample === undefined ? [{ key: 'local.sample', value: isSample, from: 'default' }] : [];
  const all = [
    ...sample,
    ...shownBlocks(engine.blocks, engine.schemas, known.sources),
    ...shownBlocks(pipeline.blocks, pipeline.schemas, sources),
  ];
  return all.map((one) => (set.has(one.key) ? { ...one, value: set.get(one.key), from: 'command line' } : one));
}

function shownBlocks(blocks: Readonly<Record<string, LoadedBlock>>, schemas: Blocks, sources: ConfigSources): SettingInForce[] {
  return Object.entries(blocks).flatMap(([path, { values }]) =>
    Object.entries(values).map(([key, value]) => {
      const setting = schemas[path]?.shape[key];
      const source = setting && settingSource(path, key, setting, sources);
      return {
        key: `${path}.${toSnakeCase(key)}`,
        value: setting && settingMeta.get(setting)?.secret === true ? MASK : value,
        from: source === undefined || source.value === undefined ? 'default' : source.place(),
      };
    }),
  );
}

/** The settings as a configuration file has them: `providers: { virustotal: { api_key: … } }`. */
export function asFile(settings: readonly SettingInForce[]): ReadonlyMap<string, unknown> {
  const file = new Map<string, unknown>();
  for (const { key, value } of settings) {
    const path = key.split('.');
    const name = path.pop() ?? '';
    let block = file;
    for (const part of path) {
      const inner = (block.get(part) as Map<string, unknown> | undefined) ?? new Map<string, unknown>();
      block.set(part, inner);
      block = inner;
    }
    block.set(name, value);
  }
  return file;
}
