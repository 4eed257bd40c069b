import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { countUp, disagreements, eventDisagreements, mostTelling } from '../../scripts/demo/report.ts';
import { runSearchCommand } from '../../scripts/demo/search-command.ts';
import { choosePort, startSidecar } from '../../scripts/demo/sidecar.ts';
import type { EnrichmentJson } from '../../src/mapping/enrichment-json.ts';
import { projectRoot } from '../support/fixtures.ts';

let folder = '';

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'ismalicious-start-'));
});

afterEach(() => rmSync(folder, { recursive: true, force: true }));

/** Environment of a user with keys in it: the demo may not use them. */
function environment(): NodeJS.ProcessEnv {
  const { PATH = '' } = process.env;
  return {
    PATH,
    TMPDIR: folder,
    PORT: '0',
    ISMALICIOUS_API_KEY: 'k-canary',
    ISMALICIOUS_API_SECRET: 's-canary',
    VIRUSTOTAL_API_KEY: 'v-canary',
  };
}

const events = readFileSync(join(projectRoot, 'samples/events.ndjson'), 'utf8').trimEnd().split('\n').length;

// It builds first when dist/ is stale.
describe('npm start', { timeout: 120_000 }, () => {
  it('shows the samples through both hosts, which agree, and spends nothing', () => {
    const { stdout, stderr, status } = spawnSync(process.execPath, ['scripts/start.ts', '--once'], {
      cwd: projectRoot,
      encoding: 'utf8',
      env: environment(),
    });
    expect({ stderr, status }).toEqual({ stderr: '', status: 0 });
    expect(stdout).toContain(`${events} sample events`);
    expect(stdout).toContain(`${events} rows in, ${events} out`);
    expect(stdout).toContain(`${events} events in, ${events} out`);
    expect(stdout).toMatch(/Both hosts gave the same answer to all \d+ values and the same verdict to all \d+ events\./);
    expect(stdout).toMatch(/\b0 look-ups paid\b.*\b[1-9]\d* answered from local lists\b/);
    for (const shown of [/malicious +\d+ +p1 +\S*\[\.\]\S* +local +.*sample/, /clean +\d+ +log /, /unknown +- +log .*never/, /hxxps:\/\//])
      expect(stdout).toMatch(shown);
    // Nothing that a terminal or a chat window would make a link of, no colours, no state left behind.
    expect(stdout.replaceAll(/http:\/\/127\.0\.0\.1:\d+/g, '')).not.toContain('http://');
    expect(stdout).not.toContain('\u001B');
    expect(readdirSync(folder)).toEqual([]);
  });

  it('serves until it is told to stop, then leaves nothing', async () => {
    const child = spawn(process.execPath, ['scripts/start.ts'], {
      cwd: projectRoot,
      env: environment(),
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    let output = '';
    const url = new Promise<string>((resolve) => {
      child.stdout.setEncoding('utf8').on('data', (text: string) => {
        output += text;
        const found = /Serving on (\S+) until Ctrl-C/.exec(output)?.[1];
        if (found && output.includes('docs/install.md')) resolve(found);
      });
    });
    const answer = await fetch(`${await url}/check?query=198.51.100.7`);
    expect(await answer.json()).toMatchObject({ malicious: true });
    // Twice: a terminal sends it to the whole group, and the launcher hands it on.
    child.kill('SIGINT');
    child.kill('SIGINT');
    expect(await once(child, 'exit')).toEqual([0, null]);
    expect(readdirSync(folder)).toEqual([]);
    await expect(fetch(`${await url}/healthz`)).rejects.toThrow();
  });
});

describe('the port', () => {
  it('is the next free one when the usual is taken, the wanted one when named', async () => {
    const taken = createServer().listen(0, '127.0.0.1');
    await once(taken, 'listening');
    const { port } = taken.address() as AddressInfo;
    await expect(choosePort(String(port))).rejects.toThrow(/taken/);
    await expect(choosePort('http')).rejects.toThrow(/number/);
    expect(await choosePort('0')).toBeGreaterThan(0);
    expect(await choosePort(undefined)).toBeGreaterThanOrEqual(8787);
    taken.close();
  });
});

describe('what goes wrong is told', () => {
  function program(source: string): string {
    const path = join(folder, 'program.cjs');
    writeFileSync(path, source);
    return path;
  }

  it('a sidecar that ends at once, in its own words', async () => {
    await expect(startSidecar(program('console.error("no such setting"); process.exit(2)'), 1, {})).rejects.toThrow(/no such setting/);
  });

  it.each([
    ['ends early', 'console.error("out of luck"); process.exit(1)', /out of luck/],
    ['breaks the protocol', 'process.stdout.write("hello\\n"); process.stdin.resume()', /broke the protocol/],
    [
      'refuses',
      `const m = JSON.stringify({ inspector: { messages: [['ERROR', 'no such option']] } }); process.stdout.write('chunked 1.0,' + m.length + ',0\\n' + m); process.stdin.resume()`,
      /no such option/,
    ],
    ['loses rows', `process.stdin.on('data', () => process.stdout.write('chunked 1.0,2,0\\n{}'))`, /gave 0 rows for 1/],
  ])('a search command that %s', async (_, source, words) => {
    await expect(runSearchCommand(program(source), [], [{ a: ['1'] }], {})).rejects.toThrow(words);
  });
});

describe('the report', () => {
  const enrichment = (change: Partial<EnrichmentJson>): EnrichmentJson => ({
    indicator: '198.51.100.7',
    type: 'ipv4-addr',
    verdict: 'malicious',
    status: 'ok',
    score: 87,
    confidence: 90,
    categories: ['c2'],
    attributes: [],
    tier: 'p1',
    auto_resolve: false,
    source: 'live',
    checked_at: null,
    expires_at: null,
    message: null,
    providers: [],
    ...change,
  });
  const row = {
    im_indicator: '198.51.100.7',
    im_verdict: 'malicious',
    im_score: '87',
    im_confidence: '90',
    im_status: 'ok',
    im_tier: 'p1',
    im_auto_resolve: 'False',
  };

  it('agrees when both say the same in their own spelling', () => {
    expect(disagreements([enrichment({})], [row])).toEqual([]);
    expect(eventDisagreements([{ ismalicious: { verdict: 'malicious', score: 87 } }], [row])).toEqual([]);
  });

  it.each([
    [{ im_verdict: 'clean' }],
    [{ im_score: '' }],
    [{ im_status: 'timeout' }],
    [{ im_tier: 'p2' }],
    [{ im_auto_resolve: 'True' }],
    [{ im_indicator: '198.51.100.8' }],
  ])('disagrees about %j', (change) => {
    expect(disagreements([enrichment({})], [{ ...row, ...change }])).toHaveLength(1);
  });

  it('an event that one host did not answer is a disagreement', () => {
    expect(eventDisagreements([{}], [row])).toHaveLength(1);
    expect(disagreements([enrichment({})], [])).toHaveLength(1);
  });

  it('counts every distinct indicator exactly once', () => {
    const all = [
      enrichment({}),
      enrichment({ input: '198[.]51.100.7' }),
      enrichment({ indicator: 'a', source: 'cache' }),
      enrichment({ indicator: 'b', source: 'local', verdict: 'clean' }),
      enrichment({ indicator: 'c', source: 'local', verdict: 'unknown' }),
      enrichment({ indicator: '10.0.0.1', source: 'none', verdict: 'unknown', status: 'skipped_private' }),
      enrichment({ indicator: '-', source: 'none', verdict: 'unknown', status: 'invalid' }),
    ];
    expect(countUp(all)).toEqual({ values: 7, unique: 6, paid: 1, cache: 1, local: 1, notListed: 1, refused: 1, invalid: 1 });
    expect(mostTelling(all)[0]).toMatchObject({ verdict: 'malicious' });
  });
});
