import type { DatabaseSync, StatementSync } from 'node:sqlite';

/** value, answer, checked_at, expires_at: rows as arrays cost half of what objects do. */
export type VerdictRow = readonly [string, string, number, number];

/** Statements that bind a list are prepared per power-of-two length, so that their number stays small; the rest is filled with NULL. */
export function prepareLists(
  db: DatabaseSync,
): (provider: string, values: string[]) => { statement: StatementSync; bound: (string | null)[] } {
  const bySize = new Map<number, StatementSync>();
  return (provider, values) => {
    let size = 1;
    while (size < values.length) size *= 2;
    let statement = bySize.get(size);
    if (!statement) {
      const marks = Array.from({ length: size }, () => '?').join(',');
      statement = db.prepare(`SELECT value, answer, checked_at, expires_at FROM verdicts WHERE value IN (${marks}) AND provider = ?`);
      statement.setReturnArrays(true);
      bySize.set(size, statement);
    }
    const bound: (string | null)[] = values;
    while (bound.length < size) bound.push(null);
    bound.push(provider);
    return { statement, bound };
  };
}

/** Whether a row has the types that were written: a damaged file may hold anything. */
export function isSound([value, answer, checkedAtS, expiresAtS]: VerdictRow): boolean {
  return typeof value === 'string' && typeof answer === 'string' && Number.isInteger(checkedAtS) && Number.isInteger(expiresAtS);
}
