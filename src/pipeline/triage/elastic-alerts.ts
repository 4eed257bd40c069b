import { errorMessage } from '../../model/formats/error-message.ts';
import * as z from 'zod/mini';
import { type AlertIndex, type AlertPlace, isDecided, post, postJson, undecidedAlerts } from './alert-index.ts';
import { updateOf } from './alert-update.ts';
import { textsAt } from './read-alert.ts';
import { triageAlerts, type Triage } from './triage.ts';

export type { AlertIndex } from './alert-index.ts';

/** Alerts that are read, triaged and written together. */
const BATCH = 500;

/** What one pass did. */
export interface AlertCounts {
  readonly read: number;
  readonly written: number;
  readonly failed: number;
  /** Why the first of those that failed did; left out: none did. */
  readonly reason?: string;
}

const Documents = z.object({
  docs: z.array(
    z.object({
      _id: z.string(),
      _index: z.string(),
      found: z.optional(z.boolean()),
      _seq_no: z.optional(z.int()),
      _primary_term: z.optional(z.int()),
      _source: z.optional(z.record(z.string(), z.unknown())),
    }),
  ),
});
type Document = z.output<typeof Documents>['docs'][number];
const BulkAnswer = z.object({
  items: z.array(
    z.object({ update: z.object({ status: z.int(), error: z.optional(z.object({ type: z.string(), reason: z.optional(z.string()) })) }) }),
  ),
});

/** Triages the oldest `limit` alerts that carry no decision yet, and writes the decision into each, under `ismalicious.triage`. Nothing is closed or deleted. */
export async function triageAlertIndex(
  source: AlertIndex,
  triage: Triage,
  options: { limit: number; signal: AbortSignal },
): Promise<AlertCounts> {
  const places = await undecidedAlerts(source, options.limit, options.signal);
  let counts: AlertCounts = { read: 0, written: 0, failed: 0 };
  for (let at = 0; at < places.length; at += BATCH) {
    const one = await triageBatch(source, triage, { places: places.slice(at, at + BATCH), signal: options.signal });
    const reason = counts.reason ?? one.reason;
    counts = {
      read: counts.read + one.read,
      written: counts.written + one.written,
      failed: counts.failed + one.failed,
      ...(reason === undefined ? {} : { reason }),
    };
  }
  return counts;
}

async function triageBatch(
  source: AlertIndex,
  triage: Triage,
  { places, signal }: { places: readonly AlertPlace[]; signal: AbortSignal },
): Promise<AlertCounts> {
  // Read anew, and not from the search: it may lag behind what the last pass wrote.
  const { docs } = Documents.parse(await postJson(source, '/_mget', { docs: places }, signal));
  const open = docs.filter(
    (doc): doc is Document & { _source: Record<string, unknown> } => doc._source !== undefined && !isDecided(doc._source),
  );
  if (open.length === 0) return { read: 0, written: 0, failed: 0 };
  const decisions = await triageAlerts(
    open.map(({ _id, _source }) => ({ ..._source, _id })),
    triage,
    { signal },
  );
  const acknowledges = triage.rules.alertsAcknowledge;
  const now = new Date(triage.clock.nowMs());
  const lines = open.flatMap(({ _id, _index, _seq_no, _primary_term, _source }, n) => {
    const decision = decisions[n];
    // What an analyst changed meanwhile stays: the alert comes again with the next pass.
    const isSame = _seq_no === undefined || _primary_term === undefined ? {} : { if_seq_no: _seq_no, if_primary_term: _primary_term };
    return [
      JSON.stringify({ update: { _id, _index, ...isSame } }),
      JSON.stringify({ doc: decision ? updateOf(_source, decision, { acknowledges, now }) : {} }),
    ];
  });
  const body = lines.map((line) => `${line}\n`).join('');
  const { items } = BulkAnswer.parse(await post(source, { path: '/_bulk?refresh=wait_for', body, type: 'application/x-ndjson' }, signal));
  const isWritten = (n: number) => (items[n]?.update.status ?? 500) < 300;
  const written = open.filter((_, n) => isWritten(n)).length;
  const error = items.find(({ update }) => update.status >= 300)?.update.error;
  const told = await commentCases(
    source,
    open.flatMap(({ _source }, n) => (isWritten(n) ? commentsOf(_source, decisions[n]?.note ?? '') : [])),
    signal,
  );
  const reason = error ? `${error.type}: ${error.reason ?? ''}`.slice(0, 300) : told.reason;
  return { read: open.length, written, failed: open.length - written + told.failed, ...(reason === undefined ? {} : { reason }) };
}

interface CaseComment {
  readonly caseId: string;
  readonly comment: string;
}

function commentsOf(alert: Record<string, unknown>, comment: string): CaseComment[] {
  return textsAt(alert, 'kibana.alert.case_ids').map((caseId) => ({ caseId, comment }));
}

/** Says the decision in the cases that hold the alert; once, since an alert that carries one is not triaged again. */
async function commentCases(
  source: AlertIndex,
  comments: readonly CaseComment[],
  signal: AbortSignal,
): Promise<{ readonly failed: number; readonly reason?: string }> {
  const { kibanaUrl } = source;
  if (kibanaUrl === undefined) return { failed: 0 };
  // Kibana takes calls without this header for a browser's, from somebody else's page.
  const kibana = { ...source, baseUrl: kibanaUrl, headers: { ...source.headers, 'kbn-xsrf': 'ismalicious' } };
  let failed = 0;
  let reason: string | undefined;
  for (const { caseId, comment } of comments) {
    try {
      await postJson(
        kibana,
        `/api/cases/${encodeURIComponent(caseId)}/comments`,
        { type: 'user', owner: 'securitySolution', comment },
        signal,
      );
    } catch (error) {
      signal.throwIfAborted();
      failed += 1;
      reason ??= `case ${caseId} got no comment: ${errorMessage(error)}`;
    }
  }
  return { failed, ...(reason === undefined ? {} : { reason }) };
}
