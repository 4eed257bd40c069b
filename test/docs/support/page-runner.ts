import { spawn, type ChildProcess } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { startFakeElasticsearch } from '../../support/fake-elasticsearch.ts';
import { projectRoot } from '../../support/fixtures.ts';
import { freePort } from '../../support/free-port.ts';
import { startStandIn } from '../../support/stand-in-api.ts';

const LIMIT_MS = 60_000;

/** How a command ended. */
export interface Ended {
  readonly status: number | null;
  readonly output: string;
}

/** Runs the commands of one page in order, in a folder and a HOME of their own, against stand-ins of this machine. */
export interface PageRunner extends AsyncDisposable {
  run(command: string): Promise<Ended>;
}

/** Files that pages name as examples of the reader's own, made of the shipped samples. */
const OWN_FILES: Readonly<Record<string, string>> = {
  'indicators.txt': '198.51.100.7\n198.51.100.23\n',
  'iocs.txt': '198.51.100.7\n10.0.0.1\n',
  'proxy.csv': 'time,dest_ip\n1,198.51.100.7\n',
  'access.log': '198.51.100.7 - - [29/Nov/2026:17:00:01 +0000] "GET / HTTP/1.1" 200 5\n',
  'alerts.ndjson': '{"@timestamp":"2026-11-29T17:00:01Z","destination":{"ip":"198.51.100.7"}}\n',
  'alert.json': '{"@timestamp":"2026-11-29T17:00:01Z","destination":{"ip":"198.51.100.7"}}\n',
  'settings.yaml':
    'feeds:\n  csv: {enabled: true, base_url: "FEED/list.csv"}\noutputs:\n  file: {enabled: true, path: "FOLDER/out.ndjson"}\n',
};

/** Opens a runner. `isFresh`: of a reader who has set up nothing yet; else there are settings, and a stand-in for who is asked. */
export async function openPageRunner(isFresh: boolean): Promise<PageRunner> {
  const folder = mkdtempSync(join(tmpdir(), 'ismalicious-docs-'));
  const work = join(folder, 'work');
  for (const path of ['work', 'bin', 'home', 'nginx', 'etc']) mkdirSync(join(folder, path));
  for (const name of ['ismalicious', 'dist', 'samples', 'logstash', 'elastic']) symlinkSync(join(projectRoot, name), join(work, name));
  symlinkSync(join(projectRoot, 'ismalicious'), join(folder, 'bin/ismalicious'));
  const api = await startStandIn();
  const engine = await startEngine();
  for (const [name, text] of Object.entries(OWN_FILES))
    writeFileSync(join(work, name), text.replaceAll('FEED', engine.url).replaceAll('FOLDER', folder));
  writeFileSync(join(folder, 'nginx/a.log.gz'), gzipSync(OWN_FILES['access.log'] ?? ''));
  const port = await freePort();
  const env = {
    PATH: `${join(folder, 'bin')}:${dirname(process.execPath)}:/usr/bin:/bin`,
    HOME: join(folder, 'home'),
    ISMALICIOUS_RUNTIME_NODE: process.execPath,
    ISMALICIOUS_STATE_DIR: join(folder, 'state'),
    ISMALICIOUS_SIDECAR_PORT: String(port),
    ...(!isFresh && { ISMALICIOUS_BASE_URL: api.url, ISMALICIOUS_CONFIG: join(work, 'settings.yaml') }),
  };
  const exported: string[] = [];
  let sidecar: ChildProcess | null = null;

  const here = (command: string) =>
    command
      // A key that the reader has to put in.
      .replaceAll("='…'", "='a2V5OnNlY3JldA=='")
      .replaceAll('localhost:8787', `127.0.0.1:${port}`)
      .replaceAll(/https?:\/\/(es\.example|localhost):9200|localhost:9200/g, engine.url)
      .replaceAll('/etc/logstash', join(folder, 'etc'))
      .replaceAll('/var/log/nginx', join(folder, 'nginx'));

  async function serve(): Promise<Ended> {
    if (sidecar) return { status: 0, output: 'runs already' };
    const child = (sidecar = spawn('bash', ['-c', [...exported, 'exec ismalicious serve'].join('\n')], { cwd: work, env }));
    let output = '';
    const ended = new Promise<boolean>((resolve) => {
      const take = (part: Buffer) => {
        output += String(part);
        if (output.includes(`listening ${port}`)) resolve(true);
      };
      child.stdout.on('data', take);
      child.stderr.on('data', take);
      child.once('close', () => resolve(false));
    });
    return { status: (await ended) ? 0 : 1, output };
  }

  return {
    async run(command) {
      if (/^(\.\/)?ismalicious serve\b/.test(command)) return await serve();
      const text = here(command);
      if (text !== command && text.includes(`127.0.0.1:${port}`)) await serve();
      if (command.startsWith('export ')) exported.push(text);
      const script = [...exported, text].join('\n');
      const child = spawn('bash', ['-o', 'pipefail', '-c', script], { cwd: work, env, stdio: ['ignore', 'pipe', 'pipe'] });
      let output = '';
      for (const stream of [child.stdout, child.stderr]) stream.on('data', (part) => (output += String(part)));
      const timer = setTimeout(() => child.kill('SIGKILL'), LIMIT_MS);
      const status = await new Promise<number | null>((resolve) => child.once('close', resolve));
      clearTimeout(timer);
      return { status, output };
    },
    async [Symbol.asyncDispose]() {
      if (sidecar?.exitCode === null) {
        const closed = new Promise((resolve) => sidecar?.once('close', resolve));
        sidecar.kill('SIGTERM');
        await closed;
      }
      await api[Symbol.asyncDispose]();
      await engine.close();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** A list to read as a feed, an engine that takes everything, and what `ismalicious elastic` talks to. */
async function startEngine() {
  const assets = await startFakeElasticsearch();
  const server = createServer((request, response) => {
    const parts: Buffer[] = [];
    request.on('data', (part: Buffer) => parts.push(part));
    request.on('end', async () => {
      const path = request.url ?? '/';
      const body = Buffer.concat(parts);
      const send = (value: unknown) => {
        response.writeHead(200, { 'content-type': 'application/json', 'x-elastic-product': 'Elasticsearch' });
        response.end(JSON.stringify(value));
      };
      if (path === '/list.csv') return void response.end('indicator\n45.155.205.9\nevil-host.net\n');
      if (path.includes('_bulk')) {
        const actions = body
          .toString('utf8')
          .trimEnd()
          .split('\n')
          .filter((_line, n) => n % 2 === 0);
        return send({ errors: false, items: actions.map((_action, n) => ({ create: { _index: 'logs', _id: String(n), status: 201 } })) });
      }
      if (path.includes('_refresh') || path.includes('_search')) return send({ hits: { total: { value: 1 } } });
      const { method = 'GET', headers } = request;
      const passed = await fetch(new URL(path, assets.url), {
        method,
        headers: { authorization: headers.authorization ?? '', 'content-type': 'application/json' },
        ...(body.length > 0 && { body }),
      });
      response.writeHead(passed.status, { 'content-type': 'application/json', 'x-elastic-product': 'Elasticsearch' });
      response.end(await passed.text());
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
      await assets[Symbol.asyncDispose]();
    },
  };
}
