import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type * as z from 'zod/mini';
import { ConfigError, type ConfigFault } from '../config/config-error.ts';
import { type Blocks, type ConfigSources, type LoadedBlock, loadConfig, placedIn, settingSource } from '../config/load.ts';
import { certificateFault } from '../config/client-certificate-settings.ts';
import { type ClientCertificate, readClientCertificate } from '../engine/calls/http/client-certificate.ts';
import type { Enricher } from '../engine/enricher.ts';
import type { FeedbackStore } from '../engine/feedback/overrides.ts';
import { DEFAULT_HALF_LIVES } from '../store/decay.ts';
import { openStore } from '../store/store-client.ts';
import { FEEDS } from '../feeds/registry.ts';
import { OUTPUTS } from '../outputs/registry.ts';
import { createOutputSender, readCaFile } from './delivery/output-sender.ts';
import { type PipelineClock, systemPipelineClock } from './pipeline-clock.ts';
import type { Pipeline, RoutedOutput } from './pipeline.ts';
import {
  type CommonFeedSettings,
  type CommonOutputSettings,
  feedBlock,
  outputBlock,
  PipelineSettings,
} from './settings/pipeline-settings.ts';
import type { PipelineTransport } from './pipeline-transport.ts';
import { TriageSettings, type TriageRules } from './triage/triage-settings.ts';
import { WatchlistSettings } from './settings/watchlist-settings.ts';

/** How a host is reached. */
export interface Reach {
  /** Names the feed or output in errors. */
  readonly id: string;
  readonly baseUrl: string | null;
  readonly proxy: string | null;
  readonly ca: string | null;
  /** Shown to a server that asks who calls; left out, `null`: none. */
  readonly client?: ClientCertificate | null;
}

/** A transport that has to be closed. */
export type OwnedTransport = PipelineTransport & { close(): Promise<void> };

/** The blocks of feeds, outputs, pipeline, triage and watchlist, checked; feeds and outputs that are off are not in it. */
export interface PipelineConfig {
  readonly pipeline: z.output<typeof PipelineSettings>;
  readonly watchlist: z.output<typeof WatchlistSettings>;
  readonly triage: TriageRules;
  readonly feeds: Readonly<Record<string, Record<string, unknown> & CommonFeedSettings>>;
  readonly outputs: Readonly<Record<string, Record<string, unknown> & CommonOutputSettings>>;
}

/** A pipeline with everything it holds open. */
export interface OpenedPipeline extends Pipeline {
  readonly config: PipelineConfig;
  close(): Promise<void>;
}

/** The blocks these sources switch on, by dotted path; every block that is always there among them. */
export function pipelineBlocks(sources: ConfigSources): Blocks {
  const feeds = FEEDS.map((feed) => [`feeds.${feed.id}`, feedBlock(feed)] as const);
  const outputs = OUTPUTS.map((output) => [`outputs.${output.id}`, outputBlock(output)] as const);
  const isOn = ([path, block]: readonly [string, Blocks[string]]) => {
    const { enabled } = block.shape;
    return enabled !== undefined && settingSource(path, 'enabled', enabled, sources).value === true;
  };
  return {
    pipeline: PipelineSettings,
    watchlist: WatchlistSettings,
    triage: TriageSettings,
    ...Object.fromEntries([...feeds, ...outputs].filter(isOn)),
  };
}

/** Checks everything the pipeline reads, block by block. Throws a `ConfigError` with every fault; blocks of other programs are left alone. */
export function loadPipelineBlocks(sources: ConfigSources): {
  readonly blocks: Readonly<Record<string, LoadedBlock>>;
  readonly schemas: Blocks;
} {
  const blocks = pipelineBlocks(sources);
  const values = sources.file?.values;
  const others =
    typeof values === 'object' && values !== null
      ? Object.keys(values).filter((name) => !['feeds', 'outputs', 'pipeline', 'watchlist', 'triage'].includes(name))
      : [];
  const off = [...FEEDS.map(({ id }) => `feeds.${id}`), ...OUTPUTS.map(({ id }) => `outputs.${id}`)].filter((path) => !(path in blocks));
  const loaded = loadConfig(blocks, sources, [...others, ...off]);
  const faults = placedIn(
    sources.file,
    FEEDS.flatMap(({ id }) => sourceFaults(id, loaded[`feeds.${id}`])),
  );
  if (faults.length > 0) throw new ConfigError(faults);
  return { blocks: loaded, schemas: blocks };
}

/** The same as what programs work with. */
export function loadPipelineConfig(sources: ConfigSources): PipelineConfig {
  const { blocks: loaded } = loadPipelineBlocks(sources);
  const under = (prefix: string) =>
    Object.fromEntries(
      Object.entries(loaded)
        .filter(([path]) => path.startsWith(prefix))
        .map(([path, block]) => [path.slice(prefix.length), block.values]),
    );
  return {
    pipeline: loaded.pipeline?.values,
    watchlist: loaded.watchlist?.values,
    triage: loaded.triage?.values,
    feeds: under('feeds.'),
    outputs: under('outputs.'),
  } as unknown as PipelineConfig;
}

