// src/compose/: builds an engine, or a pipeline, out of the settings.
import type { Tracer } from '../model/enrichment.ts';
import { join } from 'node:path';
import { type AuditHealth, type AuditLog, noAuditLog, openAuditLog } from '../engine/privacy/audit-log.ts';
import { auditLogPath } from '../engine/privacy/read-audit-log.ts';
import { type Clock, epochS, shortClock, systemClock } from '../engine/clock.ts';
import { openDurableVerdictStore } from '../engine/cache/durable-verdict-store.ts';
import { Engine } from '../engine/engine.ts';
import type { FeedbackHealth, FeedbackStore } from '../engine/feedback/overrides.ts';
import { overridesPlace } from '../engine/feedback/shared-overrides.ts';
import { openFeedbackStore } from '../engine/feedback/feedback-store.ts';
import { createFigures } from '../engine/feedback/figures.ts';
import type { LocalSource } from '../engine/privacy/local-source.ts';
import { createPrivacyGuard, type PrivacyGuard } from '../engine/privacy/privacy-guard.ts';
import { findSqlite, NoSqliteError } from '../engine/cache/load-sqlite.ts';
import { createMemoryVerdictStore } from '../engine/cache/memory-verdict-store.ts';
import { createWaitingLimit, type WaitingLimit } from '../engine/calls/jobs/waiting-limit.ts';
import type { RegisterPlace, SharedCache, SharedHealth } from '../engine/cache/redis/shared-cache.ts';
import type { StoreHealth, VerdictStore } from '../engine/cache/verdict-store.ts';
import { type Memory, NO_MEMORY } from '../engine/cache/provider-view.ts';
import type { Indicator } from '../model/indicator.ts';
import { buildPrefixTree } from '../model/tables/prefix-tree.ts';
import type { Core } from './core-blocks.ts';
import { type LoadedConfig, loadEngineConfig, type OpenOptions } from './engine-config.ts';
import { fieldRoutes } from './field-routes.ts';
import { listFiles, openLists } from './lists/open-lists.ts';
import { openShared } from './open-shared.ts';
import { heapShares } from './process/heap-shares.ts';
import { settingsFingerprint } from './check/settings-fingerprint.ts';
import { scoringOf } from './scoring-settings.ts';
import { type StackContext, stackProvider } from './provider-stack.ts';

/** In programs that stay, an answer this little past its lifetime is given at once. */
const REVALIDATE_S = 3600;

/** A search is one short process, and the command keeps the answers of its search itself. */
const SEARCH_MEMORY_ENTRIES = 0;

/** Has other machines share a register from now on, where there are any. `makePlace`: what this machine keeps of it, told of faults by `onFault`. */
type ShareRegister = (register: string, makePlace: (onFault: (message: string) => void) => RegisterPlace) => Promise<void>;

/** The engine, its configuration, and what a user should know although it works. */
export interface OpenedEngine {
  readonly engine: Engine;
  readonly config: LoadedConfig;
  /** Analysts' overrides, for those who take and show them. */
  readonly feedback: FeedbackStore;
  /** Has other machines share what people decided, where there are any. */
  readonly share: ShareRegister;
  /** Counts the look-ups that wait, for all engines of a process together. */
  readonly waiting: WaitingLimit;
  /** Grows when something goes wrong later. */
  readonly warnings: readonly string[];
  /** The parts whose faults stop no look-up, as they are now. */
  readonly health: () => EngineHealth;
}

/** How the files fare that an engine works with but can do without. */
export interface EngineHealth {
  readonly cache: StoreHealth;
  /** What machines share; `null`: this one is alone. */
  readonly shared: SharedHealth | null;
  readonly overrides: FeedbackHealth;
  readonly audit: AuditHealth;
}

