import {
  appendFileSync,
  chmodSync,
  chownSync,
  closeSync,
  existsSync,
  mkdtempSync,
  openSync,
  readFileSync,
  readdirSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { afterAll, describe, expect, it } from 'vitest';
import { BatchError } from '../../src/batch/batch-error.ts';
import { type Io, UsageError } from '../../src/hosts/cli/command.ts';
import { replay } from '../../src/hosts/cli/commands/replay.ts';
import { markRepeated } from '../../src/batch/mark-repeated.ts';
import { lockHolderName } from '../../src/disk/lock-holder.ts';
import { replayFile } from '../../src/batch/replay-file.ts';
import { keptPathOf } from '../../src/batch/taken-spool.ts';
import { createFakeEnricher } from '../support/fake-sidecar-enricher.ts';
import { projectRoot } from '../support/fixtures.ts';
import { leaving } from '../support/logstash-event.ts';
import { createFilterRun } from '../support/logstash-runner.ts';

const folder = mkdtempSync(join(tmpdir(), 'ismalicious-replay-'));
afterAll(() => rmSync(folder, { recursive: true }));
let files = 0;
const spool = (...lines: string[]) => {
  const path = join(folder, `spool-${++files}.ndjson`);
  writeFileSync(path, lines.map((line) => `${line}\n`).join(''));
  return path;
};
const collector = () => {
  const written: string[] = [];
  return { written, output: { write: async (text: string) => void written.push(text), end: async () => undefined } };
};
const sayings = { '45.155.205.9': { verdict: 'malicious', score: 87 }, '94.102.61.5': { verdict: 'unknown', status: 'timeout' } } as const;

const all = (folderOf: string) => readdirSync(folderOf).filter((name) => name.startsWith(`spool-${files}`));
/** Nobody writes to these files: nothing has to be waited for. */
const AT_ONCE = 0;

describe('replay of a spool', () => {
  it('gives out what is answered now, keeps what is not in a file beside it, byte for byte', async () => {
    const bad = '{"destination":{"ip":"45.155.205.9"},"n":9007199254740993,"f":1.10}';
    const failing = '{ "destination": {"ip":"94.102.61.5"}, "n":9007199254740993 }';
    const path = spool(bad, failing, '{"message":"nothing to look up"}', 'no JSON', '[1]');
    const { written, output } = collector();
    const done = await replayFile(path, createFakeEnricher({ sayings, cold: true }), output, AT_ONCE);
    expect(done).toEqual({ replayed: 2, kept: 1, unreadable: 2, repeated: 0 });
    const lines = written.join('').trimEnd().split('\n');
    expect(lines[0]).toContain('"n":9007199254740993,"f":1.10');
    expect(JSON.parse(lines[0] ?? '')).toMatchObject({
      ismalicious: { verdict: 'malicious' },
      threat: { enrichments: [{ matched: { field: 'destination.ip' } }] },
    });
    expect(lines[1]).toBe('{"message":"nothing to look up"}');
    expect(existsSync(path)).toBe(false);
    expect(readFileSync(keptPathOf(path), 'utf8')).toBe(`${failing}\n`);
    expect(readFileSync(`${path}.unreadable`, 'utf8')).toBe('no JSON\n[1]\n');
    expect(all(folder)).toHaveLength(2);
  });

  it('replays the file of kept events like any other, into itself', async () => {
    const path = spool('{"destination":{"ip":"94.102.61.5"}}', '{"destination":{"ip":"94.102.61.5"},"n":2}');
    await replayFile(path, createFakeEnricher({ sayings }), collector().output, AT_ONCE);
    const kept = keptPathOf(path);
    expect(keptPathOf(kept)).toBe(kept);
    expect(await replayFile(kept, createFakeEnricher({ sayings }), collector().output, AT_ONCE)).toMatchObject({ replayed: 0, kept: 2 });
    expect(await replayFile(kept, createFakeEnricher({}), collector().output, AT_ONCE)).toMatchObject({ replayed: 2, kept: 0 });
    expect(all(folder)).toEqual([]);
  });

  it('gives out what is no indicator and never will be, tagged, also beside something malicious; what may be answered later stays', async () => {
    const never = '{"source":{"ip":"300.1.1.1"},"n":1}';
    const beside = '{"source":{"ip":"not an address"},"destination":{"ip":"45.155.205.9"},"n":2}';
    const later = '{"source":{"ip":"300.1.1.1"},"destination":{"ip":"94.102.61.5"},"n":3}';
    const badAndLater = '{"source":{"ip":"45.155.205.9"},"destination":{"ip":"94.102.61.5"},"n":4}';
    const path = spool(never, beside, later, badAndLater);
    const { written, output } = collector();
    expect(await replayFile(path, createFakeEnricher({ sayings }), output, AT_ONCE)).toMatchObject({ replayed: 2, kept: 2 });
    const out = written
      .join('')
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line));
    expect(out).toMatchObject([
      { n: 1, ismalicious: { verdict: 'unknown', status: 'invalid' }, tags: ['_ismalicious_failure'] },
      { n: 2, ismalicious: { verdict: 'malicious' }, tags: ['_ismalicious_failure'] },
    ]);
    expect(readFileSync(keptPathOf(path), 'utf8')).toBe(`${later}\n${badAndLater}\n`);
  });

  it('removes a spool of which nothing is left, and leaves no file of its own', async () => {
    const path = spool('{"destination":{"ip":"45.155.205.9"}}');
    expect(await replayFile(path, createFakeEnricher({ sayings }), collector().output, AT_ONCE)).toMatchObject({ replayed: 1, kept: 0 });
    expect(all(folder)).toEqual([]);
  });

  it('keeps every event when they cannot be written, and goes on with them the next time, marked', async () => {
    const path = spool('{"destination":{"ip":"45.155.205.9"}}', '{"destination":{"ip":"94.102.61.5"}}');
    const output = { write: async () => Promise.reject(new Error('disk full')), end: async () => undefined };
    await expect(replayFile(path, createFakeEnricher({ sayings }), output, AT_ONCE)).rejects.toThrow('disk full');
    const { written, output: working } = collector();
    const done = await replayFile(path, createFakeEnricher({ sayings }), working, AT_ONCE);
    expect(done).toEqual({ replayed: 1, kept: 1, unreadable: 0, repeated: 1 });
    expect(JSON.parse(written.join(''))).toMatchObject({ tags: ['_ismalicious_repeated'] });
    expect(readFileSync(keptPathOf(path), 'utf8')).toBe('{"tags":["_ismalicious_repeated"],"destination":{"ip":"94.102.61.5"}}\n');
  });

  it('loses nothing that is written while it runs: into the moved file, or into a new one of the same name', async () => {
    const line = (n: number) => `{"destination":{"ip":"45.155.205.9"},"n":${n}}\n`;
    const path = spool();
    appendFileSync(path, line(0));
    const writer = openSync(path, 'a');
    const { written, output } = collector();
    let wrote = 1;
    const busy = {
      async write(text: string) {
        await output.write(text);
        // The writer's buffer still goes into the file that it has open, a piece of a line first; then it sees that the name is gone.
        if (wrote > 3) return;
        const late = line(wrote++);
        writeSync(writer, late.slice(0, 9));
        setTimeout(() => writeSync(writer, late.slice(9)), 20);
        appendFileSync(path, line(100 + wrote));
      },
      end: output.end,
    };
    await replayFile(path, createFakeEnricher({ sayings }), busy, 1500);
    closeSync(writer);
    const out = written
      .join('')
      .trimEnd()
      .split('\n')
      .map((text) => JSON.parse(text).n);
    expect(out.toSorted()).toEqual([0, 1, 2, 3]);
    expect(readFileSync(path, 'utf8')).toBe([102, 103, 104].map(line).join(''));
  });

  it('refuses a file that another run has, and goes on where a run that is gone stopped, marking what may be out', async () => {
    const lines = Array.from({ length: 3 }, (_, n) => `{"destination":{"ip":"45.155.205.9"},"n":${n},"tags":"own"}`);
    const path = spool();
    writeFileSync(`${path}.taken`, lines.map((line) => `${line}\n`).join(''));
    rmSync(path);
    const size = lines[0]!.length + 1;
    writeFileSync(`${path}.replaying`, JSON.stringify({ done: size, pending: size, keptInode: 0, keptBytes: 0 }));
    const lock = `${keptPathOf(path)}.lock-x`;
    const other = lockHolderName('x').split(' ').with(3, String(process.ppid)).with(4, '-').join(' ');
    writeFileSync(lock, other);
    for (const one of [path, keptPathOf(path)])
      await expect(replayFile(one, createFakeEnricher({ sayings }), collector().output, AT_ONCE)).rejects.toThrow(
        `is being replayed by process ${process.ppid} on `,
      );
    writeFileSync(
      lock,
      other
        .split(' ')
        .with(3, String(2 ** 30))
        .join(' '),
    );
    const { written, output } = collector();
    expect(await replayFile(path, createFakeEnricher({ sayings }), output, AT_ONCE)).toMatchObject({ replayed: 2, repeated: 1 });
    const out = written
      .join('')
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line));
    expect(out.map(({ n, tags }) => [n, tags])).toEqual([
      [1, ['own', '_ismalicious_repeated']],
      [2, 'own'],
    ]);
  });

  it('keeps an event that a killed run may have given out with the mark, so that it is never out twice without it', async () => {
    const path = spool();
    const line = '{"destination":{"ip":"94.102.61.5"},"n":1}';
    writeFileSync(`${path}.taken`, `${line}\n`);
    writeFileSync(`${path}.replaying`, JSON.stringify({ done: 0, pending: line.length + 1, keptInode: 0, keptBytes: 0 }));
    rmSync(path);
    expect(await replayFile(path, createFakeEnricher({ sayings }), collector().output, AT_ONCE)).toMatchObject({ replayed: 0, kept: 1 });
    const kept = '{"tags":["_ismalicious_repeated"],"destination":{"ip":"94.102.61.5"},"n":1}\n';
    expect(readFileSync(keptPathOf(path), 'utf8')).toBe(kept);
  });

  it.each([
    ['the file itself', (path: string) => [path, keptPathOf(path)] as const],
    ['its file of kept events', (path: string) => [keptPathOf(path), path] as const],
  ])('finishes what a killed run began of %s before it touches the other one', async (_, orderOf) => {
    const path = spool('{"destination":{"ip":"45.155.205.9"}}');
    writeFileSync(keptPathOf(path), '{"destination":{"ip":"45.155.205.9"}}\n');
    const [begun, other] = orderOf(path);
    renameSync(begun, `${begun}.taken`);
    const run = (one: string) => replayFile(one, createFakeEnricher({ sayings }), collector().output, AT_ONCE);
    await expect(run(other)).rejects.toThrow(`replay ${begun} first, then ${other}`);
    expect(await run(begun)).toMatchObject({ replayed: 1 });
    expect(await run(other)).toMatchObject({ replayed: 1 });
    expect(all(folder)).toEqual([]);
  });

  it('is one run at a time, when two are started at the same moment', async () => {
    const path = spool('{"destination":{"ip":"45.155.205.9"}}');
    const { written, output } = collector();
    const run = () => replayFile(path, createFakeEnricher({ sayings }), output, AT_ONCE);
    const done = await Promise.allSettled([run(), run(), run()]);
    expect(done.filter(({ status }) => status === 'fulfilled').length).toBeLessThanOrEqual(1);
    await run().catch(() => undefined);
    expect(written).toHaveLength(1);
    expect(all(folder)).toEqual([]);
  });

  it.skipIf(process.getuid?.() !== 0)('leaves files to the user whose spool it is [needs script run as root]', async () => {
    const path = spool('{"destination":{"ip":"94.102.61.5"}}');
    chmodSync(path, 0o640);
    chownSync(path, 65_534, 65_534);
    await replayFile(path, createFakeEnricher({ sayings }), collector().output, AT_ONCE);
    const { uid, gid, mode } = statSync(keptPathOf(path));
    expect([uid, gid, mode & 0o777]).toEqual([65_534, 65_534, 0o640]);
  });

  it('takes many events, each value asked once a batch', async () => {
    const path = spool(...Array.from({ length: 450 }, (_, n) => `{"source":{"ip":"45.155.${n % 3}.9"},"n":${n}}`));
    const enricher = createFakeEnricher({ cold: true });
    const { written, output } = collector();
    expect(await replayFile(path, enricher, output, AT_ONCE)).toMatchObject({ replayed: 450, kept: 0 });
    expect(
      written
        .join('')
        .trimEnd()
        .split('\n')
        .map((line) => JSON.parse(line).n),
    ).toEqual(Array.from({ length: 450 }, (_, n) => n));
    expect(enricher.asked.flat()).toHaveLength(3);
  });

  it('finds events as they came: the spool’s own pipeline takes back what the failed look-up wrote', async () => {
    const pipeline = createFilterRun([readFileSync(join(projectRoot, 'logstash', 'conf.d', 'spool.conf'), 'utf8')], {});
    const failed = { verdict: 'unknown', status: 'unavailable', tier: 'review', source: 'none' };
    const out = leaving(
      await pipeline.run({
        destination: { ip: '45.155.205.9' },
        ismalicious: failed,
        tags: ['forwarded', '_ismalicious_failure', '_ismalicious_unavailable'],
      }),
    );
    expect(out).toEqual({ destination: { ip: '45.155.205.9' }, ismalicious: {}, tags: ['forwarded'] });
    const { written, output } = collector();
    await replayFile(spool(JSON.stringify(out)), createFakeEnricher({ sayings }), output, AT_ONCE);
    expect(JSON.parse(written.join(''))).toMatchObject({
      ismalicious: { verdict: 'malicious', status: 'ok', tier: 'p1' },
      tags: ['forwarded'],
    });
  });

  it.each([
    [[], UsageError, 'at least one spool file'],
    [['/nowhere/x.ndjson'], BatchError, 'cannot be read (ENOENT)'],
  ])('%j is wrong use: %o %s', async (args, kind, words) => {
    const io: Io = {
      stdin: new PassThrough(),
      stdout: new PassThrough(),
      stderr: new PassThrough(),
      env: { ISMALICIOUS_STATE_DIR: folder },
      hasColor: false,
      hasProgress: false,
    };
    const fault = await replay.run(args, io).catch((error: unknown) => error);
    expect(fault).toBeInstanceOf(kind);
    expect((fault as Error).message).toContain(words);
  });
});

describe('the mark of an event that may be out twice', () => {
  const TAG = '"_ismalicious_repeated"';
  it.each([
    ['{"a":1}', `{"tags":[${TAG}],"a":1}`],
    ['{}', `{"tags":[${TAG}]}`],
    [' { "a": 1.10 }', `{"tags":[${TAG}], "a": 1.10 }`],
    ['{"tags":["x"],"n":9007199254740993}', `{"tags":["x",${TAG}],"n":9007199254740993}`],
    ['{"a":{"tags":["y"]},"tags":[]}', `{"a":{"tags":["y"]},"tags":[${TAG}]}`],
    ['{"tags":"own"}', `{"tags":["own",${TAG}]}`],
    ['{"tags":null}', `{"tags":[${TAG}]}`],
  ])('%s becomes %s', (line, marked) => {
    expect(markRepeated(line)).toBe(marked);
  });
});
