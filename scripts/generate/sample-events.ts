/**
 * Writes `samples/events.ndjson` and `samples/events.csv`: one morning of security events, the same ones as ECS documents (what the
 * sidecar takes) and as Splunk rows (what the search command takes). Same seed, same bytes.
 * `node scripts/generate/sample-events.ts [--check]`.
 *
 * Every address, name and hash is from a documentation range (RFC 5737, 3849, 2606, 6761), private, or made up.
 */
import { randomOf } from '../random.ts';
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { readCsvRows, RFC_4180 } from '../../src/model/formats/csv-rows.ts';
import { writeOrCheck } from './generated-file.ts';
import { CSV_COLUMNS, toCsvRow } from './sample-event-csv.ts';
import { toEcsText } from './sample-event-ecs.ts';
import type { SampleEvent } from './sample-event.ts';

const SEED = 20_261_121;
const START_MS = Date.parse('2026-11-20T06:00:00Z');
const COUNTS = { firewall: 92, dns: 64, proxy: 50, mail: 34, process: 30 } as const;

const JUNK = [
  '-',
  'N/A',
  '',
  'not-an-ip',
  '%{[destination][ip]}',
  'unknown',
  '0x7f.0.0.1',
  '198.51.100',
  '203.0.113.999',
  '1.2.3.4.5',
  '::g',
];
const INSIDE = [
  '10.20.30.41',
  '10.20.30.42',
  '10.20.31.7',
  '10.0.0.1',
  '192.168.10.15',
  '172.16.4.9',
  '100.64.3.3',
  'fe80::1c2d:3eff:fe4f:5a6b',
];
const OUTSIDE = [
  '198.51.100.11',
  '198.51.100.12',
  '203.0.113.60',
  '203.0.113.61',
  '203.0.113.62',
  '192.0.2.200',
  '2001:db8:77::1',
  '2001:db8:77::2',
];
const INSIDE_NAMES = [
  'fileserver01.corp',
  'printer',
  'wiki.intranet.internal',
  'dc01.site.lan',
  'nas.home.arpa',
  '17.30.20.10.in-addr.arpa',
];
const OUTSIDE_NAMES = ['shop.garden.example', 'api.weather.test', 'status.cloud.example', 'www.bakery.example', 'time.example'];
const USERS = ['m.keller', 'a.okafor', 'j.silva', 't.nguyen', 'svc-backup'];
const AGENTS = ['Mozilla/5.0 (X11; Linux x86_64; rv:145.0) Gecko/20100101 Firefox/145.0', 'curl/8.14.1', 'Agent "Smith", v1.0;\tbeta'];

const feed = readCsvRows(readFileSync(join(import.meta.dirname, '../../samples/sample-feed.csv'), 'utf8'), RFC_4180).rows.slice(1);
const random = randomOf(SEED);
let turn = 0;
let junkTurn = 0;

function chance(share: number): boolean {
  return random() < share;
}

function whole(from: number, to: number): number {
  return from + Math.floor(random() * (to - from + 1));
}

/** The first ones much more often than the last, as in real traffic. */
function pick(values: readonly string[]): string {
  return values[Math.floor(random() ** 1.7 * values.length)] ?? '';
}

/** The next one in turn: each of them appears. */
function turnOf(values: readonly string[]): string {
  turn += 1;
  return values[turn % values.length] ?? '';
}

function listed(...types: string[]): string {
  const values = feed.filter((row) => types.includes(row[1] ?? '')).map((row) => row[0] ?? '');
  return chance(0.5) ? pick(values) : turnOf(values);
}

function hash(algorithm: string, title: string): string {
  return createHash(algorithm).update(`isMalicious sample data: ${title}`).digest('hex');
}

/** One of the spellings a value comes in: as analysts defang it, in capitals, unabridged, with a port. */
function spelled(value: string): string {
  if (value.includes('://')) return chance(0.3) ? value.replace(/^http/, 'hxxp').replace('.', '[.]') : value;
  if (value.includes('@')) return chance(0.2) ? value.replace('@', '[at]') : value;
  if (value.startsWith('2001:')) return turnOf([value, value.toUpperCase(), value.replace('::', ':0:0:0:0:'), `[${value}]:443`]);
  if (/^\d+\./.test(value)) return turnOf([value, value, value, value, value.replaceAll('.', '[.]'), `::ffff:${value}`, `${value}:8443`]);
  if (value === 'xn--bcher-rabatt-dlb.example') return turnOf(['bücher-rabatt.example', 'BÜCHER-RABATT.example']);
  if (/^[0-9a-f]{32,}$/.test(value)) return chance(0.4) ? value.toUpperCase() : value;
  return turnOf([value, value, value, value.toUpperCase(), `${value}.`, value.replaceAll('.', '[.]'), value.replace('.', '(dot)')]);
}

