import { gzipSync } from 'node:zlib';
import { mutate } from './mutations.ts';

type Random = (below: number) => number;

/** One call that means no good. `sendsHalf`: it hangs up in the middle of its body. */
export interface HostileCall {
  readonly kind: string;
  readonly path: string;
  readonly method: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer;
  readonly sendsHalf: boolean;
}

const PATHS = [
  '/v1/logstash',
  '/v1/enrich',
  '/v1/lookup',
  '/v1/extract',
  '/v1/triage',
  '/v1/feedback',
  '/v1/watchlist',
  '/check?query=8.8.8.8',
  '/v1/ingest/logs-a-b',
  '/logs-a-b/_bulk',
  '/_bulk',
  '/taxii2/',
  '/nothing',
];
const TYPES = ['application/json', 'application/x-ndjson', 'text/plain', 'application/json; charset=utf-16', 'x'];
const WORDS = [
  '__proto__',
  'constructor',
  'prototype',
  'toString',
  'hasOwnProperty',
  '@timestamp',
  'source',
  'destination',
  'ip',
  'dest_ip',
  'text',
];
const SEEDS = [
  '{"indicators":["8.8.8.8","hxxp://evil[.]example/x"],"timeout_ms":100}',
  '{"text":"see a@b.co, 1.2.3.4 and hxxps[:]//evil[.]com/a?b=c","unique":true}',
  '[{"@timestamp":"2026-11-21T10:00:00Z","source":{"ip":"10.0.0.1"},"destination":{"ip":["8.8.8.8","1.1.1.1"]},"url":{"full":"http://a.co/x"}}]',
  '{"ip":"8.8.8.8","x":"{\\"a\\":[\\"9.9.9.9\\"]}","list":"1.1.1.1,2.2.2.2"}',
  '{"alerts":[{"id":"a","dest_ip":"8.8.8.8","action":"blocked"}]}',
  '{"index":{"_index":"logs-a-b"}}\n{"source":{"ip":"8.8.8.8"}}\n{"delete":{"_id":"1"}}\n',
  '{"indicator":"45.33.32.2","verdict":"clean","author":"a","reason":"x","for_s":60}',
].map((text) => Buffer.from(text));
const SPAM = ['a@b.co ', 'hxxp[:]//a[.]co/ ', '1.2.3.4 ', '::1 ', '[.]', '"', '\\', ',', '🜁 '];
const BOMBS = [1, 8, 64].map((mib) => gzipSync(Buffer.alloc(mib * 1024 * 1024, 0x5b)));
const MIB = 1024 * 1024;

/** Mostly small, now and then as long as a body may be. */
function sizeOf(random: Random): number {
  const dice = random(1000);
  return dice === 0 ? 1 + random(15 * MIB) : dice < 10 ? 1 + random(MIB) : 1 + random(20_000);
}

function deep(random: Random): string {
  const open = ['[', '{"a":', '{"__proto__":', '[{"source":', '{"source":{"ip":'][random(5)] as string;
  const depth = Math.ceil(sizeOf(random) / open.length);
  const close =
    random(4) === 0
      ? ''
      : [...open]
          .toReversed()
          .map((one) => ({ '[': ']', '{': '}' })[one] ?? '')
          .join('');
  const text = `${open.repeat(depth)}1${close.repeat(depth)}`;
  const field = WORDS[random(WORDS.length)] as string;
  return [text, JSON.stringify({ [field]: text }), `{"${field}":${text}}`, `[{"@timestamp":"x","${field}":${text}}]`][random(4)] as string;
}

function wide(random: Random): string {
  const item = ['{}', '[]', '""', '"8.8.8.8"', '{"source":{"ip":"8.8.8.8"}}', '{"__proto__":1}', '1e999', '"\\ud800"'][random(8)] as string;
  const items = Array(Math.ceil(sizeOf(random) / (item.length + 1))).fill(item);
  const list = `[${items.join(',')}]`;
  return [list, `{"indicators":${list}}`, `{"alerts":${list}}`, `{"source":{"ip":${list}}}`, items.join('\n'), `{"text":${list}}`][
    random(6)
  ] as string;
}

function spam(random: Random): string {
  const piece = SPAM[random(SPAM.length)] as string;
  const text = piece.repeat(Math.ceil(sizeOf(random) / piece.length));
  return [JSON.stringify({ text }), JSON.stringify({ ip: text }), text, JSON.stringify([{ '@timestamp': 'x', message: text }])][
    random(4)
  ] as string;
}

function words(random: Random): string {
  const pick = () => WORDS[random(WORDS.length)] as string;
  const value = () => (['{}', '"8.8.8.8"', 'null', '[]', '{"prototype":{"x":1}}', '-0'] as const)[random(6)] as string;
  const one = () => `{"${pick()}":${value()},"${pick()}":{"${pick()}":${value()}}}`;
  return random(2) === 0 ? one() : `[${Array.from({ length: 1 + random(20) }, one).join(',')}]`;
}

const KINDS: Readonly<Record<string, (random: Random) => Buffer>> = {
  deep: (random) => Buffer.from(deep(random)),
  wide: (random) => Buffer.from(wide(random)),
  spam: (random) => Buffer.from(spam(random)),
  words: (random) => Buffer.from(words(random)),
  mutated: (random) => mutate(SEEDS[random(SEEDS.length)] as Buffer, random),
  bytes: (random) => Buffer.from(Array.from({ length: random(400) }, () => random(256))),
};
const NAMES = Object.keys(KINDS);

/** The next hostile call. */
export function hostileCall(random: Random): HostileCall {
  const path = PATHS[random(PATHS.length)] as string;
  const type = TYPES[random(3) === 0 ? random(TYPES.length) : 0] as string;
  const method =
    random(50) === 0 ? ((['PUT', 'DELETE', 'PATCH'] as const)[random(3)] as string) : path.startsWith('/check') ? 'GET' : 'POST';
  const call = { path, method, headers: { 'content-type': type }, sendsHalf: random(20) === 0 };
  if (random(60) === 0) {
    const body = BOMBS[random(10) === 0 ? random(BOMBS.length) : 0] as Buffer;
    return { ...call, kind: 'bomb', headers: { ...call.headers, 'content-encoding': 'gzip' }, body };
  }
  const kind = NAMES[random(NAMES.length)] as string;
  return { ...call, kind, body: (KINDS[kind] as (random: Random) => Buffer)(random) };
}
