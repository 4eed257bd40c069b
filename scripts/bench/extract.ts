import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { extractFromText } from '../../src/extract/extract.ts';
import { parseIndicator } from '../../src/model/parse-indicator.ts';
import type { Print } from './figure.ts';

/** A find as any tool gives it. */
type Find = readonly [type: string, value: string];
type Tool = (text: string) => Find[];

interface Case {
  readonly text: string;
  readonly expect: readonly string[];
}

const ROUNDS = 7;
/** Rounds before those that count, of one megabyte of ours each: what is met seldom is compiled late. */
const WARMING_ROUNDS = 30;
const TYPES: Readonly<Record<string, string>> = {
  urls: 'url', domains: 'domain-name', ipv4s: 'ipv4-addr', ipv6s: 'ipv6-addr', emails: 'email-addr', email_addresses: 'email-addr',
  md5s: 'file:md5', sha1s: 'file:sha1', sha256s: 'file:sha256', sha512s: 'file:sha512', cves: 'cve',
}; // prettier-ignore

/**
 * Precision and recall on the labelled texts, and speed on three kinds of text. Peers are measured beside where they are installed:
 * `ISMALICIOUS_PEERS` names a folder with npm's `ioc-extractor`, `ISMALICIOUS_PEERS_PYTHON` a Python with `ioc-finder` and `iocextract`.
 */
export async function run(print: Print): Promise<void> {
  const cases = readFileSync(join(import.meta.dirname, '../../test/fixtures/extract/cases.jsonl'), 'utf8')
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Case);
  const peer = await loadNpmPeer();
  const python = process.env.ISMALICIOUS_PEERS_PYTHON;
  printQuality(print, 'ours', cases, (text) => extractFromText(text).map(({ type, value }) => [type, value]));
  if (peer) printQuality(print, 'ioc-extractor', cases, peer);
  for (const name of python ? ['ioc-finder', 'iocextract'] : []) {
    const answers = askPython(
      python ?? '',
      name,
      cases.map(({ text }) => text),
    );
    printQuality(print, name, cases, (text) => answers.get(text) ?? []);
  }
  for (const [name, text] of [
    ['reports', sentences()],
    ['logs', logs()],
    ['labelled texts', cases.map((each) => each.text).join('\n')],
  ] as const) {
    const speeds = measure(text, peer);
    const ratio = speeds.peer === null ? {} : { peer: 'ioc-extractor', ratio: Number((speeds.ours / speeds.peer).toFixed(1)) };
    print({ name: `extract: ${name}`, value: Number(speeds.ours.toFixed(1)), unit: 'MB per CPU second', ...ratio });
  }
  printHostile(print);
}

/** Repeated to 5 MB, each makes a text in which something seems to begin everywhere. */
const HOSTILE = [
  '[.]', 'a[.]', 'a@', '::', 'f:', '1.1.1.1-', '://', 'http://', 'http://a.com/(', 'http://a@', 'http://a.com/a;', '&#46;', '\\/', '%20', ' at a', 'a at b dot ', 'CVE-2024-', 'あ.', 'deadbeef', 'a:b@', 'From 192.0.2.1 ', '+http://a.com/', 'http%3A%2F%2F',
]; // prettier-ignore
const HOSTILE_BYTES = 5e6;

/** The slowest of the hostile texts, and the most that twice the text costs: 2 is linear. */
function printHostile(print: Print): void {
  const costs = HOSTILE.map((piece) => {
    const whole = piece.repeat(HOSTILE_BYTES / Buffer.byteLength(piece));
    const half = whole.slice(0, whole.length / 2);
    const [less = 0, more = 0] = [half, whole].map((text) => Math.min(...[0, 1, 2].map(() => cpuSeconds(() => extractFromText(text), 1))));
    return { more, growth: more / less };
  });
  const slowest = Math.max(...costs.map(({ more }) => more));
  const steepest = Math.max(...costs.map(({ growth }) => growth));
  const name = `extract: ${HOSTILE.length} hostile texts of ${HOSTILE_BYTES / 1e6} MB`;
  print({ name: `${name}, the slowest`, value: Number((slowest * 1000).toFixed(0)), unit: 'ms CPU' });
  print({ name: `${name}, cost of the whole over that of the half, the most`, value: Number(steepest.toFixed(2)), unit: '×' });
}