/** Opens the engine as configured. Throws a `ConfigError`; a disk that cannot be used is a warning, not an end. */
export async function openEngine(options: OpenOptions): Promise<OpenedEngine> {
  const config = await loadEngineConfig(options);
  const { core, wanted } = config;
  const clock = options.isSplunk ? shortClock : systemClock;
  const { warnings, tell, opened } = createTeller(options);
  warnings.push(...config.warnings);
  const { store, shared } = await openStores(config, clock, tell);
  const audit = openAudit(config, options, { clock, tell });
  const lifetimes = { listedS: core.cache.listedTtlS, unknownS: core.cache.unknownTtlS, pendingS: core.cache.pendingTtlS };
  const onCall = (provider: string, latencyMs: number) => figures.called(provider, latencyMs);
  const stacks = wanted.map((one) =>
    stackProvider(one, { env: options.env, store, shared, clock, lifetimes, audit, onCall, onFault: tell }),
  );
  await shared?.join(stacks.map(({ payerNow }) => payerNow));
  const figures = createFigures(store, clock, () => stacks.map(({ client }) => client.stats()));
  const known = await openLists(config, options, tell);
  const { feedback, share } = await openDecisions(config, options, { shared, tell });
  warnings.push(...known.stats().lists.flatMap(({ faults }) => faults));
  const shares = heapShares();
  const memoryEntries = options.isSplunk ? SEARCH_MEMORY_ENTRIES : Math.min(core.cache.memoryEntries, shares.remembered);
  const waiting = options.waiting ?? createWaitingLimit(core.engine.maxWaiting ?? shares.waiting);
  const engine = new Engine({
    providers: stacks,
    routes: fieldRoutes(config),
    local: known,
    feedback,
    figures,
    guard: guardOf(core.privacy, known),
    store,
    shared,
    scoring: scoringOf(core.scoring, wanted),
    clock,
    memoryEntries,
    createMemory: await memoryMaker(memoryEntries),
    maxValueBytes: boundOf(config),
    staleS: core.cache.staleS,
    waiting,
    stopsEarly: core.engine.stopEarly,
    tracer: await tracerOf(options, config),
    revalidateS: core.cache.revalidateS ?? (options.stays === true ? REVALIDATE_S : 0),
    async onClose() {
      audit.close();
      // What was decided last goes out first.
      await shared?.close();
      feedback.close();
      await Promise.all(stacks.map(({ transport }) => transport.close()));
    },
  });
  opened();
  return { engine, config, feedback, share, waiting, warnings, health: () => healthOf({ store, shared }, feedback, audit) };
}

function healthOf({ store, shared }: Pick<StackContext, 'store' | 'shared'>, feedback: FeedbackStore, audit: AuditLog): EngineHealth {
  return { cache: store.health(), shared: shared?.health() ?? null, overrides: feedback.health(), audit: audit.health() };
}

/** Faults go among the warnings; those that come after the engine is open are told at once, too. */
function createTeller({ isSplunk, onFault }: OpenOptions) {
  const warnings: string[] = [];
  // Splunk's own commands show their warnings themselves: a line on stderr would read as an error of the search.
  const tellLater = onFault ?? (isSplunk ? () => undefined : (message: string) => void process.stderr.write(`warning: ${message}\n`));
  let isOpen = false;
  return {
    warnings,
    tell(message: string): void {
      warnings.push(message);
      if (isOpen) tellLater(message);
    },
    opened: () => void (isOpen = true),
  };
}

function openAudit(
  config: LoadedConfig,
  { origin, env, isSplunk }: OpenOptions,
  { clock, tell }: { clock: Clock; tell: (message: string) => void },
): AuditLog {
  const { auditLog, audit } = config.core.privacy;
  if (!auditLog) return noAuditLog;
  return openAuditLog({
    path: auditLogPath(config.stateFolder),
    isRequired: audit === 'required',
    onFault: tell,
    nowMs: () => clock.monotonicMs(),
    origin: origin ?? { program: isSplunk === true ? 'splunk' : 'cli', user: env.USER ?? env.LOGNAME ?? env.USERNAME },
    settings: () => settingsFingerprint(config),
  });
}

