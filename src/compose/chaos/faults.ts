import { mkdirSync, writeFileSync } from 'node:fs';
import type { ServerResponse } from 'node:http';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { type ChaosCall, type Fault, harmless, listed } from './fault.ts';

const DRIP_MS = 150;
const DEEP = 100_000;
const BOMB_BYTES = 64 * 1024 * 1024;
const PART = Buffer.alloc(64 * 1024, 0x20);

function send(response: ServerResponse, status: number, body: string | Buffer, headers: Record<string, string> = {}): void {
  response.writeHead(status, { 'content-type': 'application/json', ...headers });
  response.end(body);
}

const says = (body: (value: string) => string | Buffer, headers: Record<string, string> = {}, status = 200) => {
  return ({ response, value }: ChaosCall) => send(response, status, body(value), headers);
};
const refuses = (status: number, headers: Record<string, string> = {}) => says(() => '{"error":"no"}', headers, status);
/** Text that would read clean if a part of it were believed. */
const clean = (value: string) => JSON.stringify(harmless(value));

/** All of it but its last character, which never comes. */
function drip(write: (character: string) => void, text: string, isOver: () => boolean): void {
  let at = 0;
  const timer = setInterval(() => {
    if (isOver()) return clearInterval(timer);
    if (at < text.length - 1) write(text[at++] ?? '');
    return undefined;
  }, DRIP_MS);
}

function dripBody({ response, value }: ChaosCall): void {
  response.writeHead(200, { 'content-type': 'application/json' });
  drip(
    (character) => response.write(character),
    clean(value),
    () => response.destroyed,
  );
}

function dripHead({ response }: ChaosCall): void {
  const { socket } = response;
  if (socket !== null)
    drip(
      (character) => socket.write(character),
      `HTTP/1.1 200 OK\r\nx-slow: ${'a'.repeat(999)}`,
      () => socket.destroyed,
    );
}

/** Says a length, sends a part of it, and ends in one way or the other. */
function cut(share: number, how: 'reset' | 'end') {
  return ({ response, value }: ChaosCall) => {
    const text = clean(value);
    const { socket } = response;
    const part = text.slice(0, Math.floor(text.length * share));
    const head = `HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: ${text.length}\r\n\r\n`;
    socket?.write(head + part, () => (how === 'reset' ? socket.resetAndDestroy() : socket.end()));
  };
}

function endless({ response, value }: ChaosCall): void {
  response.writeHead(200, { 'content-type': 'application/json' });
  response.write(clean(value).slice(0, -1));
  const more = () => {
    while (!response.destroyed && response.write(PART));
  };
  response.on('drain', more);
  more();
}

const CONTROL: readonly Fault[] = [
  { row: 'none', name: 'healthy, listed', expects: 'malicious' },
  { row: 'none', name: 'healthy, clean', expects: 'clean', answer: says(clean) },
];

const CONNECTION: readonly Fault[] = [
  {
    row: 'F1',
    name: 'answers after 200 ms',
    expects: 'malicious',
    answer: ({ response, value }) => void setTimeout(() => send(response, 200, JSON.stringify(listed(value))), 200),
  },
  { row: 'F2', name: 'takes the call, never answers', expects: 'none', stalls: true, answer: () => undefined },
  { row: 'F2', name: 'refuses connections', expects: 'none', reach: 'closed-port' },
  { row: 'F3', name: 'reset at connect', expects: 'none', connect: (socket) => void socket.resetAndDestroy() },
  {
    row: 'F3',
    name: 'reset in the head',
    expects: 'none',
    answer: ({ response: { socket } }) => void socket?.write('HTTP/1.1 200 OK\r\ncontent-', () => socket.resetAndDestroy()),
  },
  { row: 'F3', name: 'reset in the body', expects: 'none', answer: cut(0.5, 'reset') },
  { row: 'F4', name: 'ends in the body', expects: 'none', answer: cut(0.9, 'end') },
  { row: 'F4', name: 'ends before the body', expects: 'none', answer: cut(0, 'end') },
  { row: 'F4', name: 'JSON without its end', expects: 'none', answer: says((value) => clean(value).slice(0, -1)) },
  { row: 'F5', name: 'drips its head', expects: 'none', stalls: true, answer: dripHead },
  { row: 'F5', name: 'drips its body', expects: 'none', stalls: true, answer: dripBody },
];

