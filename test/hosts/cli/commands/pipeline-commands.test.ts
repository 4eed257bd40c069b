import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { stringify } from 'yaml';
import type { Command, Io } from '../../../../src/hosts/cli/command.ts';
import { config as configCommand } from '../../../../src/hosts/cli/commands/config.ts';
import { deliverCommand } from '../../../../src/hosts/cli/commands/journal/deliver.ts';
import { pipelineCommand } from '../../../../src/hosts/cli/commands/pipeline.ts';
import { storeCommand } from '../../../../src/hosts/cli/commands/store.ts';
import { triageCommand } from '../../../../src/hosts/cli/commands/triage.ts';
import { watchCommand } from '../../../../src/hosts/cli/commands/watch.ts';
import { startStandIn } from '../../../pipeline/stand-in.ts';

const SECRETS = ['s3cret-misp-key', 's3cret-hec-token', 's3cret-webhook-signing-key', 's3cret-api-key', 's3cret-api-secret'];
const folder = mkdtempSync(join(tmpdir(), 'ismalicious-commands-'));
const configPath = join(folder, 'ismalicious.yaml');
const closing: (() => Promise<void>)[] = [];
let api: Awaited<ReturnType<typeof startStandIn>>;
let hec: Awaited<ReturnType<typeof startStandIn>>;
let hecStatus = 200;
beforeAll(async () => {
  api = await startStandIn(({ path, text }) => {
    if (path.startsWith('/attributes/'))
      return {
        body: {
          response: {
            Attribute: [
              { type: 'domain', value: 'c2.evil-host.net' },
              { type: 'domain', value: 'nonsense value' },
              { type: 'domain', value: 'fine.evil-host.net' },
            ],
          },
        },
      };
    const one = (entity: string) => ({
      entity,
      query: entity,
      malicious: entity.startsWith('c2'),
      riskScore: { score: entity.startsWith('c2') ? 90 : 3, level: 'high' },
      confidenceScore: 90,
      categories: ['c2'],
      sources: [{ name: 'x', category: 'c2', threatClass: 'threat' }],
      reputation: { malicious: 9, suspicious: 0, harmless: 0, undetected: 0, timeout: 0 },
    });
    if (path.startsWith('/bulk/check') && text === '') return { status: 403, body: { error: 'Plan required' } };
    const query = new URL(path, 'http://x').searchParams.get('query');
    return query === null ? { status: 403, body: { error: 'Plan required' } } : { body: one(query) };
  });
  hec = await startStandIn(() =>
    hecStatus === 200 ? { body: { text: 'Success', code: 0 } } : { status: hecStatus, body: { text: 'Invalid token', code: 4 } },
  );
  closing.push(api.close, hec.close);
  const config = {
    feeds: { misp: { enabled: true, base_url: api.url, api_key: SECRETS[0] } },
    outputs: {
      splunk_hec: { enabled: true, base_url: hec.url, token: SECRETS[1] },
      webhook: { enabled: true, dry_run: true, base_url: hec.url, secret: SECRETS[2] },
    },
  };
  writeFileSync(configPath, stringify(config));
});
afterAll(async () => {
  await Promise.all(closing.map((close) => close()));
  rmSync(folder, { recursive: true });
});

let said = '';
async function run(command: Command['run'], args: string[], stdin = '') {
  const [stdout, stderr, input] = [new PassThrough(), new PassThrough(), new PassThrough()];
  input.end(stdin);
  const env = {
    ISMALICIOUS_STATE_DIR: join(folder, 'state'),
    ISMALICIOUS_CONFIG: configPath,
    ISMALICIOUS_API_KEY: SECRETS[3],
    ISMALICIOUS_API_SECRET: SECRETS[4],
    ISMALICIOUS_BASE_URL: api.url,
  };
  const io: Io = { stdin: input, stdout, stderr, env, hasColor: false, hasProgress: true };
  const code = await command(args, io);
  const [out, err] = [String(stdout.read() ?? ''), String(stderr.read() ?? '')];
  said += out + err;
  return { code, out, err, last: out.trimEnd().split('\n').at(-1) ?? '' };
}
afterEach(() => {
  for (const secret of SECRETS) expect(said).not.toContain(secret);
});

