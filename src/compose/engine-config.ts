import type { AuditOrigin } from '../engine/privacy/audit-log.ts';
import type { WaitingLimit } from '../engine/calls/jobs/waiting-limit.ts';
import { ConfigError, type ConfigFault } from '../config/config-error.ts';
import { type Blocks, type LoadedBlock, placedIn, readBlocks } from '../config/load.ts';
import { buildPrefixTree } from '../model/tables/prefix-tree.ts';
import { profileNames, readSources, type SourceOptions } from './config-sources.ts';
import { CORE_BLOCKS, type Core } from './core-blocks.ts';
import { type KnownProviders, knownProviders } from './known-providers.ts';
import { tierFaults } from './scoring-settings.ts';
import { hasFieldsInProfiles } from './field-routes.ts';
import { fetchedLists } from './infrastructure/fetched-lists.ts';
import { strandedSettings } from './instances/declared-instances.ts';
import { stateFolder } from './state-folder.ts';
import { keylessWarnings, namedBlocks, wantedBlocks, type WantedProvider, unknownTypes, wantedProviders } from './wanted-providers.ts';

/** Blocks of the file that other hosts read. */
const HOST_BLOCKS = ['sidecar', 'gateway', 'kafka', 'pipeline', 'feeds', 'outputs', 'triage', 'watchlist', 'elastic', 'compat', 'ecs'];

/** What a host says to have the configuration read and the engine opened. */
export interface OpenOptions extends SourceOptions {
  readonly isSplunk?: boolean;
  /** For programs that stay: list files are watched. */
  readonly stays?: boolean;
  /** Whether what the pipeline stored counts as own knowledge. Not for the pipeline's look-ups: it would confirm itself for ever. */
  readonly usesPipelineStore?: boolean;
  /** Told what goes wrong after the engine is open although it goes on, one sentence each; by default a line on stderr. */
  readonly onFault?: (message: string) => void;
  /** The limit that another engine of this process has; left out: one of its own. */
  readonly waiting?: WaitingLimit;
  /** Blocks of the calling host, checked with the core's. */
  readonly blocks?: Blocks;
  /** Whether answers say where they come from; left out: as `ecs.trace` says, where the host reads it. */
  readonly traces?: boolean;
  /** Who makes the calls, for the audit log; by default this program and the user of the environment. */
  readonly origin?: AuditOrigin;
}

/** The configuration as checked: the core's blocks, the host's own, and who is asked. */
export interface LoadedConfig {
  readonly core: Core;
  /** Every block that was loaded, with its schema. */
  readonly blocks: Readonly<Record<string, LoadedBlock>>;
  readonly schemas: Blocks;
  readonly wanted: readonly WantedProvider[];
  /** Whether any provider is asked about some fields only, in these settings or with a profile that a call may name. */
  readonly hasFields: boolean;
  /** What stops nothing but is most likely not meant so, one sentence each. */
  readonly warnings: readonly string[];
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

/** Reads and checks the configuration of the core and of this host. Throws a `ConfigError` with every fault. */
export async function loadEngineConfig(options: OpenOptions): Promise<LoadedConfig> {
  const known = await knownProviders(await readSources(options));
  const wantedOnes = wantedBlocks(known);
  // A key that is misspelt leaves its provider without one: its block is read although nobody asks it.
  const off = namedBlocks(known, wantedOnes);
  const unnamed = known.ids.map((id) => `providers.${id}`).filter((path) => !(path in wantedOnes) && !(path in off));
  const hostBlocks = options.blocks ?? {};
  const foreign = [...unnamed, 'providers.custom', 'profile', 'profiles', ...HOST_BLOCKS.filter((name) => !(name in hostBlocks))];
  const schemas = { ...CORE_BLOCKS, ...wantedOnes, ...hostBlocks };
  const { loaded: all, faults } = readBlocks({ ...schemas, ...off }, known.sources, { foreign, off: new Set(Object.keys(off)) });
  const loaded = Object.fromEntries(Object.keys(schemas).map((path) => [path, all[path] as LoadedBlock]));
  faults.push(...crossFaults(loaded, faults, known));
  if (faults.length > 0) throw new ConfigError(faults);
  const folder = stateFolder(options.env, options.isSplunk === true);
  const core = withFetchedLists(coreOf(loaded), folder);
  const wanted = wantedProviders(known, loaded);
  const knownIds = ['local', ...known.ids];
  const profile = known.sources.profile?.name ?? null;
  const profiles = profileNames(known.sources);
  const accountsOf = (provider: string) => [provider, ...profiles.map((name) => `${provider}@${name}`)];
  return {
    core,
    blocks: loaded,
    schemas,
    wanted,
    hasFields: wanted.some(({ common }) => common.fields !== undefined) || hasFieldsInProfiles(known.sources),
    warnings: keylessWarnings(known, off),
    knownIds,
    accountsOf,
    profiles,
    profile,
    stateFolder: folder,
  };
}

/** What `ismalicious lists update` has fetched counts like the lists that the settings name. */
function withFetchedLists(core: Core, folder: string): Core {
  const fetched = fetchedLists(folder);
  if (fetched.length === 0) return core;
  return { ...core, local: { ...core.local, warningLists: [...core.local.warningLists, ...fetched] } };
}

function coreOf(loaded: Readonly<Record<string, LoadedBlock>>): Core {
  return Object.fromEntries(Object.keys(CORE_BLOCKS).map((name) => [name, loaded[name]?.values])) as unknown as Core;
}

/** What one setting of the core says against another. A block that has a fault of its own is not compared: half of it may be missing. */
export function crossFaults(
  loaded: Readonly<Record<string, LoadedBlock>>,
  found: readonly ConfigFault[],
  known: KnownProviders,
): ConfigFault[] {
  const core = coreOf(loaded);
  const isWhole = (path: string) => !found.some(({ key }) => key.startsWith(`${path}.`));
  const faults: ConfigFault[] = [...known.faults, ...strandedSettings(known, (id) => `providers.${id}` in loaded)];
  if (isWhole('scoring')) faults.push(...tierFaults(core.scoring));
  if (isWhole('privacy')) faults.push(...auditFaults(core.privacy));
  faults.push(...ownFaults(core.privacy));
  for (const wanted of wantedProviders(known, loaded)) {
    const { provider, own } = wanted;
    if (!isWhole(`providers.${provider.id}`)) continue;
    const strange = unknownTypes(known, wanted);
    if (strange.length > 0)
      faults.push({
        key: `providers.${provider.id}.types`,
        place: 'configuration',
        message: `${provider.title} knows no ${strange.join(', ')}`,
      });
    const reason = provider.missing?.(own as never) ?? null;
    if (reason !== null) faults.push({ key: `providers.${provider.id}`, place: 'configuration', message: reason });
  }
  return placedIn(known.sources.file, faults);
}

function auditFaults({ audit, auditLog }: Core['privacy']): ConfigFault[] {
  if (audit === 'normal' || auditLog) return [];
  return [{ key: 'privacy.audit', place: 'configuration', message: 'required contradicts privacy.audit_log: false; set one of them' }];
}

function ownFaults({ ownDomains = [], ownNetworks = [] }: Partial<Core['privacy']>): ConfigFault[] {
  const entries = [...ownDomains, ...ownNetworks].map((pattern) => ({ pattern, value: pattern }));
  const key = (index: number) =>
    index < ownDomains.length ? `privacy.own_domains[${index}]` : `privacy.own_networks[${index - ownDomains.length}]`;
  return buildPrefixTree(entries).faults.map(({ index, reason }) => ({ key: key(index), place: 'configuration', message: reason }));
}