/** What traces are made with; `undefined`: no answer says where it comes from. */
async function tracerOf({ traces }: OpenOptions, config: LoadedConfig): Promise<Tracer | undefined> {
  if (!(traces ?? config.blocks['ecs']?.values['trace'] === true)) return undefined;
  const { requestIdOf } = await import('../model/formats/request-id.ts');
  return { settings: settingsFingerprint(config), idOf: requestIdOf };
}

/** Every file whose content answers, or that changes what is answered, besides the settings and the cache; those that are not there too. */
export function answeringFiles(config: LoadedConfig): string[] {
  return [...listFiles(config), feedbackPath(config)];
}

/** A sidecar may be set to look up longer values. */
function boundOf({ blocks }: LoadedConfig): number | undefined {
  const bound = blocks['sidecar']?.values['maxValueBytes'];
  return typeof bound === 'number' ? bound : undefined;
}

function feedbackPath({ stateFolder }: LoadedConfig): string {
  return join(stateFolder, 'feedback.sqlite');
}

/** What analysts decided, here and on the machines that share it. */
async function openDecisions(
  config: LoadedConfig,
  options: OpenOptions,
  { shared, tell }: { readonly shared: SharedCache | undefined; readonly tell: (message: string) => void },
): Promise<Pick<OpenedEngine, 'feedback' | 'share'>> {
  const feedback = await openFeedbackStore({
    path: feedbackPath(config),
    watches: options.stays === true,
    nowS: () => epochS(systemClock),
    onFault: tell,
  });
  const share: ShareRegister = async (register, makePlace) => await shared?.share(register, makePlace(tell));
  if ((await findSqlite()) !== null) await share('overrides', (onFault) => overridesPlace(feedback, onFault));
  return { feedback, share };
}

/** The store of this machine, and what others share with it. */
async function openStores(config: LoadedConfig, clock: Clock, onFault: (message: string) => void) {
  const shared = await openShared(config, onFault);
  const local = await openStore(config, clock, onFault);
  return { shared, store: shared?.over(local) ?? local };
}

async function openStore(
  { core, stateFolder: folder }: LoadedConfig,
  clock: Clock,
  onFault: (message: string) => void,
): Promise<VerdictStore> {
  if (core.cache.path === 'memory') return createMemoryVerdictStore(null);
  if ((await findSqlite()) === null) {
    onFault(`${new NoSqliteError('a cache on disk').message}; the cache is kept in memory and ends with this program`);
    return createMemoryVerdictStore(null);
  }
  const path = core.cache.path ?? join(folder, 'verdicts.sqlite');
  return openDurableVerdictStore({ path, onFault, nowMs: () => clock.monotonicMs() });
}

function guardOf(privacy: Core['privacy'], local: LocalSource): PrivacyGuard {
  const { allowUnknownSuffixes, sendEmailAddresses, tlp, pap } = privacy;
  const isOwn = matcherOfOwn(privacy);
  return createPrivacyGuard(
    { isOwn, allowsUnknownSuffixes: allowUnknownSuffixes, sendsEmailAddresses: sendEmailAddresses, tlp, pap },
    local,
  );
}

function matcherOfOwn({ ownDomains, ownNetworks }: Core['privacy']): (indicator: Indicator) => string | null {
  const patterns = [...ownDomains, ...ownNetworks];
  if (patterns.length === 0) return () => null;
  const { tree } = buildPrefixTree(patterns.map((pattern) => ({ pattern, value: pattern })));
  return (indicator) => tree.match(indicator) ?? null;
}

async function memoryMaker(entries: number): Promise<(entries: number) => Memory> {
  return entries === 0 ? () => NO_MEMORY : (await import('../engine/cache/lru-memory.ts')).createLruMemory;
}
