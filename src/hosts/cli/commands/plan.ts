import { openEngine } from '../../../compose/open-engine.ts';
import { askOptions, checkProviders } from '../ask-options.ts';
import { type Command, EXIT } from '../command.ts';
import { parseOptions } from '../parse-options.ts';
import { planSynopsis } from '../synopses/look-up.ts';
import { openInput, readLines } from '../text-input.ts';
import { warn } from '../messages.ts';

/** `ismalicious plan [FILE|-]` */
export const plan: Command = {
  synopsis: planSynopsis,
  async run(args, io) {
    const { values, words } = parseOptions(args, planSynopsis);
    const asked = askOptions(values);
    const lines = await readLines(await openInput(words[0], io.stdin), words[0] ?? 'standard input');
    const { engine, config, warnings } = await openEngine({ env: io.env, configPath: values.config, profile: values.profile });
    warn(io, warnings);
    try {
      checkProviders(asked, config);
      const cost = await engine.plan(lines, asked);
      if (values.json) {
        io.stdout.write(`${JSON.stringify(cost)}\n`);
        return EXIT.ok;
      }
      const short = Object.entries(cost.overBudget ?? {}).map(
        ([id, lookups]) => `  ${id.padEnd(18)}${lookups} look-ups beyond what is left: over_budget`,
      );
      const providers = Object.entries(cost.byProvider).map(
        ([id, lookups]) => `  ${id.padEnd(18)}${lookups} look-ups, credits left: ${cost.creditsLeft[id] ?? 'not told'}`,
      );
      const facts = [
        `values              ${cost.values}`,
        `unique              ${cost.unique}`,
        `invalid             ${cost.invalid}`,
        `never sent out      ${cost.refused}`,
        `answered at home    ${cost.local}`,
        `in the cache        ${cost.cached}`,
        `credits to pay      ${cost.toPay}`,
        `time at the limits  ${cost.estimatedS === null ? 'no limit known' : `${cost.estimatedS} s`}`,
      ];
      io.stdout.write(`${[...facts, ...providers, ...short].join('\n')}\n`);
      return EXIT.ok;
    } finally {
      await engine.close();
    }
  },
};
