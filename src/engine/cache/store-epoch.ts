import { loadSqlite } from './load-sqlite.ts';

/** The note that counts changes of answers within their lifetime, and what reads it. */
export const EPOCH_QUERY = "SELECT text || ' ' || at AS epoch FROM notes WHERE name = 'epoch'";

/** The epoch of a verdict cache, without opening it for work; `null`: it has none. Throws when the file cannot be read. */
export async function readEpoch(path: string): Promise<string | null> {
  const sqlite = await loadSqlite();
  const db = new sqlite.DatabaseSync(path, { readOnly: true });
  try {
    const row = db.prepare(EPOCH_QUERY).get();
    return row === undefined ? null : String(row['epoch']);
  } finally {
    db.close();
  }
}
