import cluster from 'node:cluster';
import { join } from 'node:path';
import { readSources } from '../../../compose/config-sources.ts';
import { type LoadedConfig, loadEngineConfig, type OpenOptions } from '../../../compose/engine-config.ts';
import { type OpenedEngine, openEngine } from '../../../compose/open-engine.ts';
import { createProfiledEnricher } from '../../../compose/profiled-enricher.ts';
import { loadBoth } from '../../../pipeline/load-together.ts';
import { loadPipelineConfig, type PipelineConfig } from '../../../pipeline/open-pipeline.ts';
import { faultsOf, renderHealth } from '../../sidecar/health-metrics.ts';
import { openPipelinePart, type PipelinePart } from '../../../pipeline/pipeline-part.ts';
import { heldOffProviders, renderEngineMetrics } from '../../sidecar/engine-metrics.ts';
import { GatewaySettings } from '../../../compose/gateway-settings.ts';
import { createSidecar, type Sidecar, SidecarConfigError, type SidecarOptions } from '../../sidecar/server.ts';
import { SidecarSettings } from '../../../compose/sidecar-settings.ts';
import { type Command, EXIT, type Io, parseCount, UsageError } from '../command.ts';
import { outliveThrows } from '../../sidecar/outlive-throws.ts';
import { parseOptions } from '../parse-options.ts';
import { runWorkers } from '../../sidecar/serve-workers.ts';
import { serveSynopsis } from '../synopses/run.ts';
import { VERSION } from '../version.ts';
import { warn } from '../messages.ts';
import { inertText } from '../../../model/formats/inert-text.ts';

/** `ismalicious serve` */
export const serve: Command = {
  synopsis: serveSynopsis,
  async run(args, io) {
    const { values } = parseOptions(args, serveSynopsis);
    const log = (line: string) => void io.stderr.write(`${new Date().toISOString()} ${inertText(line)}\n`);
    const options = {
      env: io.env,
      configPath: values.config,
      stays: true,
      onFault: log,
      blocks: { sidecar: SidecarSettings, gateway: GatewaySettings },
    };
    const pipelineConfig = await loadPipelineBeside(options);
    const opened = await openEngine(options);
    const { engine, config, feedback, warnings } = opened;
    // A profile that is wrong is told now, not to its first caller.
    for (const profile of config.profiles) await loadEngineConfig({ ...options, profile });
    // Without profiles nobody pays for the choice.
    const enricher = config.profiles.length === 0 ? engine : createProfiledEnricher(opened, options);
    const loaded = config.blocks.sidecar?.values as unknown as SidecarSettings;
    const settings: SidecarSettings = {
      ...loaded,
      ...(values.host === undefined ? {} : { host: values.host }),
      ...(values.port === undefined ? {} : { port: parseCount(values.port, '--port') }),
      ...(values.workers === undefined ? {} : { workers: parseCount(values.workers, '--workers', 1) }),
    };
    if (cluster.isPrimary) warn(io, warnings);
    if (cluster.isPrimary && settings.workers > 1) {
      await engine.close();
      return await runWorkers(settings.workers, { io, stopped: stopSignal });
    }
    const gateway = config.blocks.gateway?.values as unknown as GatewaySettings;
    const path = join(config.stateFolder, 'pipeline.sqlite');
    const pipeline = openPipelinePart(pipelineConfig, { path, use: settings.pipelineStore, fields: fieldsOf(settings, gateway), feedback });
    try {
      const sidecar = await createSidecar({
        enricher,
        profiles: config.profiles,
        feedback,
        settings,
        gateway,
        pipeline,
        version: VERSION,
        log,
        ...statusOf(opened, pipeline),
      });
      await runUntilStopped(sidecar, (listening) => {
        if (cluster.isPrimary) announce(listening, config, io);
      });
      return EXIT.ok;
    } catch (error) {
      throw asUsageError(error, settings.port);
    } finally {
      await pipeline.close();
      await enricher.close();
    }
  },
};

/** What `/readyz` and `/metrics` tell of the engine. */
function statusOf({ engine, health }: OpenedEngine, pipeline: PipelinePart): Pick<SidecarOptions, 'degraded' | 'heldOff' | 'extraMetrics'> {
  return {
    degraded: () => faultsOf(health(), pipeline),
    heldOff: () => heldOffProviders(engine.stats()),
    extraMetrics: () => renderEngineMetrics(engine.stats()) + renderHealth(health(), pipeline),
  };
}

async function runUntilStopped(sidecar: Sidecar, tell: (listening: { host: string; port: number }) => void): Promise<void> {
  tell(await sidecar.listen());
  const letThrowsEnd = outliveThrows((where, error) => sidecar.noteFault(where, error));
  await stopSignal();
  await sidecar.close();
  letThrowsEnd();
}

function announce({ host, port }: { host: string; port: number }, { wanted }: LoadedConfig, io: Io): void {
  const asked = wanted.map(({ provider }) => provider.id).join(', ') || 'own lists only';
  io.stdout.write(`listening ${port}\n`);
  io.stderr.write(`isMalicious sidecar on http://${host.includes(':') ? `[${host}]` : host}:${port} (asks: ${asked})\n`);
}

/** What the user can mend, in the user's words; anything else as it is. */
function asUsageError(error: unknown, port: number): unknown {
  if (error instanceof SidecarConfigError) return new UsageError(error.message);
  const isTaken = (error as NodeJS.ErrnoException).code === 'EADDRINUSE';
  return isTaken ? new UsageError(`port ${port} is taken: choose another with --port`) : error;
}

/** The pipeline's settings. Throws one `ConfigError` with its faults and those of everything else. */
async function loadPipelineBeside(options: OpenOptions): Promise<PipelineConfig> {
  const sources = await readSources(options);
  const [config] = await loadBoth(
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
