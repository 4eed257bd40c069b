import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import { delimiter, join } from 'node:path';
import { projectRoot } from './fixtures.ts';

/** Where CI builds it, and of what. */
export const TOXIPROXY_FOLDER = join(projectRoot, '.cache/toxiproxy');
export const TOXIPROXY_MODULE = 'github.com/Shopify/toxiproxy/v2/cmd/server@v2.5.0';

const SKIP_LINE = `skipped: no toxiproxy here. To run them: GOBIN=$PWD/.cache/toxiproxy go install ${TOXIPROXY_MODULE}\n`;

/** The program; `null`: there is none, which is said once in one line. */
export function findToxiproxy(): string | null {
  const inPath = (process.env['PATH'] ?? '').split(delimiter).map((folder) => join(folder, 'toxiproxy-server'));
  const found = [join(TOXIPROXY_FOLDER, 'server'), ...inPath].find((path) => existsSync(path)) ?? null;
  if (found === null) process.stderr.write(SKIP_LINE);
  return found;
}

/** What may go wrong on the way, as toxiproxy names it. */
export type Toxic =
  | { readonly type: 'latency'; readonly attributes: { readonly latency: number; readonly jitter?: number } }
  | { readonly type: 'reset_peer' | 'timeout'; readonly attributes: { readonly timeout: number } }
  /** KiB a second. */
  | { readonly type: 'bandwidth'; readonly attributes: { readonly rate: number } }
  | { readonly type: 'slow_close'; readonly attributes: { readonly delay: number } }
  /** Bytes, and microseconds between them. */
  | {
      readonly type: 'slicer';
      readonly attributes: { readonly average_size: number; readonly size_variation: number; readonly delay: number };
    }
  | { readonly type: 'limit_data'; readonly attributes: { readonly bytes: number } };

/** Ways through the network that a test cuts as it likes. */
export interface Toxiproxy extends AsyncDisposable {
  /** A way to a port of the loopback; gives the port that leads there. */
  way(name: string, port: number): Promise<number>;
  spoil(name: string, toxic: Toxic): Promise<void>;
  mend(): Promise<void>;
}

/** Starts it on a free port. */
export async function startToxiproxy(program: string): Promise<Toxiproxy> {
  const probe = createServer().listen(0, '127.0.0.1');
  await once(probe, 'listening');
  const { port } = probe.address() as AddressInfo;
  probe.close();
  await once(probe, 'close');
  const child = spawn(program, ['-host', '127.0.0.1', '-port', String(port)], { stdio: 'ignore' });
  const gone = once(child, 'exit');
  const url = `http://127.0.0.1:${port}`;
  const ask = async (path: string, body?: unknown): Promise<unknown> => {
    const init = body === undefined ? {} : { method: 'POST', body: JSON.stringify(body) };
    const answer = await fetch(url + path, { ...init, headers: { 'user-agent': 'test' } });
    if (!answer.ok) throw new Error(`toxiproxy: ${answer.status} ${await answer.text()}`);
    return path === '/reset' || path === '/version' ? null : await answer.json();
  };
  while (
    !(await ask('/version')
      .then(() => true)
      .catch(() => child.exitCode !== null))
  )
    await new Promise((resolve) => setTimeout(resolve, 20));
  return {
    async way(name, to) {
      const made = (await ask('/proxies', { name, listen: '127.0.0.1:0', upstream: `127.0.0.1:${to}`, enabled: true })) as {
        listen: string;
      };
      return Number(made.listen.split(':').at(-1));
    },
    spoil: async (name, toxic) => void (await ask(`/proxies/${name}/toxics`, { name: toxic.type, stream: 'downstream', ...toxic })),
    mend: async () => void (await ask('/reset', {})),
    async [Symbol.asyncDispose]() {
      child.kill('SIGTERM');
      await gone;
    },
  };
}
