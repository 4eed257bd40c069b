import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { describe, expect, it, onTestFinished } from 'vitest';
import { openDurableVerdictStore } from '../../../src/engine/cache/durable-verdict-store.ts';
import { openEngine } from '../../../src/compose/open-engine.ts';
import { SqliteVerdictStore } from '../../../src/engine/cache/sqlite-verdict-store.ts';
import { StoreBusyError } from '../../../src/engine/cache/verdict-store.ts';
import { newStateFolder, openTestEngine, publicAddresses } from '../../support/open-test-engine.ts';
import { lockFromOutside } from '../../support/sqlite-lock.ts';
import { startStandIn } from '../../support/stand-in-api.ts';

const NOW_S = Math.floor(Date.now() / 1000);
const verdict = { answer: 'n', checkedAtS: NOW_S, expiresAtS: NOW_S + 3600 };
const DAY = '2026-11-29';

/** A store whose clock the test turns. */
async function openStore(path = join(newStateFolder(), 'verdicts.sqlite')) {
  const faults: string[] = [];
  const clock = { ms: 0 };
  const store = await openDurableVerdictStore({ path, onFault: (fault) => faults.push(fault), nowMs: () => clock.ms });
  return { store, path, faults, clock };
}

/** Answers of a file, read apart. */
function rowsOf(path: string): number {
  const db = new DatabaseSync(path, { readOnly: true });
  const { n } = db.prepare('SELECT count(*) AS n FROM verdicts').get() as { n: number };
  db.close();
  return n;
}

const asideOf = (path: string) => readdirSync(join(path, '..')).filter((name) => /\.damaged-\d+T\d+Z$/.test(name));

it('calls that are still in flight when it closes are no fault of it', async () => {
  const { store, path, faults } = await openStore();
  store.put('p', 'before', verdict);
  store.close();
  store.put('p', 'late', verdict);
  store.flush();
  store.getMany('p', ['before']);
  expect(store.spend('p', DAY, 1, null)).toBe(true);
  expect(faults).toEqual([]);
  expect(rowsOf(path)).toBe(1);
});

