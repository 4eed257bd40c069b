import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, readdirSync, rmSync, utimesSync, watch } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { keptPathOf } from '../../src/batch/taken-spool.ts';
import { projectRoot } from '../support/fixtures.ts';
import { createFileOutput } from '../support/logstash-file-output.ts';
import { newStateFolder } from '../support/open-test-engine.ts';
import { healthy, sendJson, startStandIn } from '../support/stand-in-api.ts';

// 50 by hand and at night: ISMALICIOUS_KILLS=50.
const KILLS = Number(process.env.ISMALICIOUS_KILLS ?? 4);
const EVERY_MS = 50;
/** Steps of a replay that a folder shows: some 12 a batch. */
const MOST_STEPS = 30;
const MOST_WAIT_MS = 16_000;
const REPEATED = '_ismalicious_repeated';

interface Given {
  readonly n: number;
  readonly tags?: readonly string[];
}

const shipped = readFileSync(join(projectRoot, 'logstash', 'conf.d', 'spool.conf'), 'utf8');

it(
  `replay, killed with -9 at ${KILLS} random moments while 20 events a second are spooled: 0 lost, 0 twice without the mark`,
  { timeout: KILLS * 30_000 + 120_000 },
  async () => {
    const folder = mkdtempSync(join(tmpdir(), 'ismalicious-replay-kill-'));
    const path = join(folder, '2026-11-21.ndjson');
    const out = join(folder, 'out.json');
    await using api = await startStandIn();
    api.bulkCap = 500;
    const env = {
      PATH: process.env.PATH,
      ISMALICIOUS_BASE_URL: api.url,
      ISMALICIOUS_X_API_KEY: 'a2V5OnNlY3JldA==',
      ISMALICIOUS_STATE_DIR: newStateFolder(),
    };
    const writer = createFileOutput(path, {
      flushInterval: Number(/flush_interval => (\d+)/.exec(shipped)?.[1]),
      staleCleanupInterval: 10,
    });
    let spooled = 0;
    const spoolOne = () => writer.receive([eventOf(spooled++)]);
    await Promise.all(Array.from({ length: 450 }, spoolOne));
    const ticking = setInterval(() => void spoolOne(), EVERY_MS);

    /** Runs the program; `kill`: when it is ended, at the n-th step that it takes or after a time. Whether it was. */
    const replay = async (file: string, kill: { steps: number } | { ms: number } | null): Promise<boolean> => {
      const child = spawn(process.execPath, [join(projectRoot, 'src/main.ts'), 'replay', file, '--out', out], {
        env,
        stdio: ['ignore', 'ignore', 'pipe'],
      });
      let said = '';
      child.stderr.on('data', (part: Buffer) => (said += part.toString()));
      let steps = 0;
      const watcher = watch(folder, (_, name) => {
        if (name === null || name === '2026-11-21.ndjson') return;
        steps += 1;
        if (kill !== null && 'steps' in kill && steps === kill.steps) child.kill('SIGKILL');
      });
      const timer = kill !== null && 'ms' in kill ? setTimeout(() => child.kill('SIGKILL'), kill.ms) : null;
      const [code, signal] = await new Promise<[number | null, string | null]>((resolve) => child.once('close', (...end) => resolve(end)));
      watcher.close();
      if (timer !== null) clearTimeout(timer);
      // 3: some are kept.
      expect(signal ?? [0, 3].includes(code ?? -1), said).toBeTruthy();
      return signal !== null;
    };

    let kills = 0;
    while (kills < KILLS) {
      // In one run of three nobody answers: all is kept. What was begun of one file is finished before the other.
      const isUp = Math.random() > 0.33;
      api.reply = isUp ? healthy : (_, response) => sendJson(response, 503, {});
      const begun = [path, keptPathOf(path)].find((one) => existsSync(`${one}.taken`));
      const next = begun ?? (Math.random() < 0.4 && existsSync(keptPathOf(path)) ? keptPathOf(path) : path);
      if (!existsSync(next) && begun === undefined) await spoolOne();
      const isByTime = process.env.ISMALICIOUS_KILLS !== undefined && kills % 2 === 1;
      const kill = isByTime ? { ms: Math.random() * MOST_WAIT_MS } : { steps: 1 + Math.floor(Math.random() * MOST_STEPS) };
      if (await replay(next, kill)) kills += 1;
    }

    clearInterval(ticking);
    await writer.close();
    api.reply = healthy;
    const left = () => [path, keptPathOf(path)].filter((one) => existsSync(`${one}.taken`) || existsSync(one));
    // An hour later nothing is in the writer's hands any more, and nothing is waited for.
    const anHourAgo = new Date(Date.now() - 3_600_000);
    for (const one of left()) if (existsSync(one)) utimesSync(one, anHourAgo, anHourAgo);
    for (let runs = 0; left().length > 0 && runs < 12; runs += 1) {
      const begun = left().find((one) => existsSync(`${one}.taken`));
      await replay(begun ?? left()[0]!, null);
    }
    // A lock in the making is left for a minute where a run was killed over it.
    expect(readdirSync(folder).filter((name) => !/\.lock-[^.]+\.new$/.test(name))).toEqual(['out.json']);

    const given = readFileSync(out, 'utf8').split('\n').flatMap(read);
    const unmarked = given.filter(({ tags }) => !tags?.includes(REPEATED)).map(({ n }) => n);
    const all = new Set(given.map(({ n }) => n));
    const lost = Array.from({ length: spooled }, (_, n) => n).filter((n) => !all.has(n));
    process.stdout.write(
      `replay: ${kills} kills, ${spooled} events spooled, ${lost.length} lost, ${given.length - all.size} given out again, ` +
        `${unmarked.length - new Set(unmarked).size} of them without the mark\n`,
    );
    expect(lost).toEqual([]);
    expect(unmarked.filter((n, place) => unmarked.indexOf(n) !== place)).toEqual([]);
    rmSync(folder, { recursive: true });
  },
);

function eventOf(n: number): string {
  return JSON.stringify({
    '@timestamp': '2026-11-21T10:00:00.000Z',
    n,
    destination: { ip: `${11 + (n % 80)}.${n >>> 8}.${n & 255}.9` },
    pad: 'x'.repeat(n % 97),
  });
}

/** A line that a kill cut off is no event: the whole one comes later, marked. */
function read(line: string): Given[] {
  try {
    return [JSON.parse(line) as Given];
  } catch {
    return [];
  }
}
