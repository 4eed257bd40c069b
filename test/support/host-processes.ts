import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { projectRoot } from './fixtures.ts';
import { executeOf, getinfoOf, readFrames } from './splunk-streams.ts';

const splunkProgram = join(projectRoot, 'dist/splunk-app/ismalicious/bin/ismalicious.js');
const lookupProgram = join(projectRoot, 'dist/splunk-app/ismalicious/bin/programs/lookup.js');
const cliProgram = join(projectRoot, 'dist/cli.js');

/** Values in one call of the sidecar. */
const MOST_AT_ONCE = 1000;

/** What became of one run of a host: a status for each value, and how the process ended. */
export interface HostRun {
  readonly code: number | null;
  readonly signal: string | null;
  readonly statuses: readonly string[];
  readonly stderr: string;
}

/** Looks up `values` in a process of its own. `shell`: what is said before the program, for limits. */
export type Host = (values: readonly string[], env: Record<string, string>, shell?: string) => Promise<HostRun>;

interface Ended {
  readonly code: number | null;
  readonly signal: string | null;
  readonly stdout: Buffer;
  readonly stderr: string;
}

/** `TEST_NODE` in `env`: another Node than that of the tests. */
function start(args: readonly string[], env: Record<string, string>, shell?: string) {
  const node = env['TEST_NODE'] ?? process.execPath;
  const [command, ...rest] = shell === undefined ? [node, ...args] : ['/bin/sh', '-c', `${shell}; exec "$0" "$@"`, node, ...args];
  return spawn(command ?? '', rest, { env: { PATH: process.env.PATH, ...env } });
}

function ended(child: ReturnType<typeof start>): Promise<Ended> {
  const out: Buffer[] = [];
  let stderr = '';
  child.stdout.on('data', (part: Buffer) => out.push(part));
  child.stderr.on('data', (part) => (stderr += String(part)));
  return new Promise((resolve) => child.once('close', (code, signal) => resolve({ code, signal, stdout: Buffer.concat(out), stderr })));
}

const cli: Host = async (values, env, shell) => {
  const child = start([cliProgram, 'enrich', '-', '--format', 'list'], env, shell);
  child.stdin.end(`${values.join('\n')}\n`);
  const { stdout, ...end } = await ended(child);
  const statuses = String(stdout)
    .trim()
    .split('\n')
    .filter((line) => line.startsWith('{'))
    .map((line) => {
      const found = JSON.parse(line) as { status?: string };
      return found.status ?? '';
    });
  return { ...end, statuses };
};

const search: Host = async (values, env, shell) => {
  const child = start([splunkProgram], env, shell);
  const rows = values.map((value) => `${value},\n`).join('');
  child.stdin.write(Buffer.concat([getinfoOf(['dest_ip']), executeOf(`dest_ip,__mv_dest_ip\n${rows}`)]));
  // A pipe that closes during look-ups is a search that was cancelled.
  child.stdout.on('data', (part: Buffer) => void (part.includes('"finished":true') && child.stdin.end()));
  const { stdout, ...end } = await ended(child);
  const body = readFrames(stdout).at(-1)?.body ?? '';
  return { ...end, statuses: column(body, 'im_status') };
};

const lookup: Host = async (values, env, shell) => {
  const child = start([lookupProgram, 'query', 'im_verdict', 'im_status'], env, shell);
  child.stdin.end(`query,im_verdict,im_status\n${values.map((value) => `${value},,\n`).join('')}`);
  const { stdout, ...end } = await ended(child);
  return { ...end, statuses: column(String(stdout), 'im_status') };
};

const sidecar: Host = async (values, env, shell) => {
  const child = start([cliProgram, 'serve', '--port', '0'], env, shell);
  const end = ended(child);
  const port = await new Promise<number>((resolve, reject) => {
    child.stdout.on('data', (part) => {
      const found = /listening (\d+)/.exec(String(part));
      if (found) resolve(Number(found[1]));
    });
    void end.then(({ stderr }) => reject(new Error(`the sidecar ended: ${stderr}`)));
  });
  const statuses: string[] = [];
  try {
    for (let at = 0; at < values.length; at += MOST_AT_ONCE) statuses.push(...(await ask(port, values.slice(at, at + MOST_AT_ONCE))));
  } finally {
    child.kill('SIGTERM');
  }
  const { stdout: _out, ...rest } = await end;
  return { ...rest, statuses };
};

async function ask(port: number, values: readonly string[]): Promise<string[]> {
  const response = await fetch(`http://127.0.0.1:${port}/v1/lookup`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ indicators: values, timeout_ms: 20_000 }),
  });
  const body = (await response.json()) as { enrichments?: { status: string }[] };
  return (body.enrichments ?? []).map(({ status }) => status);
}

function column(csv: string, name: string): string[] {
  const [header = '', ...rows] = csv.replace(/\r?\n$/, '').split(/\r?\n/);
  const at = header.split(',').indexOf(name);
  return rows.map((row) => row.split(',')[at] ?? '');
}

/** Every host that looks values up. */
export const HOSTS: Readonly<Record<string, Host>> = { cli, search, lookup, sidecar };
