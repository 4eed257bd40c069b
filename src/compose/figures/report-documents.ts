import { createHash } from 'node:crypto';
import { reportRows, type ReportRow } from '../../engine/feedback/report-rows.ts';
import type { WholeReport } from '../../engine/feedback/report-text.ts';
import type { ReportDocument } from '../../search-engine/write-report.ts';
import { readReport, type ReportParts, WEEKS } from './read-report.ts';

const DAY_MS = 86_400_000;
const WEEK_DAYS = 7;
const ECS_VERSION = '9.4.0';

/**
 * The documents of the last eight whole weeks (Monday to Sunday, UTC) of one machine: each has the same id whenever it is made. `host`: its
 * name, which tells its figures from those of others.
 */
export async function weeklyDocuments(
  parts: ReportParts,
  { nowMs, host }: { readonly nowMs: number; readonly host: string },
): Promise<ReportDocument[]> {
  const documents: ReportDocument[] = [];
  for (let ago = WEEKS - 1; ago >= 0; ago--) {
    const report = await readReport(parts, { nowMs: lastSundayMs(nowMs) - ago * WEEK_DAYS * DAY_MS, days: WEEK_DAYS });
    documents.push(...documentsOf(report, host));
  }
  return documents;
}

/** Noon of the last Sunday that is over. */
function lastSundayMs(nowMs: number): number {
  const day = new Date(nowMs);
  const sinceMonday = (day.getUTCDay() + 6) % 7;
  return Date.UTC(day.getUTCFullYear(), day.getUTCMonth(), day.getUTCDate() - sinceMonday - 1, 12);
}

function documentsOf(report: WholeReport, host: string): ReportDocument[] {
  const ownWeek = (row: ReportRow) => row.kind !== 'week' || row.from === report.from;
  return reportRows(report)
    .filter(ownWeek)
    .map(({ from, to, success_met: isAnswered, latency_met: isSoon, spent_this_month: _ofNow, ...figures }) => {
      const { kind, provider = '-', program = '-', user = '-', search = '-' } = figures;
      const key = JSON.stringify([host, from, kind, provider, program, user, search]);
      return {
        id: createHash('sha256').update(key).digest('hex').slice(0, 32),
        document: {
          '@timestamp': `${to}T12:00:00.000Z`,
          ecs: { version: ECS_VERSION },
          event: { kind: 'metric', module: 'ismalicious', dataset: 'ismalicious.report' },
          host: { name: host },
          ismalicious: {
            report: {
              week: from,
              ...figures,
              ...(kind === 'caller' ? { program, user, search } : {}),
              ...(kind === 'week' ? { target: targetOf(isAnswered, isSoon) } : {}),
            },
          },
        },
      };
    });
}

function targetOf(...met: readonly unknown[]): 'met' | 'missed' | 'not known' {
  if (met.includes(false)) return 'missed';
  return met.includes(true) ? 'met' : 'not known';
}
