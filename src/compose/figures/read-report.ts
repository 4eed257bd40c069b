import type { ClientStats } from '../../engine/calls/provider-client.ts';
import { whenFeedbackIsFree } from '../../engine/feedback/give-feedback.ts';
import type { ProviderCost, WholeReport } from '../../engine/feedback/report-text.ts';
import { makeReport, makeTrend, type Report, TARGETS } from '../../engine/feedback/weekly-report.ts';
import { auditLogPath } from '../../engine/privacy/read-audit-log.ts';
import { sumByCaller } from '../../engine/privacy/search-audit-log.ts';
import type { LoadedConfig } from '../engine-config.ts';
import type { OpenedEngine } from '../open-engine.ts';

const DAY_MS = 86_400_000;
/** Weeks of the trend. */
export const WEEKS = 8;
const MOST_CALLERS = 20;
/** The end of the audit log that is read where somebody waits: so much takes less than a second, in small steps. */
const AUDIT_END_BYTES = 32 * 1024 * 1024;

/** The period of a report. */
export interface ReportSpan {
  /** Some time on its last day, in milliseconds since 1970. */
  readonly nowMs: number;
  /** Days (UTC), the last one included. */
  readonly days: number;
  /** Bytes of the audit log that are read at most, the youngest ones; left out: all. */
  readonly mostAuditBytes?: number;
}

/** What a report is made of. */
export type ReportParts = Pick<OpenedEngine, 'config' | 'feedback'> & { readonly engine: Pick<OpenedEngine['engine'], 'store' | 'stats'> };

/** The figures of a period, over all processes that share the state folder. Nothing is asked or spent. */
export async function readReport(parts: ReportParts, { nowMs, days, mostAuditBytes }: ReportSpan): Promise<WholeReport> {
  const { config } = parts;
  const report = await readSpentReport(parts, { nowMs, days });
  const costs = new Map(config.wanted.map(({ provider }) => [provider.id, provider.cost]));
  const callers = await sumByCaller(auditLogPath(config.stateFolder), {
    since: report.from,
    until: new Date(Date.parse(report.to) + DAY_MS).toISOString(),
    most: MOST_CALLERS,
    costs,
    ...(mostAuditBytes === undefined ? {} : { mostBytes: mostAuditBytes }),
  });
  return { ...report, callers };
}

/** The same without who spent it: the audit log is not read. */
export async function readSpentReport(parts: ReportParts, span: Pick<ReportSpan, 'nowMs' | 'days'>): Promise<Omit<WholeReport, 'callers'>> {
  const { figures, trend } = await whenFeedbackIsFree(() => readFigures(parts, span));
  return { ...figures, targets: TARGETS, costs: costsOf(figures, parts.engine.stats().providers, parts.config), trend };
}

/** The same of the days until now, with callers out of the end of the audit log only. */
export function readRecentReport(parts: ReportParts, days: number, nowMs: number): Promise<WholeReport> {
  return readReport(parts, { nowMs, days, mostAuditBytes: AUDIT_END_BYTES });
}

/** The figures alone, at once. Throws a `FeedbackStoreError` while another process writes there. */
export function readFigures({ engine, config, feedback }: ReportParts, { nowMs, days }: Pick<ReportSpan, 'nowMs' | 'days'>) {
  const accounts = new Map(config.wanted.map(({ provider }) => [provider.id, config.accountsOf(provider.id)]));
  const overrides = feedback.list({ sinceS: Math.floor((nowMs - Math.max(days, WEEKS * 7) * DAY_MS) / 1000) });
  const prices = new Map(
    config.wanted.flatMap(({ provider, common }) => (common.creditPrice === undefined ? [] : [[provider.id, common.creditPrice] as const])),
  );
  return {
    figures: makeReport(engine.store, overrides, { nowMs, days, accounts }),
    trend: makeTrend(engine.store, overrides, { nowMs, accounts, prices, weeks: WEEKS }),
  };
}

function costsOf({ providers }: Report, stats: readonly ClientStats[], { wanted }: LoadedConfig): ProviderCost[] {
  return stats.map(({ provider, spentThisMonth, budgetPerMonth }) => {
    const price = wanted.find((one) => one.provider.id === provider)?.common.creditPrice;
    const credits = providers.find((one) => one.provider === provider)?.credits ?? 0;
    return { provider, spentThisMonth, budgetPerMonth, money: price === undefined ? null : credits * price };
  });
}
