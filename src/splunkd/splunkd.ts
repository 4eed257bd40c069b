// src/splunkd/: splunkd itself: its REST interface, settings, credentials and the KV store.
import type { Dispatcher } from 'undici';
import type * as z from 'zod/mini';
import { readBytes } from '../engine/calls/http/body.ts';
import { isSafeEndpoint } from '../model/parsing/safe-endpoint.ts';
import { APP_ID } from './app-conf.ts';
import type { SplunkdSettings } from './splunk-settings.ts';
import { type SplunkdTrust, splunkdTrust } from './splunkd-trust.ts';
import { builtinModule } from '../disk/builtin-module.ts';

type Undici = typeof import('undici');

/** Longest answer that is read: a page of the KV store, or of its secrets, is some megabytes at most. */
const MAX_ANSWER_BYTES = 64 * 1024 * 1024;

/** splunkd refused or could not be reached. `status` 0: no answer came. Never quotes the session key. */
export class SplunkdError extends Error {
  override readonly name = 'SplunkdError';
  readonly status: number;

  constructor(status: number, message: string, options?: ErrorOptions) {
    super(message, options);
    this.status = status;
  }
}

/** Where splunkd is and on whose behalf it is asked. */
export interface SplunkdSession {
  /** As splunkd tells it: `https://127.0.0.1:8089`. */
  readonly uri: string;
  readonly sessionKey: string;
}

/** One call to splunkd's REST interface. */
export interface SplunkdCall {
  readonly path: string;
  readonly method: 'GET' | 'POST' | 'DELETE';
  readonly query?: Readonly<Record<string, string | number>>;
  readonly body?: string;
  readonly type?: string;
  /** The capability that a 403 stands for. */
  readonly needs: string;
}

/** splunkd's REST interface, through the `Service` of npm `splunk-sdk`. */
export interface Splunkd {
  /** Answers the body, parsed when it is JSON. Throws `SplunkdError`. */
  request(call: SplunkdCall): Promise<unknown>;
  /** The app's secrets: what stands after the realm → clear text. Throws `SplunkdError`. */
  secrets(realm: string): Promise<Readonly<Record<string, string>>>;
  close(): Promise<void>;
}

/** What the connection is made with. */
export interface SplunkdOptions {
  readonly settings: z.output<typeof SplunkdSettings>;
  readonly env: Readonly<Record<string, string | undefined>>;
}

/**
 * Opens a session. The package's own HTTP client verifies no certificate and its index reads `.env`: neither is loaded; calls go over
 * undici, with certificates verified.
 */
export async function openSplunkd(session: SplunkdSession, options: SplunkdOptions): Promise<Splunkd> {
  const url = new URL(session.uri);
  if (!isSafeEndpoint(session.uri))
    throw new SplunkdError(
      0,
      'splunkd is reached by plain http on another machine: nothing is sent there, for the session key could be read',
    );
  const dispatcher = await createDispatcher(splunkdTrust(url.hostname, options.settings, options.env), options.settings.timeoutMs);
  const { default: Service } = await import('splunk-sdk/lib/service.js');
  const service = new Service(await createHttp(dispatcher, options.settings.timeoutMs), {
    scheme: url.protocol.replace(':', ''),
    host: url.hostname,
    port: Number(url.port || 8089),
    sessionKey: session.sessionKey,
    owner: 'nobody',
    app: APP_ID,
    autologin: false,
  });
  return {
    async request({ path, method, query, body, type, needs }) {
      const headers = body === undefined ? {} : { 'Content-Type': type ?? 'application/json' };
      return guarded(needs, async () => (await service.request(path, method, query ?? null, null, body ?? null, headers)).data);
    },
    async secrets(realm) {
      return guarded('list_storage_passwords', async () => {
        const found = await service.storagePasswords({ owner: 'nobody', app: APP_ID }).fetch({ count: 0 });
        const own = found
          .list()
          .map((entity) => entity.properties())
          .filter((entry) => entry.realm === realm);
        return Object.fromEntries(own.map(({ username, clear_password: secret }) => [String(username), String(secret)]));
      });
    },
    close: () => dispatcher.destroy(),
  };
}

