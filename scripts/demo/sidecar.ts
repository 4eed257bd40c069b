// Starts the built sidecar as a child and talks to it as Logstash, a script or a person would.
import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import type { EnrichmentJson } from '../../src/mapping/enrichment-json.ts';

/** A running sidecar. */
export interface Sidecar {
  readonly url: string;
  readonly process: ChildProcess;
  /** SIGTERM, then waits until it has drained and gone. */
  stop(): Promise<void>;
}

/** What an event has of ours, afterwards. */
export interface EnrichedEvent {
  readonly ismalicious?: { readonly verdict: string; readonly score?: number };
}

const HOST = '127.0.0.1';
const FIRST_PORT = 8787;
const PORTS_TRIED = 50;
const READY_MS = 20_000;
const POLL_MS = 50;

/** The port to serve on: `wanted` if one is named (0: any), else 8787 or the next one that is free. */
export async function choosePort(wanted: string | undefined): Promise<number> {
  if (wanted !== undefined && wanted !== '') {
    if (!/^\d{1,5}$/.test(wanted) || Number(wanted) > 65_535) throw new Error(`PORT is "${wanted}": has to be a number from 0 to 65535`);
    const port = await listenOnce(Number(wanted));
    if (port === null) throw new Error(`PORT ${wanted} is taken or not allowed: choose another one`);
    return port;
  }
  for (let port = FIRST_PORT; port < FIRST_PORT + PORTS_TRIED; port++) if ((await listenOnce(port)) !== null) return port;
  throw new Error(`no free port from ${FIRST_PORT} to ${FIRST_PORT + PORTS_TRIED - 1}: name one with PORT`);
}

/** Whether somebody could listen there: the port, or `null`. */
async function listenOnce(port: number): Promise<number | null> {
  const server = createServer();
  const { promise, resolve } = Promise.withResolvers<number | null>();
  server.once('error', () => resolve(null));
  server.listen(port, HOST, () => {
    const address = server.address();
    server.close(() => resolve(typeof address === 'object' && address !== null ? address.port : null));
  });
  return promise;
}

/** Starts the sidecar and waits until it says that it is ready. Throws with its own words when it does not come up. */
export async function startSidecar(program: string, port: number, env: NodeJS.ProcessEnv): Promise<Sidecar> {
  const child = spawn(process.execPath, [program, 'serve', '--host', HOST, '--port', String(port)], {
    env,
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  let words = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => (words = (words + text).slice(-4000)));
  const url = `http://${HOST}:${port}`;
  const stop = async () => {
    child.kill('SIGTERM');
    if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
  };
  const deadline = performance.now() + READY_MS;
  while (child.exitCode === null && performance.now() < deadline) {
    if (await isReady(url)) return { url, process: child, stop };
    await sleep(POLL_MS);
  }
  await stop();
  throw new Error(`the sidecar did not come up:\n${words.trim() || 'it said nothing'}`);
}

async function isReady(url: string): Promise<boolean> {
  try {
    return (await fetch(`${url}/readyz`)).ok;
  } catch (error) {
    // Not listening yet.
    if (error instanceof TypeError) return false;
    throw error;
  }
}

/** `POST /v1/enrich` with NDJSON: the same events, enriched, as text lines. */
export async function enrichEvents(url: string, ndjson: string): Promise<string[]> {
  const response = await fetch(`${url}/v1/enrich`, { method: 'POST', headers: { 'content-type': 'application/x-ndjson' }, body: ndjson });
  const text = await response.text();
  if (!response.ok) throw new Error(`POST /v1/enrich answered ${response.status}: ${text.slice(0, 500)}`);
  return text.trimEnd().split('\n');
}

/** `POST /v1/lookup`: one enrichment for each value, in the same order. */
export async function lookUp(url: string, indicators: readonly string[]): Promise<EnrichmentJson[]> {
  const body = JSON.stringify({ indicators });
  const response = await fetch(`${url}/v1/lookup`, { method: 'POST', headers: { 'content-type': 'application/json' }, body });
  if (!response.ok) throw new Error(`POST /v1/lookup answered ${response.status}: ${(await response.text()).slice(0, 500)}`);
  return ((await response.json()) as { enrichments: EnrichmentJson[] }).enrichments;
}
