import { randomUUID } from 'node:crypto';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough, Readable } from 'node:stream';
import { afterAll, describe, expect, it } from 'vitest';
import { parse, stringify } from 'yaml';
import { runProgram } from '../../src/hosts/cli/program.ts';
import { newStateFolder } from '../support/open-test-engine.ts';

const folder = mkdtempSync(join(tmpdir(), 'ismalicious-knowledge-'));
afterAll(() => rmSync(folder, { recursive: true }));

async function run(args: readonly string[], env: Record<string, string>, stdin = '') {
  const [stdout, stderr] = [new PassThrough(), new PassThrough()];
  const code = await runProgram(args, {
    stdin: Readable.from([Buffer.from(stdin)]),
    stdout,
    stderr,
    env,
    hasColor: false,
    hasProgress: false,
  });
  const [out, err] = [String(stdout.read() ?? ''), String(stderr.read() ?? '')];
  return { code, out, err };
}

/** A state folder and a configuration with one list as feed. */
function house(more: Record<string, unknown> = {}) {
  const list = join(folder, 'bundle.json');
  const indicator = (value: string, confidence?: number) => ({
    type: 'indicator',
    spec_version: '2.1',
    id: `indicator--${randomUUID()}`,
    created: '2026-11-01T00:00:00.000Z',
    modified: '2026-11-01T00:00:00.000Z',
    pattern: `[domain-name:value = '${value}']`,
    pattern_type: 'stix',
    valid_from: '2026-11-01T00:00:00Z',
    ...(confidence === undefined ? {} : { confidence }),
  });
  const objects = [indicator('c2.evil-host.net', 90), indicator('odd.evil-host.net')];
  writeFileSync(list, JSON.stringify({ type: 'bundle', id: `bundle--${randomUUID()}`, objects }));
  const config = join(folder, `${Math.random()}.yaml`);
  writeFileSync(config, stringify({ feeds: { stix: { enabled: true, path: list } }, ...more }));
  return { ISMALICIOUS_STATE_DIR: newStateFolder(), ISMALICIOUS_CONFIG: config };
}
const answerOf = (out: string) => JSON.parse(out) as { verdict: string; score: number; source: string; attributes: string[] };

describe('what the pipeline stored', () => {
  it('is answered by `check` as knowledge of the house, with the feed named', async () => {
    const env = house();
    expect(answerOf((await run(['check', 'c2.evil-host.net', '--json'], env)).out)).toMatchObject({ verdict: 'unknown', score: null });
    expect((await run(['pipeline', 'run', '--json'], env)).code).toBe(0);
    expect(answerOf((await run(['check', 'hxxp://c2.evil-host[.]net', '--json'], env)).out).verdict).toBe('unknown');
    expect(answerOf((await run(['check', 'c2.evil-host[.]net', '--json'], env)).out)).toMatchObject({
      verdict: 'malicious',
      score: 90,
      source: 'local',
      attributes: ['feed:stix'],
      providers: [{ provider: 'local', score: 90, message: 'listed by stix' }],
    });
    expect((await run(['doctor', '--offline'], env)).out).toMatch(/ok +list pipeline store +2 entries/);
  });
  it('does not judge itself: a second run looks nothing up and changes nothing', async () => {
    const env = house();
    await run(['pipeline', 'run', '--json'], env);
    const second = JSON.parse((await run(['pipeline', 'run', '--json'], env)).out) as { enriched: number; store: object };
    expect(second).toMatchObject({ enriched: 0, store: { new: 0, updated: 2 } });
  });
  it('is left out where somebody does not want it', async () => {
    const env = { ...house(), ISMALICIOUS_LOCAL_PIPELINE_STORE: 'false' };
    await run(['pipeline', 'run'], env);
    expect(answerOf((await run(['check', 'c2.evil-host.net', '--json'], env)).out).verdict).toBe('unknown');
  });
  it("gives way to an analyst's word", async () => {
    const env = house();
    await run(['pipeline', 'run'], env);
    await run(['feedback', 'add', 'c2.evil-host.net', '--verdict', 'clean', '--reason', 'ours', '--author', 'ann'], env);
    expect(answerOf((await run(['check', 'c2.evil-host.net', '--json'], env)).out).verdict).toBe('clean');
    await run(['pipeline', 'run'], env);
    expect((await run(['store', 'export'], env)).out).toContain('"state":"false_positive"');
  });
});

describe('pipeline run --only watchlist', () => {
  it('checks what is watched and reads no feed', async () => {
    const env = house();
    await run(['watch', 'add', 'mail.evil-host.net'], env);
    const { code, err } = await run(['pipeline', 'run', '--only', 'watchlist'], env);
    expect([code, err]).toEqual([0, expect.stringContaining('watchlist: 1 checked, 0 changed, 0 failed')]);
    expect(err).not.toContain('feed');
    expect(JSON.parse((await run(['store', 'stats'], env)).out)).toMatchObject({ indicators: 1, watched: 1 });
  });
  it.each([
    [['run', '--only', 'feeds'], /--only wants watchlist/],
    [['schedule', '--only', 'watchlist'], /go with run/],
  ])('%j is refused', async (args, message) => {
    const { code, err } = await run(['pipeline', ...args], house());
    expect([code, err]).toEqual([2, expect.stringMatching(message)]);
  });
});