describe('a verdict cache that another process locks', () => {
  it('reads on, keeps what is new in memory, holds up nobody, and writes it when the lock is free', async () => {
    const { store, path, faults, clock } = await openStore();
    store.put('p', 'before', verdict);
    store.flush();
    const lock = await lockFromOutside(path);
    const startedMs = performance.now();
    store.put('p', 'during', verdict);
    store.flush();
    // Whoever holds the file may have the answer: nobody wins a look-up yet, and a limit is asked about again soon.
    expect([...store.lease('p', ['x', 'y'], NOW_S + 10, NOW_S)]).toEqual([]);
    expect(store.book('p', [{ requests: 5, perMs: 60_000 }], 1, NOW_S * 1000)).toBeGreaterThan(0);
    expect(() => store.spend('p', DAY, 1, 10)).toThrow(StoreBusyError);
    expect(store.spend('p', DAY, 1, null)).toBe(true);
    expect(performance.now() - startedMs).toBeLessThan(1000);
    expect([...store.getMany('p', ['before', 'during']).keys()].toSorted()).toEqual(['before', 'during']);
    expect(faults).toEqual([]);
    clock.ms += 100;
    store.flush();
    clock.ms += 1500;
    store.flush();
    // Longer than others write: each process goes on alone, and says so.
    expect(faults).toEqual([expect.stringMatching(/verdicts\.sqlite cannot be used \(another process holds its lock\)/)]);
    expect([...store.lease('p', ['x', 'y'], NOW_S + 10, NOW_S)]).toEqual(['x', 'y']);
    expect(store.spend('p', DAY, 9, 10)).toBe(true);
    expect(store.spend('p', DAY, 1, 10)).toBe(false);
    expect(store.spent('p', DAY)).toBe(10);
    await lock.free();
    clock.ms += 5000;
    expect(store.health()).toMatchObject({ fault: null });
    expect(store.spent('p', DAY)).toBe(10);
    store.close();
    expect(rowsOf(path)).toBe(2);
    const again = await openStore(path);
    expect(again.store.spent('p', DAY)).toBe(10);
    again.store.close();
  });

  it('waits its turn while others write one after the other, and goes on alone only when nobody gets anything written', async () => {
    const { store, path, faults, clock } = await openStore();
    const other = new DatabaseSync(path);
    const lease = () => [...store.lease('p', ['x'], NOW_S + 10, NOW_S)];
    other.exec('BEGIN IMMEDIATE');
    expect(lease()).toEqual([]);
    for (let n = 0; n < 5; n++) {
      other.exec(`INSERT INTO notes VALUES ('n${n}', '', 0); COMMIT; BEGIN IMMEDIATE`);
      clock.ms += 900;
      expect(lease()).toEqual([]);
    }
    expect(faults).toEqual([]);
    // What can be read needs no lock: nobody else looks this up.
    expect(store.leasable('p', ['x'], NOW_S)).toEqual(['x']);
    clock.ms += 1100;
    expect(lease()).toEqual(['x']);
    expect(faults).toHaveLength(1);
    other.exec('COMMIT');
    other.close();
    store.close();
  });

  it('writes at its end what waits, however many others write', async () => {
    const { store, path } = await openStore();
    const other = new DatabaseSync(path);
    other.exec('BEGIN IMMEDIATE');
    store.put('p', 'v', verdict);
    store.flush();
    let tries = 0;
    const { dataVersion } = SqliteVerdictStore.prototype;
    onTestFinished(() => void (SqliteVerdictStore.prototype.dataVersion = dataVersion));
    SqliteVerdictStore.prototype.dataVersion = function (this: SqliteVerdictStore) {
      if (++tries < 12) other.exec(`INSERT INTO notes VALUES ('t${tries}', '', 0); COMMIT; BEGIN IMMEDIATE`);
      if (tries === 12) other.exec('COMMIT');
      return dataVersion.call(this);
    };
    store.close();
    other.close();
    expect(rowsOf(path)).toBe(1);
  });

  it('also when readers are locked out from the start', async () => {
    const { store, path } = await openStore();
    store.close();
    const lock = await lockFromOutside(path, 'exclusive');
    const other = await openStore(path);
    expect(other.faults).toHaveLength(1);
    other.store.put('p', 'v', verdict);
    expect([...other.store.getMany('p', ['v']).keys()]).toEqual(['v']);
    await lock.free();
    other.clock.ms += 5000;
    expect(other.store.lease('p', ['w'], NOW_S + 10, NOW_S).size).toBe(1);
    expect(other.store.stats()).toMatchObject({ kind: 'sqlite', fault: null });
    other.store.close();
  });
});

