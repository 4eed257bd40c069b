import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, afterEach, beforeEach, describe, expect, it } from 'vitest';
import { runTriageAction } from '../../../../src/hosts/splunk/alert/alert-action.ts';
import { readAlertPayload, readAlertResults } from '../../../../src/splunkd/alert/alert-payload.ts';
import { startFourProviders } from '../../../support/four-providers.ts';
import { type Answering, hasOpenssl, type LoopbackSplunkd, makeSplunkHome, startSplunkd } from '../../../support/loopback-splunkd.ts';

const SESSION = 'canary-session-key';
const folder = mkdtempSync(join(tmpdir(), 'ismalicious-triage-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const RESULTS = [
  'src,dest,action,bytes_out,user,__mv_dest',
  '10.0.0.5,198.51.100.7,allowed,12,alice,',
  '10.0.0.6,198.51.100.7,blocked,0,bob,',
  '10.0.0.7,10.9.9.9,allowed,0,eve,',
  '10.0.0.8,"198.51.100.7\n10.1.1.1",allowed,5,zoe,$198.51.100.7$;$10.1.1.1$',
  '',
].join('\n');

let round = 0;
let home = '';
let splunkd: LoopbackSplunkd;
let webhook: Server;
let posted: string[] = [];
let answer: Answering = () => ({ status: 200, body: {} });

beforeEach(async () => {
  if (!hasOpenssl) return;
  round += 1;
  posted = [];
  answer = (asked) => ({ status: 200, body: asked.path.includes('storage/passwords') ? { entry: [] } : {} });
  splunkd = await startSplunkd(join(folder, `tls-${round}`), (asked) => answer(asked));
  home = makeSplunkHome(join(folder, `home-${round}`), readFileSync(splunkd.certificateFile, 'utf8'));
  webhook = createServer((request, response) => {
    let body = '';
    request.on('data', (part: Buffer) => (body += part.toString()));
    request.on('end', () => {
      posted.push(body);
      response.end('{}');
    });
  }).listen(0, '127.0.0.1');
  await once(webhook, 'listening');
  const { port } = webhook.address() as AddressInfo;
  const conf = `[outputs.webhook]\nenabled = true\nbase_url = http://127.0.0.1:${port}/hook\nsecret = 0123456789abcdef\n`;
  writeFileSync(join(home, 'etc/apps/ismalicious/local/ismalicious.conf'), conf);
  writeFileSync(join(home, 'results.csv.gz'), gzipSync(RESULTS));
});
afterEach(async () => {
  if (!hasOpenssl) return;
  webhook.closeAllConnections();
  webhook.close();
  await splunkd.close();
});

const payloadOf = (configuration: Readonly<Record<string, string>>) =>
  readAlertPayload(
    JSON.stringify({
      sid: 'scheduler_1',
      search_name: 'Bad destinations',
      owner: 'alice',
      results_file: join(home, 'results.csv.gz'),
      server_uri: splunkd.uri,
      session_key: SESSION,
      configuration,
    }),
  );
const run = (configuration: Readonly<Record<string, string>>, env: Readonly<Record<string, string>> = {}) =>
  runTriageAction(payloadOf(configuration), {
    program: join(home, 'etc/apps/ismalicious/bin/programs/triage.js'),
    env: { SPLUNK_HOME: home, ...env },
  });
const writes = () => splunkd.asked.filter(({ method }) => method === 'POST');

describe.skipIf(!hasOpenssl)('the triage action [needs openssl]', () => {
  it('is a dry run unless told otherwise: it says what it would do, and tells nobody', async () => {
    const { lines, faults } = await run({ index: 'main', risk: '1', threat_intel: '1' });
    expect(faults).toEqual([]);
    expect(lines).toEqual([
      'dry run, 4 results triaged: p1 2, p2 1, log 1',
      'dry run, would write 4 events, 3 risk events, 1 rows of threat intelligence, 0 on the watchlist',
      'dry run, would tell webhook',
    ]);
    expect([writes(), posted]).toEqual([[], []]);
  });

  it('asks providers that have fields of their own by the fields of the results', async () => {
    await using api = await startFourProviders();
    writeFileSync(join(home, 'results.csv.gz'), gzipSync('victim,attacker\n12.0.0.1,12.0.0.2\n12.0.0.2,12.0.0.3\n'));
    const env = api.env({ ABUSEIPDB_FIELDS: 'attacker', VIRUSTOTAL_ENABLED: 'false', GREYNOISE_ENABLED: 'false' });
    const { lines } = await run({ fields: 'victim,attacker' }, env);
    expect(lines[0]).toBe('dry run, 2 results triaged: p1 2');
    expect(api.asked.abuseipdb.toSorted()).toEqual(['12.0.0.2', '12.0.0.3']);
    expect(api.asked.ismalicious.toSorted()).toEqual(['12.0.0.1', '12.0.0.2', '12.0.0.3']);
  });

  it('tells the outputs that are on, once for each alert and indicator, also when the alert comes again', async () => {
    await run({ dry_run: '0' });
    const events = posted.flatMap(
      (body) => (JSON.parse(body) as { events: { event: string; enrichment: { indicator: string; tier: string } }[] }).events,
    );
    expect(events.map(({ event, enrichment }) => [event, enrichment.indicator, enrichment.tier])).toEqual([
      ['triage', '198.51.100.7', 'p1'],
      ['triage', '198.51.100.7', 'p2'],
      ['triage', '198.51.100.7', 'p1'],
    ]);
    await run({ dry_run: '0' });
    expect(posted.length).toBe(3);
  });

  it('writes events with what was found, risk on the internal host, and rows for the threat collections', async () => {
    const { faults } = await run({ dry_run: '0', outputs: '0', index: 'soc', risk: '1', threat_intel: '1' });
    expect([faults, posted]).toEqual([[], []]);
    const [events, risks, intel] = writes();
    expect([events?.path, events?.query.index, events?.query.sourcetype]).toEqual([
      '/services/receivers/simple',
      'soc',
      'ismalicious:triage',
    ]);
    const told = (events?.body ?? '')
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as Record<string, unknown>);
    expect(told.map(({ tier, im_indicator: value, risk_object: object }) => [tier, value, object])).toEqual([
      ['p1', '198.51.100.7', '10.0.0.5'],
      ['p2', '198.51.100.7', '10.0.0.6'],
      ['log', '10.9.9.9', undefined],
      ['p1', '198.51.100.7', '10.0.0.8'],
    ]);
    expect([risks?.query.index, risks?.query.sourcetype]).toEqual(['risk', 'stash']);
    expect(risks?.body).toMatch(
      /^\d+, search_name="Bad destinations", orig_sid="scheduler_1", .*risk_object="10\.0\.0\.5", risk_object_type="system", risk_score="87", .*threat_object="198\.51\.100\.7", threat_object_type="ip_address"\n/,
    );
    expect(intel?.path).toBe('/services/data/threat_intel/item/ip_intel');
    expect(JSON.parse(new URLSearchParams(intel?.body).get('item') ?? '')).toEqual({
      description: 'isMalicious: malicious, score 87 (c2)',
      ip: '198.51.100.7',
      weight: 5,
    });
  });

  it('names the capability that is missing, and does what is allowed all the same', async () => {
    answer = ({ path }) => (path.includes('receivers') ? { status: 403, body: {} } : { status: 200, body: { entry: [] } });
    const { faults } = await run({ dry_run: '0', index: 'soc', threat_intel: '1' });
    expect(faults).toEqual(['events not written: splunkd refuses (403): the role lacks the capability edit_tcp']);
    expect([posted.length, writes().some(({ path }) => path.includes('threat_intel'))]).toEqual([3, true]);
  });

  it('looks at the fields it is told to, and at no more results than it may', async () => {
    const { lines } = await run({ fields: 'src, user', max_results: '2' });
    expect(lines.slice(0, 2)).toEqual(['2 results beyond max_results were not triaged', 'dry run, 2 results triaged: log 2']);
  });

  it('never says the session key', async () => {
    answer = () => ({ status: 500, body: {} });
    const report = await run({ dry_run: '0', index: 'soc' });
    expect(JSON.stringify(report)).not.toContain(SESSION);
  });
});

