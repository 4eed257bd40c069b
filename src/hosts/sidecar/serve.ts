import cluster from 'node:cluster';
import { join } from 'node:path';
import { createAskable } from '../../compose/askable.ts';
import { readSources } from '../../compose/config-sources.ts';
import { type LoadedConfig, loadEngineConfig, type OpenOptions } from '../../compose/engine-config.ts';
import { type OpenedEngine, openEngine } from '../../compose/open-engine.ts';
import { createProfiledEnricher } from '../../compose/profiled-enricher.ts';
import { pipelineTransports } from '../../compose/pipeline-transports.ts';
import { loadTogether } from '../../pipeline/load-together.ts';
import { loadPipelineConfig, openOutputs, type PipelineConfig } from '../../pipeline/open-pipeline.ts';
import { faultsOf, renderHealth } from '../../compose/figures/health-metrics.ts';
import { openPipelinePart, type PipelinePart } from '../../pipeline/pipeline-part.ts';
import { heldOffProviders, renderEngineMetrics } from '../../compose/figures/engine-metrics.ts';
import { createWeekMetrics } from '../../compose/figures/week-metrics.ts';
import { openInsight } from '../../compose/figures/insight.ts';
import type { GatewaySettings } from '../../compose/gateway-settings.ts';
import { HOST_SETTINGS } from '../../compose/host-settings.ts';
import { ecsDetailOf } from '../../config/ecs-settings.ts';
import { createSidecar, type Sidecar, type SidecarOptions } from './server.ts';
import { type Listening, SidecarConfigError } from './way-in.ts';
import type { SidecarEnd, SidecarSettings, SidecarStart } from '../../compose/sidecar-settings.ts';
import { surviveExceptions } from '../../compose/process/survive-exceptions.ts';
import { listenFault } from './listen-fault.ts';
import { runWorkers, tellPrimary } from './serve-workers.ts';
import { joinFigures } from './workers/figures-exchange.ts';
import { inertText } from '../../model/formats/inert-text.ts';

/** The audit log names the sidecar alone: it does not know the users behind its token. */
const STAYING = { stays: true, origin: { program: 'sidecar' } } as const;

/** Runs the sidecar until it is told to stop. */
export async function serveSidecar(start: SidecarStart): Promise<SidecarEnd> {
  const log = (line: string) => void start.stderr.write(`${new Date().toISOString()} ${inertText(line)}\n`);
  const options = {
    env: start.env,
    configPath: start.configPath,
    profile: start.profile,
    ...STAYING,
    onFault: log,
    blocks: HOST_SETTINGS,
  };
  const pipelineConfig = await loadPipelineBeside(options);
  const opened = await openEngine(options);
  const { engine, config, feedback, warnings } = opened;
  // A profile that is wrong is told now, not to its first caller.
  for (const profile of config.profiles) await loadEngineConfig({ ...options, profile });
  // Without profiles nobody pays for the choice.
  const enricher = config.profiles.length === 0 ? engine : createProfiledEnricher(opened, options);
  const settings: SidecarSettings = { ...(config.blocks.sidecar?.values as unknown as SidecarSettings), ...start.set };
  if (cluster.isPrimary) for (const warning of warnings) start.stderr.write(`warning: ${warning}\n`);
  if (cluster.isPrimary && settings.workers > 1) {
    await engine.close();
    return await runWorkers(settings.workers, { stdout: start.stdout, stderr: start.stderr, stopped: stopSignal });
  }
  const gateway = config.blocks.gateway?.values as unknown as GatewaySettings;
  const pipeline = await openPipeline(pipelineConfig, opened, { settings, gateway, env: start.env });
  try {
    const sidecar = await createSidecar({
      enricher,
      profiles: config.profiles,
      askable: createAskable(config, options),
      feedback,
      settings,
      gateway,
      detail: ecsDetailOf(config.blocks),
      pipeline,
      version: start.version,
      log,
      ...statusOf(opened, pipeline),
      insight: await openInsight(opened, options, { set: setOf(start) }),
    });
    await runUntilStopped(sidecar, (listening) => {
      if (cluster.isPrimary) announce(listening, config, start);
    });
    return { hasFailed: false, fault: null, isMisused: false };
  } catch (error) {
    const isMisused = error instanceof SidecarConfigError;
    const fault = isMisused ? error.message : listenFault(error, settings);
    if (fault === null) throw error;
    const end = { hasFailed: true, fault, isMisused };
    return cluster.isWorker ? tellPrimary(end) : end;
  } finally {
    await pipeline.close();
    await enricher.close();
  }
}