describe('enrich --store', () => {
  const who = async (env: Record<string, string>) =>
    (await run(['watch', 'who', 'c2[.]evil-host.net', '--days', '3650'], env)).out
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => JSON.parse(line) as { asset: string; times: number; first: string });
  it('notes who was seen with what, at the time of the event', async () => {
    const env = house();
    const event = (name: string, time: string) =>
      JSON.stringify({ '@timestamp': time, host: { name }, dns: { question: { name: 'c2.evil-host.net' } } });
    const events = [event('pc-1', '2026-11-01T08:00:00Z'), event('pc-1', '2026-11-01T09:00:00Z'), event('pc-2', '2026-11-02T10:00:00Z')];
    const plain = await run(['enrich', '--format', 'ndjson'], env, events.join('\n'));
    expect(await who(env)).toEqual([]);
    const noted = await run(['enrich', '--format', 'ndjson', '--store'], env, events.join('\n'));
    const timeless = (text: string) => text.replaceAll(/"checked_at":"[^"]*"/g, '');
    expect([noted.code, timeless(noted.out)]).toEqual([0, timeless(plain.out)]);
    expect(await who(env)).toEqual([
      { asset: 'pc-2', times: 1, first: '2026-11-02T10:00:00Z', last: '2026-11-02T10:00:00Z' },
      { asset: 'pc-1', times: 2, first: '2026-11-01T08:00:00Z', last: '2026-11-01T09:00:00Z' },
    ]);
  });
  it('reads tables too, by their columns', async () => {
    const env = house();
    const table =
      '_time,src,query\n1793600000,10.1.2.3,c2.evil-host.net\n1793600060,10.1.2.3,"c2.evil-host.net"\n1793600000,10.1.2.4,other-host.net\n';
    expect((await run(['enrich', '--format', 'csv', '--field', 'query', '--store'], env, table)).code).toBe(0);
    expect(await who(env)).toMatchObject([{ asset: '10.1.2.3', times: 2 }]);
  });
  it('refuses a list, which says nothing of anybody', async () => {
    const { code, err } = await run(['enrich', '--format', 'list', '--store'], house(), 'c2.evil-host.net\n');
    expect([code, err]).toEqual([2, expect.stringContaining('--store wants events')]);
  });
});

describe('who only looks', () => {
  it.each([
    [['store', 'stats'], 2],
    [['store', 'export'], 2],
    [['watch', 'list'], 2],
    [['watch', 'who', 'c2.evil-host.net'], 2],
    [['pipeline', 'run', '--dry-run'], 0],
    [['triage', '-'], 0],
  ])('%j makes no store', async (args, code) => {
    const env = house();
    const result = await run(args, env);
    expect([result.code, existsSync(join(env.ISMALICIOUS_STATE_DIR, 'pipeline.sqlite'))]).toEqual([code, false]);
    if (code === 2) expect(result.err).toContain('there is no store yet');
  });
  it('says which file cannot be read', async () => {
    const { code, err } = await run(['triage', '/nowhere/alerts.ndjson'], house());
    expect([code, err]).toEqual([2, expect.stringContaining('/nowhere/alerts.ndjson cannot be read (ENOENT)')]);
  });
});

describe('config', () => {
  it('show has the blocks of the pipeline, secrets masked', async () => {
    const env = house({
      outputs: { webhook: { enabled: true, base_url: 'https://hooks.corp-net.com', secret: 's3cret-webhook-signing-key' } },
      pipeline: { schedule: '17 */4 * * *' },
      watchlist: { every_hours: 12 },
    });
    const { code, out, err } = await run(['config', 'show'], env);
    const shown = parse(out) as Record<string, Record<string, unknown>>;
    expect([code, out.includes('s3cret'), err.includes('s3cret')]).toEqual([0, false, false]);
    expect(shown).toMatchObject({
      pipeline: { schedule: '17 */4 * * *', every_minutes: 240 },
      watchlist: { every_hours: 12 },
      triage: { p1: ['create_incident', 'notify_soc'] },
      feeds: { stix: { enabled: true } },
      outputs: { webhook: { base_url: 'https://hooks.corp-net.com', secret: '********' } },
    });
    expect(shown.outputs).not.toHaveProperty('splunk_hec');
  });
  it('check names every fault in them at once', async () => {
    const env = house({ pipeline: { schedule: '61 * * * *' }, watchlist: { schedule: 'often' }, triage: { p1: ['block_it'] } });
    const { code, err } = await run(['config', 'check'], env);
    expect(code).toBe(2);
    for (const words of ['pipeline.schedule', 'minute: 61', 'watchlist.schedule', 'triage.p1']) expect(err).toContain(words);
  });
});