describe('a verdict cache whose file is damaged', () => {
  it.each([
    ['garbage', (path: string) => writeFileSync(path, 'no database at all, and long enough to be looked at'.repeat(100))],
    ['nothing but zeros', (path: string) => writeFileSync(path, Buffer.alloc(8192))],
    ['without its tables', (path: string) => new DatabaseSync(path).exec('DROP TABLE verdicts; DROP TABLE leases')],
  ])('%s: is set aside, made anew, and told once', async (_name, damage) => {
    const { store, path } = await openStore();
    store.put('p', 'v', verdict);
    store.close();
    damage(path);
    const other = await openStore(path);
    other.store.put('p', 'w', verdict);
    other.store.flush();
    expect(other.store.stats()).toMatchObject({ kind: 'sqlite', rows: 1, fault: null });
    other.store.close();
    // Zeros are an empty database to SQLite: it is filled, and nothing was lost but what was lost already.
    if (_name === 'nothing but zeros' && other.faults.length === 0) return;
    expect(other.faults).toEqual([expect.stringMatching(/is damaged.*it is kept as .*damaged-\d+T\d+Z, a new one is begun/)]);
    expect(asideOf(path)).toHaveLength(1);
  });

  it('while it is open: goes on in a fresh file, with what was not written yet and what was paid', async () => {
    const { store, path, faults, clock } = await openStore();
    for (const value of publicAddresses(2000))
      store.put('p', value, { ...verdict, answer: `{"verdict":"clean","note":"${'x'.repeat(300)}"}` });
    store.spend('p', DAY, 7, null);
    store.flush();
    store.close();
    const pages = readFileSync(path);
    // Everything behind the first pages: the schema still stands.
    const db = new DatabaseSync(path);
    const { rootpage } = db.prepare("SELECT rootpage FROM sqlite_schema WHERE name = 'verdicts'").get() as { rootpage: number };
    db.close();
    const damaged = Buffer.from(pages);
    damaged.fill(0xff, (rootpage - 1) * 4096, rootpage * 4096);
    writeFileSync(path, damaged);
    const other = await openStore(path);
    other.store.put('p', 'new', verdict);
    expect([...other.store.getMany('p', ['new', '11.0.0.1']).keys()]).toEqual(['new']);
    expect(other.faults).toEqual([expect.stringContaining('is damaged')]);
    expect(other.store.health().setAside).toBe(1);
    expect(other.store.spent('p', DAY)).toBe(7);
    other.store.close();
    expect(rowsOf(path)).toBe(1);
    expect([faults, clock.ms]).toEqual([[], 0]);
  });

  it('keeps no more than three damaged files', async () => {
    const path = join(newStateFolder(), 'verdicts.sqlite');
    for (let n = 0; n < 5; n++) {
      writeFileSync(path, 'garbage'.repeat(1000));
      rmSync(`${path}-wal`, { force: true });
      (await openStore(path)).store.close();
      // Names carry milliseconds.
      await new Promise((resolve) => setTimeout(resolve, 2));
    }
    expect(asideOf(path)).toHaveLength(3);
  });

  it('leaves alone the fresh file that another process has begun meanwhile', async () => {
    const one = await openStore();
    renameSync(one.path, `${one.path}.away`);
    const other = await openStore(one.path);
    other.store.put('p', 'theirs', verdict);
    other.store.flush();
    one.store.put('p', 'ours', verdict);
    one.clock.ms += 2000;
    expect([...one.store.getMany('p', ['ours', 'theirs']).keys()].toSorted()).toEqual(['ours', 'theirs']);
    one.store.close();
    other.store.close();
    expect(rowsOf(one.path)).toBe(2);
  });
});

describe('a verdict cache whose disk fails', () => {
  it('deleted while it is open: it is made anew', async () => {
    const { store, path, faults, clock } = await openStore();
    store.put('p', 'a', verdict);
    store.flush();
    for (const ending of ['', '-wal', '-shm']) rmSync(path + ending, { force: true });
    store.put('p', 'b', verdict);
    clock.ms += 2000;
    store.flush();
    expect(faults).toEqual([expect.stringContaining('deleted or replaced')]);
    expect(store.health().fault).toBeNull();
    store.close();
    expect(rowsOf(path)).toBe(1);
  });

  it('the state folder gone and in its place a file: memory, one warning, and the engine answers', async () => {
    await using api = await startStandIn();
    const folder = newStateFolder();
    rmSync(folder, { recursive: true });
    writeFileSync(folder, '');
    const { engine, warnings, health } = await openTestEngine(api.url, { ISMALICIOUS_STATE_DIR: folder });
    const found = await engine.enrichMany(publicAddresses(20));
    expect(new Set([...found.values()].map(({ answer }) => answer.status))).toEqual(new Set(['ok']));
    expect(warnings.filter((warning) => warning.includes('verdict cache'))).toHaveLength(1);
    expect(health().cache.fault).toContain(folder);
    expect((await engine.enrichMany(publicAddresses(20))).size).toBe(20);
    expect(api.asked()).toHaveLength(20);
    await engine.close();
    rmSync(folder);
  });
});

describe('a cached row that is not what was written', () => {
  it.each([
    ['a text without a verdict', `UPDATE verdicts SET answer = '{"score":90}'`],
    ['a verdict nobody has', `UPDATE verdicts SET answer = '{"verdict":"harmless"}'`],
    ['no JSON', `UPDATE verdicts SET answer = '{"verdict":"cle'`],
    ['a blob', `UPDATE verdicts SET answer = x'00ff00'`],
    ['a score that is no number', `UPDATE verdicts SET answer = '{"verdict":"clean","score":"0"}'`],
    ['no time', `UPDATE verdicts SET expires_at = 'never'`],
  ])('%s is asked for again, by whoever reads it', async (_name, change) => {
    await using api = await startStandIn();
    const folder = newStateFolder();
    const [value = ''] = publicAddresses(1);
    const look = async () => {
      const { engine } = await openTestEngine(api.url, { ISMALICIOUS_STATE_DIR: folder });
      const { answer } = (await engine.enrichMany([value])).get(value)!;
      await engine.close();
      return answer;
    };
    const first = await look();
    const db = new DatabaseSync(join(folder, 'verdicts.sqlite'));
    db.exec(change);
    db.close();
    expect(await look()).toEqual(first);
    expect(api.asked()).toEqual([value, value]);
  });
});

