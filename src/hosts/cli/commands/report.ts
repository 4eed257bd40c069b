import type { EngineStats } from '../../../engine/engine.ts';
import { type ProviderCost, reportText, type WholeReport } from '../../../engine/feedback/report-text.ts';
import { makeReport, makeTrend, type Report, TARGETS } from '../../../engine/feedback/weekly-report.ts';
import { auditLogPath } from '../../../engine/privacy/read-audit-log.ts';
import { sumByCaller } from '../../../engine/privacy/search-audit-log.ts';
import type { LoadedConfig } from '../../../compose/engine-config.ts';
import { openEngine } from '../../../compose/open-engine.ts';
import { type Command, EXIT, parseCount } from '../command.ts';
import { parseOptions } from '../parse-options.ts';
import { reportSynopsis } from '../synopses/keep.ts';
import { warn } from '../messages.ts';

const DAY_MS = 86_400_000;
const WEEKS = 8;
const MOST_CALLERS = 20;

/** `ismalicious report` */
export const report: Command = {
  synopsis: reportSynopsis,
  async run(args, io) {
    const { values } = parseOptions(args, reportSynopsis);
    const days = values.days === undefined ? 7 : parseCount(values.days, '--days', 1);
    const { engine, config, feedback, warnings } = await openEngine({ env: io.env, configPath: values.config, profile: values.profile });
    warn(io, warnings);
    try {
      const nowMs = Date.now();
      const accounts = new Map(config.wanted.map(({ provider }) => [provider.id, config.accountsOf(provider.id)]));
      const overrides = feedback.list({ sinceS: Math.floor((nowMs - Math.max(days, WEEKS * 7) * DAY_MS) / 1000) });
      const figures = makeReport(engine.store, overrides, { nowMs, days, accounts });
      const whole: WholeReport = {
        ...figures,
        targets: TARGETS,
        costs: costsOf(figures, engine.stats().providers, config),
        callers: await sumByCaller(auditLogPath(config.stateFolder), figures.from, MOST_CALLERS),
        trend: makeTrend(engine.store, overrides, { nowMs, accounts, weeks: WEEKS }),
      };
      io.stdout.write(values.json ? `${JSON.stringify(whole)}\n` : `${reportText(whole)}\n`);
      return EXIT.ok;
    } finally {
      await engine.close();
    }
  },
};

function costsOf({ providers }: Report, stats: EngineStats['providers'], { wanted }: LoadedConfig): ProviderCost[] {
  return stats.map(({ provider, spentThisMonth, budgetPerMonth }) => {
    const price = wanted.find((one) => one.provider.id === provider)?.common.creditPrice;
    const credits = providers.find((one) => one.provider === provider)?.credits ?? 0;
    return { provider, spentThisMonth, budgetPerMonth, money: price === undefined ? null : credits * price };
  });
}
