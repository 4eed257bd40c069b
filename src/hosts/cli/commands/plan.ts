import { openEngine } from '../../../compose/open-engine.ts';
import { readCsvRows } from '../../../model/formats/csv-rows.ts';
import { utf8Parts } from '../../../model/formats/text-encoding.ts';
import { askOptions, checkProviders, noteOnlyLocal } from '../ask-options.ts';
import { type Command, EXIT, type Io, UsageError } from '../command.ts';
import { parseOptions } from '../parse-options.ts';
import { planSynopsis } from '../synopses/look-up.ts';
import { openInput, readLines, valueOfLine } from '../text-input.ts';
import { warn } from '../messages.ts';

/** `ismalicious plan [FILE|-]` */
export const plan: Command = {
  synopsis: planSynopsis,
  async run(args, io) {
    const { values, words } = parseOptions(args, planSynopsis);
    const asked = askOptions(values);
    const lines = await readValues(words[0], values.field, io);
    const { engine, config, warnings } = await openEngine({ env: io.env, configPath: values.config, profile: values.profile });
    warn(io, warnings);
    try {
      checkProviders(asked, config);
      const cost = await engine.plan(lines, asked);
      if (values.json) {
        io.stdout.write(`${JSON.stringify(cost)}\n`);
        return EXIT.ok;
      }
      noteOnlyLocal(io, config);
      const short = Object.entries(cost.overBudget ?? {}).map(
        ([id, lookups]) => `  ${id.padEnd(18)}${lookups} look-ups beyond what is left: over_budget`,
      );
      const providers = Object.entries(cost.byProvider).map(
        ([id, lookups]) => `  ${id.padEnd(18)}${lookups} look-ups, credits left: ${cost.creditsLeft[id] ?? 'not reported'}`,
      );
      const facts = [
        `values              ${cost.values}`,
        `unique              ${cost.unique}`,
        `invalid             ${cost.invalid}`,
        `never sent out      ${cost.refused}`,
        `local lists alone   ${cost.local}`,
        `in the cache        ${cost.cached}`,
        `credits to pay      ${cost.toPay}`,
        `time at the limits  ${cost.estimatedS === null ? 'no limit known' : `about ${cost.estimatedS} s`}`,
      ];
      io.stdout.write(`${[...facts, ...providers, ...short].join('\n')}\n`);
      return EXIT.ok;
    } finally {
      await engine.close();
    }
  },
};

/** The values of a list, one a line; of a CSV file the column `--field` names. What is not a list is not planned as one. */
async function readValues(path: string | undefined, field: string | undefined, io: Io): Promise<string[]> {
  const input = await openInput(path, io.stdin);
  const isCsv = path !== undefined && /\.csv$/i.test(path);
  if (isCsv || field !== undefined) return await readColumns(input, field);
  const lines = (await readLines(input, path ?? 'standard input')).map(valueOfLine);
  if (path !== undefined && /\.(json|ndjson|jsonl)$/i.test(path))
    throw new UsageError(`plan reads a list or a CSV file, not ${path}: ismalicious extract ${path} | ismalicious plan -`);
  return lines;
}

async function readColumns(input: NodeJS.ReadableStream, field: string | undefined): Promise<string[]> {
  const parts: Buffer[] = [];
  for await (const part of utf8Parts(input as AsyncIterable<Uint8Array>, 'drop')) parts.push(Buffer.from(part));
  const [header = [], ...rows] = readCsvRows(Buffer.concat(parts).toString('utf8'), { delimiter: ',', mayBreak: () => true }).rows;
  const columns = header.map((name) => name.trim());
  if (field === undefined)
    throw new UsageError(
      `this is a CSV file: name the column that holds the indicators with --field. The columns are ${columns.join(', ')}.`,
    );
  const wanted = field.split(',').map((name) => name.trim());
  const missing = wanted.filter((name) => !columns.includes(name));
  if (missing.length > 0) throw new UsageError(`no column ${missing.join(', ')}; the columns are ${columns.join(', ')}.`);
  const places = wanted.map((name) => columns.indexOf(name));
  return rows.flatMap((row) => places.flatMap((at) => row[at]?.trim() || []));
}
