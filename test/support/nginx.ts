import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, mkdtempSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { freePort } from './free-port.ts';

const SKIP_LINE = 'skipped: no nginx here. To run them: apt-get install nginx-light\n';

/** The program; `null`: there is none, which is said once in one line. */
export function findNginx(): string | null {
  const folders = [...(process.env['PATH'] ?? '').split(delimiter), '/usr/sbin'];
  const found = folders.map((folder) => join(folder, 'nginx')).find((path) => existsSync(path)) ?? null;
  if (found === null) process.stderr.write(SKIP_LINE);
  return found;
}

/** A load balancer on the loopback, in turns; a call that one server did not answer is repeated at the next one. */
export async function startNginx(program: string, ports: readonly number[]): Promise<AsyncDisposable & { readonly url: string }> {
  const port = await freePort();
  const folder = mkdtempSync(join(tmpdir(), 'ismalicious-nginx-'));
  mkdirSync(join(folder, 'logs'));
  const paths = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map((name) => `${name}_temp_path ${folder}/${name};`);
  const servers = ports.map((one) => `server 127.0.0.1:${one} max_fails=1 fail_timeout=2s;`);
  writeFileSync(
    join(folder, 'nginx.conf'),
    `daemon off; pid ngx.pid; worker_processes 1; error_log logs/error.log;
events { worker_connections 1024; }
http {
  access_log off; client_max_body_size 64m; client_body_buffer_size 4m; ${paths.join(' ')}
  upstream sidecars { ${servers.join(' ')} keepalive 16; }
  server {
    listen 127.0.0.1:${port};
    location / {
      proxy_pass http://sidecars; proxy_http_version 1.1; proxy_set_header Connection ""; proxy_set_header Host $http_host; proxy_read_timeout 120s;
      proxy_next_upstream error timeout non_idempotent;
    }
  }
}\n`,
  );
  const child: ChildProcess = spawn(program, ['-p', folder, '-c', 'nginx.conf', '-e', 'logs/error.log'], {
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  const gone = once(child, 'exit');
  for (;;) {
    const socket = connect(port, '127.0.0.1');
    const isOpen = await new Promise<boolean>(
      (resolve) => void socket.once('connect', () => resolve(true)).once('error', () => resolve(false)),
    );
    socket.destroy();
    if (isOpen) break;
    if (child.exitCode !== null) throw new Error(`nginx did not start: status ${child.exitCode}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  return {
    url: `http://127.0.0.1:${port}`,
    async [Symbol.asyncDispose]() {
      child.kill('SIGTERM');
      await gone;
    },
  };
}
