import { toEnrichmentJson, toExplainedJson } from '../../mapping/enrichment-json.ts';
import type { Enrichment } from '../../model/enrichment.ts';
import { openEngine } from '../compose/open-engine.ts';
import { askOptions, checkProviders } from './ask-options.ts';
import { type Command, ENGINE_HELP, ENGINE_OPTIONS, parseOptions, UsageError } from './command.ts';
import { exitCodeOf, type RunTally, tallyUp } from './outcome-code.ts';
import { explain, formatTable } from './table.ts';
import { readLines } from './text-input.ts';
import { warn } from './words.ts';
import { inertText } from '../../model/inert-text.ts';

/** `ismalicious check VALUE…` */
export const check: Command = {
  name: 'check',
  usage: 'check VALUE… [--json] [--explain] [--exit-code]',
  summary: 'Look up IP addresses, domains, URLs and hashes, as they stand in an alert.',
  help: `  VALUE               also defanged; - reads one a line from stdin
  --json              one JSON object a line
  --explain           what each provider contributed to the score; with --json as a member explain
  --exit-code         exit with 10 when one is malicious
${ENGINE_HELP}`,
  async run(args, io) {
    const { values, positionals } = parseOptions(args, {
      ...ENGINE_OPTIONS,
      json: { type: 'boolean' },
      explain: { type: 'boolean' },
      'exit-code': { type: 'boolean' },
    });
    const asked = askOptions(values);
    const wanted: string[] = [];
    for (const value of positionals) {
      if (value === '-') wanted.push(...(await readLines(io.stdin)));
      else wanted.push(value);
    }
    if (wanted.length === 0) throw new UsageError('check wants at least one value, or - for stdin');
    const { engine, config, warnings } = await openEngine({ env: io.env, configPath: values.config, profile: values.profile });
    warn(io, warnings);
    try {
      checkProviders(asked, config);
      const found = await engine.enrichMany(wanted, asked);
      const enrichments = wanted.flatMap((value) => found.get(value) ?? []);
      const tally: RunTally = { total: 0, failed: 0, malicious: 0 };
      for (const enrichment of enrichments) tallyUp(tally, enrichment);
      const reasonsOf = (enrichment: Enrichment) => (values.explain ? engine.explain(enrichment) : null);
      if (values.json) for (const enrichment of enrichments) io.stdout.write(`${toLine(enrichment, reasonsOf(enrichment))}\n`);
      else io.stdout.write(`${formatTable(enrichments, io.hasColor)}\n`);
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
