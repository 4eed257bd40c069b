import cluster from 'node:cluster';
import { openEngine } from '../compose/open-engine.ts';
import { renderEngineMetrics } from '../sidecar/engine-metrics.ts';
import { GatewaySettings } from '../sidecar/gateway/settings.ts';
import { createSidecar, SidecarConfigError } from '../sidecar/server.ts';
import { SidecarSettings } from '../sidecar/settings.ts';
import { type Command, EXIT, type Io, parseCount, parseOptions, UsageError } from './command.ts';
import { VERSION } from './version.ts';
import { warn } from './words.ts';

/** `ismalicious serve` */
export const serve: Command = {
  name: 'serve',
  usage: 'serve [--host H] [--port P] [--workers N]',
  summary: 'Run the sidecar: HTTP API, Logstash endpoint, metrics, console page.',
  help: `  --host H            address to listen on (default 127.0.0.1; another one demands sidecar.token)
  --port P            port (default 8787; 0: any free one, told on stdout as "listening PORT")
  --workers N         processes that share the port (default 1)
  --config FILE       settings (default: ISMALICIOUS_CONFIG)`,
  async run(args, io) {
    const { values } = parseOptions(args, {
      config: { type: 'string' },
      host: { type: 'string' },
      port: { type: 'string' },
      workers: { type: 'string' },
    });
    const { engine, config, feedback, warnings } = await openEngine({
      env: io.env,
      configPath: values.config,
      stays: true,
      blocks: { sidecar: SidecarSettings, gateway: GatewaySettings },
    });
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
      return await runWorkers(settings.workers, io);
    }
    const notReady = () => Promise.resolve(engine.store.stats().fault);
    const log = (line: string) => void io.stderr.write(`${new Date().toISOString()} ${line}\n`);
    try {
      const sidecar = await createSidecar({
        enricher: engine,
        feedback,
        settings,
        gateway: config.blocks.gateway?.values as unknown as GatewaySettings,
        version: VERSION,
        log,
        notReady,
        extraMetrics: () => renderEngineMetrics(engine.stats()),
      });
      const { host, port } = await sidecar.listen();
      if (cluster.isPrimary) {
        const asked = config.wanted.map(({ provider }) => provider.id).join(', ') || 'own lists only';
        io.stdout.write(`listening ${port}\n`);
        io.stderr.write(`isMalicious sidecar on http://${host.includes(':') ? `[${host}]` : host}:${port} (asks: ${asked})\n`);
      }
      await stopSignal();
      await sidecar.close();
      return EXIT.ok;
    } catch (error) {
      if (error instanceof SidecarConfigError) throw new UsageError(error.message);
      if ((error as NodeJS.ErrnoException).code === 'EADDRINUSE')
        throw new UsageError(`port ${settings.port} is taken: choose another with --port`);
      throw error;
    } finally {
      await engine.close();
    }
  },
};

/** Resolves at SIGTERM or SIGINT; in a worker also when the primary says so. */
function stopSignal(): Promise<void> {
  return new Promise((resolve) => {
    for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, () => resolve());
    if (cluster.isWorker) process.once('disconnect', () => resolve());
  });
}

/** Shares the port between processes; one that dies is started again, as long as it lived a while. */
async function runWorkers(count: number, io: Io): Promise<number> {
  let isStopping = false;
  let failures = 0;
  const ended = new Promise<number>((resolve) => {
    cluster.on('exit', (_worker, code) => {
      if (!isStopping && code !== 0 && ++failures <= count * 3) cluster.fork();
      else if (Object.keys(cluster.workers ?? {}).length === 0) resolve(isStopping ? EXIT.ok : EXIT.failed);
    });
  });
  cluster.on('listening', (_worker, { port }) => {
    if (failures === 0) io.stderr.write(`worker listening on port ${port}\n`);
  });
  for (let n = 0; n < count; n++) cluster.fork();
  const stopped = async () => {
    await stopSignal();
    isStopping = true;
    for (const each of Object.values(cluster.workers ?? {})) each?.kill('SIGTERM');
  };
  const [code] = await Promise.all([ended, Promise.race([stopped(), ended])]);
  return code;
}
