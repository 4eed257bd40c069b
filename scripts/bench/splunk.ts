import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { closeSync, existsSync, mkdtempSync, openSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import type { Print } from './figure.ts';
import { median } from './median.ts';

interface Cost {
  readonly wallS: number;
  readonly cpuS: number;
  readonly rssMib: number;
  readonly status: number;
}

const ROUNDS = 5;
const START_ROUNDS = 9;
const PEER = 'splunklib';
const here = import.meta.dirname;
const program = join(dirname(dirname(here)), 'dist/splunk-app/ismalicious/bin/ismalicious.js');
const python = process.env.ISMALICIOUS_BENCH_PYTHON ?? 'python3';

/**
 * The search command against the same command in splunklib, on recorded-shape streams and a warm cache on disk: one chunk of 50,000 wide
 * rows, and 200,000 slim rows in chunks of 2,500; then the wide rows for a search of a shape that was never seen (another field, other output
 * columns), and both as if no search had left anything to the next one. Rounds are interleaved, medians are compared; start-up of the process
 * is included. Last, what our program takes until its first row of 12,000 distinct values.
 */
export async function run(print: Print): Promise<void> {
  const absence = whatIsMissing();
  if (absence !== null) {
    process.stderr.write(`splunk: skipped, ${absence}\n`);
    return;
  }
  const folder = mkdtempSync(join(tmpdir(), 'bench-splunk-'));
  const api = createServer((request, response) => {
    let text = '';
    request.on('data', (part: Buffer) => (text += part.toString()));
    request.on('end', () => {
      response.setHeader('content-type', 'application/json');
      response.end(JSON.stringify(answerOf(request.method ?? 'GET', request.url ?? '/', text)));
    });
  });
  await new Promise<void>((resolve) => api.listen(0, '127.0.0.1', resolve));
  const env = {
    ...process.env,
    ISMALICIOUS_STATE_DIR: join(folder, 'state'),
    ISMALICIOUS_BASE_URL: `http://127.0.0.1:${(api.address() as AddressInfo).port}`,
    ISMALICIOUS_X_API_KEY: Buffer.from('bench:bench').toString('base64'),
  };
  try {
    const write = (name: string, bytes: Buffer) => {
      const path = join(folder, `${name}.input`);
      writeFileSync(path, bytes);
      return path;
    };
    const streams = {
      wide: write('wide', wideStream(GETINFO)),
      newShape: write('new-shape', wideStream(introductionOf(['answer', 'prefix=ti_']))),
      slim: write('slim', slimStream()),
      many: write('many', manyStream(GETINFO)),
      manyAndOne: write('many-and-one', manyStream(GETINFO, 12_001)),
      manyNewShape: write('many-new-shape', manyStream(introductionOf(['dest_ip', 'prefix=ti_']))),
      getinfo: write('getinfo', GETINFO),
    };
    for (const stream of [streams.wide, streams.slim, streams.many, streams.manyAndOne]) await fillCache(stream, env);
    const forgetful = { ...env, ISMALICIOUS_SEARCH_REMEMBER: 'false' };
    for (const [suffix, place] of [
      ['', env],
      [', nothing left by an earlier search', forgetful],
    ] as const) {
      compareStream(print, `wide, 50,000 rows in one chunk${suffix}`, streams.wide, place);
      compareStream(print, `slim, 200,000 rows in chunks of 2,500${suffix}`, streams.slim, place);
    }
    compareStream(print, 'wide, a shape that no search had', streams.wide, env, streams.newShape);
    for (const [what, stream, place] of [
      ['kept cells', streams.many, env],
      ['kept cells, and one that the search before learnt', streams.manyAndOne, env],
      ['a shape that no search had', streams.manyNewShape, env],
      ['nothing left by an earlier search', streams.many, forgetful],
    ] as const)
      tellFirstRow(print, `first row of 12,000 distinct values, ${what}`, stream, place);
    compareStart(print, streams.getinfo, env);
  } finally {
    api.close();
    rmSync(folder, { recursive: true, force: true });
  }
}

function whatIsMissing(): string | null {
  if (!existsSync(program)) return 'the program is not built: npm run build';
  const { status } = spawnSync(python, ['-c', 'import splunklib.searchcommands']);
  return status === 0 ? null : `${python} has no splunklib: set ISMALICIOUS_BENCH_PYTHON to a Python after pip install splunk-sdk==2.1.1`;
}

/** `ownStream`: what our program gets, where it is asked for what the peer cannot do. */
function compareStream(print: Print, name: string, stream: string, env: NodeJS.ProcessEnv, ownStream = stream): void {
  const peer = [python, join(here, 'splunklib-peer.py')];
  const [ours, theirs] = interleave(ROUNDS, [process.execPath, program], peer, { stream, ownStream, env });
  const told = (what: string, unit: string, of: (cost: Cost) => number) =>
    print({
      name: `${name}: ${what}`,
      value: round(median(ours.map(of))),
      unit,
      peer: PEER,
      ratio: round(median(ours.map(of)) / median(theirs.map(of))),
    });
  told('time', 's', ({ wallS }) => wallS);
  told('CPU', 's', ({ cpuS }) => cpuS);
  told('peak RSS', 'MiB', ({ rssMib }) => rssMib);
}

function compareStart(print: Print, stream: string, env: NodeJS.ProcessEnv): void {
  const [ours, theirs] = interleave(START_ROUNDS, [process.execPath, program], [python, '-c', 'import splunklib.searchcommands'], {
    stream,
    ownStream: stream,
    env,
  });
  const cpuS = ({ cpuS: seconds }: Cost) => seconds;
  const peer = 'import splunklib.searchcommands';
  print({
    name: 'start to getinfo: CPU',
    value: round(median(ours.map(cpuS))),
    unit: 's',
    peer,
    ratio: round(median(ours.map(cpuS)) / median(theirs.map(cpuS))),
  });
}

function interleave(
  rounds: number,
  ours: readonly string[],
  theirs: readonly string[],
  { stream, ownStream, env }: { stream: string; ownStream: string; env: NodeJS.ProcessEnv },
): [Cost[], Cost[]] {
  const costs: [Cost[], Cost[]] = [[], []];
  for (let n = 0; n < rounds; n++) {
    costs[1].push(costOf(theirs, stream, env));
    costs[0].push(costOf(ours, ownStream, env));
  }
  return costs;
}

function costOf(command: readonly string[], stream: string, env: NodeJS.ProcessEnv): Cost {
  const text = execFileSync(python, [join(here, 'measure-child.py'), stream, ...command], { env, encoding: 'utf8' });
  const cost = JSON.parse(text) as Cost;
  if (cost.status !== 0) throw new Error(`${command.join(' ')} ended with status ${cost.status}`);
  return cost;
}

/** All rows stand in one chunk: its reply is written once everything is known. */
function tellFirstRow(print: Print, name: string, stream: string, env: NodeJS.ProcessEnv): void {
  const costs = Array.from({ length: ROUNDS }, () => costOf([process.execPath, program], stream, env));
  print({ name: `${name}: CPU`, value: round(median(costs.map(({ cpuS }) => cpuS))), unit: 's' });
}

/** A first run that pays for the verdicts. Not synchronous: the stand-in API runs in this very process. */
async function fillCache(stream: string, env: NodeJS.ProcessEnv): Promise<void> {
  const input = openSync(stream, 'r');
  const child = spawn(process.execPath, [program], { stdio: [input, 'ignore', 'inherit'], env });
  const status = await new Promise<number | null>((resolve) => child.on('close', resolve));
  closeSync(input);
  if (status !== 0) throw new Error(`the first run ended with status ${status}`);
}

// splunklib wants all of it; no session, so that nobody looks for a splunkd.
const SEARCHINFO = {
  dispatch_dir: tmpdir(),
  sid: '1700000000.1',
  app: 'ismalicious',
  owner: 'admin',
  username: 'admin',
  session_key: '',
  splunkd_uri: 'https://127.0.0.1:8089',
  splunk_version: '10.2.3',
  search: '%7C%20inputlookup%20events%20%7C%20ismalicious%20dest_ip',
  command: 'ismalicious',
  maxresultrows: 50_000,
  earliest_time: '0',
  latest_time: '0',
};
const GETINFO = introductionOf(['dest_ip']);

function introductionOf(args: readonly string[]): Buffer {
  const searchinfo = { ...SEARCHINFO, args, raw_args: args };
  return frame({ action: 'getinfo', preview: false, streaming_command_will_restart: false, searchinfo }, '');
}

function frame(metadata: object, body: string): Buffer {
  const json = Buffer.from(JSON.stringify(metadata));
  const bytes = Buffer.from(body);
  return Buffer.concat([Buffer.from(`chunked 1.0,${json.length},${bytes.length}\n`), json, bytes]);
}

/** Firewall events: 16 fields and their `__mv_` columns, 10,000 addresses of which few are frequent, a tenth private, some lines broken. */
function wideStream(introduction: Buffer): Buffer {
  const names = '_time,_raw,host,source,sourcetype,index,src_ip,dest_ip,dest_port,action,bytes_out,user,domain,url,file_hash,answer'.split(
    ',',
  );
  const header = [...names, ...names.map((name) => `__mv_${name}`)].join(',');
  const empty = ','.repeat(names.length);
  const rows = Array.from({ length: 50_000 }, (_, n) => {
    const ip = n % 10 === 9 ? `10.${mix(n) % 256}.${mix(n + 1) % 256}.7` : addressOf(zipf(n));
    const domain = `edge${(mix(n) % 5000).toString(16)}.update-cloud.example`;
    const url = `https://${domain}/node/${mix(n + 2).toString(16)}?id=${n % 977}&q=a%20b`;
    const hash = mix(n + 3)
      .toString(16)
      .padStart(8, '0')
      .repeat(8);
    const rest = n % 50 === 0 ? '\n  headers: ""Host: a"", ""X-Note: a,b;c""' : '';
    const raw = `"${1_770_000_000 + n} fw0${n % 8} action=allowed src=10.1.2.3 dst=${ip} dport=443 bytes=${mix(n) % 2_000_000} user=""user${n % 500}"" url=""${url}"" sha256=${hash}${rest}"`;
    return `${1_770_000_000 + n}.000,${raw},fw0${n % 8},udp:514,demo:firewall,firewall,10.1.2.3,${ip},443,allowed,${mix(n) % 2_000_000},user${n % 500},${domain},${url},${hash},${ip}${empty}`;
  });
  return Buffer.concat([introduction, frame({ action: 'execute', finished: true }, `${header}\n${rows.join('\n')}\n`)]);
}

function manyStream(introduction: Buffer, count = 12_000): Buffer {
  const rows = Array.from({ length: count }, (_, n) => `${n},${addressOf(n * 3)},x`);
  return Buffer.concat([introduction, frame({ action: 'execute', finished: true }, `_time,dest_ip,note\n${rows.join('\n')}\n`)]);
}

function slimStream(): Buffer {
  const chunks = Array.from({ length: 80 }, (_, chunk) => {
    const rows = Array.from({ length: 2500 }, (__, row) => {
      const n = chunk * 2500 + row;
      const ip = addressOf(mix(n) % 1000);
      return `${1_700_000_000 + n / 1000},${ip},host-${n % 250},allowed,${n} action=allowed dst=${ip} bytes=${mix(n) % 65_536},,,,,`;
    });
    const header = '_time,dest_ip,src_host,action,_raw,__mv__time,__mv_dest_ip,__mv_src_host,__mv_action,__mv__raw';
    return frame({ action: 'execute', finished: chunk === 79 }, `${header}\n${rows.join('\n')}\n`);
  });
  return Buffer.concat([GETINFO, ...chunks]);
}

/** What the stand-in API says: one in twenty malicious, scores over their whole range; bulk calls of up to 500. */
function answerOf(method: string, url: string, body: string): object {
  if (method === 'POST') {
    const { entities } = JSON.parse(body) as { entities: string[] };
    return { success: true, results: entities.map((entity) => ({ entity, ...verdictOf(entity) })) };
  }
  if (url.includes('/bulk/')) return { limits: { maxEntitiesPerRequest: 500 } };
  return verdictOf(new URL(url, 'http://bench').searchParams.get('query') ?? '');
}

function verdictOf(value: string): object {
  const n = [...value].reduce((sum, char) => (sum * 31 + (char.codePointAt(0) ?? 0)) >>> 0, 7);
  const isBad = n % 20 === 0;
  const score = isBad ? 40 + (n % 61) : n % 40;
  return { malicious: isBad, riskScore: { score }, categories: isBad ? ['c2'] : [], confidenceScore: 30 + (n % 71) };
}

const addressOf = (n: number) => `${11 + (n % 80)}.${(n >>> 8) & 255}.${n & 255}.${(n * 7) & 255}`;

/** Even whole numbers from a counter. */
function mix(n: number): number {
  const mixed = Math.imul(n ^ (n >>> 16), 0x45d9f3b);
  return (mixed ^ (mixed >>> 13)) >>> 0;
}

/** Rank among 10,000, the frequency falling with the rank. */
function zipf(n: number): number {
  return Math.floor(10_000 ** ((mix(n) % 1_000_003) / 1_000_003)) - 1;
}

function round(value: number): number {
  return Number(value.toPrecision(3));
}
