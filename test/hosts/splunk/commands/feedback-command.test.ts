import { spawnSync } from 'node:child_process';
import { statSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { openEngine } from '../../../../src/compose/open-engine.ts';
import { answerFeedback } from '../../../../src/hosts/splunk/commands/feedback-command.ts';
import { columnOf, readCsv } from '../../../support/csv-oracle.ts';
import { projectRoot } from '../../../support/fixtures.ts';
import { newStateFolder } from '../../../support/open-test-engine.ts';
import { executeOf, frameOf, MemoryInput, MemoryOutput, readFrames } from '../../../support/splunk-streams.ts';

const PROGRAM = join(projectRoot, 'src/hosts/splunk/programs/feedback.ts');
const NOW_S = 1_795_305_600; // 2026-11-22

function getinfo(args: readonly string[], user: string | null = 'm.keller'): Buffer {
  const searchinfo = { args, raw_args: args, ...(user === null ? {} : { username: user }), owner: 'nobody', app: 'ismalicious' };
  return frameOf({ action: 'getinfo', preview: false, searchinfo });
}

/** One search over a state folder. */
async function run(folder: string, args: readonly string[], { user = 'm.keller' as string | null, nowS = NOW_S, executes = 1 } = {}) {
  const output = new MemoryOutput();
  let opened = 0;
  const requests = [getinfo(args, user), ...Array.from({ length: executes }, () => executeOf('', false))];
  const status = await answerFeedback(
    { input: new MemoryInput(Buffer.concat(requests)), output, complain: () => undefined },
    () => {
      opened++;
      return openEngine({ env: { ISMALICIOUS_STATE_DIR: folder } });
    },
    () => nowS,
  );
  const frames = readFrames(output.bytes);
  const table = readCsv(frames[1]?.body ?? '');
  const rows = table.rows.map((row) => Object.fromEntries(table.header.map((name, n) => [name, row[n] ?? ''])));
  const messages = JSON.stringify(frames.flatMap(({ metadata }) => metadata.inspector ?? []));
  return { status, frames, rows, table, messages, opened };
}

const CLEAN = ['value=198.51.100[.]7', 'verdict=clean', 'reason=our own scanner'];

describe('| ismaliciousfeedback', () => {
  it('takes an override in the name of the user who runs the search, beside what was said, and the engine follows it', async () => {
    const folder = newStateFolder();
    const { status, rows, frames } = await run(folder, [...CLEAN, 'expires=30d']);
    expect([status, frames[0]?.metadata]).toEqual([0, { type: 'stateful', generating: true }]);
    expect(rows).toEqual([
      expect.objectContaining({
        state: 'in force',
        im_indicator: '198.51.100.7',
        im_type: 'ipv4-addr',
        im_verdict: 'clean',
        im_score: '0',
        author: 'm.keller',
        reason: 'our own scanner',
        given_at: '2026-11-22T00:00:00Z',
        expires_at: '2026-12-22T00:00:00Z',
        said_verdict: 'malicious',
        ended_at: '',
      }),
    ]);
    const { engine, feedback } = await openEngine({ env: { ISMALICIOUS_STATE_DIR: folder } });
    expect(feedback.list({ inForceAtS: NOW_S + 1 }).map(({ author, verdict }) => [author, verdict])).toEqual([['m.keller', 'clean']]);
    await engine.close();
    expect(statSync(join(folder, 'feedback.sqlite')).mode & 0o077).toBe(0);
  });

  it('shows what is in force, and takes it back; what ended stays on record with who ended it', async () => {
    const folder = newStateFolder();
    await run(folder, ['value=198.51.100.7 evil.example.com', 'verdict=malicious', 'reason=seen', 'score=81', 'expires=2026-12-31']);
    const listed = await run(folder, ['action=list'], { user: null });
    expect(columnOf(listed.table, 'im_indicator').toSorted()).toEqual(['198.51.100.7', 'evil.example.com']);
    expect(new Set(columnOf(listed.table, 'expires_at'))).toEqual(new Set(['2026-12-31T23:59:59Z']));
    expect(new Set(columnOf(listed.table, 'im_score'))).toEqual(new Set(['81']));
    const ended = await run(folder, ['action=remove', 'value=evil[.]example[.]com, 9.9.9.9'], { user: 'zoe', nowS: NOW_S + 60 });
    expect(ended.rows.map(({ state, im_indicator: value, ended_by: by }) => [state, value, by])).toEqual([
      ['ended', 'evil.example.com', 'zoe'],
      ['none', '9.9.9.9', ''],
    ]);
    const later = { nowS: NOW_S + 120 };
    expect(columnOf((await run(folder, ['action=list'], later)).table, 'im_indicator')).toEqual(['198.51.100.7']);
    const all = await run(folder, ['action=list', 'all=t', 'value=evil.example.com'], later);
    expect(all.rows.map(({ state, author, ended_by: by }) => [state, author, by])).toEqual([['ended', 'm.keller', 'zoe']]);
  });

  it('decides once, however often splunkd asks for rows, and not at all when it asks for none', async () => {
    const folder = newStateFolder();
    expect((await run(folder, CLEAN, { executes: 0 })).opened).toBe(0);
    const { frames, opened } = await run(folder, CLEAN, { executes: 3 });
    expect([opened, frames.slice(2).map(({ metadata }) => metadata)]).toEqual([1, [{ finished: true }, { finished: true }]]);
    expect((await run(folder, ['action=list', 'all=t'])).rows).toHaveLength(1);
  });

  it.each<[string, string[], RegExp]>([
    ['no value', ['verdict=clean', 'reason=x'], /no value given; for example \| ismaliciousfeedback value=/],
    ['no verdict, no reason', ['value=9.9.9.9'], /verdict is missing; reason is missing/],
    ['a verdict nobody gives', ['value=9.9.9.9', 'verdict=unknown', 'reason=x'], /one of malicious, suspicious, clean/],
    ['one value of several that is none', ['value=9.9.9.9 999.1.1.1', 'verdict=clean', 'reason=x'], /the value \\"999.1.1.1\\"/],
    ['another author', [...CLEAN, 'author=boss'], /the author is the user who runs the search/],
    ['a word', ['9.9.9.9', ...CLEAN], /\\"9\.9\.9\.9\\" is not understood; a value is given as value=/],
    ['no end that is one', [...CLEAN, 'expires=soon'], /how long it counts/],
    ['an end in the past', [...CLEAN, 'expires=2026-11-20'], /expires is in the past/],
    ['a score beyond', [...CLEAN, 'score=101'], /0 to 100/],
  ])('%s: nothing is taken, and the search UI says why', async (_case, args, words) => {
    const folder = newStateFolder();
    const { status, messages } = await run(folder, args);
    expect([status, messages]).toEqual([1, expect.stringMatching(words)]);
    expect((await run(folder, ['action=list', 'all=t'])).rows).toEqual([]);
  });

  it.each([null, 'nobody', 'splunk-system-user', ' '])('takes nothing in the name of %j', async (user) => {
    const folder = newStateFolder();
    const { status, messages } = await run(folder, CLEAN, { user });
    expect([status, messages]).toEqual([1, expect.stringContaining('needs an author')]);
    expect((await run(folder, ['action=list'])).rows).toEqual([]);
  });

  it('works as a whole process, and the next search sees it', () => {
    const env = { PATH: process.env.PATH ?? '', ISMALICIOUS_STATE_DIR: newStateFolder() };
    const search = (args: readonly string[]) => {
      const input = Buffer.concat([getinfo(args), executeOf('', false)]);
      const { status, stdout, stderr } = spawnSync(process.execPath, [PROGRAM], { input, env });
      expect({ status, log: stderr.toString() }).toEqual({ status: 0, log: '' });
      return readCsv(readFrames(stdout)[1]!.body);
    };
    expect(columnOf(search(CLEAN), 'said_verdict')).toEqual(['malicious']);
    expect(columnOf(search(['action=list']), 'author')).toEqual(['m.keller']);
  });
});
