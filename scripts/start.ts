// The whole pack in one command: builds it, starts the sidecar on the embedded default (no key, no network), sends the sample events
// through the search command and the sidecar, shows what they say, and then serves until Ctrl-C. `npm start [-- --once]`.
import { spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { DEFAULT_FIELDS } from '../src/events/wanted-fields.ts';
import { readCsvRows, RFC_4180 } from '../src/model/formats/csv-rows.ts';
import { countUp, disagreements, eventDisagreements, formatTable, mostTelling } from './demo/report.ts';
import { runSearchCommand } from './demo/search-command.ts';
import type { Row } from './demo/search-command.ts';
import { choosePort, enrichEvents, lookUp, startSidecar } from './demo/sidecar.ts';
import type { EnrichedEvent, Sidecar } from './demo/sidecar.ts';
import { isStale } from './freshness.ts';
import { OBSERVABLE_FIELDS } from './generate/sample-event.ts';

const root = dirname(import.meta.dirname);
const CLI = join(root, 'dist/cli.js');
const SEARCH_COMMAND = join(root, 'dist/splunk-app/ismalicious/bin/ismalicious.js');

const { ISMALICIOUS_START_ONCE = '', ISMALICIOUS_STATE_DIR = '', NO_COLOR = '', PORT } = process.env;
const isOnce = process.argv.includes('--once') || !['', '0', 'false'].includes(ISMALICIOUS_START_ONCE);
const hasColor = process.stdout.isTTY === true && NO_COLOR === '';

function print(text = ''): void {
  process.stdout.write(`${text}\n`);
}

function strong(text: string): string {
  return hasColor ? `\u001B[1m${text}\u001B[0m` : text;
}

function buildIfStale(): void {
  if (!isStale(root)) return;
  print('Building …');
  const { status, stdout, stderr } = spawnSync(process.execPath, ['scripts/build.ts'], { cwd: root, encoding: 'utf8' });
  if (status !== 0) throw new Error(`the build failed:\n${stdout}${stderr}`);
}

/** What the programs are told: nothing of the user's keys and settings, so that the demo spends nothing and sends nothing. */
function environmentOf(stateFolder: string): NodeJS.ProcessEnv {
  const { PATH, HOME, TMPDIR } = process.env;
  return {
    ...(PATH !== undefined && { PATH }),
    ...(HOME !== undefined && { HOME }),
    ...(TMPDIR !== undefined && { TMPDIR }),
    ISMALICIOUS_STATE_DIR: stateFolder,
    // Mail addresses are people, so they are not looked up unless somebody says so.
    ISMALICIOUS_SIDECAR_FIELDS: [...DEFAULT_FIELDS, 'email.from.address'].join(','),
  };
}

/** The sample rows, with the fields that hold observables. */
function readRows(): Row[] {
  const [header = [], ...lines] = readCsvRows(readFileSync(join(root, 'samples/events.csv'), 'utf8'), RFC_4180).rows;
  const cellOf = (cells: readonly string[], field: string) => cells[header.indexOf(field)] ?? '';
  return lines.map((cells) =>
    Object.fromEntries(
      OBSERVABLE_FIELDS.map((field) => [
        field,
        cellOf(cells, field)
          .split('\n')
          .filter((value) => value !== ''),
      ]),
    ),
  );
}

async function timed<T>(work: Promise<T>): Promise<{ readonly result: T; readonly ms: number }> {
  const startedMs = performance.now();
  const result = await work;
  return { result, ms: Math.round(performance.now() - startedMs) };
}

function tally(words: readonly string[]): string {
  const counts = Map.groupBy(words, (word) => word);
  return ['malicious', 'suspicious', 'clean', 'unknown'].map((word) => `${counts.get(word)?.length ?? 0} ${word}`).join(', ');
}

/** Sends the samples through both hosts and shows what they say. Whether both gave the same answers, and lost nothing. */
async function demonstrate({ url }: Sidecar, env: NodeJS.ProcessEnv): Promise<boolean> {
  const events = readFileSync(join(root, 'samples/events.ndjson'), 'utf8');
  const sent = events.trimEnd().split('\n').length;
  const rows = readRows();
  const fields = OBSERVABLE_FIELDS.join(' ');
  const splunk = await timed(runSearchCommand(SEARCH_COMMAND, [...OBSERVABLE_FIELDS], rows, env));
  const sidecar = await timed(enrichEvents(url, events));
  const enriched = sidecar.result.map((line) => JSON.parse(line) as EnrichedEvent);

  const values = [...new Set(rows.flatMap((row) => Object.values(row).flat()))];
  const enrichments = await lookUp(url, values);
  const single = await runSearchCommand(
    SEARCH_COMMAND,
    ['indicator'],
    values.map((value) => ({ indicator: [value] })),
    env,
  );
  const differing = [...disagreements(enrichments, single), ...eventDisagreements(enriched, splunk.result)];
  const counts = countUp(enrichments);

  print(`${strong(`${sent} sample events`)}: firewall, DNS, proxy, mail gateway, endpoint. Labelled sample data, nobody's addresses.\n`);
  print(formatTable(mostTelling(enrichments), hasColor));
  print();
  print(`  Splunk    | ismalicious ${fields}`);
  print(
    `            ${rows.length} rows in, ${splunk.result.length} out, ${splunk.ms} ms: ${tally(splunk.result.map((row) => row.im_verdict ?? ''))}`,
  );
  print(`  Sidecar   POST ${url}/v1/enrich`);
  print(
    `            ${sent} events in, ${enriched.length} out, ${sidecar.ms} ms: ${tally(enriched.map(({ ismalicious }) => ismalicious?.verdict ?? 'unknown'))}`,
  );
  print();
  print(
    `  ${counts.values} spellings, ${strong(`${counts.unique} unique indicators`)}: ${counts.paid} look-ups paid, ${counts.cache} from cache, ${counts.local} answered from local lists,`,
  );
  print(`  ${counts.notListed} not listed, ${counts.refused} private (not sent), ${counts.invalid} invalid. Nothing left this machine.`);
  const isComplete = splunk.result.length === rows.length && enriched.length === sent;
  if (differing.length === 0)
    print(`  Both hosts gave the same answer to all ${values.length} values and the same verdict to all ${sent} events.`);
  else print(['  The hosts DISAGREE:', ...differing.slice(0, 10)].join('\n    '));
  if (!isComplete) print('  Rows or events were LOST.');
  return isComplete && differing.length === 0;
}

function printNextSteps(url: string): void {
  print(`
${strong(`Serving on ${url} until Ctrl-C.`)} Try, in another terminal:

  curl -s '${url}/check?query=198.51.100.7'                    the vendor's own API shape, from here
  curl -s ${url}/v1/lookup -d '{"indicators":["hxxps://login-portal[.]example/reset"]}' -H 'content-type: application/json'
  curl -s ${url}/v1/enrich -d '{"destination":{"ip":"203.0.113.9"}}' -H 'content-type: application/json'
  ./ismalicious check 198.51.100.7 203.0.113.45 docs.vendor.test
  ./ismalicious enrich samples/events.ndjson | head -1

  ${url}/            the console page       ${url}/metrics   for Prometheus
  docs/install.md    Splunk, Logstash, Elastic, and your own API key
`);
}

/** Resolves when the user wants it to end; from now on no signal ends it in the middle of something. */
function stopSignal(): Promise<'stopped'> {
  const { promise, resolve } = Promise.withResolvers<'stopped'>();
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => resolve('stopped'));
  return promise;
}

