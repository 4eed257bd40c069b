import { DatabaseSync, type SQLInputValue } from 'node:sqlite';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { SLICE_ROWS } from '../../src/store/delete-in-slices.ts';
import { openStoreCore } from '../../src/store/store.ts';
import { newStateFolder } from '../support/open-test-engine.ts';

const NOW = 1_795_000_000;
const DAY = 86_400;
const MANY = 2 * SLICE_ROWS + 7;

/** A store, and a second connection to its file. */
function openBoth() {
  const path = join(newStateFolder(), 'pipeline.sqlite');
  const store = openStoreCore(path);
  const db = new DatabaseSync(path);
  return {
    store,
    db,
    [Symbol.dispose]() {
      db.close();
      store.close();
    },
  };
}

/** How many deletes a piece of work was. */
function deletesOf(db: DatabaseSync, work: () => void): number {
  const calls = { count: 0 };
  const { prepare } = DatabaseSync.prototype;
  DatabaseSync.prototype.prepare = function (this: DatabaseSync, sql: string) {
    const statement = prepare.call(this, sql);
    if (!sql.trimStart().startsWith('DELETE')) return statement;
    const { run } = statement;
    statement.run = ((...values: SQLInputValue[]) => {
      calls.count++;
      return Reflect.apply(run, statement, values);
    }) as typeof run;
    return statement;
  };
  try {
    work();
  } finally {
    DatabaseSync.prototype.prepare = prepare;
  }
  expect(db.isOpen).toBe(true);
  return calls.count;
}

it('indicators are purged a slice at a time, but for those with a delivery that waits', () => {
  using both = openBoth();
  const { store, db } = both;
  db.exec(`WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ${MANY})
    INSERT INTO indicator (value, type, added, first_seen, last_seen, confirmed, sources, tags) SELECT 'v' || i, 2, 1, 1, 1, 1, '', '' FROM n`);
  db.exec(`INSERT INTO outbox (output, key, subject, payload, accepted) VALUES ('o', 'k', 'v3', '{}', 1)`);
  let purged = 0;
  expect(deletesOf(db, () => (purged = store.purge(NOW)))).toBe(3);
  expect([purged, store.get('v3', NOW) === null, store.get('v4', NOW)]).toEqual([MANY - 1, false, null]);
});

it('sightings are forgotten a slice at a time, with the values and assets that nobody has any more', () => {
  using both = openBoth();
  const { store, db } = both;
  const at = (n: number, atS: number) => ({ value: `v${n}`, asset: `a${n % 3}`, times: 1, firstS: atS, lastS: atS });
  store.recordSightings(Array.from({ length: MANY }, (_, n) => at(n, NOW - 9 * DAY)));
  store.recordSightings([at(1, NOW), at(2, NOW)]);
  let gone = 0;
  expect(deletesOf(db, () => (gone = store.forgetSightings(NOW - DAY, 100)))).toBeGreaterThanOrEqual(3 + 3);
  const count = (table: string) => db.prepare(`SELECT count(*) AS n FROM ${table}`).get()?.['n'];
  expect([gone, store.countSightings(), count('sighted_value'), count('sighted_asset')]).toEqual([MANY, 2, 2, 2]);
});

it('delivered messages are pruned a slice at a time, and stay counted', () => {
  using both = openBoth();
  const { store, db } = both;
  db.exec(`WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ${MANY})
    INSERT INTO outbox (output, key, subject, payload, accepted, state, settled) SELECT 'o' || (i % 2), 'k' || i, 's', '', 1, 1, 1 FROM n`);
  const before = [store.counts('o0'), store.counts('o1')];
  let pruned = 0;
  expect(deletesOf(db, () => (pruned = store.prune(NOW)))).toBe(3);
  expect([pruned, store.counts('o0'), store.counts('o1')]).toEqual([MANY, ...before]);
});

it.each([
  ['a type that there is not', 'UPDATE watch SET type = 99 WHERE value = ?'],
  ['a verdict that there is not', 'UPDATE watch SET verdict = -1 WHERE value = ?'],
])('a watched row with %s is passed over and told, and holds up none behind it', (_what, damage) => {
  using both = openBoth();
  const { store, db } = both;
  for (const value of ['a.net', 'b.net'])
    store.watch({ indicator: { type: 'domain-name', value }, reason: 'r', by: 'ann', everyS: DAY, untilS: null }, NOW);
  db.prepare(damage).run('a.net');
  expect(store.watched(9).map(({ indicator }) => indicator.value)).toEqual(['b.net']);
  expect(store.check()).toEqual([expect.stringMatching(/^1 rows of the watchlist cannot be read/)]);
  // One at a time, and the bad one is the first that is due.
  expect([store.dueWatches(NOW, 1), store.dueWatches(NOW, 1).map(({ indicator }) => indicator.value)]).toEqual([[], ['b.net']]);
  expect(store.unwatch('a.net')).toBe(true);
  expect(store.check()).toEqual([]);
});
