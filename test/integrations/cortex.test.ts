import { globSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { afterAll, describe, expect, it, onTestFinished } from 'vitest';
import { projectRoot } from '../support/fixtures.ts';
import { peerPythonOf } from './support/python.ts';
import { runProgram } from './support/run-program.ts';
import { startBoth, TOKEN, VALUES } from './support/sidecar-process.ts';

const FOLDER = join(projectRoot, 'integrations/cortex');
const PROGRAM = join(FOLDER, 'ismalicious.mjs');

const [sidecar, limited] = await startBoth();
const { url, call } = sidecar;
afterAll(() => Promise.all([sidecar[Symbol.asyncDispose](), limited[Symbol.asyncDispose]()]));

interface Output {
  readonly success: boolean;
  readonly errorMessage?: string;
  readonly input?: { readonly config?: Readonly<Record<string, unknown>> };
  readonly summary?: { readonly taxonomies: readonly { readonly level: string; readonly predicate: string; readonly value: string }[] };
  readonly artifacts?: readonly Readonly<Record<string, unknown>>[];
  readonly operations?: readonly Readonly<Record<string, unknown>>[];
  readonly full?: Readonly<Record<string, unknown>>;
}

/** A job folder as Cortex makes it. */
function jobFolder(input: object): string {
  const folder = mkdtempSync(join(tmpdir(), 'cortex-job-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  mkdirSync(join(folder, 'input'));
  writeFileSync(join(folder, 'input/input.json'), JSON.stringify(input));
  return folder;
}

async function runJob(
  input: object,
  prepare: (folder: string) => void = () => undefined,
): Promise<{ code: number | null; output: Output }> {
  const folder = jobFolder(input);
  prepare(folder);
  const { code, stderr } = await runProgram(process.execPath, [PROGRAM, folder]);
  expect(stderr).toBe('');
  return { code, output: JSON.parse(readFileSync(join(folder, 'output/output.json'), 'utf8')) as Output };
}

const job = (sidecarUrl: string, data: unknown, more: object = {}, config: object = {}) => ({
  data,
  dataType: 'ip',
  tlp: 0,
  pap: 2,
  message: '',
  parameters: {},
  config: {
    url: sidecarUrl,
    token: TOKEN,
    service: 'check',
    timeout_ms: 5000,
    check_tlp: true,
    max_tlp: 2,
    check_pap: true,
    max_pap: 2,
    ...config,
  },
  ...more,
});

const levels = ({ summary }: Output) => summary?.taxonomies.map(({ level, predicate, value }) => `${level} ${predicate}=${value}`);

describe('the Cortex analyzer, run on job folders before a sidecar', () => {
  it('reports what four sources say: verdict, score and tier, with all of the answer', async () => {
    const { code, output } = await runJob(job(url, VALUES.malicious));
    expect(code).toBe(0);
    expect(output).toMatchObject({ success: true, operations: [], artifacts: [], full: { indicator: VALUES.malicious, status: 'ok' } });
    expect(levels(output)).toEqual([expect.stringMatching(/^malicious Verdict=malicious \d+\/100$/), 'malicious Tier=p1']);
  });

  it('says "safe" only of a complete clean answer: unknown and partial ones are "info"', async () => {
    const of = async (value: string) => levels((await runJob(job(url, value))).output);
    expect((await of(VALUES.clean))?.[0]).toMatch(/^safe Verdict=clean/);
    expect((await of(VALUES.unknown))?.[0]).toMatch(/^info Verdict=unknown/);
    const partly = await of(VALUES.partlyClean);
    expect(partly?.[0]).toMatch(/^info Verdict=unknown/);
    expect(partly).toContain('info Sources=partial: 3 of 4 answered');
  });

  it('one of four sources fails: the others decide, and the report says partial', async () => {
    const found = levels((await runJob(job(url, VALUES.partial))).output);
    expect(found?.[0]).toMatch(/^malicious Verdict=malicious/);
    expect(found).toContain('info Sources=partial: 3 of 4 answered');
  });

  it('one of four sources is rate-limited: the others decide, within the time limit', { timeout: 30_000 }, async () => {
    const found = levels((await runJob(job(limited.url, VALUES.malicious))).output);
    expect(found?.[0]).toMatch(/^malicious Verdict=malicious/);
    expect(found).toContain('info Sources=partial: 3 of 4 answered');
    const clean = levels((await runJob(job(limited.url, VALUES.clean))).output);
    expect(clean?.[0]).toMatch(/^info Verdict=unknown/);
  });

  it('the TLP of the observable goes along: a source that may not have it is not asked, and the report says so', async () => {
    const { output } = await runJob(job(url, '11.0.2.1', { tlp: 2 }));
    expect(levels(output)).toContain('info Sources=1 of 4 asked: TLP');
    expect(sidecar.four.asked.virustotal).not.toContain('11.0.2.1');
  });

  it('no source answers: the job fails, with secrets taken out', async () => {
    const { code, output } = await runJob(job(url, VALUES.failed));
    expect(code).toBe(1);
    expect(output).toMatchObject({ success: false, errorMessage: expect.stringMatching(/^No source answered \(bad_response\)/) });
    expect(output.input?.config?.['token']).toBe('REMOVED');
    expect(JSON.stringify(output)).not.toContain(TOKEN);
  });

  it('a private address is not looked up, and is not called safe', async () => {
    const { output } = await runJob(job(url, '10.1.2.3'));
    expect(levels(output)).toEqual(['info Verdict=not looked up (skipped_private)']);
    expect(Object.values(sidecar.four.asked).flat()).not.toContain('10.1.2.3');
  });

  it('passes the host of a URL on as an observable, with the TLP of the observable', async () => {
    const { output } = await runJob(job(url, 'hxxp://bad[.]example[.]org/x', { dataType: 'url', tlp: 1 }));
    expect(output.artifacts).toEqual([expect.objectContaining({ dataType: 'domain', data: 'bad.example.org', tlp: 1 })]);
  });

  it('looks a file up by its SHA-256', async () => {
    const { output } = await runJob(job(url, undefined, { dataType: 'file', filename: 'a.txt', file: 'attachment1' }), (folder) =>
      writeFileSync(join(folder, 'input/attachment1'), 'abc'),
    );
    expect(output.full?.['indicator']).toBe('ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad');
  });

  it('extracts observables from a text, defanged ones too, and looks nothing up', async () => {
    const text = 'seen 11[.]0[.]0[.]1 and hxxps://bad[.]example[.]org/a';
    const { output } = await runJob(job(url, text, { dataType: 'other' }, { service: 'extract' }));
    expect(output.artifacts?.map(({ dataType, data }) => `${String(dataType)} ${String(data)}`)).toEqual(
      expect.arrayContaining(['ip 11.0.0.1', 'url https://bad.example.org/a']),
    );
    expect(levels(output)?.[0]).toMatch(/^info Indicators=\d+$/);
    expect(Object.values(sidecar.four.asked).flat()).not.toContain('https://bad.example.org/a');
  });
});

describe('the TheHive responders', () => {
  const OURS = '11.0.1.1';
  const observable = { _id: '~1', _type: 'case_artifact', dataType: 'ip', data: OURS, tags: [] };
  const responder = (service: string, config: object = {}) =>
    job(url, observable, { dataType: 'thehive:case_artifact', parameters: { user: 'ana@example.org' } }, { service, ...config });

  it('an override holds from then on for every lookup, in the name of the analyst', async () => {
    const { output } = await runJob(responder('overrule_clean', { for_hours: 24 }));
    expect(output).toMatchObject({ success: true, operations: [{ type: 'AddTagToArtifact', tag: 'isMalicious:overruled="clean"' }] });
    expect(await call('/v1/feedback')).toMatchObject({ overrides: [{ indicator: OURS, verdict: 'clean', author: 'ana@example.org' }] });
    expect((await runJob(job(url, OURS))).output.full).toMatchObject({ verdict: 'clean', score: 0, tier: 'log' });
  });

  it('a watched observable is on the watchlist', async () => {
    const { output } = await runJob(responder('watch'));
    expect(output).toMatchObject({ success: true, operations: [{ type: 'AddTagToArtifact', tag: 'isMalicious:watched' }] });
    expect(await call('/v1/watchlist')).toMatchObject({ watchlist: [{ indicator: OURS, by: 'ana@example.org' }] });
  });

  it('what cannot be watched, or has no user, is refused', async () => {
    const nonsense = { ...responder('watch'), data: { ...observable, data: 'no indicator' } };
    expect((await runJob(nonsense)).output.errorMessage).toMatch(/^It is not watched: /);
    const nameless = { ...responder('overrule_clean'), parameters: {} };
    expect((await runJob(nameless)).output.errorMessage).toMatch(/which user/);
  });
});

describe('what is refused before anything is sent', () => {
  const UNREACHED = 'http://127.0.0.1:9';
  it.each<[string, object, RegExp]>([
    ['TLP above the maximum', job(UNREACHED, '11.0.0.1', { tlp: 3 }), /^TLP is higher than allowed\.$/],
    ['PAP above the maximum', job(UNREACHED, '11.0.0.1', { pap: 3 }), /^PAP is higher than allowed\.$/],
    ['no data type', { data: 'x', config: {} }, /^Missing dataType field$/],
    ['no data', job(UNREACHED, ' '), /^Missing data field$/],
    ['a data type of no lookup', job(UNREACHED, 'x', { dataType: 'registry' }), /^Data type "registry" is not looked up/],
    ['an unknown service', job(UNREACHED, 'x', {}, { service: 'erase' }), /^Unknown service "erase"\.$/],
    ['no address of the sidecar', job('', 'x'), /^Set "url"/],
    ['a token over plain http to another machine', job('http://192.0.2.1:8787', 'x'), /not sent over plain http/],
  ])('%s', async (_name, input, message) => {
    const { code, output } = await runJob(input);
    expect(code).toBe(1);
    expect(output.errorMessage).toMatch(message);
  });

  it('a job without a job folder goes from standard input to standard output', async () => {
    const { code, stdout } = await runProgram(process.execPath, [PROGRAM, '/there/is/no/such'], { input: '{"data":"x"}' });
    expect(code).toBe(1);
    expect(JSON.parse(stdout)).toEqual({ success: false, input: { data: 'x' }, errorMessage: 'Missing dataType field' });
  });
});

describe('answers that are none', () => {
  it.each<[string, number, string, RegExp]>([
    ['a refused token', 401, '{"error":{"code":"unauthorized","message":"no"}}', /refused the token/],
    ['a page of a proxy', 200, '<html>', /answered 200, and not in its own form/],
    ['an answer without a verdict', 200, '{"enrichments":[{"status":"ok"}]}', /without an enrichment/],
    ['a verdict of another version', 200, '{"enrichments":[{"status":"ok","verdict":"good"}]}', /without an enrichment/],
    ['a busy sidecar', 503, '{"error":{"code":"busy","message":"try again"}}', /answered 503: try again/],
  ])('%s', async (_name, status, text, message) => {
    const server = createServer((request, response) => {
      request.resume();
      response.writeHead(status).end(text);
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    onTestFinished(() => void server.close());
    const { code, output } = await runJob(job(`http://127.0.0.1:${(server.address() as AddressInfo).port}`, '11.0.0.1'));
    expect(code).toBe(1);
    expect(output.errorMessage).toMatch(message);
  });
});

describe('the flavors', () => {
  const flavors = globSync('{analyzers,responders}/*/*.json', { cwd: FOLDER });
  it.each(flavors)('%s has what Cortex requires, and no key of a vendor', (path) => {
    const flavor = JSON.parse(readFileSync(join(FOLDER, path), 'utf8')) as Record<string, unknown>;
    for (const name of ['name', 'version', 'author', 'url', 'license', 'description', 'command', 'baseConfig'])
      expect(flavor[name], name).toEqual(expect.stringMatching(/./));
    expect(flavor['name']).toBe(basename(path, '.json'));
    expect(flavor['dataTypeList']).toEqual(expect.arrayContaining([expect.any(String)]));
    const items = flavor['configurationItems'] as Record<string, unknown>[];
    expect(items.map(({ name }) => name).filter((name) => /api|vendor/.test(String(name)))).toEqual([]);
    for (const item of items)
      expect(Object.keys(item)).toEqual(expect.arrayContaining(['name', 'description', 'type', 'multi', 'required']));
  });

  it('each analyzer has a short and a long report', () => {
    const named = globSync('analyzers/*/*.json', { cwd: FOLDER }).map((path) => `${basename(path, '.json')}_1_0`);
    for (const name of named)
      for (const report of ['short', 'long'])
        expect(readFileSync(join(FOLDER, 'thehive/templates', name, `${report}.html`), 'utf8')).toMatch(/\{\{/);
  });
});

const python = peerPythonOf('cortex');

/** The reference: an analyzer and a responder on cortexutils that give back what they are given. */
const REFERENCE = `
import sys, json
from cortexutils.analyzer import Analyzer
class Reference(Analyzer):
    def summary(self, raw): return raw["taxonomies"]
    def run(self):
        given = json.loads(sys.argv[2])
        taxonomies = [self.build_taxonomy(t["level"], t["namespace"], t["predicate"], t["value"]) for t in given["taxonomies"]]
        self.summary = lambda raw: {"taxonomies": taxonomies}
        self.artifacts = lambda raw: [self.build_artifact(a.pop("dataType"), a.pop("data"), **a) for a in given["artifacts"]]
        self.report(given["full"])
Reference().run()
`;

describe.skipIf(python === null)('beside the reference of Cortex (needs python peers)', () => {
  const reference = async (input: object, given: object = { taxonomies: [], artifacts: [], full: {} }) => {
    const folder = jobFolder(input);
    const { code } = await runProgram(python!, ['-c', REFERENCE, folder, JSON.stringify(given)]);
    return { code, output: JSON.parse(readFileSync(join(folder, 'output/output.json'), 'utf8')) as Output };
  };

  it('writes the same document for the same report', async () => {
    const input = job(url, 'http://bad.example.org/x', { dataType: 'url' });
    const ours = await runJob(input);
    const { summary, artifacts, full } = ours.output;
    expect(await reference(input, { taxonomies: summary!.taxonomies, artifacts, full })).toEqual(ours);
  });

  it.each([
    ['TLP', { tlp: 3 }],
    ['PAP', { pap: 3 }],
    ['data type', { dataType: undefined }],
  ])('refuses the same job for its %s, in the same words', async (_name, more) => {
    const input = job('http://127.0.0.1:9', '11.0.0.1', more);
    const { token: _token, ...config } = input.config;
    const keyed = { ...input, config: { ...config, api_key: 'k', my_secret: 's' } };
    expect(await runJob(keyed)).toEqual(await reference(keyed));
  });
});
