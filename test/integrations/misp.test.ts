import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { afterAll, describe, expect, it, onTestFinished } from 'vitest';
import { projectRoot } from '../support/fixtures.ts';
import { freePort } from '../support/free-port.ts';
import { hasPython, peerPythonOf } from './support/python.ts';
import { runProgram } from './support/run-program.ts';
import { startBoth, TOKEN, VALUES } from './support/sidecar-process.ts';

const CUSTOM = join(projectRoot, 'integrations/misp/custom');
const MODULE = join(CUSTOM, 'expansion/ismalicious.py');
const UUID = '5b23c82b-6508-4bdc-b580-045b0a00020f';

const [sidecar, limited] = hasPython ? await startBoth() : [null, null];
afterAll(() => Promise.all([sidecar?.[Symbol.asyncDispose](), limited?.[Symbol.asyncDispose]()]));

interface Answer {
  readonly error?: string;
  readonly results?: {
    readonly Object: readonly { readonly Attribute: readonly { readonly value: string }[] }[];
    readonly Attribute: readonly { readonly Tag: readonly { readonly name: string }[] }[];
  };
}

const requestOf = (value: unknown, type = 'ip-dst', config: object = {}) => ({
  module: 'ismalicious',
  attribute: { type, value, uuid: UUID, category: 'Network activity' },
  config: { url: sidecar?.url, token: TOKEN, timeout_ms: '5000', ...config },
});

const RUN = `
import importlib.util, json, sys
spec = importlib.util.spec_from_file_location("ismalicious", sys.argv[1])
module = importlib.util.module_from_spec(spec); spec.loader.exec_module(module)
json.dump([module.handler(json.dumps(one)) for one in json.load(sys.stdin)], sys.stdout)
`;

async function handled(...requests: readonly object[]): Promise<Answer[]> {
  const { stdout, stderr } = await runProgram('python3', ['-c', RUN, MODULE], { input: JSON.stringify(requests) });
  expect(stderr).toBe('');
  return JSON.parse(stdout) as Answer[];
}

const tagsOf = ({ results }: Answer) => results?.Attribute[0]?.Tag.map(({ name }) => name);

describe.skipIf(!hasPython)('the MISP module, run before a sidecar (needs python)', () => {
  it('tags the attribute and describes it by a report with what each source said', async () => {
    const [answer] = await handled(requestOf(VALUES.malicious));
    expect(tagsOf(answer!)).toEqual([
      'isMalicious:verdict="malicious"',
      'isMalicious:status="ok"',
      'isMalicious:tier="p1"',
      'isMalicious:score="90"',
    ]);
    expect(answer!.results!.Object).toMatchObject([{ name: 'report', ObjectReference: [{ referenced_uuid: UUID }] }]);
    expect(answer!.results!.Object[0]!.Attribute[0]!.value).toContain('abuseipdb: ok, score 100');
  });

  it('clean only by a complete answer; unknown and partial are tagged unknown; a failure is an error', async () => {
    const values = [VALUES.clean, VALUES.unknown, VALUES.partlyClean, VALUES.partial, VALUES.failed];
    const found = await handled(...values.map((value) => requestOf(value)));
    expect(found.map((one) => tagsOf(one)?.[0] ?? one.error)).toEqual([
      'isMalicious:verdict="clean"',
      'isMalicious:verdict="unknown"',
      'isMalicious:verdict="unknown"',
      'isMalicious:verdict="malicious"',
      expect.stringMatching(/^No source answered \(bad_response\).*does not mean clean/),
    ]);
    expect(tagsOf(found[2]!)).not.toContain('isMalicious:score="0"');
  });

  it('one of four sources is rate-limited: the others decide, as partial', async () => {
    const [answer] = await handled(requestOf(VALUES.malicious, 'ip-src', { url: limited!.url }));
    expect(tagsOf(answer!)).toEqual(expect.arrayContaining(['isMalicious:verdict="malicious"', 'isMalicious:status="partial"']));
  });

  it('of composite attributes the address or the hash is looked up', async () => {
    const sha256 = 'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad';
    const found = await handled(requestOf(`${VALUES.malicious}|443`, 'ip-dst|port'), requestOf(`a.exe|${sha256}`, 'filename|sha256'));
    expect(found[0]!.results!.Object).toMatchObject([{ comment: `isMalicious on ${VALUES.malicious}` }]);
    expect(sidecar!.four.asked.ismalicious).toContain(sha256);
  });

  it('refuses what it cannot use, and sends no token in the clear', async () => {
    const found = await handled(
      { ...requestOf('x'), attribute: { type: 'ip-dst' } },
      requestOf('x', 'yara'),
      requestOf('11.0.0.1', 'ip-dst', { url: '' }),
      requestOf('11.0.0.1', 'ip-dst', { url: 'http://192.0.2.1:8787' }),
      requestOf('11.0.0.1', 'ip-dst', { token: 'another-token' }),
      requestOf('11.0.0.1', 'ip-dst', { url: 'http://127.0.0.1:9' }),
      requestOf('11.0.0.1', 'ip-dst', { timeout_ms: 'soon' }),
    );
    const messages = [
      /type, value and uuid/,
      /Unsupported/,
      /Set "url"/,
      /plain http/,
      /refused the token/,
      /gave no answer/,
      /timeout_ms/,
    ];
    for (const [n, message] of messages.entries()) expect(found[n]!.error).toMatch(message);
    expect(JSON.stringify(found)).not.toContain('another-token');
  });
});