async function createHttp(dispatcher: Dispatcher, timeoutMs: number) {
  const { default: Http } = await import('splunk-sdk/lib/http.js');
  const { request } = await loadUndici();
  const UndiciHttp = Http.extend({
    async makeRequest(url, { method, headers, body }) {
      const answer = await request(url, {
        dispatcher,
        method: method as Dispatcher.HttpMethod,
        headers: { ...headers },
        body: body === undefined || body === '' ? null : body,
        signal: AbortSignal.timeout(timeoutMs),
      });
      const text = (await readBytes('splunkd', answer.body, MAX_ANSWER_BYTES)).toString('utf8');
      const isJson = String(answer.headers['content-type'] ?? '').startsWith('application/json');
      const response = { headers: answer.headers, statusCode: answer.statusCode };
      return { response, status: answer.statusCode, data: isJson && text !== '' ? parseJson(text) : text, error: null };
    },
  });
  return new UndiciHttp();
}

async function createDispatcher(trust: SplunkdTrust, timeoutMs: number): Promise<Dispatcher> {
  const { Agent, buildConnector } = await loadUndici();
  if (trust.kind === 'authority') {
    const { rootCertificates } = builtinModule('node:tls');
    return new Agent({
      connect: { timeout: timeoutMs, rejectUnauthorized: true, ...(trust.ca === null ? {} : { ca: [...rootCertificates, trust.ca] }) },
    });
  }
  // The check of the chain is replaced by ours, before a byte of the call is sent; a session that is resumed would show no certificate.
  const connector = buildConnector({ timeout: timeoutMs, rejectUnauthorized: false, maxCachedSessions: 0 });
  return new Agent({
    connect(options, callback) {
      connector(options, (error, socket) => {
        if (error !== null) return callback(error, null);
        const shown = 'getPeerCertificate' in socket ? (socket.getPeerCertificate() as { fingerprint256?: string }).fingerprint256 : null;
        if (trust.kind === 'loopback' || options.protocol === 'http:' || shown === trust.fingerprint) return callback(null, socket);
        socket.destroy();
        return callback(Object.assign(new Error('another certificate'), { code: 'CERTIFICATE_NOT_PINNED' }), null);
      });
    },
  });
}

async function loadUndici(): Promise<Undici> {
  const module = (await import('undici')) as Undici & { default?: Undici };
  return module.default ?? module;
}

async function guarded<Result>(needs: string, work: () => Promise<Result>): Promise<Result> {
  try {
    return await work();
  } catch (error) {
    throw toSplunkdError(error, needs);
  }
}

const CERTIFICATE_FAULT = /CERT|SELF_SIGNED|UNABLE_TO|ALTNAME|PINNED/;

/** The package throws its answer for a status from 400 on, and what undici throws otherwise. */
function toSplunkdError(error: unknown, needs: string): SplunkdError {
  const status = typeof error === 'object' && error !== null && 'status' in error ? Number(error.status) : 0;
  if (status === 403) return new SplunkdError(403, `splunkd refuses (403): the role lacks the capability ${needs}`);
  if (status === 401) return new SplunkdError(401, 'splunkd does not accept the session (401): it has ended');
  if (status >= 400) return new SplunkdError(status, `splunkd answers HTTP ${status}`);
  const code = codeOf(error);
  if (CERTIFICATE_FAULT.test(code))
    return new SplunkdError(
      0,
      `the certificate of splunkd is not trusted (${code}): set ca_file or certificate_sha256 under [splunkd] in ismalicious.conf`,
      { cause: error },
    );
  return new SplunkdError(0, `splunkd cannot be reached (${code})`, { cause: error });
}

function codeOf(error: unknown): string {
  if (!(error instanceof Error)) return 'unknown';
  if ('code' in error && typeof error.code === 'string') return error.code;
  return error.cause === undefined ? error.name : codeOf(error.cause);
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}
