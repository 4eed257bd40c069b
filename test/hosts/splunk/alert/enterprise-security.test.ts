import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeEach, describe, expect, it } from 'vitest';
import { runTriageAction } from '../../../../src/hosts/splunk/alert/alert-action.ts';
import { readAlertPayload } from '../../../../src/splunkd/alert/alert-payload.ts';
import {
  type Answering,
  type Asked,
  hasOpenssl,
  type LoopbackSplunkd,
  makeSplunkHome,
  startSplunkd,
} from '../../../support/loopback-splunkd.ts';

const ID = (n: number) => `8E2A1C7B-0000-4000-8000-00000000000${n}@@notable@@0123456789abcdef${n}`;
const RESULTS = `event_id,rid,orig_sid,src,dest,action
${ID(1)},3,scheduler_9,10.0.0.5,198.51.100.7,allowed
${ID(2)},4,scheduler_9,10.0.0.6,198.51.100.7,allowed
${ID(3)},5,scheduler_9,10.0.0.7,10.9.9.9,allowed
not a notable,6,scheduler_9,10.0.0.8,198.51.100.7,allowed
`;

const folder = mkdtempSync(join(tmpdir(), 'ismalicious-es-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

let round = 0;
let home = '';
let splunkd: LoopbackSplunkd;
let answer: Answering;
const taken = { success: true, message: 'ok', success_count: 2, failure_count: 0 };

beforeEach(async () => {
  if (!hasOpenssl) return;
  round += 1;
  answer = ({ path }) => ({ status: 200, body: path.endsWith('notable_update') ? taken : { entry: [] } });
  splunkd = await startSplunkd(join(folder, `tls-${round}`), (asked) => answer(asked));
  home = makeSplunkHome(join(folder, `home-${round}`), readFileSync(splunkd.certificateFile, 'utf8'));
  writeFileSync(join(home, 'results.csv'), RESULTS);
});
afterEach(async () => {
  if (hasOpenssl) await splunkd.close();
});

const run = (configuration: Readonly<Record<string, string>>, searchName = 'Bad destinations') =>
  runTriageAction(
    readAlertPayload(
      JSON.stringify({
        sid: 'adhoc_1',
        search_name: searchName,
        owner: 'alice',
        app: 'SplunkEnterpriseSecuritySuite',
        results_file: join(home, 'results.csv'),
        server_uri: splunkd.uri,
        session_key: 'canary-session-key',
        configuration: { outputs: '0', watchlist: '0', ...configuration },
      }),
    ),
    { program: join(home, 'etc/apps/ismalicious/bin/programs/triage.js'), env: { SPLUNK_HOME: home } },
  );
const posts = (end: string): readonly Asked[] => splunkd.asked.filter(({ method, path }) => method === 'POST' && path.endsWith(end));
const on = { dry_run: '0', notable: '1' };

describe.skipIf(!hasOpenssl)('notable events [needs openssl]', () => {
  it('are left alone unless the parameter says otherwise, and in a dry run', async () => {
    await run({ dry_run: '0' });
    const { lines } = await run({ notable: '1' });
    expect(lines).toContain('dry run, would update 2 notable events, 1 results name none');
    expect(posts('notable_update')).toEqual([]);
  });

  it('get what was found as a comment, and a status and an owner where the parameters name them; those of other tiers stay', async () => {
    const { lines, faults } = await run({ ...on, notable_status: '2', notable_owner: 'bob' });
    expect([faults, lines.at(-1)]).toEqual([[], 'updated 2 notable events, 1 results name none']);
    const [call, ...others] = posts('notable_update').map(({ body }) => new URLSearchParams(body));
    expect(others).toEqual([]);
    expect([call?.getAll('ruleUIDs'), call?.get('status'), call?.get('newOwner')]).toEqual([[ID(1), ID(2)], '2', 'bob']);
    expect(call?.get('comment')).toMatch(/^isMalicious: .*198\.51\.100\.7/);
  });

  it('keep status and owner where no parameter names them', async () => {
    await run(on);
    const [call] = posts('notable_update').map(({ body }) => new URLSearchParams(body));
    expect([call?.has('status'), call?.has('newOwner'), call?.has('comment')]).toEqual([false, false, true]);
  });

  it.each([
    [
      'a refusal with 200',
      200,
      { success: false, message: 'transition not allowed' },
      /2 of 2 notable events not updated: .*transition not allowed/,
    ],
    ['a part of them', 200, { ...taken, success_count: 1, failure_count: 1 }, /1 of 2 notable events not updated/],
    ['a missing capability', 403, {}, /lacks the capability edit_notable_events/],
    ['Enterprise Security that is not there', 404, {}, /2 of 2 notable events not updated: splunkd answers HTTP 404/],
  ])('%s is a fault that is told', async (_what, status, body, words) => {
    answer = ({ path }) => (path.endsWith('notable_update') ? { status, body } : { status: 200, body: { entry: [] } });
    const { faults } = await run(on);
    expect(faults).toEqual([expect.stringMatching(words)]);
  });

  it.each(['new', '-1', '2;4'])('status %j is refused before anything is asked', (notable_status) => {
    expect(() => readAlertPayload(JSON.stringify({ configuration: { notable_status } }))).toThrow(/param\.notable_status/);
  });
});

/** The pairs of a line, by name. */
const pairsOf = (line: string) => Object.fromEntries([...line.matchAll(/(\w+)="([^"]*)"/g)].map(([, name, value]) => [name, value]));

describe.skipIf(!hasOpenssl)('results of adaptive response [needs openssl]', () => {
  it('say for every result what came of it, with the names of the Common Information Model', async () => {
    await run({ dry_run: '0', response: '1' });
    const [call] = posts('receivers/simple');
    expect(call?.query).toMatchObject({ index: 'cim_modactions', sourcetype: 'modular_alerts:ismalicious_triage' });
    const lines = (call?.body ?? '').trim().split('\n');
    expect(lines.map(pairsOf).map(({ action_status: status, rid, action_mode: mode }) => [status, rid, mode])).toEqual([
      ['success', '3', 'saved'],
      ['success', '4', 'saved'],
      ['success', '5', 'saved'],
      ['success', '6', 'saved'],
    ]);
    expect(lines[0]).toMatch(/^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d,\d{3}\+0000 INFO sendmodaction - worker=/);
    expect(pairsOf(lines[0] ?? '')).toMatchObject({
      action_name: 'ismalicious_triage',
      sid: 'adhoc_1',
      orig_sid: 'scheduler_9',
      app: 'SplunkEnterpriseSecuritySuite',
      user: 'alice',
      signature: 'Triage: tier p1, verdict malicious, look-up ok',
    });
  });

  it('say failure where a part of the action failed, and adhoc where no search is named', async () => {
    answer = ({ path }) => (path.endsWith('notable_update') ? { status: 500, body: {} } : { status: 200, body: { entry: [] } });
    await run({ ...on, response: '1', response_index: 'soc' }, '');
    const [call] = posts('receivers/simple');
    expect(call?.query['index']).toBe('soc');
    const statuses = (call?.body ?? '').trim().split('\n').map(pairsOf);
    expect(new Set(statuses.map(({ action_status: status, action_mode: mode }) => `${status} ${mode}`))).toEqual(
      new Set(['failure adhoc']),
    );
  });

  it('are not written in a dry run or without the parameter', async () => {
    await run({ dry_run: '0' });
    await run({ response: '1' });
    expect(posts('receivers/simple')).toEqual([]);
  });
});
