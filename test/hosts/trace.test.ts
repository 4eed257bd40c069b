import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { describe, expect, it } from 'vitest';
import { openEngine } from '../../src/compose/open-engine.ts';
import { EcsSettings } from '../../src/config/ecs-settings.ts';
import type { SentRecord } from '../../src/engine/privacy/read-audit-log.ts';
import { findTraced } from '../../src/engine/privacy/search-audit-log.ts';
import { digestOfSent } from '../../src/model/formats/request-id.ts';
import { columnOf, readCsv } from '../support/csv-oracle.ts';
import { startFourProviders } from '../support/four-providers.ts';
import { newStateFolder } from '../support/open-test-engine.ts';
import { executeOf, getinfoOf, replay } from '../support/splunk-streams.ts';
import { sendJson, startStandIn } from '../support/stand-in-api.ts';
import { runCli } from './cli/run-cli.ts';
import { startSidecar } from './sidecar/support/start-sidecar.ts';

const BAD = '12.0.0.1';
const ALICE = { program: 'splunk', user: 'alice', search: '1795000000.42' };
const envFor = (url: string, more: Record<string, string> = {}) => ({
  ISMALICIOUS_BASE_URL: url,
  ISMALICIOUS_X_API_KEY: 'a2V5OnNlY3JldA==',
  ISMALICIOUS_STATE_DIR: newStateFolder(),
  ...more,
});
type Env = ReturnType<typeof envFor>;

const recordsIn = (text: string) =>
  text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as SentRecord & { request?: string });

/** A search of alice's asks for a value, and pays for it. */
async function aliceAsks(env: Env, values: readonly string[] = [BAD]): Promise<void> {
  const { engine } = await openEngine({ env, origin: ALICE });
  await engine.enrichMany(values);
  await engine.close();
}

/** What a search shows with `args`. */
async function search(env: Env, args: readonly string[], body: string) {
  const { engine } = await openEngine({ env, origin: { program: 'splunk', user: 'bob', search: '1795000001.7' }, traces: true });
  const { tables } = await replay(Buffer.concat([getinfoOf([...args]), executeOf(body)]), engine);
  return tables[0]!;
}

