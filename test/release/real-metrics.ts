import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { projectRoot } from '../support/fixtures.ts';
import { newStateFolder } from '../support/open-test-engine.ts';
import { sendJson, startStandIn, verdictBody } from '../support/stand-in-api.ts';

/** Name of a series → names of its labels, over all its samples. */
export type MetricLabels = ReadonlyMap<string, ReadonlySet<string>>;

/** What `/metrics` of a real sidecar exports after it has met everything that has a series: answers, quotas, a key that is refused. */
export async function readRealMetrics(): Promise<MetricLabels> {
  await using api = await startStandIn((call, response) => {
    const headers = { 'x-ratelimit-limit': '60', 'x-ratelimit-remaining': '59', 'x-ratelimit-reset': String(Date.now() + 60_000) };
    sendJson(response, 200, verdictBody(call.values[0] ?? ''), headers);
  });
  const refusing = createServer((_request, response) => sendJson(response, 401, { error: { code: 'WrongCredentialsError' } }));
  refusing.listen(0, '127.0.0.1');
  await once(refusing, 'listening');
  const child = spawn(process.execPath, [join(projectRoot, 'src/main.ts'), 'serve', '--port', '0'], {
    stdio: ['ignore', 'pipe', 'inherit'],
    env: {
      PATH: process.env.PATH,
      ISMALICIOUS_STATE_DIR: newStateFolder(),
      ISMALICIOUS_SIDECAR_PIPELINE_STORE: 'always',
      ISMALICIOUS_X_API_KEY: 'dGVzdDp0ZXN0',
      ISMALICIOUS_BASE_URL: api.url,
      VIRUSTOTAL_API_KEY: 'test-key',
      VIRUSTOTAL_BASE_URL: `http://127.0.0.1:${(refusing.address() as AddressInfo).port}`,
    },
  });
  try {
    const url = `http://127.0.0.1:${await portOf(child.stdout)}`;
    const body = JSON.stringify({ destination: { ip: '93.184.216.34' } });
    await fetch(`${url}/v1/enrich`, { method: 'POST', headers: { 'content-type': 'application/json' }, body });
    return labelsIn(await (await fetch(`${url}/metrics`)).text());
  } finally {
    child.kill('SIGTERM');
    await once(child, 'exit');
    refusing.close();
  }
}

async function portOf(stdout: NodeJS.ReadableStream): Promise<string> {
  let said = '';
  for await (const part of stdout) {
    said += String(part);
    const port = /listening (\d+)\n/.exec(said)?.[1];
    if (port !== undefined) return port;
  }
  throw new Error(`the sidecar ended before it listened: ${said}`);
}

function labelsIn(text: string): MetricLabels {
  const labels = new Map<string, Set<string>>();
  for (const [, name = '', inner = ''] of text.matchAll(/^([a-z_]+)(?:\{(.*)\})? \S+$/gm)) {
    const known = labels.get(name) ?? new Set();
    labels.set(name, known);
    for (const [, label = ''] of inner.matchAll(/(\w+)="/g)) known.add(label);
  }
  return labels;
}