/** Shows the samples, then serves. Gives the exit code. */
async function run(sidecar: Sidecar, env: NodeJS.ProcessEnv, stopped: Promise<'stopped'>): Promise<number> {
  const isGood = await Promise.race([demonstrate(sidecar, env), stopped]);
  if (isGood === 'stopped') return 0;
  if (isOnce || !isGood) return isGood ? 0 : 1;
  printNextSteps(sidecar.url);
  // Ctrl-C in a terminal reaches the sidecar, too: its orderly end is the same end.
  const ended = once(sidecar.process, 'exit').then(([code]: (number | null)[]) => code);
  const code = await Promise.race([stopped, ended]);
  if (code === 'stopped' || code === 0) return 0;
  throw new Error(`the sidecar ended by itself with code ${code}`);
}

async function main(): Promise<number> {
  buildIfStale();
  const stopped = stopSignal();
  const port = await choosePort(PORT);
  const ownFolder = ISMALICIOUS_STATE_DIR === '' ? mkdtempSync(join(tmpdir(), 'ismalicious-demo-')) : null;
  const stateFolder = ownFolder ?? ISMALICIOUS_STATE_DIR;
  try {
    mkdirSync(stateFolder, { recursive: true });
    const env = environmentOf(stateFolder);
    const sidecar = await startSidecar(CLI, port, env);
    try {
      return await run(sidecar, env, stopped);
    } finally {
      await sidecar.stop();
    }
  } finally {
    if (ownFolder !== null) rmSync(ownFolder, { recursive: true, force: true });
  }
}

try {
  process.exitCode = await main();
} catch (error) {
  process.stderr.write(`npm start: ${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
}
