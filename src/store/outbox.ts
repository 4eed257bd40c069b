import type { DatabaseSync, SQLOutputValue } from 'node:sqlite';
import { inTransaction } from '../disk/sqlite-faults.ts';
import { inSlices, SLICE_ROWS } from './delete-in-slices.ts';

/** Something an output has to be told, exactly once as far as we can tell. */
export interface Delivery {
  readonly output: string;
  /** Names the message: the same key is never accepted twice, and goes with the message as its idempotency key. */
  readonly key: string;
  /** What it is about: messages on one subject leave in the order they were accepted. */
  readonly subject: string;
  /** The message, as JSON. */
  readonly payload: string;
  /** Goes before what is not, and takes along what has to go before it. */
  readonly isUrgent?: boolean;
}

/** Deliveries of one judgement; once all are taken it counts as routed. */
export interface Routing {
  /** Row and revision of the indicator; `null` for what has none (an alert): it does not come again, and so gets twice the room. */
  readonly routed: { readonly id: number; readonly revision: number } | null;
  readonly deliveries: readonly Delivery[];
}

/** A delivery as it waits in the journal. */
export interface PendingDelivery extends Delivery {
  readonly id: number;
  /** Tries that failed so far. */
  readonly attempts: number;
}

/** Who sends, by the lease of the output. */
export interface DeliveryLease {
  readonly name: string;
  readonly holder: string;
}

/** What became of one try. */
export type Settlement =
  | { readonly id: number; readonly to: 'delivered' }
  | { readonly id: number; readonly to: 'retry'; readonly atMs: number; readonly reason: string }
  | { readonly id: number; readonly to: 'quarantined'; readonly reason: string };

/** The books of one output: accepted = delivered + pending + quarantined, always. */
export interface OutboxCounts {
  readonly accepted: number;
  readonly delivered: number;
  readonly pending: number;
  readonly quarantined: number;
}

/** What a routing did. `held`: an output's journal is full, the judgement stays unrouted and comes again. */
export interface RouteCounts {
  readonly accepted: Readonly<Record<string, number>>;
  readonly held: Readonly<Record<string, number>>;
}

/** A delivery that was given up, for people. */
export interface QuarantinedDelivery {
  readonly id: number;
  readonly output: string;
  readonly subject: string;
  readonly reason: string;
  readonly attempts: number;
  readonly settledS: number;
}

/** The journal of what outputs have to be told. */
export interface Outbox {
  /** Journals deliveries in one transaction; an output with `maxPending` of them waiting takes no more for now. */
  route(routings: readonly Routing[], nowS: number, maxPending: number): RouteCounts;
  /**
   * What may go now. First of all a batch that went out before without an answer, or whose sender died, cut as it was: it goes under the
   * same keys. Else the oldest deliveries, urgent ones first, at most one per subject, and none while an older one on its subject waits.
   */
  next(output: string, limit: number, nowMs: number): readonly PendingDelivery[];
  /** Notes which deliveries go out together, before they do; false, and nothing is noted: `lease` is no longer the sender's. */
  begin(ids: readonly number[], lease?: DeliveryLease): boolean;
  /** When the next delivery of an output may go, milliseconds since 1970; `null`: none is waiting. */
  nextAtMs(output: string): number | null;
  settle(settlements: readonly Settlement[], nowS: number): void;
  counts(output: string): OutboxCounts;
  /** Every output that ever was accepted something. */
  outputs(): readonly string[];
  quarantined(output: string, limit: number): readonly QuarantinedDelivery[];
  /** Puts quarantined deliveries back, as fresh ones; gives how many. */
  replay(output: string, limit: number): number;
  /** Forgets delivered ones settled before `beforeS`; the counts remember them. */
  prune(beforeS: number): number;
}

/** No delivery is put off for longer: one that is was put off before the clock was set back, and may go now. */
const LONGEST_WAIT_MS = 2 * 86_400_000;
const PENDING = 0;
const DELIVERED = 1;
const QUARANTINED = 2;

