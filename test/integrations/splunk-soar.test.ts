import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { projectRoot } from '../support/fixtures.ts';
import { hasPython, peerPythonOf } from './support/python.ts';
import { runProgram } from './support/run-program.ts';
import { startBoth, TOKEN, VALUES } from './support/sidecar-process.ts';

const APP = join(projectRoot, 'integrations/splunk-soar');
const RUNNER = join(projectRoot, 'test/integrations/support/soar/run_soar.py');
const manifestText = readFileSync(join(APP, 'ismalicious/ismalicious.json'), 'utf8');

interface ActionResult {
  readonly status: string;
  readonly message: string;
  readonly data: readonly Readonly<Record<string, unknown>>[];
  readonly summary: Readonly<Record<string, unknown>>;
}
interface ActionRun {
  readonly action_results: readonly ActionResult[];
  readonly progress: readonly string[];
}

const [sidecar, limited] = hasPython ? await startBoth() : [null, null];
afterAll(() => Promise.all([sidecar?.[Symbol.asyncDispose](), limited?.[Symbol.asyncDispose]()]));
const asset = (more: object = {}) => ({ url: sidecar?.url, token: TOKEN, timeout_ms: 5000, ...more });

async function python(given: object): Promise<unknown> {
  const { code, stdout, stderr } = await runProgram('python3', [RUNNER], {
    input: JSON.stringify({ app: APP, config: asset(), ...given }),
  });
  expect(stderr).toBe('');
  expect(code).toBe(0);
  return JSON.parse(stdout) as unknown;
}
const run = async (identifier: string, parameters: readonly object[], config: object = asset()) =>
  ((await python({ config, runs: [{ identifier, parameters }] })) as ActionRun[])[0]!;

describe.skipIf(!hasPython)('the Splunk SOAR app, run before a sidecar (needs python)', () => {
  it('test connectivity passes with the token and spends nothing; a wrong one fails', async () => {
    expect((await run('test_connectivity', [{}])).progress).toContain('Test Connectivity Passed');
    expect(sidecar!.four.asked.ismalicious).not.toContain('8.8.8.8');
    const { action_results: refused } = await run('test_connectivity', [{}], asset({ token: 'another-token' }));
    expect(refused).toMatchObject([{ status: 'failed', message: expect.stringContaining('refused the token') }]);
  });

  it('clean only by a complete answer; unknown and partial are unknown; where no source answers the action fails', async () => {
    const { action_results: found } = await run(
      'lookup_ip',
      Object.values(VALUES).map((ip) => ({ ip })),
    );
    expect(found.map(({ status, summary }) => [status, summary['verdict'], summary['route']])).toEqual([
      ['success', 'malicious', 'high'],
      ['success', 'malicious', 'high'],
      ['success', 'clean', 'close'],
      ['success', 'unknown', 'review'],
      ['failed', undefined, undefined],
      ['success', 'unknown', 'review'],
    ]);
    expect(found[4]!.message).toMatch(/does not mean clean/);
  });

  it('looks up domains, URLs and files, extracts, overrules and watches', async () => {
    const sha256 = 'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad';
    const said = { indicator: '11.0.5.1', author: 'ana', reason: 'ours' };
    const runs = [
      { identifier: 'lookup_domain', parameters: [{ domain: 'bad.example.org' }] },
      { identifier: 'lookup_url', parameters: [{ url: 'hxxp://bad[.]example[.]org/x' }] },
      { identifier: 'lookup_file', parameters: [{ hash: sha256 }] },
      { identifier: 'extract_indicators', parameters: [{ text: 'to 11[.]0[.]0[.]1' }] },
      { identifier: 'overrule_indicator', parameters: [{ ...said, verdict: 'clean', for_hours: 2 }] },
      { identifier: 'watch_indicator', parameters: [said] },
    ];
    const found = (await python({ runs })) as ActionRun[];
    expect(found.map(({ action_results: [one] }) => [one!.status, one!.data[0]!['indicator'] ?? one!.data[0]!['value']])).toEqual([
      ['success', 'bad.example.org'],
      ['success', 'http://bad.example.org/x'],
      ['success', sha256],
      ['success', '11.0.0.1'],
      ['success', '11.0.5.1'],
      ['success', '11.0.5.1'],
    ]);
  });

  it.each<[string, string, object, object, RegExp]>([
    ['no address', 'lookup_ip', { ip: '11.0.0.1' }, { url: '' }, /Set "url"/],
    ['a token in the clear', 'lookup_ip', { ip: '11.0.0.1' }, { url: 'http://192.0.2.1:1' }, /plain http/],
    ['no sidecar', 'lookup_ip', { ip: '11.0.0.1' }, { url: 'http://127.0.0.1:9' }, /gave no answer/],
    ['an unknown action', 'block_ip', { ip: '11.0.0.1' }, {}, /Unknown action/],
    ['what cannot be watched', 'watch_indicator', { indicator: 'nothing', author: 'a', reason: 'b' }, {}, /It is not watched/],
  ])('%s: the action fails', async (_name, identifier, parameters, config, message) => {
    const { action_results: found } = await run(identifier, [parameters], asset(config));
    expect(found).toMatchObject([{ status: 'failed', message: expect.stringMatching(message) }]);
  });
});

