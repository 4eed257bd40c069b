// A small splunkd on loopback behind Splunk Web's proxy path: it keeps what pages save, and answers searches with tables of the test.
import { createServer } from 'node:http';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/** Rows of a search: names of the columns, then rows of cells. */
export interface Table {
  readonly fields: readonly string[];
  readonly rows: readonly (readonly (string | null)[])[];
}

/** A search as it was asked. */
export interface AskedSearch {
  readonly search: string;
  readonly form: Readonly<Record<string, string>>;
}

/** A call that was made. */
export interface SeenCall {
  readonly method: string;
  readonly path: string;
  readonly form: Readonly<Record<string, string>>;
  readonly headers: IncomingMessage['headers'];
}

/** How the mock behaves; the test may change it while it runs. */
export interface MockWorld {
  /** Pages and scripts by path, besides splunkd. */
  readonly files: Map<string, { readonly type: string; readonly body: string }>;
  /** The rows of a search (`search`: with the post-process part of a chain behind it); a text fails the search with it. */
  answer: (asked: AskedSearch) => Table | string;
  /** Refuses calls: HTTP status by `METHOD path-beginning`. */
  readonly refusals: Map<string, number>;
  readonly secrets: Map<string, string>;
  readonly conf: Map<string, Record<string, string>>;
  isConfigured: boolean;
  readonly calls: SeenCall[];
  readonly searches: AskedSearch[];
}

const RAW = '/en-US/splunkd/__raw/';

/** A running mock. */
export interface MockSplunkd extends MockWorld {
  readonly origin: string;
  /** Back to an empty splunkd that answers everything. */
  reset(): void;
  close(): Promise<void>;
}