describe('the payload', () => {
  it.each(['', 'no json {"session_key":"canary', '[]', '{"configuration":3}'])('refuses %j without quoting it', (text) => {
    expect(() => readAlertPayload(text)).toThrow(/^standard input is not the JSON payload of an alert action$/);
  });

  it.each([
    [undefined, true],
    ['', true],
    ['1', true],
    ['maybe', true],
    ['0', false],
    ['false', false],
  ])('dry_run %j means %j', (text, isDry) => {
    const configuration = text === undefined ? {} : { dry_run: text };
    expect(readAlertPayload(JSON.stringify({ configuration })).params.dryRun).toBe(isDry);
  });

  it.each(['0', '-1', 'many', '1.5'])('max_results %j is refused', (text) => {
    expect(() => readAlertPayload(JSON.stringify({ configuration: { max_results: text } }))).toThrow(/param\.max_results/);
  });

  it('takes the one result of a finding where there is no file, and plain CSV as well as packed', () => {
    expect(readAlertResults(readAlertPayload('{"result":{"dest":"1.2.3.4"}}')).results).toEqual([{ dest: '1.2.3.4' }]);
    const path = join(folder, 'plain.csv');
    writeFileSync(path, 'a,b,__mv_b,a\n1,"x\ny",$x$$$;$y$,2\n,,,\n');
    expect(readAlertResults(readAlertPayload(JSON.stringify({ results_file: path }))).results).toEqual([{ a: '1', b: ['x$', 'y'] }, {}]);
  });

  it('keeps rows that look like comments and events of many lines, and counts rows that are no CSV', () => {
    const path = join(folder, 'odd.csv');
    const trace = 'at f\n'.repeat(200);
    writeFileSync(path, `dest,_raw\n#1,"${trace}"\n1.2.3.4,"open\n5.6.7.8,b\n`);
    const { results, faults } = readAlertResults(readAlertPayload(JSON.stringify({ results_file: path })));
    expect(results).toEqual([
      { dest: '#1', _raw: trace },
      { dest: '5.6.7.8', _raw: 'b' },
    ]);
    expect(faults).toEqual([expect.stringContaining('1 rows of the results file')]);
  });

  it('takes the one result of the payload where the file is gone, and says so', () => {
    expect(readAlertResults(readAlertPayload('{"result":{"dest":"1.2.3.4"}}'))).toEqual({
      results: [{ dest: '1.2.3.4' }],
      faults: [],
      note: null,
    });
    const gone = { results_file: join(folder, 'gone.csv.gz'), result: { dest: '1.2.3.4' } };
    expect(readAlertResults(readAlertPayload(JSON.stringify(gone)))).toEqual({
      results: [{ dest: '1.2.3.4' }],
      faults: [],
      note: expect.stringContaining('(ENOENT): only the first result'),
    });
    expect(() => readAlertResults(readAlertPayload(JSON.stringify({ results_file: gone.results_file })))).toThrow(/nothing was triaged/);
  });
});
