import { type Command, EXIT, type Io, parseCount, UsageError } from '../command.ts';
import { parseOptions } from '../parse-options.ts';
import { triageSynopsis } from '../synopses/run.ts';
import { linesOf, openInput } from '../text-input.ts';
import { openConfiguredPipeline } from '../../../compose/open-configured-pipeline.ts';
import { pipelineTransports } from '../../../compose/pipeline-transports.ts';
import { deliveredText, deliverWaiting } from '../../../pipeline/delivery/deliver-waiting.ts';
import type { OpenedPipeline } from '../../../pipeline/open-pipeline.ts';
import { triageAlertIndex } from '../../../pipeline/triage/elastic-alerts.ts';
import { triageAlerts, type Triage } from '../../../pipeline/triage/triage.ts';

const BATCH = 500;
const TIMEOUT_MS = 60_000;
/** Who triages waits this long for an output that is busy. */
const TELL_PATIENCE_MS = 5000;

/** `ismalicious triage [FILE|-] | --alerts` */
export const triageCommand: Command = {
  synopsis: triageSynopsis,
  async run(args, io) {
    const { values, words } = parseOptions(args, triageSynopsis);
    const limit = parseCount(values.limit ?? '1000', '--limit', 1);
    const opened = await openConfiguredPipeline({
      env: io.env,
      configPath: values.config,
      profile: values.profile,
      usesStore: true,
      keepsNothing: values.tell !== true,
    });
    const { pipeline } = opened;
    const rules = pipeline.config.triage;
    const triage: Triage = {
      enricher: pipeline.enricher,
      rules,
      clock: pipeline.clock,
      store: values.tell ? pipeline.store : null,
      outputs: pipeline.outputs,
      recordsSightings: pipeline.config.watchlist.recordSightings,
      maxPending: pipeline.limits.maxPending,
    };
    try {
      if (!values.alerts) return await triageLines(words[0] ?? '-', triage, { io, tellNow: () => tellNow(pipeline, triage, io) });
      if (rules.alertsUrl === undefined) throw new UsageError('--alerts needs the setting triage.alerts_url.');
      const headers: Record<string, string> = rules.alertsApiKey === '' ? {} : { authorization: `ApiKey ${rules.alertsApiKey}` };
      const transport = pipelineTransports(io.env)({ id: 'triage', baseUrl: rules.alertsUrl, proxy: null, ca: null });
      try {
        const counts = await triageAlertIndex(
          { baseUrl: rules.alertsUrl, index: rules.alertsIndex, headers, transport, timeoutMs: TIMEOUT_MS, kibanaUrl: rules.kibanaUrl },
          triage,
          { limit, signal: new AbortController().signal },
        );
        io.stdout.write(`${JSON.stringify(counts)}\n`);
        const isTold = await tellNow(pipeline, triage, io);
        return counts.failed > 0 || !isTold ? EXIT.partial : EXIT.ok;
      } finally {
        await transport.close();
      }
    } finally {
      await opened.close();
    }
  },
};

/** What was journalled goes out at once; false: some of it waits, and stderr says why. Who asks for patience is left to the next delivery. */
async function tellNow({ outputs, limits, random }: OpenedPipeline, { store, clock }: Triage, io: Io): Promise<boolean> {
  if (store === null) return true;
  const live = outputs.filter(({ isDry }) => !isDry);
  const delivering = { store, clock, random, signal: new AbortController().signal };
  const done = await deliverWaiting(live, { ...delivering, limits: { ...limits, patienceMs: TELL_PATIENCE_MS } });
  const left = done.filter(({ halt, givenUp }) => halt !== null || givenUp > 0);
  for (const one of left) io.stderr.write(`ismalicious: ${deliveredText(one)}\n`);
  return left.length === 0;
}

async function triageLines(
  path: string,
  triage: Triage,
  { io, tellNow: tell }: { io: Io; tellNow: () => Promise<boolean> },
): Promise<number> {
  const input = await openInput(path, io.stdin);
  let batch: Record<string, unknown>[] = [];
  let isWhole = true;
  let number = 0;
  let isTold = true;
  const flush = async () => {
    for (const decision of await triageAlerts(batch, triage)) io.stdout.write(`${JSON.stringify(decision)}\n`);
    isTold = await tell();
    batch = [];
  };
  for await (const line of linesOf(input, path)) {
    number += 1;
    if (line.trim() === '') continue;
    const alert = parseAlert(line);
    if (alert) batch.push(alert);
    else {
      isWhole = false;
      io.stderr.write(`ismalicious: line ${number} is not a JSON object; it is left out\n`);
    }
    if (batch.length >= BATCH) await flush();
  }
  await flush();
  return isWhole && isTold ? EXIT.ok : EXIT.partial;
}

function parseAlert(line: string): Record<string, unknown> | null {
  try {
    const parsed: unknown = JSON.parse(line);
    return typeof parsed === 'object' && parsed !== null && !Array.isArray(parsed) ? (parsed as Record<string, unknown>) : null;
  } catch {
    return null;
  }
}