describe('long writes', () => {
  it('a purge lets others write in between and deletes what it should', async () => {
    const { store, path } = await openStore();
    store.close();
    const db = new DatabaseSync(path);
    db.exec(`INSERT INTO verdicts SELECT 'p', 'v' || value, 'n', 1, CASE value % 2 WHEN 0 THEN 100 ELSE 4000000000 END
      FROM (WITH RECURSIVE c(value) AS (SELECT 1 UNION ALL SELECT value + 1 FROM c WHERE value < 30000) SELECT value FROM c)`);
    db.close();
    const other = await openStore(path);
    const writer = await openStore(path);
    let leased = 0;
    const timer = setInterval(() => (leased += writer.store.lease('q', [`x${leased}`], NOW_S + 60, NOW_S).size), 1);
    expect(await other.store.purge(200)).toBe(15_000);
    clearInterval(timer);
    expect(leased).toBeGreaterThan(0);
    expect(rowsOf(path)).toBe(15_000);
    other.store.close();
    writer.store.close();
  });
});

describe('files of the state folder', () => {
  it.each([0o000, 0o022, 0o077])('are for their owner only under umask %o, also those that SQLite makes', async (mask) => {
    const folder = join(newStateFolder(), 'deep', 'state');
    const before = process.umask(mask);
    try {
      const { store, path } = await openStore(join(folder, 'verdicts.sqlite'));
      store.put('p', 'v', verdict);
      store.flush();
      for (const ending of ['', '-wal', '-shm']) expect(statSync(path + ending).mode & 0o777, ending).toBe(0o600);
      expect(statSync(folder).mode & 0o777).toBe(0o700);
      store.close();
    } finally {
      process.umask(before);
    }
  });

  it('what was there before and open to others is closed, unless the folder holds something else', async () => {
    const [ours, shared] = [newStateFolder(), newStateFolder()];
    writeFileSync(join(shared, 'somebody-elses.txt'), '');
    for (const folder of [ours, shared]) {
      chmodSync(folder, 0o755);
      const path = join(folder, 'verdicts.sqlite');
      writeFileSync(path, '', { mode: 0o644 });
      chmodSync(path, 0o644);
      (await openStore(path)).store.close();
      expect(statSync(path).mode & 0o777).toBe(0o600);
    }
    expect([statSync(ours).mode & 0o777, statSync(shared).mode & 0o777]).toEqual([0o700, 0o755]);
  });

  it('of a whole engine: nothing is open to others', async () => {
    await using api = await startStandIn();
    const folder = newStateFolder();
    mkdirSync(join(folder, 'sub'));
    const before = process.umask(0);
    try {
      const env = { ISMALICIOUS_BASE_URL: api.url, ISMALICIOUS_X_API_KEY: 'a2V5', ISMALICIOUS_STATE_DIR: join(folder, 'sub') };
      const { engine, feedback } = await openEngine({ env });
      await engine.enrichMany(publicAddresses(2));
      const said = { saidVerdict: null, saidScore: null };
      feedback.add({
        value: '1.2.3.4',
        type: 'ipv4-addr',
        verdict: 'clean',
        score: 0,
        author: 'a',
        reason: 'r',
        atS: 1,
        untilS: null,
        ...said,
      });
      engine.store.flush();
      for (const name of readdirSync(join(folder, 'sub'))) expect(statSync(join(folder, 'sub', name)).mode & 0o077, name).toBe(0);
      await engine.close();
      expect(existsSync(join(folder, 'sub', 'egress.ndjson'))).toBe(true);
    } finally {
      process.umask(before);
    }
  });
});