/** Prepares the statements on an open store. */
export function outboxTable(db: DatabaseSync): Outbox {
  const wait = db.prepare(`
    SELECT min(coalesce((SELECT max(next_at_ms) FROM outbox m WHERE m.output = o.output AND m.state = 0 AND m.batch = o.batch), next_at_ms)) AS at
    FROM outbox o WHERE output = ? AND state = 0
      AND NOT EXISTS (SELECT 1 FROM outbox older WHERE older.output = o.output AND older.subject = o.subject AND older.state = 0 AND older.id < o.id)`);
  const due = db.prepare(`
    SELECT * FROM outbox o WHERE output = ? AND state = 0 AND batch IS NULL AND (next_at_ms <= ? OR next_at_ms > ?)
      AND NOT EXISTS (SELECT 1 FROM outbox older WHERE older.output = o.output AND older.subject = o.subject AND older.state = 0 AND older.id < o.id)
    ORDER BY urgent DESC, id LIMIT ?`);
  const inFlight = db.prepare(`
    SELECT * FROM outbox WHERE output = ? AND state = 0 AND batch = (
      SELECT batch FROM outbox WHERE output = ? AND state = 0 AND batch IS NOT NULL
      GROUP BY batch HAVING max(next_at_ms) <= ? OR max(next_at_ms) > ? ORDER BY batch LIMIT 1)
    ORDER BY id`);
  const mark = db.prepare('UPDATE outbox SET batch = ? WHERE id = ? AND state = 0');
  const held = db.prepare('SELECT 1 FROM lease WHERE name = ? AND holder = ?');
  const outputs = db.prepare('SELECT DISTINCT output FROM outbox UNION SELECT output FROM outbox_pruned ORDER BY 1');
  const quarantined = db.prepare('SELECT * FROM outbox WHERE output = ? AND state = 2 ORDER BY id LIMIT ?');
  return {
    route: router(db),
    next(output, limit, nowMs) {
      // One that is due later than any wait was written before the clock was set back.
      const lastMs = nowMs + LONGEST_WAIT_MS;
      const begun = inFlight.all(output, output, nowMs, lastMs);
      return (begun.length > 0 ? begun : due.all(output, nowMs, lastMs, limit)).map(pendingOf);
    },
    begin: (ids, lease) =>
      inTransaction(db, () => {
        if (lease && held.get(lease.name, lease.holder) === undefined) return false;
        for (const id of ids) mark.run(ids.length > 1 ? (ids[0] ?? null) : null, id);
        return true;
      }),
    nextAtMs(output) {
      const at = wait.get(output)?.at ?? null;
      return at === null ? null : Number(at);
    },
    settle: settler(db),
    counts: (output) => countOf(db, output),
    outputs: () => outputs.all().map((row) => String(row.output)),
    quarantined: (output, limit) => quarantined.all(output, limit).map(quarantinedOf),
    replay(output, limit) {
      const back = db.prepare(
        'UPDATE outbox SET state = 0, attempts = 0, next_at_ms = 0, settled = NULL, batch = NULL WHERE id IN (SELECT id FROM outbox WHERE output = ? AND state = 2 ORDER BY id LIMIT ?)',
      );
      return Number(back.run(output, limit).changes);
    },
    prune: (beforeS) => prune(db, beforeS),
  };
}

