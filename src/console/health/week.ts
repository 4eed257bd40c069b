import { counted } from '../look-up/words.ts';

/** How long something takes, in milliseconds; `null`: not measured. */
export interface LatencyMs {
  readonly p50: number | null;
  readonly p95: number | null;
}

/** What one source did in a week. */
export interface SourceReport {
  readonly source: string;
  readonly latency_ms: LatencyMs;
  readonly success_rate: number | null;
  readonly credits: number;
  readonly spent_this_month: number | null;
  readonly budget_per_month: number | null;
}

/** The figures of a week, as `/v1/report` says them. */
export interface Report {
  readonly from: string;
  readonly to: string;
  readonly targets: { readonly latency_p95_ms: number; readonly success_rate: number };
  readonly on_target: { readonly latency: boolean | null; readonly success_rate: boolean | null };
  readonly latency_ms: LatencyMs;
  readonly success_rate: number | null;
  readonly feedback: { readonly overrides: number; readonly true_positive_rate: number | null };
  readonly sources: readonly SourceReport[];
  readonly callers: readonly {
    readonly program: string;
    readonly user: string | null;
    readonly search: string | null;
    readonly calls: number;
    readonly values: number;
    readonly credits: number;
  }[];
  readonly trend: readonly {
    readonly from: string;
    readonly latency_p95_ms: number | null;
    readonly success_rate: number | null;
    readonly true_positive_rate: number | null;
    readonly calls: number;
    readonly credits: number;
    readonly money: number | null;
  }[];
}

/** "0.997" → "99.7 %": never rounded up to what was not reached. */
export function percentOf(share: number | null): string {
  return share === null ? '–' : `${(Math.floor(share * 1000) / 10).toFixed(1)} %`;
}

/** "135 / 514 ms". */
export function latencyText({ p50, p95 }: LatencyMs): string {
  return p50 === null || p95 === null ? '–' : `${p50.toLocaleString('en-US')} / ${p95.toLocaleString('en-US')} ms`;
}

/** The fewer of the credits of a plan (`left`; `null`: not said) and of the month's budget; `Infinity`: no limit is known. */
export function burnLimit(
  { spent_this_month: spent, budget_per_month: budget }: SourceReport,
  left: number | null,
): { readonly least: number; readonly isBudget: boolean } {
  const budgetLeft = budget === null || spent === null ? Infinity : Math.max(0, budget - spent);
  return { least: Math.min(left ?? Infinity, budgetLeft), isBudget: budgetLeft <= (left ?? Infinity) };
}

/**
 * How long the credits of a source last at the pace of the week: those of its plan that do not start again within a day (`left`; `null`:
 * not said), and those of the month's budget.
 */
export function burnDown(source: SourceReport, left: number | null): string {
  const { least, isBudget } = burnLimit(source, left);
  if (least === Infinity) return 'no limit known';
  if (source.credits === 0) return 'not used';
  const days = counted(Math.floor(least / (source.credits / 7)), 'day');
  return isBudget ? `${days} (budget)` : days;
}
