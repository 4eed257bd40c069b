// src/hosts/cli/commands/: one file a command.
import { existsSync } from 'node:fs';
import { toEnrichmentJson, toExplainedJson } from '../../../mapping/enrichment-json.ts';
import { toTrace } from '../../../mapping/trace.ts';
import type { Enrichment } from '../../../model/enrichment.ts';
import { parseIndicator } from '../../../model/parse-indicator.ts';
import type { Engine } from '../../../engine/engine.ts';
import type { EnrichOptions } from '../../../engine/enricher.ts';
import type { LoadedConfig } from '../../../compose/engine-config.ts';
import { openEngine } from '../../../compose/open-engine.ts';
import { askOptions, checkProviders, noteOnlyLocal, paidIds } from '../ask-options.ts';
import { type Command, type Io, UsageError } from '../command.ts';
import { countOutcome, newRunCounts, type RunCounts, summaryOf } from '../../../batch/run-counts.ts';
import { exitCodeOf } from '../exit-code.ts';
import { finishCalls } from '../waiting/finish-calls.ts';
import { watchLookUps } from '../waiting/look-up-watch.ts';
import { parseOptions } from '../parse-options.ts';
import { checkSynopsis } from '../synopses/look-up.ts';
import { explain } from '../table-words.ts';
import { openInput, readLines, valueOfLine } from '../text-input.ts';
import { warn } from '../messages.ts';
import { inertText } from '../../../model/formats/inert-text.ts';

/** Somebody sits before the terminal: what takes longer is answered with what is there. */
const DEADLINE_MS = 30_000;

/** `ismalicious check VALUE…` */
export const check: Command = {
  synopsis: checkSynopsis,
  async run(args, io) {
    const { values, words } = parseOptions(args, checkSynopsis);
    const asked = askOptions(values, DEADLINE_MS);
    const wanted = await readWanted(words, io);
    if (wanted.length === 0) throw new UsageError('check needs at least one value, or - for stdin.');
    const { engine, config, warnings } = await openEngine({
      env: io.env,
      configPath: values.config,
      profile: values.profile,
      ...(values.trace && { traces: true }),
    });
    warn(io, warnings);
    try {
      checkProviders(asked, config);
      noteOnlyLocal(io, config);
      const { enrichments, wasStopped } = await lookUp({ wanted, asked, engine, config }, io);
      const tally = newRunCounts();
      for (const enrichment of enrichments) countOutcome(tally, enrichment);
      const reasonsOf = (enrichment: Enrichment) => (values.explain ? engine.explain(enrichment) : null);
      if (values.json) for (const enrichment of enrichments) io.stdout.write(`${toLine(enrichment, reasonsOf(enrichment))}\n`);
      else await print(enrichments, values.explain === true, io);
      if (values.explain && !values.json)
        for (const enrichment of enrichments)
          io.stdout.write(`\n${inertText(enrichment.input)}\n${explain(enrichment, reasonsOf(enrichment) ?? [])}\n`);
      if (values.trace && !values.json)
        for (const enrichment of enrichments) io.stdout.write(`\n${inertText(enrichment.input)}\n  ${toTrace(enrichment).join('\n  ')}\n`);
      sumUp(tally, { timeoutMs: asked.timeoutMs ?? 0, wasStopped, isLate: enrichments.some(isLate) }, io);
      await finishCalls(engine, io);
      return exitCodeOf(tally, values['exit-code'] === true);
    } finally {
      await engine.close();
    }
  },
};

/** What was typed; `-` is stdin, and the name of a file that is no indicator is that file, a value a line. */
async function readWanted(words: readonly string[], io: Io): Promise<string[]> {
  const wanted: string[] = [];
  for (const word of words) {
    const isFile = word === '-' || (parseIndicator(word).kind === 'invalid' && existsSync(word));
    if (isFile)
      for (const line of await readLines(await openInput(word, io.stdin), word === '-' ? 'standard input' : word))
        wanted.push(valueOfLine(line));
    else wanted.push(word);
  }
  return wanted;
}

interface Question {
  readonly wanted: readonly string[];
  readonly asked: EnrichOptions;
  readonly engine: Engine;
  readonly config: LoadedConfig;
}

/** Looks up with a line on how far it is; Ctrl-C ends the wait with what is there. */
async function lookUp({ wanted, asked, engine, config }: Question, io: Io) {
  const stop = new AbortController();
  const forget = io.onInterrupt?.(() => stop.abort());
  const watch = await watchLookUps(io, engine, { paid: paidIds(config), values: new Set(wanted).size });
  try {
    const found = await engine.enrichMany(wanted, { ...asked, stop: stop.signal });
    return { enrichments: wanted.flatMap((value) => found.get(value) ?? []), wasStopped: stop.signal.aborted };
  } finally {
    watch.end();
    forget?.();
  }
}

function isLate({ answer }: Enrichment): boolean {
  return answer.providers.some(({ status }) => status === 'timeout' || status === 'rate_limited');
}

/** How the run ended, where that is more than what the rows say. */
function sumUp(
  tally: RunCounts,
  { timeoutMs, wasStopped, isLate: hasLate }: { readonly timeoutMs: number; readonly wasStopped: boolean; readonly isLate: boolean },
  io: Io,
): void {
  if (tally.total > 1) io.stderr.write(`${summaryOf(tally)}\n`);
  if (wasStopped) io.stderr.write('Stopped. Run the same command again to go on: what was answered is in the cache and costs nothing.\n');
  else if (hasLate && timeoutMs > 0)
    io.stderr.write(
      `Some answers take longer than ${timeoutMs / 1000} s. --timeout none waits for them; what was answered is in the cache and costs nothing.\n`,
    );
}

async function print(enrichments: readonly Enrichment[], isExplained: boolean, io: Io): Promise<void> {
  const [only] = enrichments;
  if (only !== undefined && enrichments.length === 1 && !isExplained)
    io.stdout.write(`${await (await import('../card.ts')).formatCard(only, io)}\n`);
  else io.stdout.write(`${await (await import('../table.ts')).formatTable(enrichments, io)}\n`);
}

function toLine(enrichment: Enrichment, reasons: readonly string[] | null): string {
  return JSON.stringify(reasons === null ? toEnrichmentJson(enrichment) : toExplainedJson(enrichment, reasons));
}
