import { PassThrough, Readable } from 'node:stream';
import { describe, expect, it } from 'vitest';
import { runProgram } from '../../src/hosts/cli/program.ts';
import { openEngine } from '../../src/compose/open-engine.ts';
import { answerCheck } from '../../src/hosts/splunk/commands/check-command.ts';
import { columnOf, readCsv } from '../support/csv-oracle.ts';
import { type FourProviders, startFourProviders } from '../support/four-providers.ts';
import { executeOf, getinfoOf, MemoryInput, MemoryOutput, readFrames, replay } from '../support/splunk-streams.ts';
import { startSidecar } from './sidecar/support/start-sidecar.ts';

/** The points of each provider, and what they are said to add up to. */
interface Explained {
  readonly score: string;
  readonly points: Readonly<Record<string, number>>;
}

const VALUES = ['11.0.0.1', '11.0.0.2', '11.0.0.3', '11.0.0.4'];

/** All four accuse; one says less; two do not know it; one is down. */
function prepare(four: FourProviders): void {
  four.replies.abuseipdb = (response, value) => {
    const score = value === '11.0.0.2' ? 23 : 100;
    const totalReports = value === '11.0.0.3' ? 0 : 9;
    const data = {
      ipAddress: value,
      abuseConfidenceScore: totalReports === 0 ? 0 : score,
      totalReports,
      lastReportedAt: null,
      isWhitelisted: false,
    };
    response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify({ data }));
  };
  four.replies.greynoise = (response, value) => {
    if (value === '11.0.0.4') response.writeHead(400).end('{}');
    else
      response
        .writeHead(404, { 'content-type': 'application/json' })
        .end(JSON.stringify({ ip: value, noise: false, riot: false, message: 'IP not observed' }));
  };
}

/** `62 = a 40 + b 22; c timeout` */
function readLine(line: string): Explained {
  const [score = '', terms = ''] = line.split('; ')[0]?.split(' = ') ?? [];
  return { score, points: Object.fromEntries(terms.split(' + ').map((term) => [term.split(' ')[0], Number(term.split(' ')[1])])) };
}

async function fromCli(env: Record<string, string>, isJson: boolean): Promise<string> {
  const out: Buffer[] = [];
  const stdout = new PassThrough().on('data', (part: Buffer) => out.push(part));
  const args = ['check', ...VALUES, '--explain', ...(isJson ? ['--json'] : [])];
  await runProgram(args, { stdin: Readable.from([]), stdout, stderr: new PassThrough(), env, hasColor: false, hasProgress: false });
  return Buffer.concat(out).toString('utf8');
}

interface Json {
  readonly score: number;
  readonly explain: readonly string[];
  readonly providers: readonly { readonly provider: string; readonly contribution: number }[];
}

const pointsOf = ({ score, providers }: Json): Explained => ({
  score: String(score),
  points: Object.fromEntries(
    providers.filter(({ contribution }) => contribution > 0).map(({ provider, contribution }) => [provider, contribution]),
  ),
});

describe('the explanation of a score', () => {
  it('has the same contributions in CLI, API and Splunk, and they add up', { timeout: 30_000 }, async () => {
    await using four = await startFourProviders();
    prepare(four);
    const env = four.env();
    const lines = (await fromCli(env, true)).trim().split('\n');
    const cli = lines.map((line) => JSON.parse(line) as Json);
    const expected = cli.map(pointsOf);
    for (const { score, points } of expected) expect(Object.values(points).reduce((sum, part) => sum + part, 0)).toBe(Number(score));
    expect(expected.every(({ points }) => Object.keys(points).length >= 2)).toBe(true);
    expect(cli.map(({ explain }) => readLine(explain[0] ?? ''))).toEqual(expected);

    const table = await fromCli(env, false);
    for (const [n, value] of VALUES.entries()) {
      const block = table.split(`\n\n${value}\n`)[1]?.split('\n\n')[0] ?? '';
      const points = [...block.matchAll(/^ {2}(\w+) .*→ (\d+) points$/gm)].flatMap(([, provider, count]) =>
        count === '0' ? [] : [[provider, Number(count)]],
      );
      expect(Object.fromEntries(points)).toEqual(expected[n]?.points);
      expect(block).toMatch(new RegExp(`^  sum +${expected[n]?.score}$`, 'm'));
    }

    const { engine } = await openEngine({ env });
    const sidecar = await startSidecar({}, { enricher: engine });
    const { enrichments } = (await sidecar.call('/v1/lookup', { body: { indicators: VALUES, explain: true } })).json as {
      enrichments: Json[];
    };
    expect(enrichments.map(({ explain }) => explain)).toEqual(cli.map(({ explain }) => explain));
    expect(enrichments.map(pointsOf)).toEqual(expected);
    const plain = await sidecar.call('/v1/lookup', { body: { indicators: VALUES } });
    expect(plain.text).not.toContain('"explain"');

    const body = `ip\n${VALUES.map((value) => `${value}\n`).join('')}`;
    // The search closes the engine at its end.
    const search = await replay(Buffer.concat([getinfoOf(['ip', 'details=t']), executeOf(body)]), engine);
    expect(columnOf(search.tables[0]!, 'im_explain').map(readLine)).toEqual(expected);

    const output = new MemoryOutput();
    const input = new MemoryInput(Buffer.concat([getinfoOf([`value=${VALUES.join(',')}`]), executeOf('')]));
    const open = async () => (await openEngine({ env })) as Awaited<ReturnType<Parameters<typeof answerCheck>[1]>>;
    await answerCheck({ input, output, complain: () => undefined }, open);
    const rows = readCsv(readFrames(output.bytes)[1]!.body);
    const cells = (name: string) => columnOf(rows, name);
    const checked = VALUES.map((value) => {
      const own = cells('value').flatMap((cell, n) => (cell === value ? [n] : []));
      const score = cells('im_contribution')[own[0]!] ?? '';
      const points = own
        .slice(1)
        .flatMap((n) => (Number(cells('im_contribution')[n]) > 0 ? [[cells('provider')[n], Number(cells('im_contribution')[n])]] : []));
      return { score, points: Object.fromEntries(points) as Record<string, number> };
    });
    expect(checked).toEqual(expected);
  });
});
