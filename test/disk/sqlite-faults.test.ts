import { DatabaseSync } from 'node:sqlite';
import { expect, it, onTestFinished } from 'vitest';
import { storeFaultKind, storeFaultText } from '../../src/disk/sqlite-faults.ts';

function errorOf(work: (db: DatabaseSync) => void): unknown {
  const db = new DatabaseSync(':memory:');
  onTestFinished(() => db.close());
  db.exec('CREATE TABLE kept (id INTEGER PRIMARY KEY)');
  try {
    work(db);
  } catch (error) {
    return error;
  }
  throw new Error('SQLite took it');
}

it.each([
  ['an offset that is no integer', (db: DatabaseSync) => db.prepare('SELECT id FROM kept LIMIT 1 OFFSET ?').all(Number.POSITIVE_INFINITY)],
  ['a text for the number of a row', (db: DatabaseSync) => db.prepare('INSERT INTO kept VALUES (?)').run('one')],
  ['a value too many', (db: DatabaseSync) => db.prepare('SELECT id FROM kept').all(1)],
])('a fault of ours does not call the file damaged: %s', (_, work) => {
  const error = errorOf(work);
  expect(storeFaultKind(error)).toBe('unusable');
  expect(storeFaultText(error)).toMatch(/^it was given a value/);
});

it('a file whose tables are gone is damaged', () => {
  expect(storeFaultKind(errorOf((db) => db.prepare('SELECT id FROM gone').all()))).toBe('damaged');
});