describe('ismalicious pipeline', () => {
  it('--dry-run counts and keeps nothing', async () => {
    const { code, last, err } = await run(pipelineCommand.run, ['run', '--dry-run', '--json']);
    expect([code, JSON.parse(last)]).toEqual([
      0,
      expect.objectContaining({ feeds: { misp: { items: 3, accepted: 2, quarantined: 1 } }, enriched: 0 }),
    ]);
    expect([err.includes('dry run'), hec.calls.length]).toEqual([true, 0]);
  });
  it('run --json ends with the report of the contract, and exits 0; the page is written', async () => {
    const page = join(folder, 'report.html');
    const { code, last } = await run(pipelineCommand.run, ['run', '--json', '--report', page]);
    expect(JSON.parse(last)).toEqual({
      feeds: { misp: { items: 3, accepted: 2, quarantined: 1 } },
      store: { new: 2, updated: 0 },
      enriched: 2,
      outputs: {
        splunk_hec: { accepted: 1, delivered: 1, pending: 0, quarantined: 0 },
        webhook: { accepted: 0, delivered: 0, pending: 0, quarantined: 0 },
      },
    });
    expect([code, statSync(page).mode & 0o077, readFileSync(page, 'utf8').includes('All done.')]).toEqual([0, 0, true]);
    expect(JSON.parse(hec.calls[0]!.text)).toMatchObject({
      sourcetype: 'ioc:enriched',
      event: { ioc_value: 'c2.evil-host.net', ioc_type: 'domain', score: 90, source: 'MISP' },
    });
  });
  it('exits 3 when an output waits for a person, and 2 of wrong use', async () => {
    await run(storeCommand.run, ['purge', '--older-than', '0s']);
    rmSync(join(folder, 'state', 'pipeline.sqlite'));
    hecStatus = 403;
    const { code, last, err } = await run(pipelineCommand.run, ['run', '--json']);
    expect([code, JSON.parse(last).outputs.splunk_hec]).toEqual([3, { accepted: 1, delivered: 0, pending: 1, quarantined: 0 }]);
    expect(err).toContain('HEC code 4');
    hecStatus = 200;
    await expect(run(pipelineCommand.run, ['walk'])).rejects.toThrow(/run, schedule/);
  });
  it('names all faults of engine and pipeline at once', async () => {
    const wrong = join(folder, 'wrong.yaml');
    writeFileSync(wrong, stringify({ feeds: { misp: { enabled: true } }, scoring: { p1: 900 } }));
    await expect(run(pipelineCommand.run, ['run', '--config', wrong])).rejects.toThrow(/feeds\.misp\.base_url[^]*scoring\.p1/);
  });
});

describe('ismalicious store, watch, triage', () => {
  it('tell what is there and export it', async () => {
    expect(JSON.parse((await run(storeCommand.run, ['stats'])).last)).toMatchObject({
      indicators: 2,
      outputs: { splunk_hec: { pending: 1 } },
    });
    expect(JSON.parse((await run(storeCommand.run, ['check'])).last)).toEqual({ ok: true, faults: [] });
    expect((await run(storeCommand.run, ['export', '--format', 'csv'])).out.split('\n')).toHaveLength(4);
    const path = join(folder, 'out.stix.json');
    await run(storeCommand.run, ['export', '--format', 'stix', '--out', path]);
    expect((JSON.parse(readFileSync(path, 'utf8')) as { objects: unknown[] }).objects).toHaveLength(3);
    await expect(run(storeCommand.run, ['replay'])).rejects.toThrow(/--output/);
  });
  it('show what feeds sent that could not be taken, with the reasons', async () => {
    const list = join(folder, 'list.txt');
    writeFileSync(list, '45.83.64.7\n10.0.0.1\n45.83.64.300\n203.0.112.0/20 ; SBL\n');
    const lists = join(folder, 'lists.yaml');
    writeFileSync(lists, stringify({ feeds: { csv: { enabled: true, path: list } } }));
    const { err } = await run(pipelineCommand.run, ['run', '--config', lists]);
    expect(err).toContain('store quarantine --feeds');
    const rows = (await run(storeCommand.run, ['quarantine', '--feed', 'csv'])).out
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as object);
    expect(rows).toHaveLength(2);
    expect((await run(storeCommand.run, ['quarantine', '--feeds'])).out.trim().split('\n')).toHaveLength(3);
    expect(rows).toContainEqual(
      expect.objectContaining({ feed: 'csv', raw: '10.0.0.1', reason: expect.stringContaining('never'), times: 1 }),
    );
    expect((await run(storeCommand.run, ['quarantine', '--feed', 'stix'])).out).toBe('');
    expect(JSON.parse((await run(storeCommand.run, ['stats'])).last)).toMatchObject({ networks: 1, quarantinedItems: 3 });
    await expect(run(storeCommand.run, ['quarantine'])).rejects.toThrow(/--output ID, or --feeds/);
    await expect(run(storeCommand.run, ['quarantine', '--feeds', '--output', 'file'])).rejects.toThrow(/not both/);
  });
  it('keep a watchlist', async () => {
    expect(
      JSON.parse((await run(watchCommand.run, ['add', 'mail.evil-host.net', '--reason', 'supplier', '--days', '9'])).last),
    ).toMatchObject({ results: [{ added: true }] });
    expect(JSON.parse((await run(watchCommand.run, ['list'])).last)).toMatchObject({
      total: 1,
      watchlist: [{ indicator: 'mail.evil-host.net', by: 'cli' }],
    });
    expect(JSON.parse((await run(watchCommand.run, ['remove', 'mail.evil-host.net'])).last)).toMatchObject({
      results: [{ removed: true }],
    });
    expect((await run(watchCommand.run, ['who', 'mail.evil-host.net'])).out).toBe('');
  });
  it('decide about alerts, line by line', async () => {
    const alerts = ['{"id":"1","domain":"c2.evil-host.net","action":"blocked"}', 'not json', '{"id":"2","dest_ip":"10.0.0.1"}'].join('\n');
    const { code, out, err } = await run(triageCommand.run, ['-'], alerts);
    expect(
      out
        .trimEnd()
        .split('\n')
        .map((line) => JSON.parse(line) as { alert_id: string; tier: string }),
    ).toMatchObject([
      { alert_id: '1', tier: 'p2' },
      { alert_id: '2', tier: 'log', auto_resolve: false },
    ]);
    expect([code, err]).toEqual([3, expect.stringContaining('line 2')]);
  });
});

