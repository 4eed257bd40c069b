import { existsSync, mkdtempSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { encode as encodePng } from 'fast-png';
import { zipSync } from 'fflate';
import { encodeQR } from 'qr';
import { describe, expect, it } from 'vitest';
import { runProgram } from '../../../src/hosts/cli/program.ts';
import { listenFault } from '../../../src/hosts/sidecar/listen-fault.ts';
import { serveSidecar } from '../../../src/hosts/sidecar/serve.ts';
import { newStateFolder } from '../../support/open-test-engine.ts';
import { healthy, sendJson, startStandIn } from '../../support/stand-in-api.ts';
import { runCli } from './run-cli.ts';

const folder = mkdtempSync(join(tmpdir(), 'ismalicious-first-day-'));
const KEY = 'a2V5OnNlY3JldA==';

function file(name: string, content: string | Buffer): string {
  const path = join(folder, name);
  writeFileSync(path, content);
  return path;
}

function envOf(api: { readonly url: string }, more: Record<string, string> = {}): Record<string, string> {
  return { ISMALICIOUS_BASE_URL: api.url, ISMALICIOUS_X_API_KEY: KEY, ISMALICIOUS_STATE_DIR: newStateFolder(), ...more };
}

/** A port of this machine at which nothing listens. */
async function deadPort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as { port: number };
  await new Promise((resolve) => server.close(resolve));
  return port;
}

describe('who cannot be asked', () => {
  it.each(['check', 'plan'])('a provider without a key is refused by %s, and those that have one are named (row 5)', async (command) => {
    const words = command === 'check' ? ['1.1.1.1'] : [file('one.txt', '1.1.1.1\n')];
    const { code, stdout, stderr } = await runCli([command, '--providers', 'virustotal', ...words]);
    expect([code, stdout]).toEqual([2, '']);
    expect(stderr).toContain('virustotal has no key; configured are local');
  });

  it('with no key at all it is said that only local lists answered (row 7)', async () => {
    const { code, stdout, stderr } = await runCli(['check', '93.184.216.34', '9.9.9.6']);
    expect(code).toBe(0);
    expect(stderr).toContain('No provider has a key: only local lists answered.');
    expect(stdout).toContain('not on any local list; no provider was asked');
    const list = file('list.txt', '93.184.216.34\n');
    expect((await runCli(['enrich', list])).stderr).toContain('only local lists answered');
  });
});

describe('summaries', () => {
  it('count unknown and private values as what they are (row 9)', async () => {
    const path = file('iocs.txt', '93.184.216.34\n10.0.0.1\n198.51.100.7\nno indicator\n');
    const { code, stderr } = await runCli(['enrich', path, '--format', 'playbook']);
    expect(stderr).toContain('4 values: 1 malicious, 1 unknown, 1 private (not sent), 1 invalid\n');
    expect(code).toBe(3);
  });

  it('a full verdict with one source missing exits with 3, not with 1 (row 26)', async () => {
    await using api = await startStandIn((_call, response) => sendJson(response, 401, {}));
    const list = file('own.csv', 'indicator,score,confidence,categories\n9.9.9.7,90,90,c2\n');
    const { code, stdout } = await runCli(['check', '9.9.9.7', '--json'], { env: envOf(api, { ISMALICIOUS_LOCAL_LISTS: list }) });
    expect(JSON.parse(stdout)).toMatchObject({ verdict: 'malicious', status: 'partial' });
    expect(code).toBe(3);
  });
});