describe.skipIf(!hasPython)('the seed workflow as a playbook of Splunk SOAR (needs python)', () => {
  const play = async (text: string, config: object = asset()) =>
    (await python({ config, playbook: true, container: { id: 1, name: 'Alert' }, artifacts: [{ message: text }] })) as string[][];

  it(
    'alert in, four sources with one rate-limited: partial, scored, severity high, note; nothing is blocked or closed',
    { timeout: 30_000 },
    async () => {
      const changes = await play('to 11[.]0[.]0[.]1 and bad[.]example[.]org', asset({ url: limited!.url }));
      expect(changes).toEqual([
        [
          'note',
          'isMalicious: high',
          expect.stringMatching(/11\.0\.0\.1 is malicious, score 90, tier p1; not a complete answer \(partial\)/),
        ],
        ['severity', 'high'],
      ]);
    },
  );

  it('complete and below 40: closed with a note; unknown, partial and failed: left open', async () => {
    expect((await play(VALUES.clean)).at(-1)).toEqual(['status', 'closed']);
    for (const value of [VALUES.unknown, VALUES.partlyClean, VALUES.failed, 'nothing'])
      expect(await play(`${VALUES.clean} ${value}`.replace(/^\S+ nothing$/, 'nothing'))).toEqual([
        ['note', 'isMalicious: review', expect.stringMatching(/./)],
      ]);
  });
});

const CHECK = `
import sys, json
from pathlib import Path
from soar_sdk.cli.manifests.deserializers import AppMetaDeserializer
try:
    meta = AppMetaDeserializer.from_app_json(Path(sys.argv[1])).app_meta
    print("valid", len(meta.actions))
except Exception as error:
    print(type(error).__name__, error)
`;
const peer = peerPythonOf('splunk-soar');

describe.skipIf(peer === null)('by the manifest reader of splunk-soar-sdk (needs python peers)', () => {
  const folder = mkdtempSync(join(tmpdir(), 'soar-app-'));
  afterAll(() => rmSync(folder, { recursive: true, force: true }));
  const check = async (text: string) => {
    writeFileSync(join(folder, 'app.json'), text);
    return (await runProgram(peer!, ['-c', CHECK, join(folder, 'app.json')], { env: { HOME: folder } })).stdout.trim();
  };

  it('the manifest is read', async () => {
    expect(await check(manifestText)).toBe('valid 8');
  });

  it.each([
    [
      'an output without its data type',
      '"data_path": "action_result.data.*.tier",\n          "data_type": "string",',
      '"data_path": "action_result.data.*.tier",',
    ],
    [
      'a parameter of no type',
      '"description": "IP address",\n          "data_type": "string"',
      '"description": "IP address",\n          "data_type": "address"',
    ],
    ['an action without identifier', '"identifier": "lookup_ip",', ''],
  ])('%s is refused', async (_name, from, to) => {
    expect(manifestText).toContain(from);
    expect(await check(manifestText.replace(from, to))).not.toMatch(/^valid/);
  });
});

it('every action of the manifest is one that the connector runs', () => {
  const { actions } = JSON.parse(manifestText) as { actions: { identifier: string }[] };
  const code = readFileSync(join(APP, 'ismalicious/ismalicious_connector.py'), 'utf8');
  const inCode = [...code.matchAll(/^ {12}"(\w+)": self\._\w+,$/gm)].map(([, name]) => name);
  expect(actions.map(({ identifier }) => identifier).sort()).toEqual(inCode.sort());
});