describe('what waits in the journal', () => {
  const told = () => hec.calls.map(({ text }) => text).filter((text) => text.includes('"event":"triage"')).length;
  const alert = (id: string) => JSON.stringify({ id, domain: 'c2.evil-host.net' });

  it('is sent by `triage --tell` itself, and stays where the output waits for a person', async () => {
    await run(deliverCommand.run, []);
    expect((await run(triageCommand.run, ['-', '--tell'], alert('n1'))).code).toBe(0);
    expect(told()).toBe(1);
    hecStatus = 403;
    const { code, err } = await run(triageCommand.run, ['-', '--tell'], alert('n2'));
    expect([code, err]).toEqual([3, expect.stringMatching(/^ismalicious: output splunk_hec: 0 sent, 1 left — HEC code 4/m)]);
    hecStatus = 200;
  });
  it('is sent by `deliver`, which looks nothing up', async () => {
    const asked = api.calls.length;
    const { code, err, last } = await run(deliverCommand.run, ['--json']);
    expect([code, err]).toEqual([0, 'output splunk_hec: 1 sent, 0 left\n']);
    expect(JSON.parse(last)).toMatchObject({ outputs: { splunk_hec: { sent: 1, pending: 0, quarantined: 0, halt: null } } });
    expect([told(), api.calls.length]).toEqual([3, asked]);
  });
  it('is nothing where no output is switched on: that is said', async () => {
    const none = join(folder, 'none.yaml');
    writeFileSync(none, 'pipeline: {}\n');
    await expect(run(deliverCommand.run, ['--config', none])).rejects.toThrow(/no output is switched on/);
  });
});

it('config import writes a file for its owner only, and never over another', async () => {
  const [old, fresh] = [join(folder, 'config.yaml'), join(folder, 'new.yaml')];
  writeFileSync(old, stringify({ otx: { key: SECRETS[0] } }));
  expect((await run(configCommand.run, ['import', old, '--out', fresh])).code).toBe(0);
  expect([readFileSync(fresh, 'utf8').includes(SECRETS[0]!), statSync(fresh).mode & 0o077]).toEqual([true, 0]);
  await expect(run(configCommand.run, ['import', old, '--out', fresh])).rejects.toThrow(/exists already/);
});

it('no secret is in the state folder', async () => {
  const { readdirSync } = await import('node:fs');
  for (const name of readdirSync(join(folder, 'state'))) {
    const bytes = readFileSync(join(folder, 'state', name));
    for (const secret of SECRETS) expect(bytes.includes(secret), `${secret} in ${name}`).toBe(false);
  }
});