/** What a pipeline is opened with. */
export interface PipelineOptions {
  readonly stateFolder: string;
  readonly enricher: Enricher;
  readonly feedback?: FeedbackStore;
  readonly transportTo: (reach: Reach) => OwnedTransport;
  readonly clock?: PipelineClock;
  /** Whoever only counts or decides makes no store: one in memory stands in for it. */
  readonly keepsNothing?: boolean;
}

/** Opens store and transports as configured. `transportTo` makes the calls leave; `close` closes them all. */
export async function openPipeline(config: PipelineConfig, options: PipelineOptions): Promise<OpenedPipeline> {
  const { pipeline: settings, watchlist } = config;
  const clock = options.clock ?? systemPipelineClock;
  const path = join(options.stateFolder, 'pipeline.sqlite');
  const store = await openStore(options.keepsNothing && !existsSync(path) ? ':memory:' : path, {
    halfLives: { ...DEFAULT_HALF_LIVES, ...settings.halfLifeDays },
  });
  const owned: OwnedTransport[] = [];
  const reach = reacher(options.transportTo, owned);
  const feeds = FEEDS.flatMap((feed) => {
    const own = config.feeds[feed.id];
    return own ? [{ feed, own }] : [];
  });
  return {
    config,
    store,
    enricher: options.enricher,
    ...(options.feedback ? { feedback: options.feedback } : {}),
    clock,
    random: Math.random,
    feeds: await Promise.all(
      feeds.map(async ({ feed, own }) => ({
        feed,
        settings: own,
        timeoutMs: own.timeoutMs,
        transport: (await reach(`feeds.${feed.id}`, own)).transport,
      })),
    ),
    outputs: await outputsOf(config, reach, clock),
    limits: limitsOf(settings, watchlist),
    async close() {
      await closeAll(owned);
      await store.close();
    },
  };
}

/** Outputs with all they hold open. */
export interface OpenedOutputs {
  readonly outputs: readonly RoutedOutput[];
  close(): Promise<void>;
}

/** Opens the outputs alone, for who delivers what others have journalled. */
export async function openOutputs(
  config: PipelineConfig,
  { transportTo, clock = systemPipelineClock }: Pick<PipelineOptions, 'transportTo' | 'clock'>,
): Promise<OpenedOutputs> {
  const owned: OwnedTransport[] = [];
  return { outputs: await outputsOf(config, reacher(transportTo, owned), clock), close: () => closeAll(owned) };
}

type Reacher = (
  block: string,
  own: Record<string, unknown> & CommonFeedSettings,
) => Promise<{ readonly transport: OwnedTransport } & Required<Pick<Reach, 'ca' | 'client'>>>;

function reacher(transportTo: PipelineOptions['transportTo'], owned: OwnedTransport[]): Reacher {
  return async (block, own) => {
    const ca = await readCaFile(own.caFile);
    const client = readClientCertificate(own, certificateFault(block));
    const baseUrl = typeof own.baseUrl === 'string' ? own.baseUrl : null;
    const transport = transportTo({ id: block.slice(block.indexOf('.') + 1), baseUrl, proxy: own.proxy ?? null, ca, client });
    owned.push(transport);
    return { transport, ca, client };
  };
}

async function outputsOf(config: PipelineConfig, reach: Reacher, clock: PipelineClock): Promise<RoutedOutput[]> {
  const outputs = OUTPUTS.flatMap((output) => {
    const own = config.outputs[output.id];
    return own ? [{ output, own }] : [];
  });
  return await Promise.all(
    outputs.map(async ({ output, own }): Promise<RoutedOutput> => {
      const { transport, ca, client } = await reach(`outputs.${output.id}`, own);
      const sender = createOutputSender({ transport, clock, timeoutMs: own.timeoutMs, ca, client });
      return { output, settings: own, sender, isDry: own.dryRun, filter: { ...own, minScore: own.minScore ?? null } };
    }),
  );
}

function limitsOf(settings: PipelineConfig['pipeline'], watchlist: PipelineConfig['watchlist']): Pipeline['limits'] {
  const { budget, patienceSeconds, ...rest } = settings;
  const { lookBackDays, sightingDays, maxSightings } = watchlist;
  return { ...rest, budget: budget ?? null, patienceMs: patienceSeconds * 1000, lookBackDays, sightingDays, maxSightings };
}

async function closeAll(owned: readonly OwnedTransport[]): Promise<void> {
  await Promise.all(owned.map((transport) => transport.close()));
}

/** Feeds that can be read from a file as well as from a server, and what says that neither or both are named. */
export function sourceFaults(id: string, block: LoadedBlock | undefined): ConfigFault[] {
  if (!block || !['stix', 'csv'].includes(id) || (block.values.baseUrl === undefined) !== (block.values.path === undefined)) return [];
  return [{ key: `feeds.${id}`, place: 'configuration', message: 'needs exactly one of base_url and path' }];
}