function router(db: DatabaseSync): Outbox['route'] {
  const insert = db.prepare(
    'INSERT INTO outbox (output, key, subject, payload, accepted, urgent) VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING',
  );
  const hurry = db.prepare('UPDATE outbox SET urgent = 1 WHERE output = ? AND subject = ? AND state = 0 AND urgent = 0');
  const known = db.prepare('SELECT 1 FROM outbox WHERE output = ? AND key = ?');
  const pending = db.prepare('SELECT count(*) AS n FROM outbox WHERE output = ? AND state = 0');
  const done = db.prepare('UPDATE indicator SET routed = max(routed, ?) WHERE id = ?');
  return (routings, nowS, maxPending) =>
    inTransaction(db, () => {
      const accepted: Record<string, number> = {};
      const held: Record<string, number> = {};
      const room = new Map<string, number>();
      const count = (of: Record<string, number>, output: string) => void (of[output] = (of[output] ?? 0) + 1);
      for (const { routed, deliveries } of routings) {
        let isHeld = false;
        // A judgement waits in the store and comes again; an alert does not.
        const extra = routed === null ? maxPending : 0;
        for (const { output, key, subject, payload, isUrgent = false } of deliveries) {
          const left = room.get(output) ?? maxPending - Number(pending.get(output)?.n ?? 0);
          room.set(output, left);
          if (left + extra <= 0) {
            if (known.get(output, key) !== undefined) continue;
            isHeld = true;
            count(held, output);
          } else if (insert.run(output, key, subject, payload, nowS, isUrgent ? 1 : 0).changes === 1) {
            room.set(output, left - 1);
            count(accepted, output);
            if (isUrgent) hurry.run(output, subject);
          }
        }
        if (!isHeld && routed) done.run(routed.revision, routed.id);
      }
      return { accepted, held };
    });
}

function settler(db: DatabaseSync): Outbox['settle'] {
  const retry = db.prepare('UPDATE outbox SET attempts = attempts + 1, next_at_ms = ?, reason = ? WHERE id = ? AND state = 0');
  // A delivered message is no longer needed; its key is, so that it is never accepted again.
  const deliver = db.prepare("UPDATE outbox SET state = 1, payload = '', reason = NULL, settled = ? WHERE id = ? AND state = 0");
  const quarantine = db.prepare('UPDATE outbox SET state = 2, attempts = attempts + 1, reason = ?, settled = ? WHERE id = ? AND state = 0');
  return (settlements, nowS) =>
    inTransaction(db, () => {
      for (const settlement of settlements) {
        if (settlement.to === 'delivered') deliver.run(nowS, settlement.id);
        else if (settlement.to === 'retry') retry.run(Math.trunc(settlement.atMs), settlement.reason, settlement.id);
        else quarantine.run(settlement.reason, nowS, settlement.id);
      }
    });
}

function countOf(db: DatabaseSync, output: string): OutboxCounts {
  const rows = db.prepare('SELECT state, count(*) AS n FROM outbox WHERE output = ? GROUP BY state').all(output);
  const pruned = db.prepare('SELECT delivered FROM outbox_pruned WHERE output = ?').get(output);
  const of = (state: number) => Number(rows.find((row) => row.state === state)?.n ?? 0);
  const [delivered, pending, quarantined] = [of(DELIVERED) + Number(pruned?.delivered ?? 0), of(PENDING), of(QUARANTINED)];
  return { accepted: delivered + pending + quarantined, delivered, pending, quarantined };
}

/** Counted and deleted together, a slice at a time. */
function prune(db: DatabaseSync, beforeS: number): number {
  const old = `FROM outbox WHERE state = ${DELIVERED} AND settled < ? ORDER BY id LIMIT ${SLICE_ROWS}`;
  const count = db.prepare(`INSERT INTO outbox_pruned (output, delivered)
    SELECT output, count(*) FROM (SELECT output ${old}) WHERE true GROUP BY output
    ON CONFLICT (output) DO UPDATE SET delivered = delivered + excluded.delivered`);
  const forget = db.prepare(`DELETE FROM outbox WHERE id IN (SELECT id ${old})`);
  return inSlices(() =>
    inTransaction(db, () => {
      count.run(beforeS);
      return Number(forget.run(beforeS).changes);
    }),
  );
}

type Row = Record<string, SQLOutputValue>;

function pendingOf(row: Row): PendingDelivery {
  return {
    id: Number(row.id),
    output: String(row.output),
    key: String(row.key),
    subject: String(row.subject),
    payload: String(row.payload),
    attempts: Number(row.attempts),
  };
}

function quarantinedOf(row: Row): QuarantinedDelivery {
  return {
    id: Number(row.id),
    output: String(row.output),
    subject: String(row.subject),
    reason: String(row.reason),
    attempts: Number(row.attempts),
    settledS: Number(row.settled),
  };
}
