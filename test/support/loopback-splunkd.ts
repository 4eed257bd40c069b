import { spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';

/** One call a splunkd on this machine was asked. */
export interface Asked {
  readonly method: string;
  readonly path: string;
  readonly query: Readonly<Record<string, string>>;
  readonly authorization: string | undefined;
  readonly body: string;
}

/** What it answers: a status and JSON. */
export type Answering = (asked: Asked) => { readonly status: number; readonly body: unknown };

/** A stand-in for splunkd with a certificate it signed itself. */
export interface LoopbackSplunkd {
  readonly uri: string;
  readonly certificateFile: string;
  readonly asked: readonly Asked[];
  close(): Promise<void>;
}

/** Whether this machine can make a certificate. */
export const hasOpenssl = spawnSync('openssl', ['version']).status === 0;

/** Starts it with a fresh certificate in `folder`. */
export async function startSplunkd(folder: string, answer: Answering): Promise<LoopbackSplunkd> {
  mkdirSync(folder, { recursive: true });
  const [keyFile, certificateFile] = [join(folder, 'key.pem'), join(folder, 'server.pem')];
  const subject = ['-subj', '/CN=SplunkServerDefaultCert', '-addext', 'subjectAltName=IP:127.0.0.1'];
  const kind = ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '2'];
  spawnSync('openssl', [...kind, ...subject, '-keyout', keyFile, '-out', certificateFile]);
  const asked: Asked[] = [];
  const server = createServer({ key: readFileSync(keyFile), cert: readFileSync(certificateFile) }, (request, response) => {
    const parts: Buffer[] = [];
    request.on('data', (part: Buffer) => parts.push(part));
    request.on('end', () => {
      const url = new URL(request.url ?? '/', 'https://splunkd');
      const call: Asked = {
        method: request.method ?? '',
        path: url.pathname,
        query: Object.fromEntries(url.searchParams),
        authorization: request.headers.authorization,
        body: Buffer.concat(parts).toString('utf8'),
      };
      asked.push(call);
      const { status, body } = answer(call);
      response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    uri: `https://127.0.0.1:${(server.address() as AddressInfo).port}`,
    certificateFile,
    asked,
    async close() {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}

/** What storage/passwords answers. */
export function storedPasswords(secrets: Readonly<Record<string, string>>, realm = 'ismalicious') {
  return {
    entry: Object.entries(secrets).map(([name, secret]) => ({
      name: `${realm}:${name}:`,
      acl: { app: 'ismalicious', owner: 'nobody' },
      links: { alternate: '/x' },
      content: { realm, username: name, clear_password: secret, encr_password: '$7$x' },
    })),
  };
}

/** A $SPLUNK_HOME with the key Splunk protects its own passwords with. */
export function makeSplunkHome(folder: string, certificate?: string): string {
  mkdirSync(join(folder, 'etc/auth'), { recursive: true });
  mkdirSync(join(folder, 'etc/system/local'), { recursive: true });
  mkdirSync(join(folder, 'etc/apps/ismalicious/default'), { recursive: true });
  mkdirSync(join(folder, 'etc/apps/ismalicious/local'), { recursive: true });
  writeFileSync(join(folder, 'etc/apps/ismalicious/default/app.conf'), '[ui]\nlabel = isMalicious\n');
  writeFileSync(join(folder, 'etc/auth/splunk.secret'), 'a'.repeat(254));
  if (certificate !== undefined) writeFileSync(join(folder, 'etc/auth/server.pem'), certificate);
  return folder;
}
