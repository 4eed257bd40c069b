import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { noAuditLog, openAuditLog } from '../../engine/audit-log.ts';
import { epochS, shortClock, systemClock } from '../../engine/clock.ts';
import { Engine } from '../../engine/engine.ts';
import type { FeedbackStore } from '../../engine/feedback.ts';
import { openFeedbackStore } from '../../engine/feedback-store.ts';
import { createFigures } from '../../engine/figures.ts';
import type { LocalSource } from '../../engine/local-source.ts';
import { createPrivacyGuard } from '../../engine/privacy-guard.ts';
import { openSqliteVerdictStore } from '../../engine/sqlite-verdict-store.ts';
import type { VerdictStore } from '../../engine/verdict-store.ts';
import { type Memory, NO_MEMORY } from '../../engine/view.ts';
import type { Indicator } from '../../model/indicator.ts';
import { buildPrefixTree } from '../../model/prefix-tree.ts';
import { readSources } from './config-sources.ts';
import { type Core, type LoadedConfig, loadEngineConfig, type OpenOptions } from './engine-config.ts';
import { openLocalLists } from './local-lists.ts';
import { scoringOf } from './scoring-settings.ts';
import { stackProvider } from './provider-stack.ts';
import { warningListFiles } from './warning-lists.ts';

/** In programs that stay, an answer this little past its lifetime is given at once. */
const REVALIDATE_S = 3600;

/** A search is one short process, and the command keeps the answers of its search itself. */
const SEARCH_MEMORY_ENTRIES = 0;

/** The engine, its configuration, and what a user should know although it works. */
export interface OpenedEngine {
  readonly engine: Engine;
  readonly config: LoadedConfig;
  /** Analysts' overrides, for those who take and show them. */
  readonly feedback: FeedbackStore;
  readonly warnings: readonly string[];
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
  const onCall = (provider: string, latencyMs: number) => figures.called(provider, latencyMs);
  const clock = options.isSplunk ? shortClock : systemClock;
  const stacks = wanted.map((one) => stackProvider(one, { env: options.env, store, clock, lifetimes, audit, onCall }));
  const figures = createFigures(store, clock, () => stacks.map(({ client }) => client.stats()));
  const lists = openLocalLists({
    lists: core.local.lists,
    allowLists: core.local.allowLists,
    warningLists: core.local.warningLists,
    falsePositiveLists: core.local.falsePositiveLists,
    sample: (core.local.sample ?? wanted.length === 0) ? (await import('../../providers/sample-feed.ts')).SAMPLE_FEED : null,
    watches: options.stays === true,
  });
  const feedbackOptions = { path: feedbackPath(config), watches: options.stays === true, nowS: () => epochS(systemClock) };
  const feedback = await openFeedbackStore(feedbackOptions);
  const local = core.local.pipelineStore && options.usesPipelineStore !== false ? await withPipelineStore(lists, config, options) : lists;
  for (const { faults } of local.stats().lists) warnings.push(...faults);
  const memoryEntries = options.isSplunk ? SEARCH_MEMORY_ENTRIES : core.cache.memoryEntries;
  const engine = new Engine({
    providers: stacks,
    local,
    feedback,
    figures,
    guard: createPrivacyGuard(
      {
        isOwn: matcherOfOwn(core.privacy),
        allowsUnknownSuffixes: core.privacy.allowUnknownSuffixes,
        sendsEmailAddresses: core.privacy.sendEmailAddresses,
        tlp: core.privacy.tlp,
        pap: core.privacy.pap,
      },
      local,
    ),
    store,
    scoring: scoringOf(core.scoring, wanted),
    clock,
    memoryEntries,
    createMemory: await memoryMaker(memoryEntries),
    maxValueBytes: boundOf(config),
    staleS: core.cache.staleS,
    stopsEarly: core.engine.stopEarly,
    revalidateS: core.cache.revalidateS ?? (options.stays === true ? REVALIDATE_S : 0),
    async onClose() {
      audit.close();
      feedback.close();
      await Promise.all(stacks.map(({ transport }) => transport.close()));
    },
  });
  return { engine, config, feedback, warnings };
}

/** Every file whose content answers, or that changes what is answered, besides the settings and the cache; those that are not there too. */
export function answeringFiles(config: LoadedConfig): string[] {
  const { lists, allowLists, warningLists, falsePositiveLists, pipelineStore } = config.core.local;
  const store = pipelineStorePath(config);
  return [
    ...lists,
    ...allowLists,
    ...[...warningLists, ...falsePositiveLists].flatMap(warningListFiles),
    feedbackPath(config),
    ...(pipelineStore ? [store, `${store}-wal`] : []),
  ];
}

/** A sidecar may be set to look up longer values. */
function boundOf({ blocks }: LoadedConfig): number | undefined {
  const bound = blocks['sidecar']?.values['maxValueBytes'];
  return typeof bound === 'number' ? bound : undefined;
}

function feedbackPath({ stateFolder }: LoadedConfig): string {
  return join(stateFolder, 'feedback.sqlite');
}

function pipelineStorePath({ stateFolder }: LoadedConfig): string {
  return join(stateFolder, 'pipeline.sqlite');
}

/** The pipeline's store behind the lists; its code is read only where there is such a file, or may be one. */
async function withPipelineStore(lists: LocalSource, config: LoadedConfig, options: OpenOptions): Promise<LocalSource> {
  const path = pipelineStorePath(config);
  if (!existsSync(path) && options.stays !== true) return lists;
  const { withStore, storedHalfLives } = await import('../pipeline/store-source.ts');
  return withStore(lists, {
    path,
    halfLives: storedHalfLives(await readSources(options)),
    nowS: () => epochS(systemClock),
    watches: options.stays === true,
  });
}

async function openStore({ core, stateFolder: folder }: LoadedConfig, warnings: string[]): Promise<VerdictStore> {
  if (core.cache.path === 'memory') return openMemoryStore(null);
  const path = core.cache.path ?? join(folder, 'verdicts.sqlite');
  try {
    return await openSqliteVerdictStore(path);
  } catch (error) {
    const fault = `the verdict cache ${path} cannot be used (${(error as Error).message}): answers are kept in memory only`;
    warnings.push(fault);
    return openMemoryStore(fault);
  }
}

function matcherOfOwn({ ownDomains, ownNetworks }: Core['privacy']): (indicator: Indicator) => string | null {
  const patterns = [...ownDomains, ...ownNetworks];
  if (patterns.length === 0) return () => null;
  const { tree } = buildPrefixTree(patterns.map((pattern) => ({ pattern, value: pattern })));
  return (indicator) => tree.match(indicator) ?? null;
}

// Loaded by those who need it: a search starts often, and has the disk.
async function openMemoryStore(fault: string | null): Promise<VerdictStore> {
  return (await import('../../engine/memory-verdict-store.ts')).createMemoryVerdictStore(fault);
}

async function memoryMaker(entries: number): Promise<(entries: number) => Memory> {
  return entries === 0 ? () => NO_MEMORY : (await import('../../engine/lru-memory.ts')).createLruMemory;
}
