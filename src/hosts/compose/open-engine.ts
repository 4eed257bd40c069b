import { join } from 'node:path';
import type * as z from 'zod/mini';
import { CacheSettings, LocalSettings, PrivacySettings, ScoringSettings } from '../../config/core-settings.ts';
import { type Blocks, ConfigError, type ConfigFault, type LoadedBlock, loadConfig } from '../../config/load.ts';
import { noAuditLog, openAuditLog } from '../../engine/audit-log.ts';
import { systemClock } from '../../engine/clock.ts';
import { Engine } from '../../engine/engine.ts';
import { createMemoryVerdictStore } from '../../engine/memory-verdict-store.ts';
import { createPrivacyGuard } from '../../engine/privacy-guard.ts';
import type { Scoring } from '../../engine/scoring.ts';
import { openSqliteVerdictStore } from '../../engine/sqlite-verdict-store.ts';
import type { VerdictStore } from '../../engine/verdict-store.ts';
import type { Indicator } from '../../model/indicator.ts';
import { buildPrefixTree } from '../../model/prefix-tree.ts';
import { providers } from '../../providers/registry.ts';
import { readSources, type SourceOptions } from './config-sources.ts';
import { openLocalLists } from './local-lists.ts';
import { stackProvider } from './provider-stack.ts';
import { stateFolder } from './state-folder.ts';
import { wantedBlocks, type WantedProvider, wantedProviders } from './wanted-providers.ts';

/** In programs that stay, an answer this little past its lifetime is given at once. */
const REVALIDATE_S = 3600;

/** The blocks of the core. */
const CORE_BLOCKS = { cache: CacheSettings, scoring: ScoringSettings, privacy: PrivacySettings, local: LocalSettings } satisfies Blocks;
/** Blocks of the file that other hosts read. */
const HOST_BLOCKS = ['sidecar', 'gateway', 'pipeline', 'feeds', 'outputs', 'triage', 'watchlist', 'elastic', 'compat'];

type Core = { [Name in keyof typeof CORE_BLOCKS]: z.output<(typeof CORE_BLOCKS)[Name]> };

export interface OpenOptions extends SourceOptions {
  readonly isSplunk?: boolean;
  /** For programs that stay: list files are watched. */
  readonly stays?: boolean;
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
  readonly stateFolder: string;
}

/** The engine, its configuration, and what a user should know although it works. */
export interface OpenedEngine {
  readonly engine: Engine;
  readonly config: LoadedConfig;
  readonly warnings: readonly string[];
}

/** Reads and checks the whole configuration. Throws a `ConfigError` with every fault. */
export async function loadEngineConfig(options: OpenOptions): Promise<LoadedConfig> {
  const sources = await readSources(options);
  const wantedOnes = wantedBlocks(providers, sources);
  const unwanted = providers.map(({ id }) => `providers.${id}`).filter((path) => !(path in wantedOnes));
  const hostBlocks = options.blocks ?? {};
  const foreign = [...unwanted, ...HOST_BLOCKS.filter((name) => !(name in hostBlocks))];
  const schemas = { ...CORE_BLOCKS, ...wantedOnes, ...hostBlocks };
  const loaded = loadConfig(schemas, sources, foreign);
  const core = Object.fromEntries(Object.keys(CORE_BLOCKS).map((name) => [name, loaded[name]?.values])) as unknown as Core;
  const faults = [...tierFaults(core.scoring), ...ownFaults(core.privacy)];
  const wanted = wantedProviders(providers, loaded);
  for (const { provider, own } of wanted) {
    const reason = provider.missing?.(own as never) ?? null;
    if (reason !== null) faults.push({ key: `providers.${provider.id}`, place: 'configuration', message: reason });
  }
  if (faults.length > 0) throw new ConfigError(faults);
  return { core, blocks: loaded, schemas, wanted, stateFolder: stateFolder(options.env, options.isSplunk === true) };
}

