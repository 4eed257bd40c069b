// src/hosts/cli/commands/: one file a command.
import { toEnrichmentJson, toExplainedJson } from '../../../mapping/enrichment-json.ts';
import type { Enrichment } from '../../../model/enrichment.ts';
import { openEngine } from '../../../compose/open-engine.ts';
import { askOptions, checkProviders } from '../ask-options.ts';
import { type Command, UsageError } from '../command.ts';
import { countOutcome, type RunCounts } from '../../../batch/run-counts.ts';
import { exitCodeOf } from '../exit-code.ts';
import { parseOptions } from '../parse-options.ts';
import { checkSynopsis } from '../synopses/look-up.ts';
import { explain } from '../table-words.ts';
import { readLines } from '../text-input.ts';
import { warn } from '../messages.ts';
import { inertText } from '../../../model/formats/inert-text.ts';

/** `ismalicious check VALUE…` */
export const check: Command = {
  synopsis: checkSynopsis,
  async run(args, io) {
    const { values, words } = parseOptions(args, checkSynopsis);
    const asked = askOptions(values);
    const wanted: string[] = [];
    for (const value of words) {
      if (value === '-') for (const line of await readLines(io.stdin, 'standard input')) wanted.push(line);
      else wanted.push(value);
    }
    if (wanted.length === 0) throw new UsageError('check needs at least one value, or - for stdin.');
    const { engine, config, warnings } = await openEngine({ env: io.env, configPath: values.config, profile: values.profile });
    warn(io, warnings);
    try {
      checkProviders(asked, config);
      const found = await engine.enrichMany(wanted, asked);
      const enrichments = wanted.flatMap((value) => found.get(value) ?? []);
      const tally: RunCounts = { total: 0, failed: 0, malicious: 0 };
      for (const enrichment of enrichments) countOutcome(tally, enrichment);
      const reasonsOf = (enrichment: Enrichment) => (values.explain ? engine.explain(enrichment) : null);
      if (values.json) for (const enrichment of enrichments) io.stdout.write(`${toLine(enrichment, reasonsOf(enrichment))}\n`);
      else io.stdout.write(`${await (await import('../table.ts')).formatTable(enrichments, io)}\n`);
      if (values.explain && !values.json)
        for (const enrichment of enrichments)
          io.stdout.write(`\n${inertText(enrichment.input)}\n${explain(enrichment, reasonsOf(enrichment) ?? [])}\n`);
      return exitCodeOf(tally, values['exit-code'] === true);
    } finally {
      await engine.close();
    }
  },
};

function toLine(enrichment: Enrichment, reasons: readonly string[] | null): string {
  return JSON.stringify(reasons === null ? toEnrichmentJson(enrichment) : toExplainedJson(enrichment, reasons));
}