describe('files', () => {
  it('plan asks which column of a CSV file holds the indicators, and plans that one (row 10)', async () => {
    const path = file('events.csv', 'time,src_ip,note\n1,9.9.9.1,a\n2,9.9.9.2,"b,c"\n3,9.9.9.1,d\n');
    const refused = await runCli(['plan', path]);
    expect([refused.code, refused.stdout]).toEqual([2, '']);
    expect(refused.stderr).toContain('--field. The columns are time, src_ip, note.');
    const { code, stdout } = await runCli(['plan', path, '--field', 'src_ip', '--json']);
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({ values: 3, unique: 2, invalid: 0 });
  });

  it('a picture has no text in it, and that is a failure (row 11)', async () => {
    const png = Buffer.concat([
      Buffer.from('\u0089PNG\r\n\u001A\n', 'latin1'),
      Buffer.from(Array.from({ length: 600 }, (_, n) => (n * 37) % 23)),
    ]);
    const { code, stdout, stderr } = await runCli(['extract', file('picture.png', png)]);
    expect([code, stdout]).toEqual([1, '']);
    expect(stderr).toContain('no text in it');
  });

  it('a QR code in a picture is text; names of what is not read do not act on the terminal', async () => {
    const code = encodeQR('https://login.evil-host.net/q', 'raw', { scale: 4 });
    const pixels = code.flat().map((isDark) => (isDark ? 0 : 255));
    const png = encodePng({ width: code.length, height: code.length, channels: 1, depth: 8, data: Uint8Array.from(pixels) });
    const read = await runCli(['extract', file('scan.png', Buffer.from(png))]);
    expect([read.code, read.stdout]).toEqual([0, expect.stringMatching(/^url +hxxps:\/\/login\[\.\]evil-host\[\.\]net\/q\n/)]);
    const rar = Buffer.from('526172211a0701000000', 'hex');
    expect((await runCli(['extract', file('a.rar', rar)])).code).toBe(1);
    const zip = zipSync({ '\u001B]0;owned\u0007.rar': rar });
    const shut = await runCli(['extract', file('a.zip', Buffer.from(zip))]);
    expect(shut.stderr).toMatch(/not read: .*\.rar: a rar archive, which is not opened\n/);
    for (const mark of ['\u0007', '\u001B']) expect(shut.stderr).not.toContain(mark);
    expect(shut.stdout).toContain('file:sha256');
  });

  it.each([[[]], [['--json']]])('what extract %j writes is what check - reads (row 27)', async (options) => {
    const { stdout: lines } = await runCli(['extract', '-', ...options], {
      stdin: 'from 198.51.100.7 to hxxp://login-portal[.]example/reset',
    });
    const { code, stdout } = await runCli(['check', '-', '--json'], { stdin: lines });
    const verdicts = stdout
      .trim()
      .split('\n')
      .map((line) => (JSON.parse(line) as { verdict: string }).verdict);
    expect(verdicts.every((verdict) => verdict === 'malicious')).toBe(true);
    expect(verdicts.length).toBeGreaterThanOrEqual(2);
    expect(code).toBe(0);
  });

  it('config import of a file that is not there is one sentence, and placeholders are named (row 22)', async () => {
    const out = join(folder, 'new.yaml');
    const missing = await runCli(['config', 'import', 'nosuch.yaml', '--out', out]);
    expect(missing.code).toBe(2);
    expect(missing.stderr).toContain('nosuch.yaml cannot be read (there is no such file)');
    const seed = file('seed.yaml', 'misp: {url: "https://misp.corp.example", key: YOUR_MISP_KEY}\nvirustotal: {key: YOUR_VT_KEY}\n');
    const imported = await runCli(['config', 'import', seed, '--out', out]);
    expect(imported.code).toBe(0);
    expect(imported.stderr).toContain('misp.key still holds a placeholder');
    expect(imported.stderr).toContain('virustotal.key still holds a placeholder');
    expect(imported.stderr).not.toContain('secrets');
    expect((await runCli(['config', 'import', seed, '--out', out])).stderr).toContain(`${out} exists already`);
  });
});

describe('watch add', () => {
  it('of a value that cannot be watched exits with 1 and says why (row 23)', async () => {
    const env = { ISMALICIOUS_STATE_DIR: newStateFolder() };
    const none = await runCli(['watch', 'add', '10.0.0.1'], { env });
    expect(none.code).toBe(1);
    expect(none.stderr).toContain('not watched: 10.0.0.1: ');
    expect((await runCli(['watch', 'add', '10.0.0.1', '9.9.9.9'], { env })).code).toBe(3);
    expect((await runCli(['watch', 'add', '9.9.9.9'], { env })).code).toBe(0);
  });
});

