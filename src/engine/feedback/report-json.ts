import type { Latencies } from './weekly-report.ts';
import type { WholeReport } from './report-text.ts';

/** A report as the API spells it; times in milliseconds, shares from 0 to 1, `null`: not known. */
export function reportJson({ from, to, latency, successRate, targets, onTarget, feedback, providers, costs, callers, trend }: WholeReport) {
  return {
    from,
    to,
    targets: { latency_p95_ms: targets.latencyP95Ms, success_rate: targets.successRate },
    on_target: { latency: onTarget.latency, success_rate: onTarget.successRate },
    latency_ms: latencyJson(latency),
    success_rate: successRate,
    feedback: {
      overrides: feedback.overrides,
      true_positives: feedback.truePositives,
      false_positives: feedback.falsePositives,
      false_negatives: feedback.falseNegatives,
      true_positive_rate: feedback.truePositiveRate,
    },
    sources: providers.map((one) => {
      const cost = costs.find(({ provider }) => provider === one.provider);
      return {
        source: one.provider,
        calls: one.calls,
        lookups: one.lookups,
        answered: one.answered,
        failed: one.failed,
        success_rate: one.successRate,
        latency_ms: latencyJson(one.latency),
        credits: one.credits,
        money: cost?.money ?? null,
        spent_this_month: cost?.spentThisMonth ?? null,
        budget_per_month: cost?.budgetPerMonth ?? null,
      };
    }),
    callers,
    trend: trend.map((week) => ({
      from: week.from,
      to: week.to,
      latency_p95_ms: week.latencyP95Ms,
      success_rate: week.successRate,
      true_positive_rate: week.truePositiveRate,
      calls: week.calls,
      credits: week.credits,
      money: week.money,
    })),
  };
}

function latencyJson({ p50, p95, p99 }: Latencies) {
  return { p50, p95, p99 };
}
