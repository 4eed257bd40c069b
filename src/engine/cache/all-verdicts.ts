import { loadSqlite } from './load-sqlite.ts';

/** An answer of the cache with whose it is and what about. */
export interface CachedVerdict {
  readonly provider: string;
  readonly value: string;
  readonly answer: string;
  readonly checkedAtS: number;
  readonly expiresAtS: number;
}

/** Every answer in a cache file, by provider and value, or those of one provider that are fresh at a time; the file is only read. */
export async function* allVerdicts(
  path: string,
  only?: { readonly provider: string; readonly freshAtS: number },
): AsyncGenerator<CachedVerdict> {
  const { DatabaseSync } = await loadSqlite();
  const db = new DatabaseSync(path, { readOnly: true });
  try {
    const which = only ? 'WHERE provider = ? AND expires_at > ?' : '';
    const rows = db.prepare(
      `SELECT provider, value, answer, checked_at AS checkedAtS, expires_at AS expiresAtS FROM verdicts ${which} ORDER BY provider, value`,
    );
    const bound = only ? [only.provider, only.freshAtS] : [];
    for (const row of rows.iterate(...bound)) yield row as unknown as CachedVerdict;
  } finally {
    db.close();
  }
}
