import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { hasPeers, peerPython } from '../../support/python-peers.ts';
import { projectRoot } from '../../support/fixtures.ts';
import { newStateFolder } from '../../support/open-test-engine.ts';
import { documentedPath } from './support/start-sidecar.ts';
import { answerMisfits, type ApiDocument } from './support/schema-check.ts';
import { answerBulk, startUpstreamUntil } from './support/upstream-stand-in.ts';

const program = join(projectRoot, 'dist/cli.js');
const TOKEN = 'a-token-of-the-house-42';
const headers = { authorization: `Bearer ${TOKEN}` };

interface Media {
  readonly example?: unknown;
}
type Document = ApiDocument & {
  readonly paths: Readonly<
    Record<
      string,
      Readonly<
        Record<
          string,
          { readonly requestBody?: { readonly content: Readonly<Record<string, Media>> }; readonly parameters?: readonly Parameter[] }
        >
      >
    >
  >;
};
interface Parameter {
  readonly in: string;
  readonly name: string;
  readonly required?: boolean;
  readonly example?: string;
}

let base = '';
const ends: (() => Promise<unknown>)[] = [];

// The program as users start it: with a store, and an engine behind the gateway that takes everything.
beforeAll(async () => {
  if (!existsSync(program)) return;
  const upstream = await startUpstreamUntil((request, res) => {
    if (request.method === 'POST') return answerBulk(request, res);
    res.writeHead(200, { 'content-type': 'text/html', 'X-Elastic-Product': 'Elasticsearch' }).end('<!doctype html>');
    return undefined;
  });
  const child = spawn(process.execPath, [program, 'serve', '--port', '0'], {
    env: {
      PATH: process.env['PATH'] ?? '',
      ISMALICIOUS_STATE_DIR: newStateFolder(),
      ISMALICIOUS_SIDECAR_TOKEN: TOKEN,
      ISMALICIOUS_SIDECAR_PIPELINE_STORE: 'always',
      ISMALICIOUS_GATEWAY_UPSTREAM: upstream.url,
    },
  });
  const ended = once(child, 'exit');
  ends.push(async () => {
    child.kill('SIGTERM');
    await ended;
    upstream.close();
  });
  let said = '';
  for await (const part of child.stdout) {
    said += String(part);
    const [, port] = /^listening (\d+)\n/.exec(said) ?? [];
    if (port === undefined) continue;
    base = `http://127.0.0.1:${port}`;
    break;
  }
}, 120_000);

afterAll(async () => {
  for (const end of ends) await end();
});

describe.skipIf(!existsSync(program))('the sidecar and its OpenAPI document', { timeout: 120_000 }, () => {
  it('answers every operation, called with the examples of the document, as the document says', async () => {
    const api = (await (await fetch(`${base}/openapi.json`, { headers })).json()) as Document;
    const seen: string[] = [];
    for (const [path, methods] of Object.entries(api.paths))
      for (const [method, { requestBody, parameters = [] }] of Object.entries(methods))
        for (const [type, media] of Object.entries(requestBody?.content ?? { '': {} as Media })) {
          const filled = path.replaceAll(/\{(\w+)\}/g, (_, name) => parameters.find((one) => one.name === name)?.example ?? '');
          const query = parameters
            .filter((one) => one.in === 'query' && one.required)
            .map(({ name, example = '' }) => `${name}=${example}`);
          const { example } = media;
          const answer = await fetch(`${base}${filled}${query.length === 0 ? '' : `?${query.join('&')}`}`, {
            method: method.toUpperCase(),
            headers: {
              ...headers,
              accept: path.startsWith('/taxii2') ? 'application/taxii+json;version=2.1' : path === '/' ? 'text/html' : '*/*',
              ...(type === '' ? {} : { 'content-type': type }),
            },
            ...(type === '' ? {} : { body: typeof example === 'string' ? example : JSON.stringify(example) }),
          });
          const text = await answer.text();
          const given = answer.headers.get('content-type')?.split(';', 1)[0] ?? '';
          const known = documentedPath(api, filled) ?? '';
          expect(known).toBe(path);
          const faults =
            answer.status === 204 && text === ''
              ? []
              : answerMisfits(
                  api,
                  { path: known, method },
                  { status: answer.status, type: given, body: /[/+]json$/.test(given) ? JSON.parse(text) : text },
                );
          expect({ call: `${method} ${path} ${type}`, faults, text: faults.length === 0 ? '' : text }).toMatchObject({ faults: [] });
          expect(answer.status, `${method} ${path} ${type}: ${text}`).toBeLessThan(400);
          seen.push(`${method} ${path}`);
        }
    expect(new Set(seen).size).toBe(Object.values(api.paths).reduce((sum, methods) => sum + Object.keys(methods).length, 0));
  });

  it.each(['added_after=0.5', 'added_after=2026', 'added_after=yesterday'])(
    'refuses TAXII objects with %s instead of beginning in some year',
    async (query) => {
      const api = `${base}/taxii2/api/collections/`;
      const accept = 'application/taxii+json;version=2.1';
      const { collections } = (await (await fetch(api, { headers: { ...headers, accept } })).json()) as { collections: { id: string }[] };
      expect((await fetch(`${api}${collections[0]?.id}/objects/?${query}`, { headers: { ...headers, accept } })).status).toBe(400);
    },
  );

  it('refuses a time limit in a header that is none, also where the query has a good one', async () => {
    const answer = await fetch(`${base}/check?query=198.51.100.7&timeout_ms=1000`, { headers: { ...headers, 'x-timeout-ms': '600001' } });
    expect(answer.status).toBe(400);
  });

  it.each(['all=AAA', 'all='])('refuses GET /v1/feedback?%s instead of leaving out what has ended', async (query) => {
    const { status } = await fetch(`${base}/v1/feedback?${query}`, { headers });
    expect(status).toBe(400);
  });
});

const schemathesis = join(projectRoot, '.cache/pipeline-peers/bin/schemathesis');

describe.skipIf(!existsSync(program) || !hasPeers || !existsSync(schemathesis))('schemathesis', { timeout: 600_000 }, () => {
  it('finds no fault in any operation', async () => {
    const child = spawn(
      peerPython,
      [
        schemathesis,
        '--config-file',
        join(import.meta.dirname, 'support/schemathesis.toml'),
        'run',
        `${base}/openapi.json`,
        `--header=Authorization: Bearer ${TOKEN}`,
        '--phases=examples,coverage,fuzzing',
        '--max-examples=10',
        '--seed=20',
        '--request-timeout=60',
        '--continue-on-failure',
        '--no-color',
      ],
      {
        cwd: newStateFolder(),
        env: { ...process.env, SCHEMATHESIS_HOOKS: 'schemathesis_hooks', PYTHONPATH: join(import.meta.dirname, 'support') },
      },
    );
    let said = '';
    child.stdout.on('data', (part) => (said += String(part)));
    child.stderr.on('data', (part) => (said += String(part)));
    const [code] = (await once(child, 'exit')) as [number];
    expect({ code, said: code === 0 ? '' : said.slice(-8000) }).toEqual({ code: 0, said: '' });
    expect(said).toMatch(/31 selected \/ 31 total|Selected: 31\/31/);
  });
});
