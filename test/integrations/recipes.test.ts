import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { projectRoot } from '../support/fixtures.ts';
import { hasPeer, peerPython } from '../support/python-peers.ts';
import { createFakeEnricher } from '../support/fake-sidecar-enricher.ts';
import { startSidecar } from '../hosts/sidecar/support/start-sidecar.ts';

const run = promisify(execFile);
const recipe = (name: string) => join(projectRoot, 'integrations/recipes', name);
const knowing = () => createFakeEnricher({ sayings: { '8.8.8.8': { verdict: 'malicious' } } });

describe('the recipe for Sentinel', () => {
  it('makes a call that the sidecar answers, and has a comment for its failure', async () => {
    const { resources } = JSON.parse(readFileSync(recipe('sentinel-playbook.json'), 'utf8')) as { resources: any[] };
    const { actions } = resources.find(({ type }) => type === 'Microsoft.Logic/workflows').properties.definition;
    const { uri, headers, body } = actions.Look_up.inputs;
    const { call } = await startSidecar({ token: 'long-enough-token' }, { enricher: knowing() });
    const answer = await call(uri.replace("@{parameters('SidecarUrl')}", ''), {
      headers: { ...headers, authorization: headers.authorization.replace("@{parameters('SidecarToken')}", 'long-enough-token') },
      body: JSON.stringify({ ...body, indicators: ['8.8.8.8'] }),
    });
    expect(answer.json.enrichments).toMatchObject([{ verdict: 'malicious', status: 'ok' }]);
    for (const wanted of Object.values(actions.Rows.inputs.select) as string[])
      expect(answer.json.enrichments[0]).toHaveProperty(/\['(\w+)'\]/.exec(wanted)?.[1] ?? '');
    expect(actions.Comment_on_failure.runAfter.Look_up).toContain('Failed');
    for (const { runAfter } of Object.values(actions) as any[])
      for (const name of Object.keys(runAfter)) expect(actions).toHaveProperty(name);
  });
});

describe('the recipe for Wazuh', () => {
  async function runScript(base: string, alert: object): Promise<any[]> {
    const folder = mkdtempSync(join(tmpdir(), 'ismalicious-wazuh-'));
    const path = join(folder, 'queue');
    const got: string[] = [];
    const receiver = spawn('python3', [
      '-uc',
      'import socket,sys\ns=socket.socket(socket.AF_UNIX,socket.SOCK_DGRAM);s.bind(sys.argv[1]);print("ready")\nwhile True: print(s.recv(70000).decode())',
      path,
    ]);
    const ended = once(receiver, 'exit');
    const events = (async () => {
      for await (const part of receiver.stdout) got.push(String(part));
    })();
    await once(receiver.stdout, 'data');
    writeFileSync(join(folder, 'alert.json'), JSON.stringify(alert));
    await run('python3', [recipe('wazuh-custom-ismalicious.py'), join(folder, 'alert.json'), '', base], {
      env: { PATH: process.env['PATH'], ISMALICIOUS_WAZUH_QUEUE: path },
    });
    await run('python3', [
      '-c',
      'import socket,sys\ns=socket.socket(socket.AF_UNIX,socket.SOCK_DGRAM);s.connect(sys.argv[1]);s.send(b"end")',
      path,
    ]);
    while (!got.join('').includes('\nend\n') && !got.join('').endsWith('end\n')) await once(receiver.stdout, 'data');
    receiver.kill();
    await ended;
    await events;
    return got
      .join('')
      .split('\n')
      .filter((line) => line.startsWith('1:'))
      .map((line) => JSON.parse(line.slice(line.indexOf('{'))) as unknown);
  }
  const alert = { id: '1.2', rule: { id: '5710' }, agent: { id: '000' }, data: { srcip: '8.8.8.8', dstip: '10.0.0.1' } };

  it('puts a verdict for each value into the queue, and says when it could not ask', { timeout: 60_000 }, async () => {
    const { url } = await startSidecar({}, { enricher: knowing() });
    expect(await runScript(url, alert)).toMatchObject([
      { integration: 'ismalicious', ismalicious: { alert_id: '1.2', indicator: '8.8.8.8', verdict: 'malicious', status: 'ok' } },
      { ismalicious: { indicator: '10.0.0.1', verdict: 'unknown', status: 'skipped_private' } },
    ]);
    expect(await runScript('http://127.0.0.1:9', alert)).toMatchObject([
      { ismalicious: { indicator: '8.8.8.8', verdict: 'unknown', status: 'unavailable' } },
      { ismalicious: { indicator: '10.0.0.1', verdict: 'unknown', status: 'unavailable' } },
    ]);
  });
});

const hasVrl = hasPeer('pyvrl');

describe.skipIf(!hasVrl)('the recipe for Vector', () => {
  it('makes of a line an event whose values the sidecar finds', async () => {
    const { transforms } = parse(readFileSync(recipe('vector.yaml'), 'utf8')) as { transforms: { ecs: { source: string } } };
    const program = 'import json,sys,pyvrl\nsource,event=json.load(sys.stdin)\nprint(json.dumps(pyvrl.Transform(source).remap(event)))';
    const child = spawn(peerPython, ['-c', program]);
    child.stdin.end(JSON.stringify([`${transforms.ecs.source}\n.`, { message: 'src=10.0.0.5 dst=8.8.8.8 action=allow' }]));
    let said = '';
    child.stdout.on('data', (part) => (said += String(part)));
    await once(child, 'exit');
    const event = JSON.parse(said) as object;
    expect(event).toMatchObject({ source: { ip: '10.0.0.5' }, destination: { ip: '8.8.8.8' } });
    const { call } = await startSidecar({}, { enricher: knowing() });
    expect((await call('/v1/enrich', { body: event })).json.ismalicious).toMatchObject({ verdict: 'malicious', indicator: '8.8.8.8' });
  });
});