/** Starts the mock on a free port of loopback. */
export async function openMockSplunkd(): Promise<MockSplunkd> {
  const world: MockWorld = {
    files: new Map(),
    answer: () => ({ fields: [], rows: [] }),
    refusals: new Map(),
    secrets: new Map(),
    conf: new Map(),
    isConfigured: false,
    calls: [],
    searches: [],
  };
  const jobs = new Map<string, AskedSearch>();
  const server = createServer((request, response) => {
    void readForm(request).then((form) => respond(world, jobs, { request, response, form }));
  });
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  const { port } = server.address() as AddressInfo;
  return Object.assign(world, {
    origin: `http://127.0.0.1:${port}`,
    reset() {
      for (const part of [world.refusals, world.secrets, world.conf, jobs]) part.clear();
      world.isConfigured = false;
      world.calls.length = 0;
      world.searches.length = 0;
    },
    close: () =>
      new Promise<void>((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  });
}

async function readForm(request: IncomingMessage): Promise<Record<string, string>> {
  const parts: Buffer[] = [];
  for await (const part of request) parts.push(part as Buffer);
  return Object.fromEntries(new URLSearchParams(Buffer.concat(parts).toString('utf8')));
}

interface Exchange {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly form: Readonly<Record<string, string>>;
}

function respond(world: MockWorld, jobs: Map<string, AskedSearch>, exchange: Exchange): void {
  const { request, response, form } = exchange;
  const url = new URL(request.url ?? '/', 'http://mock');
  const file = world.files.get(url.pathname);
  if (file) {
    response.writeHead(200, { 'content-type': file.type }).end(file.body);
    return;
  }
  if (!url.pathname.startsWith(RAW)) {
    send(response, 404, { messages: [{ text: 'no such page' }] });
    return;
  }
  const path = decodeURIComponent(url.pathname.slice(RAW.length)).replace(/^services(NS\/[^/]+\/[^/]+)?\//, '');
  const method = request.method ?? 'GET';
  world.calls.push({ method, path, form, headers: request.headers });
  const refused = [...world.refusals].find(([call]) => `${method} ${path}`.startsWith(call));
  if (refused) {
    send(response, refused[1], { messages: [{ type: 'ERROR', text: 'refused by the test' }] });
    return;
  }
  const [status, body] = answerCall(world, jobs, { method, path, form, query: url.searchParams });
  send(response, status, body);
}

function send(response: ServerResponse, status: number, body: unknown): void {
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
}

interface Call {
  readonly method: string;
  readonly path: string;
  readonly form: Readonly<Record<string, string>>;
  readonly query: URLSearchParams;
}

type Reply = readonly [status: number, body: unknown];

function answerCall(world: MockWorld, jobs: Map<string, AskedSearch>, call: Call): Reply {
  const { path, method, form } = call;
  if (path.startsWith('storage/passwords')) return secretCall(world, call);
  if (path.startsWith('configs/conf-ismalicious')) return confCall(world, call);
  if (path === 'apps/local/ismalicious' && method === 'POST') {
    world.isConfigured = form['configured'] === 'true';
    return [200, { entry: [] }];
  }
  if (path.startsWith('search/')) return searchCall(world, jobs, call);
  return [200, { entry: [{ name: 'context', content: { username: 'tester', capabilities: [], realname: '' } }] }];
}

function secretCall({ secrets }: MockWorld, { path, method, form }: Call): Reply {
  const [, name] = /^storage\/passwords\/ismalicious:(.+):$/.exec(path) ?? [];
  if (method === 'GET') {
    const entry = [...secrets].map(([username, value]) => ({
      name: `ismalicious:${username}:`,
      content: { realm: 'ismalicious', username, clear_password: value },
    }));
    return [
      200,
      {
        entry: [
          ...entry,
          { name: 'other:key:', content: { realm: 'other', username: 'ismalicious.x_api_key', clear_password: 'foreign' } },
        ],
      },
    ];
  }
  if (name === undefined) {
    if (secrets.has(form['name'] ?? '')) return [409, { messages: [{ text: 'it exists' }] }];
    secrets.set(form['name'] ?? '', form['password'] ?? '');
    return [201, { entry: [] }];
  }
  if (!secrets.has(name)) return [404, { messages: [{ text: 'not found' }] }];
  if (method === 'DELETE') secrets.delete(name);
  else secrets.set(name, form['password'] ?? '');
  return [200, { entry: [] }];
}

function confCall({ conf }: MockWorld, { path, method, form }: Call): Reply {
  const stanza = path.split('/')[2];
  if (method === 'GET') return [200, { entry: [...conf].map(([name, content]) => ({ name, content })) }];
  const { name = '', ...values } = form;
  if (stanza === undefined) {
    conf.set(name, values);
    return [201, { entry: [] }];
  }
  const found = conf.get(stanza);
  if (!found) return [404, { messages: [{ text: 'no such stanza' }] }];
  Object.assign(found, form);
  return [200, { entry: [] }];
}

function searchCall(world: MockWorld, jobs: Map<string, AskedSearch>, { path, method, form, query }: Call): Reply {
  if (path === 'search/jobs' && method === 'POST') {
    const asked = { search: form['search'] ?? '', form };
    const sid = `test.${jobs.size}`;
    jobs.set(sid, asked);
    world.searches.push(asked);
    return [201, { sid }];
  }
  const [, sid = ''] = /^search\/(?:v2\/)?jobs\/([^/]+)/.exec(path) ?? [];
  if (path === 'search/jobs' || (sid !== '' && /jobs\/[^/]+$/.test(path))) {
    const ids = sid === '' ? query.getAll('id') : [sid];
    return [200, { entry: ids.map((id) => jobEntry(world, id, jobs.get(id))) }];
  }
  const asked = jobs.get(sid);
  if (!asked || path.endsWith('/control')) return [200, {}];
  const post = query.get('search') ?? form['search'] ?? '';
  if (post !== '') world.searches.push({ search: post, form: { label: 'post-process' } });
  const table = world.answer({ ...asked, search: post === '' ? asked.search : `${asked.search}\n${post}` });
  if (typeof table === 'string') return [200, { fields: [], columns: [], results: [] }];
  const fields = table.fields.map((name) => ({ name }));
  const columns = table.fields.map((_name, n) => table.rows.map((row) => row[n] ?? null));
  const results = table.rows.map((row) => Object.fromEntries(table.fields.map((name, n) => [name, row[n] ?? ''])));
  return [200, query.get('output_mode') === 'json_cols' ? { fields, columns, preview: false } : { fields, results, preview: false }];
}

function jobEntry(world: MockWorld, sid: string, asked: AskedSearch | undefined) {
  const table = asked ? world.answer(asked) : 'unknown search';
  const isFailed = typeof table === 'string';
  return {
    name: asked?.search ?? '',
    content: {
      sid,
      dispatchState: isFailed ? 'FAILED' : 'DONE',
      isDone: true,
      isFailed,
      isFinalized: false,
      isPaused: false,
      doneProgress: 1,
      resultCount: isFailed ? 0 : table.rows.length,
      resultPreviewCount: isFailed ? 0 : table.rows.length,
      eventCount: 0,
      scanCount: 0,
      // Without it the page touches the job in a loop.
      ttl: 600,
      messages: isFailed ? [{ type: 'FATAL', text: table }] : [],
    },
  };
}
