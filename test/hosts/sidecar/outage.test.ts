import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { expect, it, onTestFinished } from 'vitest';
import { projectRoot } from '../../support/fixtures.ts';
import { newStateFolder } from '../../support/open-test-engine.ts';
import { sendJson, verdictBody } from '../../support/stand-in-api.ts';

/** How long the provider is down; `ISMALICIOUS_OUTAGE_S=60` for the figure of docs/reliability.md, which it tells. */
const OUTAGE_S = Number(process.env.ISMALICIOUS_OUTAGE_S ?? 4);
const IS_LONG = process.env.ISMALICIOUS_OUTAGE_S !== undefined;
const LIFETIME_S = 1;
const ASK_EVERY_MS = 250;
const KNOWN = Array.from({ length: 20 }, (_, n) => `92.93.94.${n + 1}`);
const program = join(projectRoot, 'dist/cli.js');

/** A provider that can go down and come up again at the same port. */
async function startProvider() {
  let server: Server;
  const up = async (port: number) => {
    server = createServer((req, res) =>
      sendJson(res, 200, verdictBody(new URL(req.url ?? '', 'http://x').searchParams.get('query') ?? '')),
    );
    server.listen(port, '127.0.0.1');
    await once(server, 'listening');
    return (server.address() as AddressInfo).port;
  };
  const down = async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  };
  const port = await up(0);
  onTestFinished(down);
  return { url: `http://127.0.0.1:${port}`, down, up: () => up(port) };
}

async function startSidecar(url: string): Promise<string> {
  const env = {
    PATH: process.env.PATH,
    ISMALICIOUS_STATE_DIR: newStateFolder(),
    ISMALICIOUS_X_API_KEY: Buffer.from('key:secret').toString('base64'),
    ISMALICIOUS_BASE_URL: url,
    ISMALICIOUS_BULK: 'false',
    ISMALICIOUS_CACHE_LISTED_TTL_S: String(LIFETIME_S),
    ISMALICIOUS_CACHE_UNKNOWN_TTL_S: String(LIFETIME_S),
    ISMALICIOUS_CACHE_REVALIDATE_S: '0',
    ISMALICIOUS_SIDECAR_TIMEOUT_MS: '2000',
  };
  const child = spawn(process.execPath, [program, 'serve', '--port', '0'], { env, stdio: ['ignore', 'pipe', 'inherit'] });
  const ended = once(child, 'exit');
  onTestFinished(async () => {
    child.kill('SIGKILL');
    await ended;
  });
  let out = '';
  while (!/listening \d+/.test(out)) out += String((await once(child.stdout, 'data'))[0]);
  return `http://127.0.0.1:${/listening (\d+)/.exec(out)?.[1]}`;
}

async function statusesOf(sidecar: string, indicators: readonly string[]): Promise<string[]> {
  const init = { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify({ indicators }) };
  const { enrichments } = (await (await fetch(`${sidecar}/v1/lookup`, init)).json()) as {
    enrichments: { verdict: string; status: string }[];
  };
  return enrichments.map(({ verdict, status }) => `${verdict} ${status}`);
}

it.skipIf(!existsSync(program))(
  'while its provider is down known values are stale and new ones unavailable, and it is asked again when it is back',
  { timeout: 60_000 + OUTAGE_S * 2000 },
  async () => {
    const provider = await startProvider();
    const sidecar = await startSidecar(provider.url);
    let news = 0;
    const newValue = () => `93.94.${(news >> 8) & 255}.${news++ & 255}`;
    expect(new Set(await statusesOf(sidecar, KNOWN))).toEqual(new Set(['malicious ok']));
    await provider.down();
    await wait(LIFETIME_S * 1000 + 1);
    const seen = new Map<string, number>();
    const count = (kind: string, statuses: readonly string[]) => {
      for (const status of statuses) seen.set(`${kind} ${status}`, (seen.get(`${kind} ${status}`) ?? 0) + 1);
    };
    const endMs = performance.now() + OUTAGE_S * 1000;
    while (performance.now() < endMs) {
      count('known', await statusesOf(sidecar, KNOWN));
      count('new', await statusesOf(sidecar, [newValue()]));
      await wait(ASK_EVERY_MS);
    }
    const unanswered = [...seen.keys()].filter((kind) => !/^known malicious stale$|^new unknown (?:unavailable|timeout)$/.test(kind));
    expect(unanswered, JSON.stringify([...seen])).toEqual([]);
    await provider.up();
    const backMs = performance.now();
    while ((await statusesOf(sidecar, [newValue()]))[0]?.endsWith(' ok') !== true) await wait(ASK_EVERY_MS);
    const recoveredS = ((performance.now() - backMs) / 1000).toFixed(1);
    expect(new Set(await statusesOf(sidecar, KNOWN))).toEqual(new Set(['malicious ok']));
    if (IS_LONG)
      process.stdout.write(`down for ${OUTAGE_S} s: ${JSON.stringify([...seen])}; answered again ${recoveredS} s after its return\n`);
  },
);
