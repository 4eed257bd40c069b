import { spawnSync } from 'node:child_process';
import { copyFileSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { isStale } from '../../scripts/freshness.ts';
import { projectRoot } from '../support/fixtures.ts';
import { HOSTS, type HostRun } from '../support/host-processes.ts';
import { randomOf } from '../../scripts/random.ts';
import { newStateFolder, openTestEngine, publicAddresses } from '../support/open-test-engine.ts';
import { lockFromOutside } from '../support/sqlite-lock.ts';
import { type StandInApi, startStandIn } from '../support/stand-in-api.ts';

/** Damaged files for each host; `ISMALICIOUS_DAMAGED_FILES=600` runs all of them. */
const DAMAGED_FILES = Number(process.env['ISMALICIOUS_DAMAGED_FILES'] ?? 4);
const AT_ONCE = 2;
/** How long the lock is held, in seconds, one run after the other; 0: for one run. */
const LOCKED_S = Number(process.env['ISMALICIOUS_LOCKED_S'] ?? 0);
const VALUES = publicAddresses(60);
const PAGE = 4096;
const LONG_MS = 3_600_000;

let api: StandInApi;
let sound = '';

const envOf = (folder: string) => ({ ISMALICIOUS_BASE_URL: api.url, ISMALICIOUS_X_API_KEY: 'a2V5', ISMALICIOUS_STATE_DIR: folder });

beforeAll(async () => {
  if (isStale(projectRoot)) spawnSync(process.execPath, ['scripts/build.ts'], { cwd: projectRoot });
  api = await startStandIn();
  api.bulkCap = 500;
  const folder = newStateFolder();
  const { engine } = await openTestEngine(api.url, { ISMALICIOUS_STATE_DIR: folder });
  await engine.enrichMany(publicAddresses(400));
  await engine.close();
  sound = join(folder, 'verdicts.sqlite');
}, 120_000);

afterAll(async () => await api[Symbol.asyncDispose]());

/** Every value has a status, and the process has ended as it should. */
function expectAnswered(run: HostRun, values: readonly string[], what: string): void {
  expect({ code: run.code, signal: run.signal, answered: run.statuses.length, stderr: run.code === 0 ? '' : run.stderr }, what).toEqual({
    code: 0,
    signal: null,
    answered: values.length,
    stderr: '',
  });
  expect(new Set(run.statuses), what).toEqual(new Set(['ok']));
}

/** One of many kinds of damage, by seed: bytes, pages, the header, the length, other content. */
function damaged(seed: number): Buffer {
  const bytes = Buffer.from(readFileSync(sound));
  const random = randomOf(seed);
  const place = (most: number) => Math.floor(random() * most);
  const pages = bytes.length / PAGE;
  switch (seed % 8) {
    case 0:
      for (let n = 0; n < 40; n++) bytes[place(bytes.length)] = place(256);
      return bytes;
    case 1:
      return bytes.fill(place(256), place(pages) * PAGE, bytes.length);
    case 2:
      return bytes.fill(0xff, place(pages) * PAGE, (place(pages) + 1) * PAGE);
    case 3:
      return bytes.subarray(0, place(bytes.length));
    case 4:
      for (let n = 0; n < 8; n++) bytes[place(100)] = place(256);
      return bytes;
    case 5: {
      const [from, to] = [place(pages) * PAGE, place(pages) * PAGE];
      bytes.copy(bytes, to, from, from + PAGE);
      return bytes;
    }
    case 6:
      return Buffer.from(Array.from({ length: 1 + place(20_000) }, () => place(256)));
    default:
      // Inside the texts and keys: the pages themselves stay sound.
      for (let n = 0; n < 200; n++) {
        const at = bytes.indexOf('"', place(bytes.length));
        if (at >= 0) bytes[at + place(12)] = 32 + place(90);
      }
      return bytes;
  }
}

describe.each(Object.entries(HOSTS))('%s', (name, host) => {
  it(
    `answers every row over ${DAMAGED_FILES} damaged cache files`,
    async () => {
      const seeds = Array.from({ length: DAMAGED_FILES }, (_, n) => n * (DAMAGED_FILES < 8 ? 3 : 1));
      const work = async () => {
        for (let seed = seeds.shift(); seed !== undefined; seed = seeds.shift()) {
          const folder = newStateFolder();
          writeFileSync(join(folder, 'verdicts.sqlite'), damaged(seed));
          expectAnswered(await host(VALUES, envOf(folder)), VALUES, `seed ${seed}`);
        }
      };
      await Promise.all(Array.from({ length: AT_ONCE }, work));
    },
    LONG_MS,
  );

  it(
    'answers every row while another process holds the lock all the time',
    async () => {
      const folder = newStateFolder();
      const path = join(folder, 'verdicts.sqlite');
      copyFileSync(sound, path);
      const fresh = publicAddresses(900).slice(500);
      for (const kind of ['immediate', 'exclusive'] as const) {
        const lock = await lockFromOutside(path, kind);
        const endMs = Date.now() + LOCKED_S * 1000;
        do expectAnswered(await host(fresh, envOf(folder)), fresh, kind);
        while (Date.now() < endMs);
        await lock.free();
      }
    },
    LONG_MS,
  );

  it(
    'answers every row when the cache may not grow any more',
    async () => {
      const fresh = publicAddresses(2000);
      // Nothing is told of a file that is too large but EFBIG: the signal would end the process.
      for (const blocks of [16, 64, 200]) {
        const folder = newStateFolder();
        const run = await host(fresh, envOf(folder), `trap '' XFSZ; ulimit -f ${blocks}`);
        expectAnswered(run, fresh, `${blocks} blocks`);
      }
    },
    LONG_MS,
  );

  it(
    'answers every row on a disk that is full',
    async (context) => {
      const fresh = publicAddresses(6000);
      for (const size of ['400k', '1m', '3m']) {
        const folder = newStateFolder();
        const mounted = spawnSync('mount', ['-t', 'tmpfs', '-o', `size=${size}`, 'tmpfs', folder]);
        if (mounted.status !== 0) return context.skip('mounting a small disk needs root');
        try {
          mkdirSync(join(folder, 'state'));
          const run = await host(fresh, envOf(join(folder, 'state')));
          expectAnswered(run, fresh, `${name} on ${size}`);
        } finally {
          spawnSync('umount', ['-l', folder]);
        }
      }
      return undefined;
    },
    LONG_MS,
  );
});

it('the sound file is one that hosts answer from', () => {
  const db = new DatabaseSync(sound, { readOnly: true });
  expect(db.prepare('SELECT count(*) AS n FROM verdicts').get()).toEqual({ n: 400 });
  db.close();
});
