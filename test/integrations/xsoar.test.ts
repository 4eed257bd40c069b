import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { parse, stringify } from 'yaml';
import { projectRoot } from '../support/fixtures.ts';
import { hasPython, peerPythonOf } from './support/python.ts';
import { runProgram } from './support/run-program.ts';
import { startBoth, TOKEN, VALUES } from './support/sidecar-process.ts';
import { type Playbook, runPlaybook } from './support/xsoar-playbook.ts';

const FOLDER = join(projectRoot, 'integrations/xsoar');
const INTEGRATION = join(FOLDER, 'Integrations/IsMalicious');
const SUPPORT = join(projectRoot, 'test/integrations/support/xsoar');
const integrationYaml = readFileSync(join(INTEGRATION, 'IsMalicious.yml'), 'utf8');
const playbookYaml = readFileSync(join(FOLDER, globSync('Playbooks/*.yml', { cwd: FOLDER })[0]!), 'utf8');

interface Call {
  readonly command: string;
  readonly args?: object;
  readonly params?: object;
}

interface Given {
  readonly error?: string;
  readonly readable?: string;
  readonly context?: Readonly<Record<string, any>>; // eslint-disable-line typescript/no-explicit-any -- read as whatever is expected
}

const [sidecar, limited] = hasPython ? await startBoth() : [null, null];
afterAll(() => Promise.all([sidecar?.[Symbol.asyncDispose](), limited?.[Symbol.asyncDispose]()]));
const params = (url = sidecar?.url, more: object = {}) => ({
  url,
  credentials: { password: TOKEN },
  integrationReliability: 'B - Usually reliable',
  timeout_ms: '5000',
  ...more,
});

async function run(calls: readonly Call[], settings: object = params()): Promise<(readonly (Given | string)[])[]> {
  const input = JSON.stringify(calls.map((call) => ({ args: {}, params: settings, ...call })));
  const { code, stdout, stderr } = await runProgram('python3', [join(SUPPORT, 'run_calls.py'), INTEGRATION], { input });
  expect(stderr).toBe('');
  expect(code).toBe(0);
  return JSON.parse(stdout) as (readonly (Given | string)[])[];
}

const first = async (call: Call, settings?: object) => (await run([call], settings))[0]![0] as Given;

