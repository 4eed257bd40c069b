import * as z from 'zod/mini';
import { type AlertIndex, type AlertPlace, isDecided, post, postJson, undecidedAlerts } from './alert-index.ts';
import { updateOf } from './alert-update.ts';
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
  const failed = items.filter(({ update }) => update.status >= 300);
  const error = failed[0]?.update.error;
  const reason = error ? { reason: `${error.type}: ${error.reason ?? ''}`.slice(0, 300) } : {};
  return { read: open.length, written: open.length - failed.length, failed: failed.length, ...reason };
}
