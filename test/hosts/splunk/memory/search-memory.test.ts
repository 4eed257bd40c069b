import { mkdirSync, readFileSync, rmSync, statSync, truncateSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import * as fc from 'fast-check';
import { describe, expect, it, vi } from 'vitest';
import { columnOf } from '../../../support/csv-oracle.ts';
import { HEADER, ROWS, search, searchWorld } from '../../../support/remembered-search.ts';
import { sendJson } from '../../../support/stand-in-api.ts';

const world = searchWorld();

describe('a search after one of the same shape', () => {
  it.each([
    [['dest_ip']],
    [['dest_ip', 'prefix=ti_']],
    [['src_ip', 'dest_ip']],
    [['dest_ip', 'details=t']],
    [['src_ip', 'dest_ip', 'details=t']],
    [['dest_ip', 'only=malicious']],
    [['src_ip', 'dest_ip', 'only=malicious,unknown', 'details=t']],
    [['dest_ip', 'providers=ismalicious']],
    [['dest_ip', 'mode=cache']],
    [['missing', 'dest_ip']],
    [['_time', 'note']],
  ])('%j opens nothing and writes what the engine would', async (args) => {
    await search(['src_ip', 'dest_ip']);
    await search(args);
    const calls = world.api.calls.length;
    const recalled = await search(args);
    const asked = await search(args, { remembers: false });
    expect([recalled.opened, asked.opened]).toEqual([0, 1]);
    expect(recalled.output.equals(asked.output)).toBe(true);
    expect(world.api.calls.length).toBe(calls);
  });

  it('opens nothing either after the one that paid, and says cache where that said live', async () => {
    const paid = await search(['dest_ip']);
    const recalled = await search(['dest_ip']);
    expect(columnOf(paid.tables[0]!, 'im_source')).toEqual(['live', 'live', 'none', 'live', 'coalesced']);
    expect(columnOf(recalled.tables[0]!, 'im_source')).toEqual(['cache', 'cache', 'none', 'cache', 'cache']);
    const asked = await search(['dest_ip'], { remembers: false });
    expect([recalled.opened, recalled.output.equals(asked.output)]).toEqual([0, true]);
  });

  it('asks about what is new only, and leaves both to the next', async () => {
    await search(['dest_ip']);
    const before = world.api.asked().length;
    const more = `${HEADER}1,,12.0.0.1,,\n2,,12.7.7.7,,\n3,,15.7.7.7,,\n`;
    const mixed = await search(['dest_ip'], { body: more });
    expect([mixed.opened, world.api.asked().slice(before)]).toEqual([1, ['12.7.7.7', '15.7.7.7']]);
    expect(columnOf(mixed.tables[0]!, 'im_source')).toEqual(['cache', 'live', 'live']);
    const both = await search(['dest_ip'], { bodies: [ROWS, more] });
    const asked = await search(['dest_ip'], { bodies: [ROWS, more], remembers: false });
    expect([both.opened, both.output.equals(asked.output)]).toEqual([0, true]);
  });

  it.each([[['dest_ip', 'providers=local']], [['dest_ip', 'tlp=red']]])('that asked somebody else begins anew: %j', async (args) => {
    await search(['dest_ip']);
    expect((await search(args)).opened).toBe(1);
  });

  it('in chunks, with more values than a search keeps in memory', async () => {
    const chunk = (net: number, size = 33_000) =>
      `${HEADER}${Array.from({ length: size }, (_, n) => `1,,10.${net}.${n >> 8}.${n & 255},,`).join('\n')}\n`;
    const bodies = [chunk(1), chunk(2), chunk(1)];
    const first = await search(['dest_ip'], { bodies });
    const second = await search(['dest_ip'], { bodies });
    expect(second.output.equals(first.output)).toBe(true);
  });

  it('leaves a large file alone once it helped little: such values come once', async () => {
    const chunk = (net: number) =>
      `${HEADER}${Array.from({ length: 20_000 }, (_, n) => `1,,10.${net}.${n >> 8}.${n & 255},,`).join('\n')}\n`;
    const kept = () => statSync(join(world.folder, 'searches', world.known()[0]!)).mtimeMs;
    await search(['dest_ip'], { body: chunk(1) });
    const first = kept();
    await search(['dest_ip'], { body: chunk(2) });
    expect(kept()).toBe(first);
    await search(['dest_ip'], { body: chunk(1) + chunk(2).slice(HEADER.length) });
    expect(kept()).toBeGreaterThan(first);
  });

  it('leaves a large file alone for a few more values and keeps them beside it, until they are many', async () => {
    const many = `${HEADER}${Array.from({ length: 2000 }, (_, n) => `1,,10.1.${n >> 8}.${n & 255},,`).join('\n')}\n`;
    const more = (from: number, count: number) => Array.from({ length: count }, (_, n) => `2,,12.2.0.${from + n},,\n`).join('');
    const whole = () => world.known().find((name) => !name.includes('rest')) ?? '';
    const kept = () => statSync(join(world.folder, 'searches', whole())).mtimeMs;
    await search(['dest_ip'], { body: many });
    const before = kept();
    await search(['dest_ip'], { body: HEADER + more(1, 1) });
    // Paid for in the search before, and a search of another shape knows it as well.
    for (const args of [['dest_ip'], ['dest_ip', 'details=t']]) {
      const recalled = await search(args, { body: many + more(1, 1) });
      const asked = await search(args, { body: many + more(1, 1), remembers: false });
      expect([recalled.opened, recalled.output.equals(asked.output)]).toEqual([0, true]);
    }
    await search(['dest_ip'], { body: many + more(1, 20) });
    expect([kept(), world.known().length]).toEqual([before, 2]);
    expect((await search(['dest_ip'], { body: many + more(1, 20) })).opened).toBe(0);
    await search(['dest_ip'], { body: many + more(1, 100) });
    expect(kept()).toBeGreaterThan(before);
    expect([world.known().length, (await search(['dest_ip'], { body: many + more(1, 100) })).opened]).toEqual([1, 0]);
  });

  it('whatever the rows and the order of searches', async () => {
    const value = fc.constantFrom(
      '12.0.0.1',
      '13.1.1.1',
      '10.0.0.1',
      '::1',
      'x y',
      '',
      'evil.example.com',
      '"q,1"',
      '12.0.0.1.',
      '"12.9.9.9\n13.9.9.9"',
    );
    const rows = fc
      .array(fc.tuple(value, value), { maxLength: 6 })
      .map((all) => `a,b\n${all.map(([one, other]) => `${one},${other}\n`).join('')}`);
    const args = fc.constantFrom(['a'], ['a', 'b'], ['b', 'details=t'], ['a', 'b', 'only=malicious,clean']);
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.tuple(args, fc.array(rows, { minLength: 1, maxLength: 3 })), { minLength: 1, maxLength: 4 }),
        async (searches) => {
          for (const [words, bodies] of searches) {
            await search(words, { bodies, remembers: false });
            const first = await search(words, { bodies });
            expect(first.output.equals((await search(words, { bodies, remembers: false })).output)).toBe(true);
            const recalled = await search(words, { bodies });
            const asked = await search(words, { bodies, remembers: false });
            expect(recalled.opened).toBe(0);
            expect(recalled.output.equals(asked.output)).toBe(true);
          }
        },
      ),
      { numRuns: 8 },
    );
  });
});

