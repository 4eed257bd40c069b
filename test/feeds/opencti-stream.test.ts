import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { createUndiciTransport } from '../../src/engine/calls/http/undici-transport.ts';
import { openctiStream } from '../../src/feeds/opencti-stream.ts';
import { readEvents } from '../../src/feeds/reading/server-sent-events.ts';
import type { Feed } from '../../src/feeds/feed.ts';
import { type OwnedTransport } from '../../src/pipeline/open-pipeline.ts';
import { readFeed } from '../../src/pipeline/read-feed.ts';
import { openStore } from '../../src/store/store-client.ts';
import { newStateFolder } from '../support/open-test-engine.ts';
import { answer, http, walk } from './walk.ts';

const START_MS = 1_795_000_000_000;
const SETTINGS = { baseUrl: 'https://cti.corp-net.com/', apiKey: 'k-test', stream: '6e0d0a4c-94ee-4f7c-8d6f-1f4b3a1a9b11' };
const feed = openctiStream as unknown as Feed;

const indicator = (value: string, more: object = {}) => ({
  type: 'indicator',
  id: `indicator--${value}`,
  pattern_type: 'stix',
  pattern: `[ipv4-addr:value = '${value}']`,
  modified: '2026-11-20T00:00:00.000Z',
  labels: ['c2'],
  confidence: 80,
  ...more,
});
/** One event as OpenCTI writes it; `ago`: milliseconds before the start of the run. */
const event = (ago: number, type: string, data: unknown, context?: object) =>
  `id: ${START_MS - ago}-0\nevent: ${type}\ndata: ${JSON.stringify({ version: '4', type, scope: 'external', message: 'x', origin: {}, data, context })}\n\n`;
const CONNECTED = 'event: connected\ndata: {"connectionId":"c"}\n\n';
const heartbeat = (ago: number) => `id: ${START_MS - ago}-0\nevent: heartbeat\ndata: "2026-11-20T00:00:00Z"\n\n`;

const walkOver = (parts: readonly string[], cursor: string | null = null) =>
  walk(feed, SETTINGS, cursor, (_call, n) => answer(parts[n - 1] ?? ''));
const shown = ({ items }: ReturnType<typeof walkOver>) =>
  items.map(({ indicator: { value }, isRevoked }) => `${isRevoked ? '-' : '+'} ${value}`);

describe('server-sent events', () => {
  it.each([
    ['id: 1\nevent: a\ndata: x\n\n', [{ id: '1', type: 'a', data: 'x' }], ''],
    [
      'data: x\ndata:y\n\n: comment\n\ndata: z\n\nid: 2\nda',
      [
        { id: null, type: 'message', data: 'x\ny' },
        { id: null, type: 'message', data: 'z' },
      ],
      'id: 2\nda',
    ],
    ['id: 1\r\ndata: x\r\n\r\n', [{ id: '1', type: 'message', data: 'x' }], ''],
    ['', [], ''],
  ])('%j', (text, events, rest) => {
    expect(readEvents(text)).toEqual({ events, rest });
  });
});

