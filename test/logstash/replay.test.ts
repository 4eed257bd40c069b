import { existsSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { afterAll, describe, expect, it } from 'vitest';
import { type Io, UsageError } from '../../src/hosts/cli/command.ts';
import { replay, replayFile } from '../../src/hosts/cli/commands/replay.ts';
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

describe('replay of a spool', () => {
  it('gives out what is answered now, keeps what is not, byte for byte', async () => {
    const bad = '{"destination":{"ip":"45.155.205.9"},"n":9007199254740993,"f":1.10}';
    const failing = '{ "destination": {"ip":"94.102.61.5"}, "n":9007199254740993 }';
    const path = spool(bad, failing, '{"message":"nothing to look up"}', 'no JSON');
    const { written, output } = collector();
    expect(await replayFile(path, createFakeEnricher({ sayings, cold: true }), output)).toEqual({ replayed: 2, kept: 2 });
    const lines = written.join('').trimEnd().split('\n');
    expect(lines[0]).toContain('"n":9007199254740993,"f":1.10');
    expect(JSON.parse(lines[0] ?? '')).toMatchObject({
      ismalicious: { verdict: 'malicious' },
      threat: { enrichments: [{ matched: { field: 'destination.ip' } }] },
    });
    expect(lines[1]).toBe('{"message":"nothing to look up"}');
    expect(readFileSync(path, 'utf8')).toBe(`${failing}\nno JSON\n`);
  });

  it('removes a spool of which nothing is left, and leaves no file of its own', async () => {
    const path = spool('{"destination":{"ip":"45.155.205.9"}}');
    expect(await replayFile(path, createFakeEnricher({ sayings }), collector().output)).toEqual({ replayed: 1, kept: 0 });
    expect(existsSync(path)).toBe(false);
    expect(readdirSync(folder).filter((name) => name.includes('.rest'))).toEqual([]);
  });

  it('leaves the spool alone when the events cannot be written', async () => {
    const path = spool('{"destination":{"ip":"45.155.205.9"}}');
    const before = readFileSync(path, 'utf8');
    const output = { write: async () => Promise.reject(new Error('disk full')), end: async () => undefined };
    await expect(replayFile(path, createFakeEnricher({ sayings }), output)).rejects.toThrow('disk full');
    expect(readFileSync(path, 'utf8')).toBe(before);
    expect(readdirSync(folder).filter((name) => name.includes('.rest'))).toEqual([]);
  });

  it('takes many events, each value asked once a batch', async () => {
    const path = spool(...Array.from({ length: 450 }, (_, n) => `{"source":{"ip":"45.155.${n % 3}.9"},"n":${n}}`));
    const enricher = createFakeEnricher({ cold: true });
    const { written, output } = collector();
    expect(await replayFile(path, enricher, output)).toEqual({ replayed: 450, kept: 0 });
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
    await replayFile(spool(JSON.stringify(out)), createFakeEnricher({ sayings }), output);
    expect(JSON.parse(written.join(''))).toMatchObject({
      ismalicious: { verdict: 'malicious', status: 'ok', tier: 'p1' },
      tags: ['forwarded'],
    });
  });

  it.each([
    [[], 'at least one spool file'],
    [['/nowhere/x.ndjson'], 'cannot be read (ENOENT)'],
  ])('%j is wrong use: %s', async (args, words) => {
    const io: Io = {
      stdin: new PassThrough(),
      stdout: new PassThrough(),
      stderr: new PassThrough(),
      env: { ISMALICIOUS_STATE_DIR: folder },
      hasColor: false,
      hasProgress: false,
    };
    const fault = await replay.run(args, io).catch((error: unknown) => error);
    expect(fault).toBeInstanceOf(UsageError);
    expect((fault as Error).message).toContain(words);
  });
});