describe('a search of a new shape', () => {
  it.each([
    [['dest_ip']],
    [['dest_ip', 'prefix=ti_']],
    [['dest_ip', 'src_ip']],
    [['dest_ip', 'details=t']],
    [['dest_ip', 'missing', 'src_ip', 'details=t']],
    [['src_ip', 'dest_ip', 'only=malicious,unknown', 'details=t']],
    [['dest_ip', 'mode=cache']],
  ])('%j opens nothing for values that another one knew, and writes what the engine would', async (args) => {
    await search(['src_ip', 'dest_ip'], { remembers: false });
    await search(['src_ip', 'dest_ip', 'only=malicious']);
    const recalled = await search(args);
    const asked = await search(args, { remembers: false });
    expect([recalled.opened, asked.opened]).toEqual([0, 1]);
    expect(recalled.output.equals(asked.output)).toBe(true);
  });

  it('has other columns to replace, too', async () => {
    await search(['dest_ip']);
    const body = 'im_verdict,dest_ip,__mv_im_verdict\nold,12.0.0.1,\nold,12.0.0.2,$a$;$b$\n';
    for (const args of [['dest_ip'], ['dest_ip', 'details=t'], ['im_verdict', 'dest_ip']]) {
      const recalled = await search(args, { body });
      const asked = await search(args, { body, remembers: false });
      expect(recalled.output.equals(asked.output)).toBe(true);
    }
    expect((await search(['dest_ip', 'only=clean,malicious'], { body })).opened).toBe(0);
  });

  it('takes from each what it knew, and asks about the rest only', async () => {
    const bodyOf = (...values: readonly string[]) => `${HEADER}${values.map((value) => `1,,${value},,\n`).join('')}`;
    await search(['dest_ip'], { body: bodyOf('12.0.0.1', '12.0.0.2', '12.0.0.3') });
    await search(['dest_ip', 'details=t'], { body: bodyOf('13.0.0.1', '10.0.0.1') });
    await search(['dest_ip', 'only=clean'], { body: bodyOf('14.0.0.1') });
    expect(world.known().length).toBe(3);
    const args = ['src_ip', 'dest_ip', 'details=t'];
    const bodies = [bodyOf('12.0.0.2', '14.0.0.1'), bodyOf('13.0.0.1', '12.0.0.1', 'no address', '10.0.0.1')];
    await search(args, { bodies, remembers: false });
    const before = world.api.asked().length;
    const known = bodies.map((body) => body.replace(/.*no address.*\n/, ''));
    const recalled = await search(args, { bodies: known });
    expect([recalled.opened, world.known().length]).toEqual([0, 3]);
    expect(recalled.output.equals((await search(args, { bodies: known, remembers: false })).output)).toBe(true);
    const mixed = await search(args, { bodies });
    expect([mixed.opened, world.api.asked().length]).toEqual([1, before]);
    expect(mixed.output.equals((await search(args, { bodies, remembers: false })).output)).toBe(true);
    const after = await search(args, { bodies });
    expect([after.opened, after.output.equals(mixed.output)]).toEqual([0, true]);
  });
});

