import { spawn } from 'node:child_process';
import { cpSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { once } from 'node:events';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { projectRoot } from '../support/fixtures.ts';
import { sendJson, type StandInApi, startStandIn } from '../support/stand-in-api.ts';

const WRITTEN_BY = '0.1.0';
const folder = mkdtempSync(join(tmpdir(), 'ismalicious-upgrade-'));
const received: string[] = [];
/** Splunk's HTTP Event Collector, which answers now. */
const collector = createServer((request, response) => {
  const parts: Buffer[] = [];
  request.on('data', (part: Buffer) => parts.push(part));
  request.on('end', () => {
    const body = Buffer.concat(parts);
    received.push(String(request.headers['content-encoding'] === 'gzip' ? gunzipSync(body) : body));
    sendJson(response, 200, { text: 'Success', code: 0 });
  });
});
let api: StandInApi;

beforeAll(async () => {
  cpSync(join(projectRoot, `test/fixtures/release-${WRITTEN_BY}`), folder, { recursive: true });
  api = await startStandIn();
  collector.listen(0, '127.0.0.1');
  await once(collector, 'listening');
});
afterAll(async () => {
  collector.close();
  await api[Symbol.asyncDispose]();
  rmSync(folder, { recursive: true, force: true });
});

/** Runs the program of today in the folder of then; what is there is older than it is kept by default when this test is old. */
async function run(...args: string[]) {
  const env = {
    PATH: process.env.PATH,
    ISMALICIOUS_STATE_DIR: join(folder, 'state'),
    ISMALICIOUS_CONFIG: 'ismalicious.yaml',
    ISMALICIOUS_BASE_URL: api.url,
    ISMALICIOUS_OUTPUTS_SPLUNK_HEC_BASE_URL: `http://127.0.0.1:${(collector.address() as AddressInfo).port}`,
    ISMALICIOUS_PIPELINE_KEEP_DAYS: '36500',
  };
  const child = spawn(process.execPath, [join(projectRoot, 'src/main.ts'), ...args], { cwd: folder, env });
  let stdout = '';
  let stderr = '';
  child.stdout.on('data', (part) => (stdout += String(part)));
  child.stderr.on('data', (part) => (stderr += String(part)));
  const [status] = (await once(child, 'close')) as [number];
  return { status, stdout, stderr };
}

async function readJson<T>(...args: string[]): Promise<T> {
  const { status, stdout, stderr } = await run(...args);
  expect({ args, status, stderr }).toEqual({ args, status: 0, stderr: expect.not.stringContaining('warning') as string });
  return JSON.parse(stdout) as T;
}

// In this order: the run of the pipeline at the end changes what the others read.
describe(`what release ${WRITTEN_BY} left behind goes on`, { timeout: 240_000 }, () => {
  it('settings are right as they are', async () => {
    const { status, stderr } = await run('config', 'check');
    expect({ status, stderr }).toEqual({
      status: 0,
      stderr: expect.stringContaining('Providers: ismalicious. Feeds: csv. Outputs: splunk_hec.') as string,
    });
  });

  it('the verdict cache is opened, with its rows, and not set aside as damaged', async () => {
    const { stdout } = await run('cache', 'stats');
    expect(stdout).toMatch(/^rows\s+6$/m);
    expect(stdout).toMatch(/^fault\s+-$/m);
    expect(readdirSync(join(folder, 'state')).filter((name) => name.includes('damaged'))).toEqual([]);
  });

  it('overrides of analysts are in force', async () => {
    const override = await readJson('feedback', 'list', '--json');
    expect(override).toMatchObject({ indicator: '9.9.9.9', verdict: 'malicious', author: 'analyst', reason: 'seen in case 4711' });
    const answer = await readJson<{ verdict: string; message: string }>('check', '9.9.9.9', '--json');
    expect(answer).toMatchObject({ verdict: 'malicious', message: 'decided by analyst on 2026-11-30: seen in case 4711' });
  });

  it('own lists answer', async () => {
    expect(await readJson('check', '198.51.100.7', '--json')).toMatchObject({ verdict: 'malicious', attributes: ['list:ours.csv'] });
  });

  it('the store is whole: indicators, watchlist, sightings, and messages that wait', async () => {
    expect(await readJson('store', 'check')).toEqual({ ok: true, faults: [] });
    expect(await readJson('store', 'stats')).toMatchObject({
      indicators: 4,
      watched: 1,
      sightings: 1,
      outputs: { splunk_hec: { accepted: 4, delivered: 0, pending: 4, quarantined: 0 } },
    });
    const { watchlist } = await readJson<{ watchlist: readonly object[] }>('watch', 'list');
    expect(watchlist).toMatchObject([{ indicator: 'evil.mirror.site', reason: 'case 4711' }]);
    expect(await readJson('watch', 'who', '93.184.216.34', '--days', '36500')).toMatchObject({ asset: 'ws1', times: 1 });
  });

  it('the pipeline delivers what waited, once', async () => {
    const { status } = await run('pipeline', 'run');
    expect(status).toBe(0);
    const { outputs } = await readJson<{ outputs: { splunk_hec: { delivered: number; pending: number } } }>('store', 'stats');
    expect(outputs.splunk_hec.pending).toBe(0);
    expect(outputs.splunk_hec.delivered).toBeGreaterThanOrEqual(4);
    for (const value of ['93.184.216.34', '8.8.4.77', 'http://evil.mirror.site/login'])
      expect(received.join('').split(JSON.stringify(value)).length, value).toBeGreaterThan(1);
  });
});