describe('the OpenCTI stream as a feed', () => {
  it('begins so many days back, says that it wants deletions, and shows the key in no address', () => {
    const { calls } = walkOver([CONNECTED]);
    const { url, headers, stream } = http(calls[0]);
    expect(url.href).toBe(`https://cti.corp-net.com/stream/${SETTINGS.stream}?recover=2026-11-18T11%3A06%3A40.000Z`);
    expect(headers).toMatchObject({
      authorization: 'Bearer k-test',
      'last-event-id': `${START_MS - 30 * 86_400_000}-0`,
      'listen-delete': 'true',
    });
    expect(stream).toEqual({ forMs: 15_000, mostBytes: 32 * 1024 * 1024 });
  });

  it('lists what is created and changed, and no longer what is deleted or merged into another', () => {
    const found = walkOver([
      CONNECTED +
        event(9000, 'create', indicator('45.83.64.1')) +
        event(8000, 'update', indicator('45.83.64.2', { revoked: true })) +
        event(7000, 'delete', indicator('45.83.64.3')) +
        event(6000, 'merge', indicator('45.83.64.4'), { sources: [indicator('45.83.64.5'), indicator('45.83.64.4')] }) +
        event(5000, 'create', { type: 'identity', id: 'identity--1', name: 'n' }),
    ]);
    expect(shown(found)).toEqual(['+ 45.83.64.1', '- 45.83.64.2', '- 45.83.64.3', '- 45.83.64.5', '- 45.83.64.4', '+ 45.83.64.4']);
    expect(found.items[0]).toMatchObject({ source: 'opencti', tags: ['c2'], confidence: 80 });
    expect([found.ignored, found.rejected, found.faults]).toEqual([1, [], []]);
  });

  it('goes on behind the last event, in this run while older ones come, and in the next one', () => {
    const recover = '2026-11-01T00:00:00.000Z';
    const found = walkOver(
      [event(9000, 'create', indicator('45.83.64.1')), event(100, 'create', indicator('45.83.64.2')), heartbeat(50)],
      `5-0 recover=${recover}`,
    );
    expect(found.calls.map((call) => http(call).headers?.['last-event-id'])).toEqual([
      '5-0',
      `${START_MS - 9000}-0`,
      `${START_MS - 100}-0`,
    ]);
    expect(found.calls.every((call) => http(call).url.searchParams.get('recover') === recover)).toBe(true);
    expect(found.cursor).toBe(`${START_MS - 50}-0 recover=${recover}`);
  });

  it('ends where it has caught up with the start of the run, however busy OpenCTI is', () => {
    expect(walkOver([event(-1, 'create', indicator('45.83.64.1')), event(-2, 'create', indicator('45.83.64.2'))]).calls).toHaveLength(1);
  });

  it('an event that cannot be read is kept aside; the others are taken, and it is not read again', () => {
    const bad = `id: ${START_MS - 500}-0\nevent: create\ndata: {"version":\n\n`;
    const found = walkOver([
      event(900, 'create', indicator('45.83.64.1')) +
        bad +
        event(400, 'create', { id: 'x' }) +
        event(300, 'create', indicator('10.0.0.1')) +
        event(200, 'delete', null),
    ]);
    expect(shown(found)).toEqual(['+ 45.83.64.1']);
    expect(found.rejected.map(({ reason }) => reason)).toEqual([
      'no event of OpenCTI: its data cannot be read',
      'no STIX object: its type is missing',
      expect.stringContaining('never an indicator'),
      'no event of OpenCTI: its data cannot be read',
    ]);
    expect(found.cursor).toMatch(new RegExp(`^${START_MS - 200}-0 `));
  });

  it('an event whose end did not come is left for the next call', () => {
    const whole = event(900, 'create', indicator('45.83.64.1'));
    const cut = event(800, 'create', indicator('45.83.64.2'));
    const found = walkOver([whole + cut.slice(0, 60), cut]);
    expect(shown(found)).toEqual(['+ 45.83.64.1', '+ 45.83.64.2']);
    expect(found.rejected).toEqual([]);
  });

  it('an event that is longer than may be read is kept aside by its beginning, and passed over', () => {
    const huge = `id: ${START_MS - 900}-0\nevent: create\ndata: ${'é'.repeat(16 * 1024 * 1024)}`;
    const found = walkOver([huge, event(800, 'create', indicator('45.83.64.2'))]);
    expect(found.rejected).toMatchObject([{ reason: expect.stringContaining('an event of more than') }]);
    expect(shown(found)).toEqual(['+ 45.83.64.2']);
  });

  it('events without a newer id do not make it go round in circles: that is told', () => {
    const found = walkOver([`event: create\ndata: ${JSON.stringify({ data: indicator('45.83.64.1') })}\n\n`]);
    expect([found.calls.length, shown(found), found.faults]).toEqual([1, ['+ 45.83.64.1'], [expect.stringContaining('cannot be resumed')]]);
  });

  it('what is no stream is refused', () => {
    expect(() => walk(feed, SETTINGS, null, () => answer({ status: 'ok' }))).toThrow(/no stream/);
  });
});

/** OpenCTI as far as it matters: its history from behind an id, then signs of life for ever. */
async function startOpencti(history: readonly string[]) {
  const asked: IncomingMessage['headers'][] = [];
  const open = new Set<ServerResponse>();
  const server = createServer((request, response) => {
    asked.push(request.headers);
    if (request.headers.authorization !== 'Bearer k-test') return void response.writeHead(401).end('{"status":"unauthorized"}');
    response.writeHead(200, { 'content-type': 'text/event-stream; charset=utf-8' });
    const from = Number(String(request.headers['last-event-id']).split('-')[0]);
    response.write(CONNECTED);
    for (const one of history) if (Number(/^id: (\d+)/.exec(one)?.[1]) > from) response.write(one);
    open.add(response);
    response.on('close', () => open.delete(response));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => void server.close());
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, asked, open };
}

describe('over a connection that does not end', () => {
  async function startReading(history: string[]) {
    const opencti = await startOpencti(history);
    const store = await openStore(join(newStateFolder(), 'pipeline.sqlite'));
    const transport = createUndiciTransport({ provider: 'opencti', connections: 1, proxy: null, ca: null }) as OwnedTransport;
    onTestFinished(async () => {
      await transport.close();
      await store.close();
    });
    const read = (apiKey = 'k-test') =>
      readFeed(
        { feed, settings: feed.settings.parse({ ...SETTINGS, baseUrl: opencti.url, apiKey, readS: 1 }), transport, timeoutMs: 30_000 },
        { store, clock: { nowMs: () => START_MS, wait: () => Promise.resolve() }, signal: new AbortController().signal, isDry: false },
      );
    const stateOf = async (value: string) => (await store.get(value, START_MS / 1000))?.state;
    return { opencti, store, read, stateOf };
  }

  it('a run reads what is there and hangs up; the next one goes on, and takes a deletion at its word', { timeout: 60_000 }, async () => {
    const history = [
      event(9000, 'create', indicator('45.83.64.1')),
      event(8000, 'create', indicator('45.83.64.2', { description: 'é'.repeat(5) })),
    ];
    const { opencti, store, read, stateOf } = await startReading(history);
    expect(await read()).toMatchObject({ accepted: 2, quarantined: 0, failure: null, faults: [] });
    expect(await store.cursor('opencti')).toMatch(new RegExp(`^${START_MS - 8000}-0 recover=`));
    await expect.poll(() => opencti.open.size).toBe(0);
    history.push(event(500, 'delete', indicator('45.83.64.1')));
    expect(await read()).toMatchObject({ accepted: 1, failure: null });
    expect(opencti.asked.map((headers) => headers['last-event-id'])).toContain(`${START_MS - 8000}-0`);
    expect([await stateOf('45.83.64.1'), await stateOf('45.83.64.2')]).toEqual(['revoked', 'active']);
  });

  it('a token that is refused is said to be', async () => {
    const { read } = await startReading([]);
    expect((await read('wrong')).failure).toContain('key refused');
  });
});