describe('config check', () => {
  const check = async (text: string) => await runCli(['config', 'check', '--config', file('checked.yaml', text)]);

  it('reads blocks that are off, and says what was meant (rows 12 and 13)', async () => {
    const { code, stderr } = await check(
      [
        'ismalicious: {apikey: abc}',
        'virustotal: abcdef',
        'providers:',
        '  virustotal: {per_minut: 3, per_day: lots, max_tlp: PINK}',
        '  abuseipdb: abcdef',
        '  shodan: {apikey: abc}',
        '  virustotl: {api_key: x}',
        '  local: {lists: []}',
        'feeds: {urlhaus: {enable: true}}',
        'outputs: {slack: {base_ur: x}}',
      ].join('\n'),
    );
    expect(code).toBe(2);
    const faults = [
      ['ismalicious', 1, 'did you mean providers.ismalicious?'],
      ['virustotal', 2, 'did you mean providers.virustotal?'],
      ['providers.virustotal.per_minut', 4, 'did you mean providers.virustotal.per_minute?'],
      ['providers.virustotal.per_day', 4, 'expected a number, got a text'],
      ['providers.virustotal.max_tlp', 4, 'expected one of CLEAR, GREEN, AMBER, AMBER+STRICT, RED'],
      ['providers.abuseipdb', 5, 'has to be a map of settings'],
      ['providers.shodan.apikey', 6, 'did you mean providers.shodan.api_key?'],
      ['providers.virustotl', 7, 'did you mean providers.virustotal?'],
      ['providers.local', 8, 'did you mean local?'],
      ['feeds.urlhaus.enable', 9, 'did you mean feeds.urlhaus.enabled?'],
      ['outputs.slack.base_ur', 10, 'did you mean outputs.slack.base_url?'],
    ] as const;
    for (const [key, line, words] of faults)
      expect(stderr.split('\n').find((one) => one.includes(`  ${key} (`) && one.includes(`, line ${line})`))).toContain(words);
  });

  it('says all stages at once, each with file and line (row 14)', async () => {
    const { code, stderr } = await check('sidecar: {port: 99999}\nprivacy:\n  own_networks: [10.0.0.0/99]\nscoring: {p1: 10, p2: 50}\n');
    expect(code).toBe(2);
    expect(stderr).toMatch(/sidecar\.port \(file .*checked\.yaml, line 1\)/);
    expect(stderr).toMatch(/privacy\.own_networks\[0\] \(file .*checked\.yaml, line 3\)/);
    expect(stderr).toMatch(/scoring\.p1.* \(file .*checked\.yaml, line 4\)/);
  });

  it('names lists that are not there, and a credential that is not base64 (row 15)', async () => {
    const { code, stderr } = await check('providers: {ismalicious: {x_api_key: "key:secret"}}\nlocal: {lists: [/nonexistent.csv]}\n');
    expect(code).toBe(2);
    expect(stderr).toContain('/nonexistent.csv cannot be read (there is no such file)');
    expect(stderr).toContain('x_api_key is not base64');
    expect(stderr).not.toContain('key:secret"');
  });

  it('reads every profile', async () => {
    const { code, stderr } = await check('profiles:\n  soc: {providers: {virustotal: {apikey: x}}}\n');
    expect(code).toBe(2);
    expect(stderr).toMatch(/providers\.virustotal\.apikey \(profile soc, line 2 of .*did you mean providers\.virustotal\.api_key/);
  });

  it('warns of a provider block that has no key', async () => {
    const { code, stderr } = await check('providers: {virustotal: {per_minute: 4}}\n');
    expect(code).toBe(0);
    expect(stderr).toMatch(/warning: providers\.virustotal \(file .*, line 1\) has no key: virustotal is not asked/);
    expect((await check('providers: {virustotal: {enabled: false}}\n')).stderr).not.toContain('warning');
  });
});

describe('a misspelt key of a provider', () => {
  it('stops a look-up, too: the provider would not be asked', async () => {
    const config = file('misspelt.yaml', 'providers: {virustotal: {apikey: abc}}\n');
    const { code, stderr } = await runCli(['check', '1.1.1.1', '--config', config]);
    expect(code).toBe(2);
    expect(stderr).toContain('did you mean providers.virustotal.api_key?');
  });
});

describe('doctor', () => {
  it('finds a refused key, a dead port and a used-up plan although a good answer is in the cache (row 24)', async () => {
    let status = 200;
    await using api = await startStandIn((call, response, attempt) =>
      status === 200 ? healthy(call, response, attempt) : sendJson(response, status, { error: 'Monthly quota exceeded' }),
    );
    const env = envOf(api);
    const good = await runCli(['doctor'], { env });
    expect(good.stdout).toContain(`answers; ${api.url}`);
    expect(good.code).toBe(0);
    status = 401;
    const refused = await runCli(['doctor'], { env: { ...env, ISMALICIOUS_X_API_KEY: 'b3RoZXI6a2V5' } });
    expect(refused.code).toBe(1);
    expect(refused.stdout).toMatch(/FAIL {2}ismalicious .*key/i);
    status = 429;
    const usedUp = await runCli(['doctor'], { env: { ...env, ISMALICIOUS_X_API_KEY: 'dGhpcmQ6a2V5' } });
    expect(usedUp.stdout).toMatch(/FAIL {2}ismalicious .*quota.*until \d{4}-/i);
    const port = await deadPort();
    const dead = await runCli(['doctor'], { env: { ...env, ISMALICIOUS_BASE_URL: `http://127.0.0.1:${port}` } });
    expect(dead.code).toBe(1);
    expect(dead.stdout).toContain(`connection refused by 127.0.0.1:${port}`);
  });

  it('names the proxy that is dead (row 25)', async () => {
    const port = await deadPort();
    const env = { ISMALICIOUS_X_API_KEY: KEY, ISMALICIOUS_PROXY: `http://user:S3CRET@127.0.0.1:${port}` };
    const { code, stdout } = await runCli(['doctor'], { env });
    expect(code).toBe(1);
    expect(stdout).toContain(`refused by proxy 127.0.0.1:${port}`);
    expect(stdout).not.toContain('S3CRET');
  });
});

describe('waiting', () => {
  it('Ctrl-C shows what is answered, and how to go on (row 19)', async () => {
    let waiting = 0;
    let interrupt = () => {};
    await using api = await startStandIn((call, response, attempt) => {
      if (!['9.9.9.4', '9.9.9.5'].includes(call.values[0] ?? '')) return healthy(call, response, attempt);
      if (++waiting === 2) setTimeout(() => interrupt(), 50);
    });
    const out: string[] = [];
    const err: string[] = [];
    const values = [1, 2, 3, 4, 5].map((n) => `9.9.9.${n}`);
    const code = await runProgram(['check', ...values, '--json', '--timeout', 'none'], {
      stdin: new PassThrough(),
      stdout: new PassThrough().on('data', (part: Buffer) => out.push(part.toString())),
      stderr: new PassThrough().on('data', (part: Buffer) => {
        err.push(part.toString());
        // What is out is not answered here: let it fail at once.
        if (part.toString().includes('still out')) void api[Symbol.asyncDispose]();
      }),
      env: envOf(api),
      hasColor: false,
      hasProgress: false,
      onInterrupt(ended) {
        interrupt = ended;
        return () => {};
      },
    });
    const statuses = out
      .join('')
      .trim()
      .split('\n')
      .map((line) => (JSON.parse(line) as { status: string }).status);
    expect(statuses).toEqual(['ok', 'ok', 'ok', 'timeout', 'timeout']);
    expect(err.join('')).toContain('Stopped. Run the same command again to go on');
    expect(code).toBe(3);
  });

  it('an API that says 429 ends check with rate_limited, by its deadline at the latest (row 18)', async () => {
    await using api = await startStandIn((_call, response) => sendJson(response, 429, { error: 'Rate limit exceeded' }));
    const { code, stdout } = await runCli(['check', '9.9.9.6', '--json'], { env: envOf(api) });
    expect(JSON.parse(stdout)).toMatchObject({ status: 'rate_limited', verdict: 'unknown' });
    expect(code).toBe(1);
  });

  it('an answer that comes after the deadline goes to the cache: it is not asked, nor paid, again', async () => {
    const held: (() => void)[] = [];
    await using api = await startStandIn((call, response, attempt) => void held.push(() => healthy(call, response, attempt)));
    const env = envOf(api);
    const out: string[] = [];
    const code = await runProgram(['check', '9.9.9.8', '--json', '--timeout', '0.2'], {
      stdin: new PassThrough(),
      stdout: new PassThrough().on('data', (part: Buffer) => out.push(part.toString())),
      // The answer comes when the deadline has passed: that is said.
      stderr: new PassThrough().on(
        'data',
        (part: Buffer) => void (part.toString().includes('still out') && held.splice(0).forEach((send) => send())),
      ),
      env,
      hasColor: false,
      hasProgress: false,
    });
    expect(code).toBe(1);
    expect(JSON.parse(out.join(''))).toMatchObject({ status: 'timeout' });
    const again = await runCli(['check', '9.9.9.8', '--json'], { env });
    expect(JSON.parse(again.stdout)).toMatchObject({ status: 'ok', source: 'cache' });
    expect(api.asked()).toEqual(['9.9.9.8']);
  });
});

describe('check of one value', () => {
  it("shows a card with each source's verdict, points, categories, times and link", async () => {
    const { stdout } = await runCli(['check', '198.51.100.7'], { columns: 80 });
    expect(stdout).toMatch(/^value {9}198\[\.\]51\[\.\]100\[\.\]7 \(ipv4-addr\)$/m);
    expect(stdout).toMatch(/^verdict {7}malicious, score \d+, confidence \d+, tier p1$/m);
    expect(stdout).toMatch(/^local {9}malicious, score (\d+), \1 points$/m);
    expect(stdout).toContain('https://');
    for (const line of stdout.split('\n')) expect(line.length).toBeLessThanOrEqual(80);
  });
});

describe('init', () => {
  it('writes a file for its owner only that config check takes, tests the key, and names three steps', async () => {
    await using api = await startStandIn();
    const path = join(folder, 'init.yaml');
    const key = file('key.txt', `${KEY}\n`);
    const env = { ISMALICIOUS_BASE_URL: api.url, ISMALICIOUS_STATE_DIR: newStateFolder() };
    const { code, stdout } = await runCli(['init', path, '--key-file', key], { env });
    expect(code).toBe(0);
    expect(statSync(path).mode & 0o777).toBe(0o600);
    expect(readFileSync(path, 'utf8')).toContain(KEY);
    expect(stdout).not.toContain(KEY);
    expect(stdout).toMatch(/ok {4}ismalicious: answers/);
    expect(stdout.match(/^ {2}\d\./gm)).toHaveLength(3);
    expect((await runCli(['config', 'check', '--config', path], { env })).code).toBe(0);
    expect((await runCli(['init', path], { env })).code).toBe(2);
  });

  it('without a key and a terminal it writes a file that asks nobody, and a refused key is a failure', async () => {
    const path = join(folder, 'init-without.yaml');
    expect((await runCli(['init', path])).code).toBe(0);
    expect((await runCli(['config', 'check', '--config', path])).code).toBe(0);
    await using api = await startStandIn((_call, response) => sendJson(response, 401, {}));
    const refused = await runCli(['init', join(folder, 'init-refused.yaml')], { env: envOf(api) });
    expect(refused.code).toBe(1);
    expect(refused.stdout).toContain('FAIL');
    expect(existsSync(join(folder, 'init-refused.yaml'))).toBe(true);
  });
});

describe('quota', () => {
  it('says what is spent and to be expected, by provider', async () => {
    await using api = await startStandIn();
    const env = envOf(api, { ISMALICIOUS_BUDGET_PER_DAY: '10' });
    await runCli(['check', '9.9.9.1', '9.9.9.2'], { env });
    const { code, stdout } = await runCli(['quota', '--json'], { env });
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({ provider: 'ismalicious', spent_today: 2, budget_per_day: 10, refusal: null });
    expect((await runCli(['quota'], { env })).stdout).toContain('2 credits spent of a budget of 10');
    expect((await runCli(['quota'])).code).toBe(2);
  });
});

it.each([
  ['EACCES', '127.0.0.1', 'this user may not open port 80: choose one from 1024 on with --port (sidecar.port)'],
  ['EADDRNOTAVAIL', '192.0.2.1', '192.0.2.1 is not an address of this machine: choose another with --host (sidecar.host)'],
  [
    'ENOTFOUND',
    'no.such.invalid',
    'no.such.invalid is not a name that can be resolved: choose an address of this machine with --host (sidecar.host)',
  ],
])('serve says %s of %s in one sentence (row 21)', (code, host, sentence) => {
  expect(listenFault(Object.assign(new Error('listen'), { code }), { host, port: 80 })).toBe(sentence);
});

it('serve names the port that is taken, and how to choose another (row 21)', async () => {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as { port: number };
  const { code, stderr } = await runCli(['serve', '--port', String(port)], { startSidecar: serveSidecar });
  await new Promise((resolve) => server.close(resolve));
  expect([code, stderr.split('\n')[0]]).toEqual([1, `ismalicious: port ${port} is taken: choose another with --port (sidecar.port)`]);
});

it('serve refuses a port that does not exist, in one sentence (row 21)', async () => {
  const { code, stderr } = await runCli(['serve', '--port', '99999']);
  expect(stderr).toMatch(/^ismalicious: --port has to be a whole number from 0 to 65535\.$/m);
  expect(code).toBe(2);
});
