// src/hosts/cli/commands/kafka/: what reads and writes topics of Kafka.
import type { LoadedConfig } from '../../../../compose/engine-config.ts';
import { openEngine } from '../../../../compose/open-engine.ts';
import type { Engine } from '../../../../engine/engine.ts';
import { DEFAULT_FIELDS } from '../../../../events/wanted-fields.ts';
import { inertText } from '../../../../model/formats/inert-text.ts';
import { COMPRESSIONS } from '../../../../stream/compressions.ts';
import { connectionOf } from '../../../../stream/connection.ts';
import { EcsSettings, ecsDetailOf } from '../../../../config/ecs-settings.ts';
import { createRecordEnricher } from '../../../../stream/enrich-records.ts';
import { faultWords } from '../../../../stream/fault-words.ts';
import { KafkaSettings } from '../../../../stream/kafka-settings.ts';
import { openMetricsPort } from '../../../../stream/metrics-port.ts';
import type { Routes } from '../../../../stream/records.ts';
import { runStream } from '../../../../stream/run-stream.ts';
import { createStreamMetrics, type StreamMetrics } from '../../../../stream/stream-metrics.ts';
import { askOptions, checkProviders, noteOnlyLocal } from '../../ask-options.ts';
import { type Command, EXIT, type Io, parseCount, parseSeconds, UsageError } from '../../command.ts';
import { warn } from '../../messages.ts';
import { parseOptions } from '../../parse-options.ts';
import { streamSynopsis } from '../../synopses/stream.ts';
import type { ValuesOf } from '../../synopsis.ts';
import { finishCalls } from '../../waiting/finish-calls.ts';

type Values = ValuesOf<typeof streamSynopsis.options>;

const DEFAULT_WAIT_MS = 30_000;
const BATCH_RECORDS = 2000;
const BATCH_BYTES = 8 * 1024 * 1024;
/** Milliseconds that the batch in flight has to be done when the run is to stop. */
const DRAIN_MS = 10_000;
const SESSION_MS = 30_000;
const HIGHEST_PORT = 65_535;

/** `ismalicious stream` */
export const streamCommand: Command = {
  synopsis: streamSynopsis,
  async run(args, io) {
    const { values } = parseOptions(args, streamSynopsis);
    const topics = topicsOf(values);
    const routes = routesOf(values, topics);
    const records = values.batch === undefined ? BATCH_RECORDS : parseCount(values.batch, '--batch', 1);
    const { engine, config, warnings } = await openEngine({
      env: io.env,
      configPath: values.config,
      profile: values.profile,
      stays: true,
      blocks: { kafka: KafkaSettings, ecs: EcsSettings },
    });
    warn(io, warnings);
    const stop = createStop();
    try {
      const asked = askOptions(values, DEFAULT_WAIT_MS);
      checkProviders(asked, config);
      const connection = connectionOf(...kafkaOf(config, values));
      noteOnlyLocal(io, config);
      const metrics = createStreamMetrics(
        () => performance.now(),
        () => engine.stats().providers,
      );
      const told = await openTold(values, metrics, io);
      const enrich = createRecordEnricher({
        enricher: engine,
        fields: fieldsOf(values),
        ...asked,
        timeoutMs: asked.timeoutMs ?? DEFAULT_WAIT_MS,
        detail: ecsDetailOf(config.blocks),
      });
      try {
        await runStream({
          topics,
          routes,
          connection,
          enrich,
          metrics,
          group: values.group ?? 'ismalicious',
          from: values.from === 'latest' ? 'latest' : 'earliest',
          sessionMs: values.session === undefined ? SESSION_MS : parseSeconds(values.session, '--session'),
          compression: COMPRESSIONS.find((name) => name === values.compression) ?? 'none',
          bounds: { records, bytes: BATCH_BYTES },
          log: (line) => void io.stderr.write(`${new Date().toISOString()} ${inertText(line)}\n`),
          ready: told.ready,
          ...stop,
        });
      } catch (error) {
        throw new Error(faultWords(error), { cause: error });
      } finally {
        await told.close();
      }
      return await sumUp(engine, metrics, io);
    } finally {
      stop.release();
      await engine.close();
    }
  },
};

async function sumUp(engine: Engine, metrics: StreamMetrics, io: Io): Promise<number> {
  io.stderr.write(`${metrics.total()} records written\n`);
  await finishCalls(engine, io);
  return EXIT.ok;
}

function kafkaOf({ blocks }: LoadedConfig, values: Values): [KafkaSettings, readonly string[]] {
  const settings = blocks['kafka']?.values as unknown as KafkaSettings;
  return [settings, values.brokers === undefined ? settings.brokers : listOf(values.brokers)];
}

function topicsOf(values: Values): string[] {
  const topics = [...new Set(listOf(values.in ?? ''))];
  if (topics.length === 0) throw new UsageError('which topics? --in TOPIC[,TOPIC]');
  return topics;
}

function routesOf({ out, 'out-suffix': suffix, dlq }: Values, topics: readonly string[]): Routes {
  if ((out === undefined) === (suffix === undefined) || out === '' || suffix === '')
    throw new UsageError('where to? one of --out TOPIC and --out-suffix TEXT');
  const outTopicOf = (topic: string) => out ?? `${topic}${suffix}`;
  for (const written of [...topics.map(outTopicOf), ...(dlq === undefined ? [] : [dlq])])
    if (topics.includes(written)) throw new UsageError(`${written} is read and written: its records would go round and round`);
  return { outTopicOf, deadLetters: dlq ?? null };
}

function fieldsOf({ field }: Values): readonly string[] {
  const fields = (field ?? []).flatMap(listOf);
  return fields.length > 0 ? fields : DEFAULT_FIELDS;
}

function listOf(text: string): string[] {
  return text
    .split(',')
    .map((part) => part.trim())
    .filter((part) => part !== '');
}

/** Where the run is told about, if that is asked for. */
async function openTold(values: Values, metrics: StreamMetrics, io: Io) {
  let fault: string | null = 'starting';
  const ready = (words: string | null) => void (fault = words);
  if (values['metrics-port'] === undefined) {
    if (values['metrics-host'] !== undefined) throw new UsageError('--metrics-host goes with --metrics-port');
    return { ready, close: () => Promise.resolve() };
  }
  const port = parseCount(values['metrics-port'], '--metrics-port');
  if (port > HIGHEST_PORT) throw new UsageError(`--metrics-port has to be a whole number from 0 to ${HIGHEST_PORT}.`);
  const host = values['metrics-host'] ?? '127.0.0.1';
  const opened = await openMetricsPort(host, port, { metrics: metrics.render, notReady: () => fault }).catch(
    (error: NodeJS.ErrnoException) => {
      throw new Error(`the metrics port ${host}:${port} cannot be opened (${error.code ?? 'unknown'}): choose another --metrics-port`, {
        cause: error,
      });
    },
  );
  io.stdout.write(`metrics ${opened.port}\n`);
  return { ready, close: opened.close };
}

/** SIGTERM and Ctrl-C end the run after the batch in flight; when that takes long, or they come again, at once. */
function createStop() {
  const stop = new AbortController();
  const abandon = new AbortController();
  const onSignal = () => {
    if (stop.signal.aborted) return abandon.abort();
    stop.abort();
    setTimeout(() => abandon.abort(), DRAIN_MS).unref();
  };
  for (const name of ['SIGINT', 'SIGTERM'] as const) process.on(name, onSignal);
  return {
    stop: stop.signal,
    abandon: abandon.signal,
    release() {
      for (const name of ['SIGINT', 'SIGTERM'] as const) process.off(name, onSignal);
    },
  };
}