describe.skipIf(!hasPython)('the XSOAR integration, run before a sidecar (needs python)', () => {
  it('test-module passes with the token, and spends nothing; a wrong token is refused', async () => {
    expect(await run([{ command: 'test-module' }])).toEqual([['ok']]);
    expect(Object.values(sidecar!.four.asked).flat()).not.toContain('8.8.8.8');
    const refused = await first({ command: 'test-module' }, params(undefined, { credentials: { password: 'another-token' } }));
    expect(refused.error).toMatch(/test-module failed: Error in API call \[401\]/);
  });

  it('DBotScore: bad, suspicious and good only by a verdict; unknown, partial and failed are 0, never 1', async () => {
    const values = Object.values(VALUES);
    const [given] = await run([{ command: 'ip', args: { ip: values.join(',') } }]);
    const scores = Object.fromEntries(
      (given as readonly Given[]).map(({ context }) => [context!['DBotScore'].Indicator, context!['DBotScore'].Score]),
    );
    expect(scores).toEqual({
      [VALUES.malicious]: 3,
      [VALUES.partial]: 3,
      [VALUES.clean]: 1,
      [VALUES.unknown]: 0,
      [VALUES.failed]: 0,
      [VALUES.partlyClean]: 0,
    });
    const routes = (given as readonly Given[]).map(({ context }) => context!['IsMalicious.Indicator'].Route);
    expect(routes).toEqual(['high', 'high', 'close', 'review', 'review', 'review']);
  });

  it('writes the standard context, with reliability and why it is malicious', async () => {
    const { context, readable } = await first({ command: 'ip', args: { ip: VALUES.malicious } });
    expect(context).toMatchObject({
      IP: { Address: VALUES.malicious, Malicious: { Vendor: 'isMalicious', Description: expect.stringContaining('score 90') } },
      DBotScore: { Type: 'ip', Vendor: 'isMalicious', Reliability: 'B - Usually reliable' },
    });
    expect(readable).toContain('4 of 4 answered');
  });

  it('domains, URLs and hashes of files get the context of their own type', async () => {
    const sha256 = 'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad';
    const given = await run([
      { command: 'domain', args: { domain: 'bad.example.org' } },
      { command: 'url', args: { url: 'hxxp://bad[.]example[.]org/x' } },
      { command: 'file', args: { file: sha256 } },
    ]);
    const contexts = given.map((one) => (one[0] as Given).context);
    expect(contexts[0]).toMatchObject({ Domain: { Name: 'bad.example.org' } });
    expect(contexts[1]).toMatchObject({ URL: { Data: 'http://bad.example.org/x' } });
    expect(contexts[2]).toMatchObject({ File: { SHA256: sha256 } });
  });

  it('extracts, triages, overrules and watches through the sidecar', async () => {
    const given = await run([
      { command: 'ismalicious-extract', args: { text: 'from 11[.]0[.]0[.]1' } },
      { command: 'ismalicious-triage', args: { alert: JSON.stringify({ id: 'a-1', dest_ip: VALUES.malicious }) } },
      { command: 'ismalicious-overrule', args: { indicator: '11.0.1.1', verdict: 'clean', reason: 'ours', author: 'ana', for_hours: '2' } },
      { command: 'ismalicious-watch', args: { indicators: '11.0.1.2', by: 'ana' } },
      { command: 'ismalicious-lookup', args: { indicators: '11.0.1.1' } },
    ]);
    const contexts = given.map((one) => (one[0] as Given).context!);
    expect(contexts[0]!['IsMalicious.Extracted']).toEqual([{ Type: 'ipv4-addr', Value: '11.0.0.1', Original: '11[.]0[.]0[.]1' }]);
    expect(contexts[1]!['IsMalicious.Triage']).toMatchObject([{ alert_id: 'a-1', tier: 'p1' }]);
    expect(contexts[2]!['IsMalicious.Override']).toMatchObject({ indicator: '11.0.1.1', verdict: 'clean', author: 'ana' });
    expect(contexts[3]!['IsMalicious.Watched']).toMatchObject([{ input: '11.0.1.2', added: true }]);
    expect(contexts[4]!['IsMalicious.Indicator']).toMatchObject([{ Indicator: '11.0.1.1', Verdict: 'clean' }]);
  });

  it.each<[string, Call, object | undefined, RegExp]>([
    ['no value', { command: 'ip', args: { ip: '' } }, undefined, /Give at least one value in ip=/],
    ['an alert that is no JSON', { command: 'ismalicious-triage', args: { alert: '{' } }, undefined, /not valid JSON/],
    ['an unknown command', { command: 'ismalicious-block' }, undefined, /Unknown command/],
    [
      'an override without an author',
      { command: 'ismalicious-overrule', args: { indicator: '1.1.1.1', verdict: 'clean', reason: 'x' } },
      undefined,
      /\[400\]/,
    ],
    ['no address', { command: 'test-module' }, { url: 'sidecar' }, /Set the server URL/],
    ['a token over plain http to another machine', { command: 'test-module' }, params('http://192.0.2.1:8787'), /not sent over plain http/],
    ['a sidecar that is not there', { command: 'ip', args: { ip: '11.0.0.1' } }, params('http://127.0.0.1:9'), /Connection error/],
  ])('%s is an error, not an answer', async (_name, call, settings, message) => {
    expect((await first(call, settings)).error).toMatch(message);
  });
});

