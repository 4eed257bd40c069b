import { connect } from 'node:net';
import { onTestFinished } from 'vitest';
import { createSidecar } from '../../../../src/hosts/sidecar/server.ts';
import type { Sidecar, SidecarOptions } from '../../../../src/hosts/sidecar/server.ts';
import { GatewaySettings } from '../../../../src/compose/gateway-settings.ts';
import { SidecarSettings } from '../../../../src/compose/sidecar-settings.ts';
import { createFakeEnricher } from '../../../support/fake-sidecar-enricher.ts';
import { answerMisfits } from './schema-check.ts';
import type { ApiDocument } from './schema-check.ts';

/** A running sidecar on a free port; it is closed with the test. */
export interface RunningSidecar {
  readonly sidecar: Sidecar;
  readonly port: number;
  readonly url: string;
  readonly log: string[];
  /** Calls it; the answer is held to the OpenAPI document. */
  call(path: string, init?: CallInit): Promise<Answer>;
}

export interface CallInit {
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** What is no string or buffer is sent as JSON. */
  readonly body?: unknown;
}

export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
  /** The text as JSON; `undefined` when it is none. */
  readonly json: any; // eslint-disable-line typescript/no-explicit-any -- read by tests as whatever they expect
}

/** Starts a sidecar that is a gateway to `upstream`. */
export function startGateway(
  upstream: string,
  {
    settings = {},
    gateway = {},
    ...options
  }: { settings?: object; gateway?: object } & Partial<Omit<SidecarOptions, 'settings' | 'gateway'>> = {},
): Promise<RunningSidecar> {
  return startSidecar(settings, { ...options, gateway: GatewaySettings.parse({ upstream, ...gateway }) });
}

/** Starts a sidecar with the defaults, but for `settings`, on the stand-in engine, but for `options`. */
export async function startSidecar(settings: object = {}, options: Partial<SidecarOptions> = {}): Promise<RunningSidecar> {
  const log: string[] = [];
  const sidecar = await createSidecar({
    enricher: createFakeEnricher(),
    settings: SidecarSettings.parse({ port: 0, drainMs: 200, ...settings }),
    log: (line) => log.push(line),
    ...options,
  });
  const { port } = await sidecar.listen();
  const url = `http://127.0.0.1:${port}`;
  onTestFinished(() => sidecar.close());
  const token = (settings as { token?: string }).token;
  const open = token === undefined ? {} : { 'x-api-key': token };
  const api = JSON.parse(await (await fetch(`${url}/openapi.json`, { headers: open })).text()) as ApiDocument;

  return {
    sidecar,
    port,
    url,
    log,
    async call(path, { method, headers = {}, body } = {}) {
      const verb = method ?? (body === undefined ? 'GET' : 'POST');
      const isRaw = typeof body === 'string' || Buffer.isBuffer(body);
      const sent = body === undefined ? null : isRaw ? body : JSON.stringify(body);
      const answer = await fetch(`${url}${path}`, {
        method: verb,
        headers: { ...(isRaw || body === undefined ? {} : { 'content-type': 'application/json' }), ...headers },
        ...(sent !== null && { body: sent }),
      });
      const text = await answer.text();
      const json = parse(text);
      const bare = path.split('?', 1)[0] ?? '';
      const isOwn = bare !== '/' || options.gateway === undefined;
      const documented = documentedPath(api, bare);
      if (isOwn && documented !== undefined && verb.toLowerCase() in (api.paths[documented] ?? {})) {
        const type = answer.headers.get('content-type')?.split(';', 1)[0] ?? '';
        const faults = answerMisfits(
          api,
          { path: documented, method: verb },
          { status: answer.status, type, body: /[/+]json$/.test(type) ? json : text },
        );
        if (faults.length > 0) throw new Error(`the answer does not fit the OpenAPI document: ${faults.join('; ')}\n${text}`);
      }
      return { status: answer.status, headers: answer.headers, text, json };
    },
  };
}

/** The path of the document that a called one is, `{…}` standing for one segment. */
export function documentedPath(api: ApiDocument, path: string): string | undefined {
  if (path in api.paths) return path;
  const segments = path.split('/');
  return Object.keys(api.paths).find((known) => {
    const parts = known.split('/');
    return (
      parts.length === segments.length && parts.every((part, n) => part === segments[n] || (part.startsWith('{') && segments[n] !== ''))
    );
  });
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}

/** Writes bytes to the port and gives everything that comes back until the other side ends. */
export function rawCall(port: number, ...parts: readonly (string | Buffer)[]): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, '127.0.0.1');
    const received: Buffer[] = [];
    socket.on('data', (part) => received.push(part));
    socket.on('end', () => socket.end());
    socket.on('close', () => resolve(Buffer.concat(received).toString('latin1')));
    socket.on('error', (error: NodeJS.ErrnoException) =>
      error.code === 'ECONNRESET' || error.code === 'EPIPE' ? undefined : reject(error),
    );
    for (const part of parts) socket.write(part);
  });
}
