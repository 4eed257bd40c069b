// src/hosts/cli/commands/journal/: commands on what is kept in files: the journal of messages, the audit log of calls, fetched lists.
import { type ConfiguredDelivery, openConfiguredDelivery } from '../../../../compose/open-configured-pipeline.ts';
import { deliveredText, deliverWaiting } from '../../../../pipeline/delivery/deliver-waiting.ts';
import { startDeliveryWorker } from '../../../../pipeline/delivery/delivery-worker.ts';
import { systemPipelineClock as clock } from '../../../../pipeline/pipeline-clock.ts';
import { type Command, EXIT, type Io, UsageError } from '../../command.ts';
import { parseOptions } from '../../parse-options.ts';
import { deliverSynopsis } from '../../synopses/run.ts';

/** `ismalicious deliver` */
export const deliverCommand: Command = {
  synopsis: deliverSynopsis,
  async run(args, io) {
    const { values } = parseOptions(args, deliverSynopsis);
    if (values.follow && values.json) throw new UsageError('--json goes without --follow');
    const opened = await openConfiguredDelivery({ env: io.env, configPath: values.config, profile: values.profile });
    const stop = new AbortController();
    const onSignal = () => stop.abort();
    process.once('SIGINT', onSignal).once('SIGTERM', onSignal);
    try {
      if (opened.outputs.length === 0) throw new UsageError('no output is switched on: set outputs.<id>.enabled, see docs/outputs.md');
      return values.follow
        ? await follow(opened, stop.signal)
        : await once(opened, { io, isJson: values.json === true, stop: stop.signal });
    } finally {
      process.off('SIGINT', onSignal).off('SIGTERM', onSignal);
      await opened.close();
    }
  },
};

async function once(
  { outputs, store, maxTries, patienceMs }: ConfiguredDelivery,
  { io, isJson, stop }: { io: Io; isJson: boolean; stop: AbortSignal },
): Promise<number> {
  const limits = { maxTries, patienceMs };
  const done = await deliverWaiting(outputs, { store, clock, limits, random: Math.random, signal: stop, stop });
  for (const one of done) io.stderr.write(`${deliveredText(one)}\n`);
  if (isJson) io.stdout.write(`${JSON.stringify({ outputs: Object.fromEntries(done.map(({ output, ...rest }) => [output, rest])) })}\n`);
  return done.every(({ halt, givenUp }) => halt === null && givenUp === 0) ? EXIT.ok : EXIT.partial;
}

async function follow({ outputs, store, maxTries }: ConfiguredDelivery, stop: AbortSignal): Promise<number> {
  const openStore = () => Promise.resolve(store);
  const worker = startDeliveryWorker({ openStore, outputs, limits: { maxTries }, clock, random: Math.random });
  await new Promise<void>((resolve) => {
    if (stop.aborted) resolve();
    stop.addEventListener('abort', () => resolve(), { once: true });
  });
  await worker.close();
  return EXIT.ok;
}