describe.skipIf(!hasPython)('the seed workflow as a playbook (needs python)', () => {
  const play = async (text: string, url = sidecar!.url) =>
    runPlaybook(parse(playbookYaml) as Playbook, { incident: { details: text } }, async (command, args) => {
      const given = await first({ command, args }, params(url));
      if (given.error !== undefined) throw new Error(given.error);
      return given.context!;
    });

  it(
    'alert in, four sources with one rate-limited: partial, scored, high-priority queue, note; nothing is blocked or closed',
    { timeout: 30_000 },
    async () => {
      const { actions, prints } = await play(`beacon to 11[.]0[.]0[.]1 at night`, limited!.url);
      expect(actions).toEqual([{ command: 'setIncident', args: { severity: 'high' } }]);
      expect(prints.at(-1)).toMatch(/^11\.0\.0\.1 is malicious, score 90, tier p1; not a complete answer \(partial\)/);
      for (const values of Object.values(limited!.four.asked)) expect(values).toEqual(['11.0.0.1']);
    },
  );

  it('below 40 by a complete answer: closed with a note', async () => {
    const { actions } = await play(`to ${VALUES.clean}`);
    expect(actions).toEqual([
      { command: 'closeInvestigation', args: { closeReason: 'False Positive', closeNotes: expect.stringContaining('is clean, score 0') } },
    ]);
  });

  it.each([VALUES.unknown, VALUES.failed, VALUES.partlyClean])('%s, unknown or not complete: reviewed, not closed', async (value) => {
    const { actions, prints } = await play(`to ${VALUES.clean} and ${value}`);
    expect(actions).toEqual([]);
    expect(prints[0]).toMatch(/^Needs a review/);
  });

  it('the worst of several decides', async () => {
    expect((await play(`${VALUES.clean} ${VALUES.unknown} ${VALUES.malicious}`)).actions).toMatchObject([{ args: { severity: 'high' } }]);
  });

  it('our own private address beside it decides nothing; alone it is reviewed', async () => {
    expect((await play(`10.1.2.3 to ${VALUES.clean}`)).actions).toMatchObject([{ command: 'closeInvestigation' }]);
    expect((await play('10.1.2.3')).actions).toEqual([]);
  });

  it('a text without indicators is reviewed, not closed', async () => {
    expect((await play('nothing here')).actions).toEqual([]);
  });
});

const STRICT = `
import sys, json
from demisto_sdk.commands.content_graph.strict_objects.integration import StrictIntegration
from demisto_sdk.commands.content_graph.strict_objects.playbook import StrictPlaybook
out = []
for one in json.load(sys.stdin):
    try:
        {"integration": StrictIntegration, "playbook": StrictPlaybook}[one["kind"]].parse_obj(one["content"])
        out.append("valid")
    except Exception as error:
        out.append(str(error))
json.dump(out, sys.stdout)
`;
const python = peerPythonOf('xsoar');

describe.skipIf(python === null)('by the models of demisto-sdk (needs python peers)', () => {
  it('integration and playbook pass, and planted faults are refused', async () => {
    const broken = (yaml: string, from: string, to: string) => {
      expect(yaml).toContain(from);
      return parse(yaml.replace(from, to)) as unknown;
    };
    const given = [
      { kind: 'integration', content: parse(integrationYaml) as unknown },
      { kind: 'playbook', content: parse(playbookYaml) as unknown },
      { kind: 'integration', content: broken(integrationYaml, 'display: isMalicious\n', '') },
      { kind: 'integration', content: broken(integrationYaml, 'runonce: false', 'runonce: perhaps') },
      { kind: 'integration', content: broken(integrationYaml, '- name: ip\n      description', '- nickname: ip\n      description') },
      { kind: 'playbook', content: broken(playbookYaml, 'starttaskid:', 'firsttaskid:') },
    ];
    const { stdout } = await runProgram(python!, ['-c', STRICT], { input: JSON.stringify(given) });
    const found = JSON.parse(stdout) as string[];
    expect(found.slice(0, 2)).toEqual(['valid', 'valid']);
    expect(found.slice(2)).toEqual(
      ['display', 'runonce', 'nickname', 'firsttaskid'].map((name) => expect.stringContaining(name) as unknown as string),
    );
  });
});

it('every command of the description is one that the code runs, and the other way round', () => {
  const { script } = parse(integrationYaml) as { script: { commands: { name: string }[] } };
  const code = readFileSync(join(INTEGRATION, 'IsMalicious.py'), 'utf8');
  const inCode = [...code.matchAll(/^ {4}"(ismalicious-\w+)": \w+_command,$/gm)].map(([, name]) => name);
  expect(script.commands.map(({ name }) => name).sort()).toEqual(['ip', 'domain', 'url', 'file', ...inCode].sort());
});

it('the files read as they are written: no anchors, no surprises', () => {
  for (const yaml of [integrationYaml, playbookYaml]) expect(parse(stringify(parse(yaml)))).toEqual(parse(yaml));
});
