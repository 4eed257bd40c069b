import type { AsDatabase } from '../../engine/as-numbers/as-database.ts';

/** The file with AS numbers, read at once: whether it can be used shows although no list may name any. */
export async function readAsDatabase(path: string): Promise<AsDatabase> {
  const { asDatabaseAt } = await import('../../engine/as-numbers/as-database.ts');
  const database = asDatabaseAt(path);
  database.open();
  return database;
}