/** Opens the engine as configured. Throws a `ConfigError`; a disk that cannot be used is a warning, not an end. */
export async function openEngine(options: OpenOptions): Promise<OpenedEngine> {
  const config = await loadEngineConfig(options);
  const { core, wanted } = config;
  const warnings: string[] = [];
  const store = await openStore(config, warnings);
  const audit = core.privacy.auditLog
    ? openAuditLog(join(config.stateFolder, 'egress.ndjson'), (fault) => warnings.push(fault))
    : noAuditLog;
  const lifetimes = { listedS: core.cache.listedTtlS, unknownS: core.cache.unknownTtlS, pendingS: core.cache.pendingTtlS };
  const stacks = wanted.map((one) => stackProvider(one, { env: options.env, store, clock: systemClock, lifetimes, audit }));
  const local = openLocalLists({
    lists: core.local.lists,
    allowLists: core.local.allowLists,
    usesSample: core.local.sample ?? wanted.length === 0,
    watches: options.stays === true,
  });
  for (const { faults } of local.stats().lists) warnings.push(...faults);
  const engine = new Engine({
    providers: stacks,
    local,
    guard: createPrivacyGuard(
      {
        isOwn: matcherOfOwn(core.privacy),
        allowsUnknownSuffixes: core.privacy.allowUnknownSuffixes,
        sendsEmailAddresses: core.privacy.sendEmailAddresses,
        tlp: core.privacy.tlp,
      },
      local,
    ),
    store,
    scoring: scoringOf(core.scoring, wanted),
    clock: systemClock,
    memoryEntries: core.cache.memoryEntries,
    staleS: core.cache.staleS,
    revalidateS: core.cache.revalidateS ?? (options.stays === true ? REVALIDATE_S : 0),
    async onClose() {
      audit.close();
      await Promise.all(stacks.map(({ transport }) => transport.close()));
    },
  });
  return { engine, config, warnings };
}

async function openStore({ core, stateFolder: folder }: LoadedConfig, warnings: string[]): Promise<VerdictStore> {
  if (core.cache.path === 'memory') return createMemoryVerdictStore(null);
  const path = core.cache.path ?? join(folder, 'verdicts.sqlite');
  try {
    return await openSqliteVerdictStore(path);
  } catch (error) {
    const fault = `the verdict cache ${path} cannot be used (${(error as Error).message}): answers are kept in memory only`;
    warnings.push(fault);
    return createMemoryVerdictStore(fault);
  }
}

function scoringOf(settings: Core['scoring'], wanted: readonly WantedProvider[]): Scoring {
  const { p1, p2, watch, autoResolveConfidence } = settings;
  const weights = Object.fromEntries(wanted.map(({ provider, common }) => [provider.id, common.weight ?? provider.weight ?? 1]));
  return { tiers: { p1, p2, watch }, autoResolveConfidence, weights };
}

function tierFaults({ p1, p2, watch }: Core['scoring']): ConfigFault[] {
  if (p1 > p2 && p2 > watch) return [];
  return [{ key: 'scoring.p1, scoring.p2, scoring.watch', place: 'configuration', message: 'have to fall: p1 above p2 above watch' }];
}

function ownFaults({ ownDomains, ownNetworks }: Core['privacy']): ConfigFault[] {
  const entries = [...ownDomains, ...ownNetworks].map((pattern) => ({ pattern, value: pattern }));
  const key = (index: number) =>
    index < ownDomains.length ? `privacy.own_domains[${index}]` : `privacy.own_networks[${index - ownDomains.length}]`;
  return buildPrefixTree(entries).faults.map(({ index, reason }) => ({ key: key(index), place: 'configuration', message: reason }));
}

function matcherOfOwn({ ownDomains, ownNetworks }: Core['privacy']): (indicator: Indicator) => string | null {
  const patterns = [...ownDomains, ...ownNetworks];
  if (patterns.length === 0) return () => null;
  const { tree } = buildPrefixTree(patterns.map((pattern) => ({ pattern, value: pattern })));
  return (indicator) => tree.match(indicator) ?? null;
}