const REFUSALS: readonly Fault[] = [
  { row: 'F7', name: '429, Retry-After 30', expects: 'none', mostCalls: 1, answer: refuses(429, { 'retry-after': '30' }) },
  { row: 'F7', name: '429 without Retry-After', expects: 'none', mostCalls: 1, answer: refuses(429) },
  { row: 'F7', name: '429, Retry-After 10^9', expects: 'none', mostCalls: 1, answer: refuses(429, { 'retry-after': '1000000000' }) },
  {
    row: 'F7',
    name: '429, Retry-After in the past',
    expects: 'none',
    stalls: true,
    answer: refuses(429, { 'retry-after': 'Thu, 01 Jan 1970 00:00:00 GMT' }),
  },
  { row: 'F7', name: '429, quota used up', expects: 'none', mostCalls: 1, answer: says(() => '{"error":"monthly quota"}', {}, 429) },
  { row: 'F8', name: '401', expects: 'none', mostCalls: 1, answer: refuses(401) },
  { row: 'F8', name: '403', expects: 'none', mostCalls: 1, answer: refuses(403) },
  { row: 'F9', name: '500 with a page', expects: 'none', answer: says(() => '<h1>no</h1>', { 'content-type': 'text/html' }, 500) },
  { row: 'F9', name: '503 with a clean body', expects: 'none', answer: says(clean, {}, 503) },
  {
    row: 'F9',
    name: 'redirect elsewhere',
    expects: 'none',
    answer: ({ request, response, elsewhere }) => send(response, 302, '', { location: `${elsewhere}${request.url ?? '/'}` }),
  },
];

const BODIES: readonly Fault[] = [
  { row: 'F9', name: '200 with a page', expects: 'none', answer: says(() => '<h1>ok</h1>', { 'content-type': 'text/html' }) },
  { row: 'F9', name: '200, empty', expects: 'none', answer: says(() => '') },
  { row: 'F9', name: '204', expects: 'none', answer: ({ response }) => void response.writeHead(204).end() },
  { row: 'F9', name: 'not JSON', expects: 'none', answer: says(() => '{malicious: no}') },
  { row: 'F9', name: 'about another value', expects: 'none', answer: says(() => clean('1.1.1.1')) },
  { row: 'F9', name: 'says both', expects: 'none', answer: says((value) => clean(value).replace('{', '{"malicious":true,')) },
  { row: 'F9', name: 'wrong types', expects: 'none', answer: says(() => '{"malicious":"no","sources":7}') },
  { row: 'F9', name: 'null', expects: 'none', answer: says(() => 'null') },
  { row: 'F9', name: 'nested 100,000 deep', expects: 'none', answer: says(() => '['.repeat(DEEP) + ']'.repeat(DEEP)) },
  { row: 'F9', name: 'body without end', expects: 'none', answer: endless },
  { row: 'F9', name: 'gzip bomb', expects: 'none', answer: (call) => says(() => bomb(), { 'content-encoding': 'gzip' })(call) },
  { row: 'F9', name: 'gzip that is none', expects: 'none', answer: says(clean, { 'content-encoding': 'gzip' }) },
  { row: 'F11', name: 'TLS asked, plain HTTP there', expects: 'none', reach: 'not-tls', answer: says(clean) },
  { row: 'F11', name: 'TLS handshake hangs', expects: 'none', reach: 'silent-tls', stalls: true, connect: () => undefined },
  { row: 'F11', name: 'self-signed certificate', expects: 'none', reach: 'self-signed', answer: says(clean) },
  { row: 'F12', name: 'proxy wants a password (407)', expects: 'none', reach: 'proxy' },
];

const AROUND: readonly Fault[] = [
  { row: 'F14', name: 'state folder is a file', expects: 'malicious', prepare: (folder) => writeFileSync(folder, 'not a folder') },
  { row: 'F14', name: 'cache file damaged', expects: 'malicious', prepare: damageCache },
  { row: 'F16', name: 'kill -9 while it asks', expects: 'malicious', signal: 'SIGKILL' },
  { row: 'F17', name: 'stopped while it asks', expects: 'none', stalls: true, signal: 'SIGTERM' },
  { row: 'F20', name: 'engine refuses connections', expects: 'refused', engine: 'refuses' },
  { row: 'F20', name: 'engine resets', expects: 'refused', engine: 'resets' },
  { row: 'F20', name: 'engine says 503', expects: 'refused', engine: 'busy' },
  { row: 'F20', name: 'engine refuses documents', expects: 'refused', engine: 'refuses-items' },
];

function damageCache(folder: string): void {
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  for (const name of ['verdicts.sqlite', 'feedback.sqlite'])
    writeFileSync(join(folder, name), 'not a database, whatever its name says', { mode: 0o600 });
}

let packed: Buffer | null = null;

function bomb(): Buffer {
  return (packed ??= gzipSync(Buffer.alloc(BOMB_BYTES, 0x20)));
}

/** Runs without a fault: what the hosts say when all is well, so that `clean` is seen to be possible. */
export const CONTROLS: readonly Fault[] = CONTROL;

/** All faults, in the order of the table. */
export const FAULTS: readonly Fault[] = [...CONTROL, ...CONNECTION, ...REFUSALS, ...BODIES, ...AROUND];

/** Rows of the fault list that no stand-in on loopback can make; tests of the project hold them. */
export const ELSEWHERE: readonly (readonly [row: string, why: string])[] = [
  ['F6', 'down, then up again: takes longer than the rest together (npm run fire)'],
  ['F10', 'names that cannot be resolved: would ask a resolver'],
  ['F13', 'the clock: cannot be set from here'],
  ['F15', 'little memory: a limit of the system'],
  ['F18', 'Splunk: its own programs are not started here'],
  ['F19', 'one provider of several: the tests of the engine'],
];
