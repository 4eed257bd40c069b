import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';

/** Events and what is said of the values in them. */
export interface GatewayInputs {
  readonly events: readonly string[];
  /** The values of `events` that a look-up is worth, and the API's answer about each. */
  readonly verdicts: ReadonlyMap<string, ApiVerdict>;
}

/** What the stand-in API says of a value. */
export interface ApiVerdict {
  readonly malicious: boolean;
  readonly riskScore: { readonly score: number };
  readonly categories: readonly string[];
  readonly confidenceScore: number;
}

/** Fields that the peer looks at: those of the events that the gateway looks at by default, in its order. */
export const EVENT_FIELDS = [
  'destination.ip',
  'source.ip',
  'url.full',
  'url.domain',
  'dns.question.name',
  'dns.answers.data',
  'file.hash.sha256',
] as const;

const UNIQUES = 10_000;
const WORDS = ['update', 'secure', 'login', 'cdn', 'mail', 'img', 'static', 'files'];

/** ECS events, one JSON text each: those of the file (NDJSON), or firewall events of about 1.1 KB whose few frequent values come often. */
export function gatewayInputs(count: number, path = process.env.ISMALICIOUS_BENCH_EVENTS): GatewayInputs {
  const events = path === undefined ? Array.from({ length: count }, (_, n) => madeEvent(n)) : eventsOf(path, count);
  const verdicts = new Map<string, ApiVerdict>();
  for (const text of events) {
    for (const field of EVENT_FIELDS)
      for (const value of valuesAt(JSON.parse(text), field.split('.'))) verdicts.set(value, verdictOf(value));
  }
  return { events, verdicts };
}

/** The strings of an event at a path, through lists. */
export function valuesAt(node: unknown, path: readonly string[]): string[] {
  if (Array.isArray(node)) return node.flatMap((item) => valuesAt(item, path));
  const [key, ...rest] = path;
  if (key === undefined) return typeof node === 'string' ? [node] : [];
  return typeof node === 'object' && node !== null ? valuesAt((node as Record<string, unknown>)[key], rest) : [];
}

/** One in twenty is malicious, scores over their whole range. */
export function verdictOf(value: string): ApiVerdict {
  const [first = 0, second = 0, third = 0] = createHash('sha256').update(value).digest();
  const malicious = first < 13;
  return {
    malicious,
    riskScore: { score: malicious ? 40 + (second % 61) : second % 40 },
    categories: malicious ? ['c2'] : [],
    confidenceScore: 30 + (third % 71),
  };
}

function eventsOf(path: string, count: number): string[] {
  const lines = readFileSync(path, 'utf8')
    .split('\n')
    .filter((line) => line !== '');
  return Array.from({ length: count }, (_, n) => lines[n % lines.length] ?? '{}');
}

function madeEvent(n: number): string {
  const [ip, other, name, hash] = [rank(n), rank(n + 7), rank(n * 3 + 1), rank(n * 5 + 2)];
  const source = `10.${mix(n) % 256}.${mix(n + 1) % 256}.${1 + (n % 254)}`;
  const destination = n % 10 === 9 ? `192.168.${mix(n + 2) % 256}.7` : addressOf(ip);
  const domain = `${WORDS[name % 8]}${name.toString(16)}.${WORDS[(name >> 3) % 8]}-cloud.com`;
  const url = `https://${domain}/${WORDS[mix(name) % 8]}/${mix(name).toString(16)}?id=${name}&q=a%20b`;
  const sha256 = createHash('sha256').update(`file ${hash}`).digest('hex');
  const raw = `${1_770_000_000 + n} fw0${n % 8} action=allowed src=${source} dst=${destination} dport=443 bytes=${mix(n) % 2_000_000} user="user${n % 500}" url="${url}" sha256=${sha256}`;
  return JSON.stringify({
    '@timestamp': new Date(1_770_000_000_000 + n * 10).toISOString(),
    message: raw,
    ecs: { version: '8.17.0' },
    event: {
      kind: 'event',
      category: ['network'],
      type: ['connection', 'allowed'],
      action: 'allowed',
      dataset: 'demo.firewall',
      id: `1-${n}`,
    },
    source: { ip: source, port: 1024 + (n % 60_000), bytes: mix(n) % 2_000_000 },
    destination: { port: 443, bytes: (mix(n) * 3) % 99_991, ip: destination },
    network: { transport: 'tcp', type: 'ipv4', direction: 'outbound' },
    user: { name: `user${n % 500}` },
    url: { full: url, domain },
    dns: { question: { name: domain }, answers: [{ data: destination }, ...(n % 10 === 0 ? [{ data: addressOf(other) }] : [])] },
    file: { hash: { sha256 } },
    host: { name: `fw0${n % 8}` },
    observer: { vendor: 'Demo', product: 'FW', type: 'firewall' },
    related: { ip: [source, destination] },
    tags: ['demo', 'bench'],
  });
}

const addressOf = (n: number) => `${11 + (n % 80)}.${(n >>> 8) & 255}.${n & 255}.${(n * 7) & 255}`;

/** Even whole numbers from a counter. */
function mix(n: number): number {
  const mixed = Math.imul(n ^ (n >>> 16), 0x45d9f3b);
  return (mixed ^ (mixed >>> 13)) >>> 0;
}

/** Rank among the unique values, the frequency falling with the rank. */
function rank(n: number): number {
  return Math.floor(UNIQUES ** ((mix(n) % 1_000_003) / 1_000_003)) - 1;
}