describe('nothing is kept', () => {
  it.each([
    ['of look-ups that failed', 503, 'unavailable'],
    ['of keys that were refused', 401, 'unauthorized'],
  ])('%s: they never read as known', async (_, status, word) => {
    world.api.reply = (_call, response) => sendJson(response, status, { error: 'no' });
    const body = `${HEADER}1,,12.0.0.1,,\n2,,10.0.0.1,,\n`;
    const failed = await search(['dest_ip'], { body });
    expect(columnOf(failed.tables[0]!, 'im_status')).toEqual([word, 'skipped_private']);
    const again = await search(['dest_ip'], { body });
    expect([again.opened, columnOf(again.tables[0]!, 'im_status')[0], again.messages.length]).toEqual([1, word, 1]);
  });

  it('of what own lists say: it has an end of its own', async () => {
    writeFileSync(join(world.folder, 'own.csv'), 'value,verdict\n12.0.0.1,malicious\n');
    vi.stubEnv('ISMALICIOUS_LOCAL_LISTS', join(world.folder, 'own.csv'));
    const body = `${HEADER}1,,12.0.0.1,,\n`;
    await search(['dest_ip'], { body });
    expect((await search(['dest_ip'], { body })).opened).toBe(1);
  });

  it.each([[['dest_ip', 'max_age=1h']], [['dest_ip', 'mode=plan']]])('by %j, and nothing is recalled', async (args) => {
    await search(args);
    expect(world.known()).toEqual([]);
    await search(['dest_ip']);
    expect((await search(args)).opened).toBe(1);
  });

  it('with `remember = false`, and what was kept before no longer counts', async () => {
    await search(['dest_ip']);
    vi.stubEnv('ISMALICIOUS_SEARCH_REMEMBER', 'false');
    expect((await search(['dest_ip'])).opened).toBe(1);
    rmSync(join(world.folder, 'searches'), { recursive: true });
    await search(['dest_ip']);
    expect(world.known()).toEqual([]);
  });

  it('with a cache in memory, with a warning, or when something changed just now', async () => {
    vi.stubEnv('ISMALICIOUS_CACHE_PATH', 'memory');
    await search(['dest_ip']);
    vi.stubEnv('ISMALICIOUS_CACHE_PATH', '');
    writeFileSync(join(world.folder, 'own.csv'), 'value,verdict\n99.9.9.9,odd\n');
    vi.stubEnv('ISMALICIOUS_LOCAL_LISTS', join(world.folder, 'own.csv'));
    expect((await search(['dest_ip'])).messages.length).toBe(1);
    writeFileSync(join(world.folder, 'own.csv'), 'value,verdict\n99.9.9.9,clean\n');
    await search(['dest_ip'], { afterMs: 0 });
    expect(world.known()).toEqual([]);
    await search(['dest_ip']);
    expect(world.known().length).toBe(1);
  });

  it('on a disk that refuses: the rows are the same, and search.log says why', async () => {
    writeFileSync(join(world.folder, 'searches'), 'a file where a folder has to be');
    const { complaints, replies, status } = await search(['dest_ip']);
    expect([status, replies.length, complaints.length]).toEqual([0, 2, 1]);
    expect(complaints[0]).toMatch(/cannot be kept: E/);
  });
});

describe('the folder', () => {
  it('is for its owner only, holds one file a shape, and no key', async () => {
    await search(['dest_ip']);
    await search(['dest_ip'], { body: `${HEADER}1,,12.3.4.5,,\n` });
    await search(['src_ip'], { body: `${HEADER}1,12.3.4.6,,,\n` });
    expect(world.known().length).toBe(2);
    for (const name of world.known())
      expect(readFileSync(join(world.folder, 'searches', name), 'latin1')).not.toMatch(/a2V5OnNlY3JldA|key:secret/);
  });

  it('stays below 128 MiB; the oldest and what a killed process left go first', async () => {
    const path = join(world.folder, 'searches');
    mkdirSync(path);
    const make = (name: string, bytes: number, hoursAgo: number) => {
      writeFileSync(join(path, name), '');
      truncateSync(join(path, name), bytes);
      const at = Date.now() / 1000 - hoursAgo * 3600;
      utimesSync(join(path, name), at, at);
    };
    make('old.known', 100 << 20, 50);
    make('young.known', 60 << 20, 20);
    make('half.known.123', 1000, 2);
    make('under-way.known.124', 1000, 0);
    await search(['dest_ip']);
    expect(
      world
        .known()
        .filter((name) => /^[a-z]/.test(name) && name.includes('known') && name.length < 20)
        .sort(),
    ).toEqual(['under-way.known.124', 'young.known']);
  });
});