interface PipelineFor {
  readonly settings: SidecarSettings;
  readonly gateway: GatewaySettings;
  readonly env: SidecarStart['env'];
}

async function openPipeline(config: PipelineConfig, opened: OpenedEngine, { settings, gateway, env }: PipelineFor): Promise<PipelinePart> {
  const delivers = settings.deliver ? await openOutputs(config, { transportTo: pipelineTransports(env) }) : undefined;
  return openPipelinePart(config, {
    path: join(opened.config.stateFolder, 'pipeline.sqlite'),
    use: settings.pipelineStore,
    fields: fieldsOf(settings, gateway),
    feedback: opened.feedback,
    share: opened.share,
    ...(delivers ? { delivers } : {}),
  });
}

/** What `/readyz` and `/metrics` tell of the engine. */
function statusOf(
  opened: OpenedEngine,
  pipeline: PipelinePart,
): Pick<SidecarOptions, 'degraded' | 'heldOff' | 'extraMetrics' | 'joinFigures'> {
  const { engine, health } = opened;
  const weeks = createWeekMetrics(opened);
  return {
    degraded: () => faultsOf(health(), pipeline),
    heldOff: () => heldOffProviders(engine.stats()),
    ...(cluster.isWorker ? { joinFigures } : {}),
    extraMetrics: () => renderEngineMetrics(engine.stats()) + renderHealth(health(), pipeline) + weeks(),
  };
}

/** What the command line set, by dotted key. */
function setOf({ set }: SidecarStart): ReadonlyMap<string, unknown> {
  return new Map(Object.entries(set).map(([key, value]) => [`sidecar.${key}`, value]));
}

async function runUntilStopped(sidecar: Sidecar, tell: (listening: Listening) => void): Promise<void> {
  tell(await sidecar.listen());
  const letThrowsEnd = surviveExceptions((where, error) => sidecar.noteFault(where, error));
  await stopSignal();
  await sidecar.close();
  letThrowsEnd();
  // The channel to the primary would keep a worker alive that has nothing left to do.
  if (cluster.isWorker && process.connected) process.disconnect();
}

function announce({ scheme, host, port }: Listening, { wanted }: LoadedConfig, start: SidecarStart): void {
  const asked = wanted.map(({ provider }) => provider.id).join(', ') || 'own lists only';
  // Port 0 is none: a socket, by its path.
  start.stdout.write(`listening ${port === 0 ? host : port}\n`);
  if (port === 0) return void start.stderr.write(`isMalicious sidecar on ${host} (asks: ${asked})\n`);
  start.stderr.write(`isMalicious sidecar on ${scheme}://${host.includes(':') ? `[${host}]` : host}:${port} (asks: ${asked})\n`);
}

/** The pipeline's settings. Throws one `ConfigError` with its faults and those of everything else. */
async function loadPipelineBeside(options: OpenOptions): Promise<PipelineConfig> {
  const sources = await readSources(options);
  const [config] = await loadTogether(
    () => loadPipelineConfig(sources),
    () => loadEngineConfig(options),
  );
  return config;
}

/** Every field whose values are looked up, here or in the gateway. */
function fieldsOf({ fields }: SidecarSettings, gateway: GatewaySettings): string[] {
  return [...new Set([...fields, ...(gateway.fields ?? []), ...Object.values(gateway.fieldsByIndex).flat()])];
}

/** Resolves at SIGTERM or SIGINT; in a worker also when the primary says so. */
function stopSignal(): Promise<void> {
  return new Promise((resolve) => {
    for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, () => resolve());
    if (cluster.isWorker) process.once('disconnect', () => resolve());
  });
}
