import { makeReport, type Latencies, type Report } from '../../../engine/feedback/weekly-report.ts';
import { openEngine } from '../../../compose/open-engine.ts';
import { type Command, EXIT, parseCount } from '../command.ts';
import { parseOptions } from '../parse-options.ts';
import { reportSynopsis } from '../synopses/keep.ts';
import { warn } from '../messages.ts';

const DAY_MS = 86_400_000;

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
      const overrides = feedback.list({ sinceS: Math.floor((nowMs - days * DAY_MS) / 1000) });
      const figures = makeReport(engine.store, overrides, { nowMs, days, accounts });
      io.stdout.write(values.json ? `${JSON.stringify(figures)}\n` : `${describe(figures)}\n`);
      return EXIT.ok;
    } finally {
      await engine.close();
    }
  },
};

function describe({ from, to, latency, successRate, providers, feedback }: Report): string {
  const lines = [
    `period               ${from} to ${to}`,
    `true-positive rate   ${percent(feedback.truePositiveRate)} (${feedback.truePositives} confirmed, ${feedback.falsePositives} false alarms, ${feedback.falseNegatives} missed; ${feedback.overrides} overrides)`,
    `success rate         ${percent(successRate)}`,
    `time to an answer    ${spell(latency)}`,
  ];
  const rows = providers.map(({ provider, calls, lookups, answered, successRate: rate, credits, latency: own, failed }) => {
    const why = Object.entries(failed).map(([code, count]) => `${code} ${count}`);
    return `  ${provider.padEnd(16)} ${calls} calls, ${lookups} look-ups, ${answered} answered (${percent(rate)}), ${credits} credits, ${spell(own)}${why.length > 0 ? `; ${why.join(', ')}` : ''}`;
  });
  return [...lines, ...rows].join('\n');
}

function percent(share: number | null): string {
  return share === null ? 'not known yet' : `${(share * 100).toFixed(1)} %`;
}

function spell({ p50, p95, p99 }: Latencies): string {
  return p50 === null ? 'not measured yet' : `p50 ${p50} ms, p95 ${p95} ms, p99 ${p99} ms`;
}
