import { type Blocks, ConfigError, type ConfigFault, type LoadedBlock, loadConfig } from '../config/load.ts';
import { buildPrefixTree } from '../model/tables/prefix-tree.ts';
import { profileNames, readSources, type SourceOptions } from './config-sources.ts';
import { CORE_BLOCKS, type Core } from './core-blocks.ts';
import { knownProviders } from './known-providers.ts';
import { tierFaults } from './scoring-settings.ts';
import { stateFolder } from './state-folder.ts';
import { wantedBlocks, type WantedProvider, wantedProviders } from './wanted-providers.ts';

/** Blocks of the file that other hosts read. */
const HOST_BLOCKS = ['sidecar', 'gateway', 'pipeline', 'feeds', 'outputs', 'triage', 'watchlist', 'elastic', 'compat'];

/** What a host says to have the configuration read and the engine opened. */
export interface OpenOptions extends SourceOptions {
  readonly isSplunk?: boolean;
  /** For programs that stay: list files are watched. */
  readonly stays?: boolean;
  /** Whether what the pipeline stored counts as own knowledge. Not for the pipeline's look-ups: it would confirm itself for ever. */
  readonly usesPipelineStore?: boolean;
  /** Told what goes wrong after the engine is open although it goes on, one sentence each; by default a line on stderr. */
  readonly onFault?: (message: string) => void;
  /** Blocks of the calling host, checked with the core's. */
  readonly blocks?: Blocks;
}

/** The configuration as checked: the core's blocks, the host's own, and who is asked. */
export interface LoadedConfig {
  readonly core: Core;
  /** Every block that was loaded, with its schema. */
  readonly blocks: Readonly<Record<string, LoadedBlock>>;
  readonly schemas: Blocks;
  readonly wanted: readonly WantedProvider[];
  /** Ids that may be asked for: `local`, every provider we ship, every one the file declares. */
  readonly knownIds: readonly string[];
  /** What a provider's credits are counted by, in any profile. */
  accountsOf(provider: string): readonly string[];
  /** Every profile of the file. */
  readonly profiles: readonly string[];
  /** The profile in use; `null`: none. */
  readonly profile: string | null;
  readonly stateFolder: string;
}

/** Reads and checks the whole configuration. Throws a `ConfigError` with every fault. */
export async function loadEngineConfig(options: OpenOptions): Promise<LoadedConfig> {
  const known = await knownProviders(await readSources(options));
  const wantedOnes = wantedBlocks(known);
  const unwanted = known.ids.map((id) => `providers.${id}`).filter((path) => !(path in wantedOnes));
  const hostBlocks = options.blocks ?? {};
  const foreign = [...unwanted, 'providers.custom', 'profile', 'profiles', ...HOST_BLOCKS.filter((name) => !(name in hostBlocks))];
  const schemas = { ...CORE_BLOCKS, ...wantedOnes, ...hostBlocks };
  const loaded = loadConfig(schemas, known.sources, foreign);
  const core = Object.fromEntries(Object.keys(CORE_BLOCKS).map((name) => [name, loaded[name]?.values])) as unknown as Core;
  const faults = [...tierFaults(core.scoring), ...ownFaults(core.privacy), ...auditFaults(core.privacy)];
  const wanted = wantedProviders(known, loaded);
  for (const { provider, own } of wanted) {
    const reason = provider.missing?.(own as never) ?? null;
    if (reason !== null) faults.push({ key: `providers.${provider.id}`, place: 'configuration', message: reason });
  }
  if (faults.length > 0) throw new ConfigError(faults);
  const knownIds = ['local', ...known.ids];
  const profile = known.sources.profile?.name ?? null;
  const profiles = profileNames(known.sources);
  const accountsOf = (provider: string) => [provider, ...profiles.map((name) => `${provider}@${name}`)];
  return {
    core,
    blocks: loaded,
    schemas,
    wanted,
    knownIds,
    accountsOf,
    profiles,
    profile,
    stateFolder: stateFolder(options.env, options.isSplunk === true),
  };
}

function auditFaults({ audit, auditLog }: Core['privacy']): ConfigFault[] {
  if (audit === 'normal' || auditLog) return [];
  return [{ key: 'privacy.audit', place: 'configuration', message: 'required contradicts privacy.audit_log: false; set one of them' }];
}

function ownFaults({ ownDomains, ownNetworks }: Core['privacy']): ConfigFault[] {
  const entries = [...ownDomains, ...ownNetworks].map((pattern) => ({ pattern, value: pattern }));
  const key = (index: number) =>
    index < ownDomains.length ? `privacy.own_domains[${index}]` : `privacy.own_networks[${index - ownDomains.length}]`;
  return buildPrefixTree(entries).faults.map(({ index, reason }) => ({ key: key(index), place: 'configuration', message: reason }));
}