async function loadNpmPeer(): Promise<Tool | null> {
  const folder = process.env.ISMALICIOUS_PEERS;
  if (!folder || !existsSync(folder)) return null;
  const path = createRequire(join(folder, 'package.json')).resolve('ioc-extractor');
  const { extractIOC } = (await import(pathToFileURL(path).href)) as { extractIOC: (text: string) => Record<string, string[]> };
  return (text) => Object.entries(extractIOC(text)).flatMap(([kind, values]) => findsOf(kind, values));
}

/** Every kind that we know; peers give others (ASN, wallets), which nobody counts. */
function findsOf(kind: string, values: readonly string[]): Find[] {
  const type = TYPES[kind];
  return type === undefined ? [] : values.map((value) => [type, value]);
}

const PYTHON = `
import sys, json
name, texts = sys.argv[1], json.load(sys.stdin)
out = []
if name == 'ioc-finder':
    from ioc_finder import find_iocs
    for t in texts: out.append({k: v for k, v in find_iocs(t).items() if isinstance(v, list)})
else:
    import iocextract as x
    for t in texts:
        out.append({'urls': list(x.extract_urls(t, refang=True)), 'ipv4s': list(x.extract_ipv4s(t, refang=True)), 'ipv6s': list(x.extract_ipv6s(t)), 'emails': list(x.extract_emails(t, refang=True)),
            'md5s': list(x.extract_md5_hashes(t)), 'sha1s': list(x.extract_sha1_hashes(t)), 'sha256s': list(x.extract_sha256_hashes(t)), 'sha512s': list(x.extract_sha512_hashes(t))})
json.dump(out, sys.stdout)
`;
import { median } from './median.ts';

function askPython(python: string, name: string, texts: readonly string[]): Map<string, Find[]> {
  const answer = execFileSync(python, ['-c', PYTHON, name], {
    input: JSON.stringify(texts),
    maxBuffer: 1 << 28,
    stdio: ['pipe', 'pipe', 'ignore'],
  });
  const all = JSON.parse(answer.toString('utf8')) as Record<string, string[]>[];
  return new Map(all.map((kinds, n) => [texts[n] ?? '', Object.entries(kinds).flatMap(([kind, values]) => findsOf(kind, values))]));
}

/** Values are compared in our canonical spelling. Hosts of expected URLs and addresses count neither for nor against anybody. */
function printQuality(print: Print, name: string, cases: readonly Case[], tool: Tool): void {
  let right = 0;
  let wrong = 0;
  let missed = 0;
  for (const { text, expect } of cases) {
    const expected = new Set(expect.map((each) => keyOf(each.slice(0, each.indexOf(' ')), each.slice(each.indexOf(' ') + 1))));
    const hosts = new Set([...expected].flatMap(hostKeys));
    const found = new Set(tool(text).map(([type, value]) => keyOf(type, value)));
    for (const key of found) {
      if (expected.has(key)) right += 1;
      else if (!hosts.has(key)) wrong += 1;
    }
    for (const key of expected) if (!found.has(key)) missed += 1;
  }
  print({ name: `extract: precision of ${name}, ${cases.length} texts`, value: Number((right / (right + wrong)).toFixed(4)), unit: '' });
  print({ name: `extract: recall of ${name}, ${cases.length} texts`, value: Number((right / (right + missed)).toFixed(4)), unit: '' });
}

function keyOf(type: string, value: string): string {
  if (type === 'cve') return `cve ${value.toUpperCase()}`;
  const parsed = parseIndicator(type === 'url' && !value.includes('://') ? `http://${value}` : value);
  return `${type} ${parsed.kind === 'invalid' ? value.toLowerCase() : parsed.indicator.value}`;
}

