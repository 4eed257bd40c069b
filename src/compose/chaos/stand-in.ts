import http from 'node:http';
import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http';
import https from 'node:https';
import net from 'node:net';
import type { AddressInfo } from 'node:net';
import { selfSigned } from './certificate.ts';
import { type Fault, listed } from './fault.ts';

const HERE = '127.0.0.1';

/** The isMalicious API with one fault, and the engine behind the gateway; both on loopback. */
export interface StandIn {
  /** How programs are told to reach it: environment. */
  readonly env: Readonly<Record<string, string>>;
  /** Calls that have arrived whole. */
  readonly calls: number;
  /** Whether the host has met the fault; of a port that is closed nobody can tell. */
  readonly isMet: boolean;
  /** Calls that came where a redirect pointed. */
  readonly strays: number;
  /** Documents that the engine was given, as text. */
  readonly documents: readonly string[];
  /** Resolves with the first call. */
  readonly called: Promise<void>;
  /** From now on the answers are healthy. */
  heal(): void;
  close(): Promise<void>;
}

/** Starts it with this fault. */
export async function startStandIn(fault: Fault): Promise<StandIn> {
  const servers: net.Server[] = [];
  const sockets = new Set<net.Socket>();
  const open = async (server: net.Server): Promise<string> => {
    servers.push(server);
    server.on('connection', (socket: net.Socket) => {
      sockets.add(socket.on('error', () => socket.destroy()).once('close', () => sockets.delete(socket)));
    });
    await new Promise<void>((resolve) => server.listen(0, HERE, resolve));
    return `${HERE}:${(server.address() as AddressInfo).port}`;
  };
  const seen = { calls: 0, strays: 0, connections: 0, bulks: 0, documents: [] as string[], isHealed: false };
  const first = Promise.withResolvers<void>();
  const elsewhere = `http://${await open(http.createServer((request, response) => (seen.strays++, healthy(request, response))))}`;
  const answer: RequestListener = (request, response) => {
    seen.calls++;
    first.resolve();
    if (seen.isHealed || fault.answer === undefined) return fault.signal && !seen.isHealed ? undefined : healthy(request, response);
    return fault.answer({ request, response, value: valueOf(request), elsewhere });
  };
  const api = await open(apiServer(fault, answer));
  const engine = await open(engineServer(fault, seen.documents));
  servers[1]?.on('connection', () => seen.connections++);
  servers[2]?.on('connection', () => seen.bulks++);
  if (fault.reach === 'closed-port') await shut(servers[1]);
  if (fault.engine === 'refuses') await shut(servers[2]);
  return {
    env: { ...reachOf(fault, api), ISMALICIOUS_GATEWAY_UPSTREAM: `http://${engine}` },
    get calls() {
      return seen.calls;
    },
    get isMet() {
      if (fault.reach === 'closed-port' || fault.engine === 'refuses') return true;
      if (fault.engine !== undefined) return seen.bulks > 0;
      return fault.connect !== undefined || fault.reach !== undefined ? seen.connections > 0 : seen.calls > 0;
    },
    get strays() {
      return seen.strays;
    },
    documents: seen.documents,
    called: first.promise,
    heal: () => void (seen.isHealed = true),
    async close() {
      for (const socket of sockets) socket.destroy();
      await Promise.all(servers.map(shut));
    },
  };
}

function shut(server: net.Server | undefined): Promise<void> {
  return new Promise((resolve) => (server?.listening === true ? server.close(() => resolve()) : resolve()));
}

function reachOf({ reach }: Fault, api: string): Record<string, string> {
  if (reach === 'proxy') return { ISMALICIOUS_BASE_URL: 'https://api.example.com', ISMALICIOUS_PROXY: `http://${api}` };
  const isTls = reach === 'not-tls' || reach === 'silent-tls' || reach === 'self-signed';
  return { ISMALICIOUS_BASE_URL: `${isTls ? 'https' : 'http'}://${api}` };
}

function apiServer(fault: Fault, answer: RequestListener): net.Server {
  if (fault.connect !== undefined) return net.createServer(fault.connect);
  if (fault.reach === 'self-signed') return https.createServer(selfSigned(HERE), answer);
  const server = http.createServer(answer);
  server.on('connect', (_request: IncomingMessage, socket: net.Socket) => {
    socket.end('HTTP/1.1 407 Proxy Authentication Required\r\nproxy-authenticate: Basic realm="chaos"\r\ncontent-length: 0\r\n\r\n');
  });
  return server;
}

function valueOf({ url = '/' }: IncomingMessage): string {
  return new URL(url, 'http://stand-in').searchParams.get('query') ?? '';
}

function healthy(request: IncomingMessage, response: ServerResponse): void {
  response.writeHead(200, { 'content-type': 'application/json' });
  response.end(JSON.stringify(listed(valueOf(request))));
}

/** Takes bulk bodies as Elasticsearch does, and keeps their documents. */
function engineServer({ engine }: Fault, documents: string[]): net.Server {
  if (engine === 'resets') return net.createServer((socket) => void socket.once('data', () => socket.resetAndDestroy()));
  return http.createServer((request, response) => {
    const parts: Buffer[] = [];
    request.on('data', (part: Buffer) => parts.push(part));
    request.on('end', () => {
      const isBusy = engine === 'busy';
      const lines = Buffer.concat(parts).toString('utf8').split('\n');
      const found = lines.filter((line, n) => n % 2 === 1 && line !== '');
      const isRefusing = engine === 'refuses-items';
      if (!isBusy && !isRefusing) documents.push(...found);
      const item = isRefusing ? { status: 400, error: { type: 'mapper_parsing_exception', reason: 'no' } } : { status: 201 };
      const body = isBusy ? { error: 'busy', status: 503 } : { took: 1, errors: isRefusing, items: found.map(() => ({ create: item })) };
      response.writeHead(isBusy ? 503 : 200, { 'content-type': 'application/json' });
      response.end(JSON.stringify(body));
    });
  });
}
