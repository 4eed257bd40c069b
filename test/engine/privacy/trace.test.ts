import { renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { openEngine } from '../../../src/compose/open-engine.ts';
import type { SentRecord } from '../../../src/engine/privacy/read-audit-log.ts';
import { sumByCaller } from '../../../src/engine/privacy/search-audit-log.ts';
import { runCli } from '../../hosts/cli/run-cli.ts';
import { newStateFolder, openTestEngine } from '../../support/open-test-engine.ts';
import { startStandIn } from '../../support/stand-in-api.ts';

const cli = (args: string[], env: Record<string, string>) => runCli(args, { env });
const recordsIn = (text: string) =>
  text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as SentRecord);

describe('what was sent is traced', () => {
  it('from a value to program, user, search, run and settings, also in an older file of the log', async () => {
    await using api = await startStandIn();
    const folder = newStateFolder();
    const env = { ISMALICIOUS_BASE_URL: api.url, ISMALICIOUS_X_API_KEY: 'a2V5OnNlY3JldA==', ISMALICIOUS_STATE_DIR: folder };
    const origin = { program: 'splunk', user: 'alice', search: '1795000000.42' };
    const first = await openEngine({ env, origin });
    await first.engine.enrichMany(['11.0.0.1', '11.0.0.2']);
    await first.engine.close();
    renameSync(join(folder, 'egress.ndjson'), join(folder, 'egress.ndjson.1'));
    const second = await openEngine({ env: { ...env, USER: 'bob', ISMALICIOUS_TIMEOUT_MS: '9999' } });
    await second.engine.enrichMany(['11.0.0.2', '11.0.0.3'], { isTest: true });
    await second.engine.close();

    const { code, stdout } = await cli(['trace', '11[.]0[.]0[.]2', '--json'], env);
    const [older, newer] = recordsIn(stdout);
    expect([code, older, newer]).toMatchObject([
      0,
      {
        provider: 'ismalicious',
        ...origin,
        run: expect.stringMatching(/^[0-9a-f]{12}$/),
        settings: expect.stringMatching(/^[0-9a-f]{12}$/),
      },
      { provider: 'ismalicious', program: 'cli', user: 'bob' },
    ]);
    expect(newer?.run).not.toBe(older?.run);
    expect(newer?.settings).not.toBe(older?.settings);
    for (const about of ['alice', '1795000000.42', older!.run!]) {
      const all = recordsIn((await cli(['trace', about, '--json'], env)).stdout).flatMap(({ indicators }) => indicators);
      expect(all.toSorted(), about).toEqual(['11.0.0.1', '11.0.0.2']);
    }
    expect((await cli(['trace', '11.0.0.1'], env)).stdout).toMatch(/ismalicious {2}program splunk {2}user alice {2}search 1795000000\.42/);
    expect(await sumByCaller(join(folder, 'egress.ndjson'), { most: 1 })).toMatchObject([{ values: 2 }, { program: 'other', values: 2 }]);
  });

  it('the fingerprint of the settings tells nothing of a key: another key has the same one', async () => {
    await using api = await startStandIn();
    const settingsWith = async (key: string) => {
      const folder = newStateFolder();
      const { engine } = await openTestEngine(api.url, { ISMALICIOUS_STATE_DIR: folder, ISMALICIOUS_X_API_KEY: key });
      await engine.enrichMany(['11.0.0.9']);
      await engine.close();
      return recordsIn((await cli(['trace', '11.0.0.9', '--json'], { ISMALICIOUS_STATE_DIR: folder })).stdout)[0]?.settings;
    };
    const one = await settingsWith('a2V5OnNlY3JldA==');
    expect(one).toMatch(/^[0-9a-f]{12}$/);
    expect(await settingsWith('b3RoZXI6a2V5')).toBe(one);
  });

  it('lines of older versions count, and what was never sent is said to be so', async () => {
    const folder = newStateFolder();
    const line = { time: '2026-11-21T09:00:00.000Z', provider: 'otx', indicators: ['bad-host.net'] };
    writeFileSync(join(folder, 'egress.ndjson'), `${JSON.stringify(line)}\n{"time":"2026-11-21T0`);
    const env = { ISMALICIOUS_STATE_DIR: folder };
    expect(recordsIn((await cli(['trace', 'bad-host.net', '--json'], env)).stdout)).toEqual([line]);
    const none = await cli(['trace', 'other-host.net'], env);
    expect([none.code, none.stdout]).toEqual([1, '']);
    expect(none.stderr).toMatch(/nothing about it was sent/);
  });
});

describe('callers are added up', () => {
  const lineOf = (user: string, provider: string, count: number) =>
    `${JSON.stringify({ time: '2026-11-21T09:00:00.000Z', provider, indicators: Array.from({ length: count }, (_, n) => `v${n}`), program: 'splunk', user })}\n`;

  it('by credits first, then by values', async () => {
    const path = join(newStateFolder(), 'egress.ndjson');
    writeFileSync(path, lineOf('free', 'internetdb', 9) + lineOf('paid', 'virustotal', 2) + lineOf('most', 'virustotal', 3));
    const sums = await sumByCaller(path, { most: 10, costs: new Map([['virustotal', 5]]) });
    expect(sums.map(({ user, credits, values }) => [user, credits, values])).toEqual([
      ['most', 15, 3],
      ['paid', 10, 2],
      ['free', 0, 9],
    ]);
  });

  it('out of the end of the log only, where that is all that is asked for, and never out of half a line', async () => {
    const path = join(newStateFolder(), 'egress.ndjson');
    const young = lineOf('young', 'otx', 1);
    writeFileSync(`${path}.1`, lineOf('oldest', 'otx', 1) + lineOf('older', 'otx', 1));
    writeFileSync(path, lineOf('old', 'otx', 1) + young);
    const usersIn = async (mostBytes: number) => (await sumByCaller(path, { most: 10, mostBytes })).map(({ user }) => user).toSorted();
    expect(await usersIn(young.length + 5)).toEqual(['young']);
    expect(await usersIn(young.length * 2)).toEqual(['old', 'young']);
    expect(await usersIn(young.length * 3 + 5)).toEqual(['old', 'older', 'young']);
    expect(await usersIn(1_000_000)).toEqual(['old', 'older', 'oldest', 'young']);
    expect(await usersIn(0)).toEqual([]);
  });
});