const python = peerPythonOf('misp');

/** Starts the real misp-modules with our folder; gives its address. */
async function startModules(): Promise<string> {
  const port = await freePort();
  const args = ['-m', 'misp_modules', '-l', '127.0.0.1', '-p', String(port), '--custom', CUSTOM];
  const child = spawn(python!, args, {
    env: { PATH: process.env.PATH, PYTHONDONTWRITEBYTECODE: '1' },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  onTestFinished(() => void child.kill('SIGKILL'));
  await new Promise<void>((resolve, reject) => {
    let words = '';
    const hear = (part: Buffer) => {
      words += part.toString();
      if (words.includes('MISP modules server started')) resolve();
    };
    child.stdout.on('data', hear);
    child.stderr.on('data', hear);
    child.once('exit', (code) => reject(new Error(`misp-modules ended with ${code}: ${words.slice(-500)}`)));
  });
  return `http://127.0.0.1:${port}`;
}

describe.skipIf(python === null)('in a real misp-modules (needs python peers)', () => {
  it('is listed with its settings and types, and answers a query', { timeout: 120_000 }, async () => {
    const url = await startModules();
    const modules = (await (await fetch(`${url}/modules`)).json()) as { name: string; meta: object; mispattributes: object }[];
    expect(modules.find(({ name }) => name === 'ismalicious')).toMatchObject({
      meta: { 'module-type': ['expansion', 'hover'], config: ['url', 'token', 'timeout_ms', 'tlp'] },
      mispattributes: { format: 'misp_standard' },
    });
    const query = async (value: string) => {
      const answer = await fetch(`${url}/query`, { method: 'POST', body: JSON.stringify(requestOf(value)) });
      return (await answer.json()) as Answer;
    };
    expect(tagsOf(await query(VALUES.malicious))).toContain('isMalicious:verdict="malicious"');
    expect((await query(VALUES.failed)).error).toMatch(/does not mean clean/);
  });

  it('its report object is one that pymisp takes by the template of MISP', async () => {
    const [answer] = await handled(requestOf(VALUES.malicious));
    const check = `
import json, sys
from pymisp import MISPEvent
event = MISPEvent(); event.info = "x"
results = json.load(sys.stdin)["results"]
for one in results["Attribute"]: event.add_attribute(**one)
for one in results["Object"]: event.add_object(one, strict=True)
print(event.objects[0].name, len(event.objects[0].attributes), len(event.attributes[0].tags))
`;
    const { stdout, stderr } = await runProgram(python!, ['-c', check], { input: JSON.stringify(answer) });
    expect(stderr).toBe('');
    expect(stdout).toMatch(/^report \d+ 4/);
  });
});