describe('where an answer comes from', () => {
  it('is the same in Splunk, CSV, events, API and check, and leads to the program, user and search that asked', async () => {
    await using api = await startStandIn();
    const env = envFor(api.url);
    await aliceAsks(env);

    const row = columnOf(await search(env, ['ip', 'trace=t'], `ip\n${BAD}\n`), 'im_trace')[0]!;
    expect(row).toMatch(/^ismalicious@\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ#[0-9a-f]{12} settings=[0-9a-f]{12}$/);
    const [id] = row.split(' ');
    expect(id!.split('#')[1]).toBe(digestOfSent('ismalicious', BAD));

    const csv = await runCli(['enrich', '-', '--format', 'csv', '--field', 'ip', '--trace'], { env, stdin: `ip\n${BAD}\n` });
    expect(columnOf(readCsv(csv.stdout), 'im_trace')[0]?.split(' ')[0]).toBe(id);
    const checked = JSON.parse((await runCli(['check', BAD, '--trace', '--json'], { env })).stdout) as { trace: string[] };
    expect(checked.trace[0]).toBe(id);
    expect((await runCli(['check', BAD, '--trace'], { env })).stdout).toContain(`  ${id}\n`);

    const { engine } = await openEngine({ env: { ...env, ISMALICIOUS_ECS_TRACE: 'true' }, blocks: { ecs: EcsSettings } });
    const sidecar = await startSidecar({}, { enricher: engine });
    const event = { destination: { ip: BAD } };
    const enriched = (await sidecar.call('/v1/enrich', { body: event })).json as { ismalicious: { trace: string[] } };
    const looked = (await sidecar.call('/v1/lookup', { body: { indicators: [BAD] } })).json as { enrichments: { trace: string[] }[] };
    const filtered = (await sidecar.call('/v1/logstash', { body: { 'destination.ip': BAD } })).json as { trace: string[] };
    for (const trace of [enriched.ismalicious.trace, looked.enrichments[0]!.trace, filtered.trace]) expect(trace[0]).toBe(id);
    await engine.close();

    for (const written of [row, JSON.stringify(enriched.ismalicious.trace), id!]) {
      const { code, stdout } = await runCli(['trace', written, '--json'], { env });
      expect([code, recordsIn(stdout)], written).toMatchObject([
        0,
        [{ ...ALICE, provider: 'ismalicious', indicators: [BAD], request: id }],
      ]);
    }
    expect(api.asked()).toEqual([BAD]);
  });

  it('names each of several sources with its own time, and each leads to its own call', async () => {
    await using four = await startFourProviders();
    const env = four.env() as Env;
    await aliceAsks(env);
    // VirusTotal's answer is an hour older than the others', and so is its call.
    const db = new DatabaseSync(join(env.ISMALICIOUS_STATE_DIR, 'verdicts.sqlite'));
    db.exec("UPDATE verdicts SET checked_at = checked_at - 3600 WHERE provider = 'virustotal'");
    db.close();
    const log = join(env.ISMALICIOUS_STATE_DIR, 'egress.ndjson');
    const calls = recordsIn(readFileSync(log, 'utf8'));
    const hourBefore = (time: string) => new Date(Date.parse(time) - 3_600_000).toISOString();
    const moved = calls.map((call) =>
      call.provider === 'virustotal' ? { ...call, time: hourBefore(call.time), search: 'the-older' } : call,
    );
    writeFileSync(log, moved.map((call) => `${JSON.stringify(call)}\n`).join(''));

    const { engine } = await openEngine({ env, traces: true });
    for (const round of ['from disk', 'from memory']) {
      const { trace } = (await engine.enrichMany([BAD])).get(BAD)!;
      const times = Object.fromEntries(trace!.origins!.map(({ provider, checkedAtS }) => [provider, checkedAtS]));
      expect(times.ismalicious! - times.virustotal!, round).toBeGreaterThanOrEqual(3590);
    }
    await engine.close();
    const row = columnOf(await search(env, ['ip', 'trace=t'], `ip\n${BAD}\n`), 'im_trace')[0]!;
    const found = await findTraced(log, row);
    expect(found.map(({ provider, search: sid }) => [provider, sid])).toEqual([
      ['ismalicious', ALICE.search],
      ['virustotal', 'the-older'],
      ['abuseipdb', ALICE.search],
      ['greynoise', ALICE.search],
    ]);
  });

  it('of a value that was sent in part leads to what was sent', async () => {
    await using api = await startStandIn((call, response) => sendJson(response, 200, { malicious: true, riskScore: { score: 87 }, call }));
    const env = envFor(api.url, { ISMALICIOUS_SEND_URL: 'host' });
    const url = 'https://bad-host.net/a/b?c=d';
    await aliceAsks(env, [url]);
    const row = columnOf(await search(env, ['url', 'trace=t'], `url\n${url}\n`), 'im_trace')[0]!;
    expect(await findTraced(join(env.ISMALICIOUS_STATE_DIR, 'egress.ndjson'), row)).toMatchObject([
      { ...ALICE, indicators: ['https://bad-host.net/'] },
    ]);
  });

  it('says who gave no answer and what was never sent; a lean event without a finding stays short', async () => {
    await using api = await startStandIn((call, response) =>
      call.values[0] === '13.0.0.1'
        ? sendJson(response, 200, { malicious: false, riskScore: { score: 0 }, confidenceScore: 95 })
        : sendJson(response, 404 + 22, {}),
    );
    const env = envFor(api.url, { ISMALICIOUS_ECS_TRACE: 'true' });
    const list = join(newStateFolder(), 'own.csv');
    writeFileSync(list, 'indicator,score\n10.1.2.3,90\n');
    const { engine } = await openEngine({ env: { ...env, ISMALICIOUS_LOCAL_LISTS: list }, blocks: { ecs: EcsSettings } });
    const sidecar = await startSidecar({}, { enricher: engine });
    const traceOf = async (ip: string) =>
      ((await sidecar.call('/v1/enrich', { body: { destination: { ip } } })).json as { ismalicious: { trace?: string[] } }).ismalicious;
    expect((await traceOf('12.0.0.2')).trace).toEqual([
      expect.stringMatching(/^ismalicious![a-z_]+$/),
      expect.stringMatching(/^settings=/),
    ]);
    expect((await traceOf('10.1.2.3')).trace).toEqual([expect.stringMatching(/^local@[^#]+Z$/), expect.stringMatching(/^settings=/)]);
    expect(Object.keys(await traceOf('13.0.0.1'))).toEqual(['verdict', 'status', 'checked_at']);
    await engine.close();
  });

  it('is in no row, event or answer that did not ask for it', async () => {
    await using api = await startStandIn();
    const env = envFor(api.url);
    const { engine } = await openEngine({ env, blocks: { ecs: EcsSettings } });
    const sidecar = await startSidecar({}, { enricher: engine });
    for (const [path, body] of [
      ['/v1/enrich', { destination: { ip: BAD } }],
      ['/v1/lookup', { indicators: [BAD] }],
    ] as const)
      expect((await sidecar.call(path, { body })).text, path).not.toContain('"trace"');
    const { tables } = await replay(Buffer.concat([getinfoOf(['ip', 'details=t']), executeOf(`ip\n${BAD}\n`)]), engine);
    expect(tables[0]!.header).not.toContain('im_trace');
  });
});

describe('im_trace', () => {
  it('is the last column, with details, several fields, chunks and columns of the same name', async () => {
    await using api = await startStandIn();
    const env = envFor(api.url);
    const body = 'im_trace,src,__mv_im_trace,dest,x\nold,13.0.0.1,,12.0.0.1,1\n,,,12.0.0.3,2\n,,,,3\n,13.0.0.1,,12.0.0.1,4\n';
    for (const args of [
      ['src', 'dest', 'trace=t'],
      ['src', 'dest', 'trace=t', 'details=t'],
      ['src', 'dest', 'trace=t', 'only=malicious'],
    ]) {
      const table = await search(env, args, body);
      const traces = columnOf(table, 'im_trace');
      const values = columnOf(table, 'im_indicator');
      expect(table.header.filter((name) => name === 'im_trace')).toHaveLength(1);
      for (const [n, value] of values.entries()) {
        if (value === '') expect(traces[n]).toBe('');
        else expect(traces[n], value).toContain(`#${digestOfSent('ismalicious', value)} settings=`);
      }
      expect(columnOf(table, 'x')).toEqual(args.at(-1) === 'only=malicious' ? ['1', '2', '4'] : ['1', '2', '3', '4']);
    }
  });
});

describe('ismalicious trace of request ids', () => {
  const line = (time: string, search_: string, ...indicators: string[]) =>
    JSON.stringify({ time, provider: 'otx', indicators, program: 'cli', user: '=cmd', search: search_ });
  const idOf = (time: string, value: string) => `otx@${time}#${digestOfSent('otx', value)}`;
  function logWith(...lines: string[]): { env: Record<string, string> } {
    const folder = newStateFolder();
    writeFileSync(join(folder, 'egress.ndjson'), lines.map((text) => `${text}\n`).join(''));
    return { env: { ISMALICIOUS_STATE_DIR: folder } };
  }

  it('finds the last call that is not after the answer, also one of many values', async () => {
    const world = logWith(
      line('2026-11-21T09:00:00.000Z', 'first', 'a.example', 'bad-host.net'),
      line('2026-11-21T10:00:00.900Z', 'second', 'bad-host.net'),
      line('2026-11-21T11:00:00.000Z', 'third', 'bad-host.net'),
    );
    for (const [answered, wanted] of [
      ['2026-11-21T09:00:00Z', 'first'],
      ['2026-11-21T09:59:59Z', 'first'],
      ['2026-11-21T10:00:00Z', 'second'],
      ['2026-11-21T10:59:59Z', 'second'],
      ['2026-11-22T00:00:00Z', 'third'],
    ] as const) {
      const { stdout } = await runCli(['trace', idOf(answered, 'bad-host.net'), '--json'], world);
      expect(
        recordsIn(stdout).map(({ search: sid }) => sid),
        answered,
      ).toEqual([wanted]);
    }
  });

  it('what the log has no more is said to be missing: 1 for all of it, 3 for some', async () => {
    const world = logWith(line('2026-11-21T09:00:00.000Z', 'first', 'bad-host.net'));
    const there = idOf('2026-11-21T09:00:01Z', 'bad-host.net');
    const missing = idOf('2026-11-21T08:00:00Z', 'bad-host.net');
    const none = await runCli(['trace', missing], world);
    expect([none.code, none.stdout]).toEqual([1, '']);
    expect(none.stderr).toContain(`${missing}: not in the audit log`);
    expect((await runCli(['trace', `${there} ${missing}`], world)).code).toBe(3);
    expect((await runCli(['trace', there, 'other-host.net'], world)).code).toBe(3);
  });

  it('gives a table for spreadsheets, in which nothing is run', async () => {
    const world = logWith(line('2026-11-21T09:00:00.000Z', 'first', 'a.example', 'bad-host.net'));
    const id = idOf('2026-11-21T09:00:01Z', 'bad-host.net');
    const { code, stdout } = await runCli(['trace', id, 'a.example', '--csv'], world);
    const table = readCsv(stdout);
    expect([code, columnOf(table, 'request'), columnOf(table, 'indicators')]).toEqual([
      0,
      [id, ''],
      Array(2).fill('a.example bad-host.net'),
    ]);
    expect(columnOf(table, 'user')).toEqual(["'=cmd", "'=cmd"]);
    const both = await runCli(['trace', id, '--csv', '--json'], world);
    expect([both.code, both.stderr]).toEqual([2, expect.stringContaining('name one')]);
  });
});
