import type { DatabaseSync } from 'node:sqlite';
import { inTransaction } from '../../disk/sqlite-faults.ts';

/** A ticket, incident or alert that was opened for an indicator, by the name its system gave it. */
export interface StoredTicket {
  readonly output: string;
  /** Canonical value of the indicator. */
  readonly subject: string;
  readonly ref: string;
  readonly isOpen: boolean;
}

/** The tickets that outputs opened. */
export interface TicketTable {
  /** `null`: none is known. */
  ticket(output: string, subject: string): StoredTicket | null;
  saveTickets(tickets: readonly StoredTicket[], nowS: number): void;
  /** All that are open, for what ends them. */
  openTickets(): readonly StoredTicket[];
  /** Forgets those of which nothing was heard since `beforeS`. */
  forgetTickets(beforeS: number): void;
}

/** Prepares the statements on an open store. */
export function ticketTable(db: DatabaseSync): TicketTable {
  const find = db.prepare('SELECT * FROM ticket WHERE output = ? AND subject = ?');
  const open = db.prepare('SELECT * FROM ticket WHERE is_open = 1 ORDER BY output, subject');
  const forget = db.prepare('DELETE FROM ticket WHERE at < ?');
  const put = db.prepare(`INSERT INTO ticket (output, subject, ref, is_open, at) VALUES (?, ?, ?, ?, ?)
    ON CONFLICT (output, subject) DO UPDATE SET ref = excluded.ref, is_open = excluded.is_open, at = excluded.at`);
  const ticketOf = (row: Record<string, unknown>): StoredTicket => ({
    output: String(row['output']),
    subject: String(row['subject']),
    ref: String(row['ref']),
    isOpen: Number(row['is_open']) === 1,
  });
  return {
    ticket(output, subject) {
      const row = find.get(output, subject);
      return row ? ticketOf(row) : null;
    },
    saveTickets: (tickets, nowS) =>
      inTransaction(db, () => {
        for (const { output, subject, ref, isOpen } of tickets) put.run(output, subject, ref, isOpen ? 1 : 0, nowS);
      }),
    openTickets: () => open.all().map(ticketOf),
    forgetTickets: (beforeS) => void forget.run(beforeS),
  };
}
