import type { EngineStats } from '../../../engine/engine.ts';
import type { ClientStats } from '../../../engine/calls/provider-client.ts';
import type { VerdictStore } from '../../../engine/cache/verdict-store.ts';
import type { CommandContext } from './command-context.ts';
import { converseGenerating } from '../protocol/generating-conversation.ts';
import type { GeneratedTable } from '../protocol/generating-conversation.ts';
import { REPORT_FIELDS, reportRows } from '../../../engine/feedback/report-rows.ts';
import type { WholeReport } from '../../../engine/feedback/report-text.ts';
import { UsageError } from '../../../splunkd/option-words.ts';
import type { SearchContext } from '../protocol/search-conversation.ts';

/** What the quota command reads: nothing in it makes a call. */
export interface QuotaFacts {
  readonly stats: EngineStats;
  readonly store: Pick<VerdictStore, 'note'>;
  readonly warnings: readonly string[];
  /** The figures of the last seven days, and eight weeks of them. */
  report(): Promise<Omit<WholeReport, 'callers'>>;
  close(): Promise<void>;
}

/** Opens the engine for a search. */
export type OpenForQuota = (search: SearchContext) => Promise<QuotaFacts>;

/** Columns of `| ismaliciousquota`: `kind` is `provider`, `cache` or `list`. */
export const QUOTA_FIELDS = [
  'kind',
  'provider',
  'state',
  'breaker',
  'credits_left',
  'credits_limit',
  'credits_window',
  'credits_reset_at',
  'spent_today',
  'budget_per_day',
  'budget_left',
  'blocked_until',
  'cache_rows',
  'cache_bytes',
  'cache_path',
  'message',
] as const;

type Row = Partial<Record<(typeof QUOTA_FIELDS)[number], string>>;

/** What is shown: what each provider has left, or the figures of the week. */
type QuotaKind = 'quota' | 'report';

/** Answers `| ismaliciousquota`, and `| ismaliciousquota kind=report`. */
export function answerQuota(world: CommandContext, open: OpenForQuota): Promise<number> {
  return converseGenerating<QuotaKind>(world, {
    read(args) {
      const words = args.join(' ').replaceAll('"', '');
      if (words === '' || words === 'kind=quota') return 'quota';
      if (words !== 'kind=report')
        throw new UsageError(
          'isMalicious: ismaliciousquota takes kind=quota or kind=report and nothing else; filter its rows with | where.',
        );
      return 'report';
    },
    async generate(kind, search): Promise<GeneratedTable> {
      const facts = await open(search);
      try {
        const messages = facts.warnings.map((warning) => ['WARN', `isMalicious: ${warning}`] as const);
        if (kind === 'report') {
          const rows = reportRows(await facts.report());
          return { fields: REPORT_FIELDS, rows: rows.map((row) => REPORT_FIELDS.map((field) => String(row[field] ?? ''))), messages };
        }
        return { fields: QUOTA_FIELDS, rows: quotaRows(facts).map((row) => QUOTA_FIELDS.map((field) => row[field] ?? '')), messages };
      } finally {
        await facts.close();
      }
    },
  });
}

/** One row for each counter of each provider that is asked, then one for the cache and one for each own list. */
export function quotaRows({ stats, store }: Pick<QuotaFacts, 'stats' | 'store'>): Row[] {
  const { store: cache, local } = stats;
  return [
    ...stats.providers.flatMap((provider) => providerRows(provider, store)),
    {
      kind: 'cache',
      state: cache.fault === null ? 'ok' : 'fault',
      cache_rows: String(cache.rows),
      cache_bytes: String(cache.sizeBytes),
      cache_path: cache.path ?? '',
      message: cache.fault ?? (cache.kind === 'memory' ? 'answers are kept in memory only' : ''),
    },
    ...local.lists.map(({ faults, note }, n): Row => ({
      kind: 'list',
      provider: `local ${n + 1}`,
      state: faults.length === 0 ? 'ok' : 'fault',
      message: [...faults, ...(note ? [note] : [])].join('; '),
    })),
  ];
}

function providerRows(provider: ClientStats, store: QuotaFacts['store']): Row[] {
  const exhausted = store.note(`${provider.provider}.quota-exhausted`);
  const { budgetPerDay, spentToday, blockedUntilMs } = provider;
  const common: Row = {
    kind: 'provider',
    provider: provider.provider,
    state: stateOf(provider),
    breaker: provider.breaker,
    spent_today: String(spentToday),
    budget_per_day: budgetPerDay === null ? '' : String(budgetPerDay),
    budget_left: budgetPerDay === null ? '' : String(Math.max(0, budgetPerDay - spentToday)),
    blocked_until: blockedUntilMs === null ? '' : new Date(blockedUntilMs).toISOString(),
    message: exhausted === null ? '' : `last refused ${new Date(exhausted.atS * 1000).toISOString()}: ${exhausted.text}`,
  };
  if (provider.notices.length === 0) return [common];
  return provider.notices.map(({ window, remaining, limit, resetsAtS }) => ({
    ...common,
    ...(remaining === 0 ? { state: 'exhausted' } : {}),
    credits_left: remaining === null ? '' : String(remaining),
    credits_limit: limit === null ? '' : String(limit),
    credits_window: window,
    credits_reset_at: resetsAtS === null ? '' : new Date(resetsAtS * 1000).toISOString(),
  }));
}

function stateOf({ breaker, blockedUntilMs, refusal, budgetPerDay, spentToday }: ClientStats): string {
  if (breaker === 'open') return 'down';
  if (refusal === 'quota_exhausted') return 'exhausted';
  if (blockedUntilMs !== null) return 'blocked';
  return budgetPerDay !== null && spentToday >= budgetPerDay ? 'over_budget' : 'ok';
}
