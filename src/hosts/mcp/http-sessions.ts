import { randomUUID } from 'node:crypto';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import { StreamableHTTPServerTransport } from '@modelcontextprotocol/sdk/server/streamableHttp.js';
import { createOwnCallers, isForeignOrigin } from '../../compose/door/own-callers.ts';
import type { ListenerTls } from '../../compose/sidecar-access/listener-tls.ts';
import { openServer } from '../../compose/sidecar-access/open-server.ts';
import type { Tokens } from '../../compose/sidecar-access/open-tokens.ts';
import { type Scope, SCOPES } from '../../compose/sidecar-access/tokens.ts';
import type { SidecarSettings } from '../../compose/sidecar-settings.ts';
import { createMcpSession, type Serving } from './mcp-session.ts';

const PATH = '/mcp';
const MAX_SESSIONS = 64;
/** A session nobody has used for so long is ended when a new one needs its place, or when the next call finds it. */
const IDLE_MS = 30 * 60_000;

/** Who may call, and how much and how long. */
export interface Door extends Pick<SidecarSettings, 'allowedHosts' | 'maxSmallBodyBytes' | 'requestTimeoutMs'> {
  readonly tokens: Tokens;
  /** What it speaks https with; `null`: plain http. */
  readonly tls: ListenerTls | null;
}

type Scopes = ReadonlySet<Scope>;

interface HttpSession {
  readonly transport: StreamableHTTPServerTransport;
  /** Its tools may overrule: whoever calls it has to have the scope `write`. */
  readonly mayWrite: boolean;
  usedMs: number;
}

interface Refused {
  readonly status: number;
  readonly message: string;
}

/** An HTTP server that speaks MCP below `/mcp`, with a session and a budget for each client. */
export function createMcpHttpServer(serving: Serving, door: Door): Server {
  const sessions = new Map<string, HttpSession>();
  const { tls } = door;
  const admit = createGuard(door);
  const times = { headersTimeout: door.requestTimeoutMs, requestTimeout: door.requestTimeoutMs };
  const listener = (req: IncomingMessage, res: ServerResponse) => {
    const scopes = admit(req);
    if ('status' in scopes) return sendRefused(res, scopes);
    answer(req, res, scopes).catch((error: unknown) => {
      serving.log(`http: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`);
      if (res.headersSent) res.destroy();
      else sendRefused(res, { status: 500, message: 'this call failed here: see the log of ismalicious mcp' });
    });
  };
  const server = openServer(times, listener, {
    tls,
    handshakeTimeoutMs: door.requestTimeoutMs,
    log: serving.log,
    endConnections: () => server.closeAllConnections(),
  });
  server.on('close', () => {
    tls?.close();
    for (const { transport } of sessions.values()) void transport.close();
  });

  async function answer(req: IncomingMessage, res: ServerResponse, scopes: Scopes): Promise<void> {
    endIdle(sessions);
    const id = req.headers['mcp-session-id'];
    const known = typeof id === 'string' ? sessions.get(id) : undefined;
    if (known?.mayWrite === true && !scopes.has('write')) return sendRefused(res, READ_ONLY);
    if (known) {
      known.usedMs = Date.now();
      return known.transport.handleRequest(req, res);
    }
    if (id !== undefined) return sendRefused(res, { status: 404, message: 'there is no such session: begin a new one' });
    if (sessions.size >= MAX_SESSIONS)
      return sendRefused(res, { status: 503, message: `${MAX_SESSIONS} sessions are open: try again later` });
    const limits = { ...serving.limits, allowsFeedback: serving.limits.allowsFeedback && scopes.has('write') };
    const transport: StreamableHTTPServerTransport = new StreamableHTTPServerTransport({
      sessionIdGenerator: randomUUID,
      maxRequestBodySize: door.maxSmallBodyBytes,
      onsessioninitialized: (began) => void sessions.set(began, { transport, mayWrite: limits.allowsFeedback, usedMs: Date.now() }),
      onsessionclosed: (ended) => void sessions.delete(ended),
    });
    const session = createMcpSession({ ...serving, limits });
    await session.connect(transport);
    await transport.handleRequest(req, res);
    // A first call that began no session was refused: nothing of it stays.
    if (transport.sessionId === undefined) await session.close();
    return undefined;
  }
  return server;
}

function endIdle(sessions: Map<string, HttpSession>): void {
  const oldestMs = Date.now() - IDLE_MS;
  for (const [id, { transport, usedMs }] of sessions) {
    if (usedMs >= oldestMs) continue;
    sessions.delete(id);
    void transport.close();
  }
}

/** The rule of the sidecar: a token decides where one is set; without one only this machine may call, and no page of another site. */
function createGuard({ tokens, allowedHosts }: Door): (req: IncomingMessage) => Scopes | Refused {
  const own = createOwnCallers(allowedHosts);
  return ({ headers, url = '' }) => {
    if (isForeignOrigin({ host: headers.host, origin: headers.origin })) return FOREIGN_ORIGIN;
    if (!tokens.areWanted && !own.isOwnHost(headers.host)) return FOREIGN_HOST;
    const scopes = tokens.areWanted ? tokens.scopesOf(Buffer.from(tokenOf(headers))) : EVERYTHING;
    if (scopes === null) return UNAUTHORIZED;
    if (!scopes.has('enrich')) return NO_LOOK_UPS;
    return url.split('?', 1)[0] === PATH ? scopes : { status: 404, message: `no such path: MCP is spoken at ${PATH}` };
  };
}

function tokenOf({ authorization = '', 'x-api-key': key }: IncomingMessage['headers']): string {
  return /^Bearer +(.+)$/i.exec(authorization)?.[1] ?? (typeof key === 'string' ? key : '');
}

const EVERYTHING: Scopes = new Set(SCOPES);
const UNAUTHORIZED: Refused = { status: 401, message: 'this server wants its token: send it as `Authorization: Bearer …`' };
const NO_LOOK_UPS: Refused = { status: 403, message: 'this token does not allow look-ups: it needs the scope enrich' };
const READ_ONLY: Refused = { status: 403, message: 'this session may overrule verdicts: its token needs the scope write' };
const FOREIGN_HOST: Refused = {
  status: 403,
  message: 'a server without a token is called by localhost or a loopback address: use that, or set sidecar.token',
};
const FOREIGN_ORIGIN: Refused = { status: 403, message: 'pages of other sites may not call this server' };

function sendRefused(res: ServerResponse, { status, message }: Refused): void {
  const headers = status === 401 ? { 'www-authenticate': 'Bearer realm="ismalicious"' } : {};
  res.writeHead(status, { 'content-type': 'application/json', connection: 'close', ...headers });
  res.end(JSON.stringify({ jsonrpc: '2.0', id: null, error: { code: -32_000, message } }));
}
