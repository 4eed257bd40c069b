import { openEngine } from '../../../compose/open-engine.ts';
import { type Quota, quotaOf } from '../../../compose/check/quota-of.ts';
import { inertText } from '../../../model/formats/inert-text.ts';
import { type Command, EXIT, UsageError } from '../command.ts';
import { probeProviders } from '../../../compose/check/doctor-findings.ts';
import { warn } from '../messages.ts';
import { parseOptions } from '../parse-options.ts';
import { quotaSynopsis } from '../synopses/set-up.ts';

/** `ismalicious quota` */
export const quota: Command = {
  synopsis: quotaSynopsis,
  async run(args, io) {
    const { values } = parseOptions(args, quotaSynopsis);
    const { engine, config, warnings } = await openEngine({ env: io.env, configPath: values.config, profile: values.profile });
    warn(io, warnings);
    try {
      if (config.wanted.length === 0)
        throw new UsageError('no provider has a key: there are no credits to show. ismalicious init sets one.');
      if (values.ask) await probeProviders(engine, config, io.env);
      const nowMs = Date.now();
      const quotas = engine.stats().providers.map((stats) => quotaOf(stats, nowMs));
      io.stdout.write(values.json ? quotas.map((one) => `${JSON.stringify(one)}\n`).join('') : `${quotas.map(describe).join('\n\n')}\n`);
      return EXIT.ok;
    } finally {
      await engine.close();
    }
  },
};

function describe(one: Quota): string {
  const reported = one.reported.map(
    ({ window, limit, left, resets }) =>
      `  ${window.padEnd(14)}${left ?? 'not reported'} left${limit === null ? '' : ` of ${limit}`}${resets === null ? '' : `, resets ${resets}`}`,
  );
  const ofBudget = (budget: number | null) => (budget === null ? '' : ` of a budget of ${budget}`);
  return [
    one.provider,
    ...(reported.length === 0 ? ['  the provider reports no credits, or was not asked yet (--ask)'] : reported),
    `  ${'today'.padEnd(14)}${one.spent_today} credits spent${ofBudget(one.budget_per_day)}`,
    `  ${'this month'.padEnd(14)}${one.spent_this_month} credits spent${ofBudget(one.budget_per_month)}`,
    `  ${'forecast'.padEnd(14)}${one.forecast_this_month} credits by the end of the month`,
    ...(one.refusal === null ? [] : [`  ${'not asked'.padEnd(14)}${inertText(one.refusal)}`]),
  ].join('\n');
}