function hostKeys(key: string): string[] {
  const host = /^url [^:]+:\/\/\[?([^/?#\]]*?)\]?(?::\d+)?(?:[/?#]|$)/.exec(key)?.[1] ?? /^email-addr .*@(.*)$/.exec(key)?.[1];
  return host === undefined ? [] : ['domain-name', 'ipv4-addr', 'ipv6-addr'].map((type) => `${type} ${host}`);
}

function measure(text: string, peer: Tool | null): { ours: number; peer: number | null } {
  const megabytes = Buffer.byteLength(text) / 1e6;
  const ours: number[] = [];
  const theirs: number[] = [];
  for (let round = -WARMING_ROUNDS; round < ROUNDS; round += 1) {
    const cost = cpuSeconds(() => extractFromText(text), Math.ceil(1 / megabytes));
    const peerCost = peer ? cpuSeconds(() => peer(text), Math.ceil(0.25 / megabytes)) : 0;
    if (round < 0) continue;
    ours.push(megabytes / cost);
    theirs.push(megabytes / peerCost);
  }
  return { ours: median(ours), peer: peer ? median(theirs) : null };
}

function cpuSeconds(work: () => unknown, times: number): number {
  const started = process.cpuUsage();
  for (let n = 0; n < times; n += 1) work();
  const { user, system } = process.cpuUsage(started);
  return (user + system) / 1e6 / times;
}

const FRAMES = [
  'The malware contacts % every sixty seconds.', 'We observed traffic to % from several hosts in the network.', 'Block % at the perimeter.', 'IOC: %', 'The file with hash or name % was dropped by the loader.',
  'Analysts found (%) in the configuration of the implant.', 'Victims are redirected to %, which then serves the payload.', '"%" was seen on 2026-11-20 at 12:30:45 in the logs.', 'Version 1.2.3 of the tool resolves % through public DNS.',
]; // prettier-ignore

/** One indicator a sentence, a quarter of them defanged. */
function sentences(): string {
  return Array.from({ length: 4000 }, (_, n) => {
    const domain = `login-${(n * 7919) % 9973}.${['com', 'net', 'co.uk', 'xyz'][n % 4]}`;
    const values = [
      domain,
      `${40 + (n % 180)}.${n % 256}.${(n * 7) % 256}.${(n * 13) % 256}`,
      createHash('sha256').update(String(n)).digest('hex'),
      `https://${domain}/a/${n}.php?id=${n}`,
      `bob.${n}@${domain}`,
      `CVE-2024-${1000 + n}`,
    ];
    const value = values[n % values.length] ?? '';
    return (FRAMES[n % FRAMES.length] ?? '').replace('%', n % 4 === 0 ? value.replaceAll('.', '[.]').replace('http', 'hxxp') : value);
  }).join('\n');
}

/** Firewall and proxy events as JSON lines. */
function logs(): string {
  return Array.from({ length: 1500 }, (_, n) => {
    const domain = `cdn${n % 700}.update-files.${n % 3 ? 'com' : 'net'}`;
    return JSON.stringify({
      '@timestamp': `2026-11-20T10:${String(n % 60).padStart(2, '0')}:00.123Z`, message: `fw01 action=allowed src=10.0.${n % 256}.7 dst=45.${n % 256}.9.1 dport=443 bytes=${n * 31}`, ecs: { version: '8.17.0' },
      event: { kind: 'event', category: ['network'], dataset: 'demo.firewall', id: `1-${n}` }, source: { ip: `10.0.${n % 256}.7`, port: 1024 + n }, destination: { ip: `45.${n % 256}.9.1`, port: 443 },
      url: { full: `https://${domain}/static/${n.toString(16)}?id=${n}`, domain }, file: { hash: { sha256: createHash('sha256').update(String(n % 300)).digest('hex') } }, user: { name: `user${n % 50}` }, tags: ['demo', 'bench'],
    }); // prettier-ignore
  }).join('\n');
}
