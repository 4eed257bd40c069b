import { existsSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { INTEGRATION_PEERS_FOLDER, N8N_PEERS } from '../../scripts/ci-integration-peers.ts';
import { projectRoot } from '../support/fixtures.ts';
import { startBoth, TOKEN, VALUES } from './support/sidecar-process.ts';

const FOLDER = join(projectRoot, 'integrations/n8n');
const load = createRequire(join(FOLDER, 'package.json'));
const manifest = load('./package.json') as { n8n: { credentials: string[]; nodes: string[] } };

interface Item {
  readonly json: Readonly<Record<string, any>>; // eslint-disable-line typescript/no-explicit-any -- read as whatever is expected
  readonly pairedItem?: { readonly item: number };
}
type Parameters = Readonly<Record<string, unknown>>;
interface NodeClass {
  readonly description: { readonly properties: readonly object[]; readonly credentials: readonly { readonly name: string }[] };
  execute(this: unknown): Promise<Item[][]>;
}
const { IsMalicious } = load('./nodes/IsMalicious/IsMalicious.node.js') as { IsMalicious: new () => NodeClass };
const { IsMaliciousSidecarApi } = load('./credentials/IsMaliciousSidecarApi.credentials.js') as {
  IsMaliciousSidecarApi: new () => { readonly name: string; readonly test: { readonly request: { readonly body: unknown } } };
};

const [sidecar, limited] = await startBoth();
afterAll(() => Promise.all([sidecar[Symbol.asyncDispose](), limited[Symbol.asyncDispose]()]));

/** A value with its expressions filled in, as n8n does for each item. */
function filled(value: unknown, json: unknown): unknown {
  if (typeof value !== 'string' || !value.startsWith('=')) return value;
  const expression = /^=\{\{(.*)\}\}$/s.exec(value)?.[1] ?? '""';
  // eslint-disable-next-line typescript/no-implied-eval, eslint/no-new-func -- the expressions of our own workflow file
  return (new Function('$json', `return (${expression});`) as (json: unknown) => unknown)(json);
}

/** Runs the node on items; counts the calls that it makes. */
async function runNode(
  parameters: Parameters,
  items: readonly Item[],
  { credentials = { url: sidecar.url, token: TOKEN }, continueOnFail = false } = {},
): Promise<{ items: Item[]; calls: string[] }> {
  const calls: string[] = [];
  const context = {
    getInputData: () => items,
    getNodeParameter: (name: string, n: number, fallback?: unknown) => filled(parameters[name], items[n]?.json) ?? fallback,
    getCredentials: async () => credentials,
    continueOnFail: () => continueOnFail,
    helpers: {
      async httpRequestWithAuthentication(_type: string, { method, url, body }: { method: string; url: string; body: unknown }) {
        calls.push(url);
        const headers = { 'content-type': 'application/json', authorization: `Bearer ${credentials.token}` };
        const response = await fetch(url, { method, headers, body: JSON.stringify(body) });
        if (!response.ok) throw new Error(`Request failed with status code ${response.status}`);
        return response.json();
      },
    },
  };
  const [found = []] = await new IsMalicious().execute.call(context);
  return { items: found, calls };
}

const ips = (...values: readonly string[]): Item[] => values.map((ip) => ({ json: { ip } }));
const LOOKUP = { operation: 'lookup', indicator: '={{ $json.ip }}', options: { timeoutMs: 5000 } };

describe('the n8n node, run before a sidecar', () => {
  it('looks many items up in one call, and pairs each answer with its item', async () => {
    const { items, calls } = await runNode(LOOKUP, ips(...Object.values(VALUES)));
    expect(calls).toHaveLength(1);
    expect(items.map(({ json, pairedItem }) => [json['indicator'], json['route'], pairedItem?.item])).toEqual([
      [VALUES.malicious, 'high', 0],
      [VALUES.partial, 'high', 1],
      [VALUES.clean, 'close', 2],
      [VALUES.unknown, 'review', 3],
      [VALUES.failed, 'review', 4],
      [VALUES.partlyClean, 'review', 5],
    ]);
    expect(items[5]!.json).toMatchObject({ complete: false, note: expect.stringMatching(/is unknown, .*this does not mean clean/) });
  });

  it('keeps to the batch size', async () => {
    const options = { ...LOOKUP.options, batchSize: 2 };
    expect((await runNode({ ...LOOKUP, options }, ips('11.0.3.1', '11.0.3.2', '11.0.3.3'))).calls).toHaveLength(2);
  });

  it('a private address is never sent, and decides nothing', async () => {
    expect((await runNode(LOOKUP, ips('10.1.2.3'))).items[0]!.json).toMatchObject({ status: 'skipped_private', route: 'none' });
  });

  it('extracts, triages, overrules and watches', async () => {
    const said = { indicator: '11.0.4.1', author: 'ana', reason: 'ours', options: {} };
    const one = [{ json: { id: 'a-1', dest_ip: VALUES.malicious } }];
    const of = async (parameters: Parameters) => (await runNode({ options: {}, ...parameters }, one)).items[0]!.json;
    expect(await of({ operation: 'extract', text: 'to 11[.]0[.]0[.]1' })).toMatchObject({ indicators: [{ value: '11.0.0.1' }] });
    expect(await of({ operation: 'triage', alert: '={{ $json }}' })).toMatchObject({ alert_id: 'a-1', tier: 'p1' });
    expect(await of({ operation: 'overrule', verdict: 'clean', ...said })).toMatchObject({ verdict: 'clean', author: 'ana' });
    expect(await of({ operation: 'watch', ...said })).toMatchObject({ indicator: '11.0.4.1', added: true });
  });

  it('continue on fail: a bad item gets an error, the others their answers, in order', async () => {
    const { items } = await runNode(LOOKUP, [...ips(VALUES.malicious), { json: {} }, ...ips(VALUES.clean)], { continueOnFail: true });
    expect(items.map(({ json, pairedItem }) => [json['verdict'] ?? json['error'], pairedItem?.item])).toEqual([
      ['malicious', 0],
      ['"indicator" is empty.', 1],
      ['clean', 2],
    ]);
  });

  it('without it the first fault ends the node', async () => {
    await expect(runNode(LOOKUP, [{ json: {} }])).rejects.toThrow('"indicator" is empty.');
    await expect(runNode(LOOKUP, ips('11.0.0.1'), { credentials: { url: sidecar.url, token: 'another-one' } })).rejects.toThrow('401');
    await expect(runNode({ ...LOOKUP, operation: 'watch', indicator: 'none', author: 'a', reason: 'b' }, ips('x'))).rejects.toThrow(
      'not watched',
    );
  });

  it('sends no token over plain http to another machine', async () => {
    const credentials = { url: 'http://192.0.2.1:8787', token: TOKEN };
    await expect(runNode(LOOKUP, ips('11.0.0.1'), { credentials })).rejects.toThrow('not sent over plain http');
  });

  it('the credential is tested by a question that spends nothing', async () => {
    const { name, test } = new IsMaliciousSidecarApi();
    expect(new IsMalicious().description.credentials[0]!.name).toBe(name);
    expect(await sidecar.call('/v1/lookup', test.request.body)).toHaveProperty('plan');
  });
});

interface WorkflowNode {
  readonly name: string;
  readonly type: string;
  readonly parameters: any; // eslint-disable-line typescript/no-explicit-any -- by the type of the node
}
interface WorkflowFile {
  readonly nodes: readonly WorkflowNode[];
  readonly connections: Readonly<Record<string, { readonly main: readonly (readonly { readonly node: string }[])[] }>>;
}
const workflow = JSON.parse(readFileSync(join(FOLDER, 'workflows/enrich-and-route.json'), 'utf8')) as WorkflowFile;

/** Walks the workflow: our node for real, the built-in ones by what their pages say. Gives the items that come out at its ends. */
async function runWorkflow(body: object, url: string): Promise<Item[]> {
  const ends: Item[] = [];
  const outputsOf = async ({ type, parameters }: WorkflowNode, items: readonly Item[]): Promise<(readonly Item[])[]> => {
    if (type === 'n8n-nodes-base.webhook') return [items];
    if (type === 'n8n-nodes-base.splitOut')
      return [items.flatMap(({ json }) => (json[parameters.fieldToSplitOut] as object[]).map((one) => ({ json: one })))];
    if (type === 'n8n-nodes-base.switch') {
      const rules = parameters.rules.values as { conditions: { conditions: { leftValue: string; rightValue: string }[] } }[];
      const outputs: Item[][] = [...rules.map(() => []), []];
      for (const item of items) {
        const at = rules.findIndex(({ conditions }) =>
          conditions.conditions.every(({ leftValue, rightValue }) => filled(leftValue, item.json) === rightValue),
        );
        outputs.at(at)!.push(item);
      }
      return outputs;
    }
    if (type === 'n8n-nodes-base.set')
      return [
        items.map(({ json }) => {
          const assignments = parameters.assignments.assignments as { name: string; value: unknown }[];
          return { json: { ...json, ...Object.fromEntries(assignments.map(({ name, value }) => [name, filled(value, json)])) } };
        }),
      ];
    return [(await runNode(parameters as Parameters, items, { credentials: { url, token: TOKEN }, continueOnFail: true })).items];
  };
  const go = async (name: string, items: readonly Item[]): Promise<void> => {
    if (items.length === 0) return;
    const outputs = await outputsOf(
      workflow.nodes.find((node) => node.name === name)!,
      items,
    );
    const targets = workflow.connections[name]?.main;
    if (targets === undefined) ends.push(...(outputs[0] ?? []));
    else for (const [n, to] of targets.entries()) for (const { node } of to) await go(node, outputs[n] ?? []);
  };
  await go('Alert', [{ json: { body } }]);
  return ends;
}

describe('the seed workflow in n8n', () => {
  it(
    'alert in, four sources with one rate-limited: partial, scored, high queue, note; nothing is blocked',
    { timeout: 30_000 },
    async () => {
      const ends = await runWorkflow({ rule: 'beacon', source: { ip: '10.0.0.7' }, message: 'to 11[.]0[.]0[.]1' }, limited.url);
      expect(ends.map(({ json }) => json)).toEqual([
        expect.objectContaining({ indicator: '11.0.0.1', queue: 'high', status: 'partial', note: expect.stringContaining('(partial)') }),
      ]);
      for (const values of Object.values(limited.four.asked)) expect(values).toEqual(['11.0.0.1']);
    },
  );

  it('complete and below 40: closed with a note; unknown and not complete: review', async () => {
    const queueOf = async (value: string) =>
      (await runWorkflow({ message: value }, sidecar.url)).map(({ json }) => json['queue'] as string);
    expect(await queueOf(VALUES.clean)).toEqual(['close']);
    for (const value of [VALUES.unknown, VALUES.failed, VALUES.partlyClean]) expect(await queueOf(value)).toEqual(['review']);
  });

  it('a sidecar that is not there: review, with the reason', async () => {
    const ends = await runNode(LOOKUP, ips('11.0.0.1'), { credentials: { url: 'http://127.0.0.1:9', token: '' }, continueOnFail: true });
    expect(ends.items[0]!.json['error']).toMatch(/fetch failed/);
  });
});

const peer = join(INTEGRATION_PEERS_FOLDER, 'n8n');
const hasPeer = existsSync(join(peer, 'node_modules/n8n-workflow'));
if (!hasPeer)
  process.stderr.write(`n8n not found: its tests are skipped (npm install --prefix ${peer} --ignore-scripts ${N8N_PEERS.join(' ')})\n`);

describe.skipIf(!hasPeer)('by n8n’s own rules (needs n8n, as a package)', () => {
  interface Helpers {
    getNodeParametersIssues(properties: readonly object[], node: object, description: object): { parameters: object } | null;
  }
  const helpers = () => (createRequire(join(peer, 'x.js'))('n8n-workflow') as { NodeHelpers: Helpers }).NodeHelpers;
  const issuesOf = (node: object) =>
    helpers().getNodeParametersIssues(new IsMalicious().description.properties, node, new IsMalicious().description);

  it('every use of the node in the workflow file is complete', () => {
    const ours = workflow.nodes.filter(({ type }) => type.endsWith('.isMalicious'));
    expect(ours.length).toBe(2);
    for (const node of ours) expect(issuesOf(node)).toBeNull();
  });

  it.each([
    ['lookup', 'indicator'],
    ['extract', 'text'],
    ['overrule', 'author'],
    ['watch', 'reason'],
  ])('%s without %s is found', (operation, name) => {
    const parameters = { operation, indicator: 'x', text: 'x', author: 'x', reason: 'x', verdict: 'clean', options: {}, [name]: '' };
    const node = { id: '1', name: 'n', type: 'isMalicious', typeVersion: 1, position: [0, 0], parameters };
    expect(issuesOf(node)?.parameters).toHaveProperty(name);
  });
});

it('the package names its node and credential where they are, and no package that it needs', () => {
  for (const path of [...manifest.n8n.nodes, ...manifest.n8n.credentials]) expect(existsSync(join(FOLDER, path)), path).toBe(true);
  expect(manifest).not.toHaveProperty('dependencies');
});
