import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { openStoreCore } from '../../../src/store/store.ts';
import { projectRoot } from '../../support/fixtures.ts';
import { type SeenCall, startStandIn } from '../stand-in.ts';

// The whole of it: ISMALICIOUS_ALERT_KILLS=100 ISMALICIOUS_ALERTS=300.
const KILLS = Number(process.env.ISMALICIOUS_ALERT_KILLS ?? 2);
const ALERTS = Number(process.env.ISMALICIOUS_ALERTS ?? 30);
const IS_WHOLE = process.env.ISMALICIOUS_ALERT_KILLS !== undefined;
const EVERY_MS = 100;
const MOST_OUT = 10;
const PROGRAM = join(projectRoot, 'src/main.ts');

/** PagerDuty, Jira and HEC in one: each notes when it first had a value, and under which keys. */
async function startReceivers() {
  const had = new Map<string, Map<string, { atMs: number; keys: Set<string>; times: number }>>();
  const issues = new Set<string>();
  const note = (receiver: string, value: string, key: string) => {
    const of = had.get(receiver) ?? new Map<string, { atMs: number; keys: Set<string>; times: number }>();
    had.set(receiver, of);
    const known = of.get(value) ?? { atMs: Date.now(), keys: new Set<string>(), times: 0 };
    known.keys.add(key);
    known.times += 1;
    of.set(value, known);
  };
  const refanged = (text: string) => /\d+\.\d+\.\d+\.\d+/.exec(text.replaceAll('[.]', '.'))?.[0] ?? '';
  const answer = ({ path, method, text }: SeenCall) => {
    if (path.startsWith('/v2/enqueue')) {
      const event = JSON.parse(text) as { dedup_key: string };
      note('pagerduty', event.dedup_key.split(':').at(-1) ?? '', event.dedup_key);
      return { status: 202, body: { status: 'success' } };
    }
    if (path.startsWith('/services/collector')) {
      for (const line of text.split('\n')) {
        const { event } = JSON.parse(line) as { event: { ioc_value: string; event_id: string } };
        note('splunk_hec', event.ioc_value, event.event_id);
      }
      return { body: { text: 'Success', code: 0 } };
    }
    if (path.startsWith('/rest/api/3/search')) {
      const label = /labels = "([^"]+)"/.exec(new URL(path, 'http://jira').searchParams.get('jql') ?? '')?.[1] ?? '';
      return { body: { issues: issues.has(label) ? [{ id: '1', key: 'SOC-1' }] : [] } };
    }
    if (path === '/rest/api/3/issue' && method === 'POST') {
      const { fields } = JSON.parse(text) as { fields: { labels: string[]; summary: string } };
      const label = fields.labels.find((one) => one.startsWith('ismalicious-')) ?? '';
      issues.add(label);
      note('jira', refanged(fields.summary), label);
      return { status: 201, body: { id: '1', key: 'SOC-1', self: 'x' } };
    }
    return { status: 201, body: {} };
  };
  const server = await startStandIn(async (call) => {
    const reply = answer(call);
    await delay(Math.random() * 5);
    return reply;
  });
  return { url: server.url, had, close: server.close };
}

function configOf(folder: string, url: string): string {
  const list = join(folder, 'list.csv');
  writeFileSync(list, '45.83.0.0/16,our own list\n');
  const config = join(folder, 'ismalicious.yaml');
  const lines = [
    'local:',
    `  lists: [${JSON.stringify(list)}]`,
    'sidecar:',
    '  pipeline_store: always',
    'outputs:',
    `  pagerduty: { enabled: true, routing_key: ${'r'.repeat(32)}, base_url: '${url}' }`,
    `  jira: { enabled: true, base_url: '${url}', email: soc@corp-net.com, api_key: k-jira, project: SOC }`,
    `  splunk_hec: { enabled: true, base_url: '${url}', token: k-hec }`,
  ];
  writeFileSync(config, `${lines.join('\n')}\n`);
  return config;
}

function startSidecar(config: string, folder: string, port: number): { child: ChildProcess; ready: Promise<number> } {
  const env = { PATH: process.env.PATH ?? '', ISMALICIOUS_STATE_DIR: folder };
  const child = spawn(process.execPath, [PROGRAM, 'serve', '--config', config, '--port', String(port)], { stdio: 'pipe', env });
  let words = '';
  const ready = new Promise<number>((resolve, reject) => {
    const hear = (part: Buffer) => {
      words += part.toString();
      const found = /listening (\d+)\n/.exec(words);
      if (found) resolve(Number(found[1]));
    };
    child.stdout.on('data', hear);
    child.stderr.on('data', hear);
    child.once('exit', () => reject(new Error(`the sidecar ended: ${words}`)));
  });
  ready.catch(() => undefined);
  return { child, ready };
}