function junkOr(value: () => string): string {
  if (!chance(0.06)) return value();
  junkTurn += 1;
  return JUNK[junkTurn % JUNK.length] ?? '';
}

function partner(): string {
  return junkOr(() => (chance(0.55) ? spelled(listed('ipv4-addr', 'ipv6-addr')) : pick(chance(0.5) ? OUTSIDE : INSIDE)));
}

function name(): string {
  return junkOr(() => (chance(0.5) ? spelled(listed('domain-name')) : pick(chance(0.6) ? OUTSIDE_NAMES : INSIDE_NAMES)));
}

function someOf(value: () => string, most: number): string[] {
  return Array.from({ length: whole(1, most) }, value);
}

function firewall(): Partial<SampleEvent> {
  const isInbound = chance(0.35);
  const [from, to] = isInbound ? [partner(), pick(INSIDE)] : [pick(INSIDE), partner()];
  const action = chance(0.4) ? 'denied' : 'allowed';
  const values = { src_ip: from, dest_ip: chance(0.05) ? someOf(partner, 3) : to };
  return { values, action, message: `${action} tcp ${from} -> ${to}` };
}

function dns(): Partial<SampleEvent> {
  const query = name();
  const answer = chance(0.7) ? someOf(() => (chance(0.5) ? listed('ipv4-addr', 'ipv6-addr') : pick(OUTSIDE)), 4) : [];
  return { values: { src_ip: pick(INSIDE), query, answer }, action: 'query', message: `query: ${query} IN A +E(0)K` };
}

function proxy(): Partial<SampleEvent> {
  const url = junkOr(() =>
    chance(0.55) ? spelled(listed('url')) : `https://${pick(OUTSIDE_NAMES)}/${pick(['', 'index.html', 'a?b=c&d=%20', 'größe'])}`,
  );
  const values = { src_ip: pick(INSIDE), dest_ip: partner(), url };
  return { values, action: chance(0.3) ? 'blocked' : 'allowed', message: `GET ${url}`, agent: pick(AGENTS) };
}

function mail(): Partial<SampleEvent> {
  const sender = junkOr(() => (chance(0.6) ? spelled(listed('email-addr')) : `${pick(USERS)}@corp.example`));
  const url = chance(0.5) ? someOf(() => spelled(listed('url')), 3) : [];
  const values = { src_ip: partner(), sender, url, file_hash: chance(0.3) ? listed('file:sha256') : [] };
  return { values, action: chance(0.25) ? 'quarantined' : 'delivered', message: `from=<${sender}>, "Rechnung Nr. ${whole(1000, 9999)}"` };
}

function process(): Partial<SampleEvent> {
  const isListed = chance(0.6);
  const file_hash = junkOr(() =>
    isListed
      ? spelled(listed('file:sha256', 'file:md5', 'file:sha1', 'file:sha512'))
      : hash(pick(['sha256', 'md5', 'sha1']), `unlisted ${whole(1, 12)}`),
  );
  return {
    values: { src_ip: pick(INSIDE), file_hash, dest_ip: chance(0.3) ? partner() : [] },
    action: 'start',
    message: String.raw`C:\Users\Public\upd.exe /q`,
  };
}

const MAKERS = { firewall, dns, proxy, mail, process } as const;

function makeEvents(): SampleEvent[] {
  const kinds = Object.entries(COUNTS).flatMap(([kind, count]) => Array.from({ length: count }, () => kind as keyof typeof COUNTS));
  // A fixed shuffle: by a number drawn for each.
  const order = kinds.map((kind) => ({ kind, at: random() })).toSorted((a, b) => a.at - b.at);
  let timeMs = START_MS;
  return order.map(({ kind }, number) => {
    timeMs += whole(40, 60_000);
    return {
      number,
      kind,
      timeMs,
      user: pick(USERS),
      bytes: whole(60, 900_000),
      agent: null,
      values: {},
      action: '',
      message: '',
      ...MAKERS[kind](),
      oddity: random(),
    };
  });
}

const events = makeEvents();
writeOrCheck(
  new Map([
    ['samples/events.ndjson', `${events.map(toEcsText).join('\n')}\n`],
    ['samples/events.csv', `${[CSV_COLUMNS.join(','), ...events.map(toCsvRow)].join('\n')}\n`],
  ]),
);