/** Sends an alert until it is taken, as a SIEM does. */
async function alert(portOf: () => Promise<number>, value: string): Promise<number> {
  for (;;) {
    const atMs = Date.now();
    // A sidecar that does not come up ends the test.
    const port = await portOf();
    try {
      const body = JSON.stringify({ id: `a-${value}`, destination: { ip: value }, event: { action: 'allowed' } });
      const answer = await fetch(`http://127.0.0.1:${port}/v1/triage?tell=true`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body,
      });
      const { decisions } = (await answer.json()) as { decisions: { tier: string }[] };
      if (answer.status === 200) {
        expect(decisions[0]?.tier).toBe('p1');
        return atMs;
      }
    } catch {
      // It was killed under the call: the next one gets it.
    }
    await delay(10);
  }
}

it(
  `an alert is in PagerDuty, Jira and Splunk within seconds; ${KILLS} times kill -9 in between: none lost, a repeat has the same key`,
  { timeout: 120_000 + ALERTS * EVERY_MS * 2 + KILLS * 15_000 },
  async () => {
    const folder = mkdtempSync(join(tmpdir(), 'ismalicious-alert-'));
    const receivers = await startReceivers();
    const config = configOf(folder, receivers.url);
    let running = startSidecar(config, folder, 0);
    const port = await running.ready;
    const portOf = async () => await running.ready;
    const sentMs = new Map<string, number>();
    const send = async (value: string) => void sentMs.set(value, await alert(portOf, value));
    const waitForAll = async (values: readonly string[]) => {
      const isThere = (receiver: string) => values.every((value) => receivers.had.get(receiver)?.has(value) === true);
      while (!['pagerduty', 'jira', 'splunk_hec'].every(isThere)) await delay(20);
    };

    const steady = Array.from({ length: ALERTS }, (_, n) => `45.83.${200 + Math.floor(n / 250)}.${(n % 250) + 1}`);
    const posts: Promise<void>[] = [];
    for (const value of steady) {
      posts.push(send(value));
      await delay(EVERY_MS);
    }
    await Promise.all(posts);
    await waitForAll(steady);
    const read = async (path: string) => await (await fetch(`http://127.0.0.1:${await portOf()}${path}`)).text();
    while (!(await read('/metrics')).includes(`ismalicious_delivery_sent_total{output="jira"} ${ALERTS}`)) await delay(20);
    expect(await read('/readyz')).not.toContain('output ');
    const figures = [...receivers.had].map(([receiver, values]) => {
      const waits = steady.map((value) => (values.get(value)?.atMs ?? Infinity) - (sentMs.get(value) ?? 0)).toSorted((a, b) => a - b);
      const at = (share: number) => waits[Math.min(waits.length - 1, Math.floor(waits.length * share))] ?? Infinity;
      return { receiver, p50: at(0.5), p99: at(0.99), most: waits.at(-1) ?? Infinity };
    });

    let kills = 0;
    let accepted = 0;
    let isOver = false;
    const killing = (async () => {
      while (kills < KILLS) {
        // Each life takes one alert at least, so that there is something to lose.
        const before = accepted;
        while (accepted === before) await delay(5);
        await delay(Math.random() * 250);
        const gone = once(running.child, 'exit');
        running.child.kill('SIGKILL');
        await gone;
        kills += 1;
        running = startSidecar(config, folder, port);
        await running.ready;
      }
    })().finally(() => (isOver = true));
    const stormy: string[] = [];
    const storm: Promise<unknown>[] = [];
    for (let n = 0; !isOver; n++) {
      // A SIEM holds back while nobody answers.
      while (stormy.length - accepted >= MOST_OUT && !isOver) await delay(EVERY_MS);
      const value = `45.83.${Math.floor(n / 250)}.${(n % 250) + 1}`;
      stormy.push(value);
      storm.push(send(value).then(() => (accepted += 1)));
      await delay(EVERY_MS);
    }
    await Promise.all(storm);
    await killing;
    await waitForAll(stormy);
    const ended = once(running.child, 'exit');
    running.child.kill('SIGTERM');
    await ended;

    let repeats = 0;
    for (const values of receivers.had.values())
      for (const { keys, times } of values.values()) {
        expect(keys.size).toBe(1);
        repeats += times - 1;
      }
    const store = openStoreCore(join(folder, 'pipeline.sqlite'));
    for (const output of ['pagerduty', 'jira', 'splunk_hec']) {
      const all = steady.length + stormy.length;
      expect(store.counts(output), output).toEqual({ accepted: all, delivered: all, pending: 0, quarantined: 0 });
    }
    store.close();
    const waits = figures.map(({ receiver, p50, p99, most }) => `${receiver} p50 ${p50} p99 ${p99} max ${most} ms`).join('; ');
    process.stdout.write(
      `alerts: ${steady.length} at ${1000 / EVERY_MS}/s: ${waits}; ${kills} kills, ${stormy.length} alerts, 0 lost, ${repeats} repeats under the same key\n`,
    );
    // A bound on time is for the whole of it, on a machine that does nothing else.
    if (IS_WHOLE) for (const { p99 } of figures) expect(p99).toBeLessThanOrEqual(5000);
    await receivers.close();
    rmSync(folder, { recursive: true });
  },
);
