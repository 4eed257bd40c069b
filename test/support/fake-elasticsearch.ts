import http from 'node:http';
import type { AddressInfo } from 'node:net';
import type { EngineAnswer } from './search-engine.ts';

/**
 * The parts of Elasticsearch 9 that `ismalicious elastic` talks to and no engine at hand has: transforms, enrich policies, and the
 * members that it adds to what it was given. Shapes after Elastic's API reference.
 */
export interface FakeElasticsearch extends AsyncDisposable {
  readonly url: string;
  /** What is held, by path. */
  readonly held: Map<string, EngineAnswer>;
  /** Method and path of every call, in order. */
  readonly calls: string[];
  /** `authorization` headers seen. */
  readonly auth: Set<string>;
  /** What `_settings` says of indices. */
  settings: Record<string, { settings: Record<string, string> }>;
  /** Answers this path with this status and reason, whatever the method. */
  refuse: { path: RegExp; status: number; reason: string } | null;
}

const CREATED = {
  created_date: '2026-11-21T10:00:00.000Z',
  created_date_millis: 1,
  modified_date: '2026-11-21T10:00:00.000Z',
  modified_date_millis: 1,
};

/** Starts one on loopback. */
export async function startFakeElasticsearch(version = '9.2.0'): Promise<FakeElasticsearch> {
  const held = new Map<string, EngineAnswer>();
  const calls: string[] = [];
  const auth = new Set<string>();
  const server = http.createServer((request, response) => {
    const parts: Buffer[] = [];
    request.on('data', (part: Buffer) => parts.push(part));
    request.on('end', () => {
      const path = decodeURIComponent((request.url ?? '').split('?')[0] ?? '');
      calls.push(`${request.method} ${path}`);
      auth.add(request.headers.authorization ?? '');
      const body = parts.length === 0 ? null : JSON.parse(Buffer.concat(parts).toString('utf8'));
      const refused = fake.refuse?.path.test(path)
        ? { status: fake.refuse.status, body: { error: { reason: fake.refuse.reason }, status: fake.refuse.status } }
        : null;
      const answer = refused ?? answerTo(request.method ?? '', path, body);
      response.writeHead(answer.status, { 'content-type': 'application/json', 'x-elastic-product': 'Elasticsearch' });
      response.end(JSON.stringify(answer.body));
    });
  });

  function answerTo(method: string, path: string, body: EngineAnswer): { status: number; body: unknown } {
    if (path === '/')
      return { status: 200, body: { version: { number: version, build_flavor: 'default' }, tagline: 'You Know, for Search' } };
    if (method === 'GET' && path.startsWith('/_all/_settings/')) return { status: 200, body: fake.settings };
    if (method === 'GET' && path === '/_ingest/pipeline') {
      const pipelines = [...held].filter(([name]) => name.startsWith('/_ingest/pipeline/'));
      return { status: 200, body: Object.fromEntries(pipelines.map(([name, one]) => [name.slice('/_ingest/pipeline/'.length), one])) };
    }
    if (method === 'DELETE' && path.startsWith('/_enrich/policy/')) {
      const policy = path.slice('/_enrich/policy/'.length);
      const users = [...held].filter(
        ([name, one]) => name.startsWith('/_ingest/') && JSON.stringify(one).includes(`"policy_name":"${policy}"`),
      );
      if (users.length > 0)
        return {
          status: 409,
          body: { error: { reason: `Could not delete policy [${policy}] because a pipeline is referencing it` }, status: 409 },
        };
    }
    if (method === 'PUT' && path.startsWith('/_enrich/policy/')) {
      for (const index of body.match.indices)
        if (!held.has(`/${index}`)) return { status: 404, body: { error: { reason: `no such index [${index}]` }, status: 404 } };
      if (held.has(path)) return { status: 400, body: { error: { reason: 'policy already exists' }, status: 400 } };
    }
    if (method === 'PUT' && path.startsWith('/_ingest/pipeline/')) {
      for (const processor of body.processors) {
        const policy = processor.enrich?.policy_name;
        if (policy && !held.has(`/_enrich/policy/${policy}`))
          return { status: 400, body: { error: { reason: `no enrich index exists for policy with name [${policy}]` }, status: 400 } };
      }
    }
    if (method === 'PUT' && path.startsWith('/_index_template/')) {
      const skipped = new Set(body.ignore_missing_component_templates ?? []);
      for (const name of body.composed_of) {
        if (!skipped.has(name) && !held.has(`/_component_template/${name}`))
          return { status: 400, body: { error: { reason: `component templates [${name}] do not exist` }, status: 400 } };
      }
    }
    if (method === 'PUT') {
      held.set(path, body);
      return { status: 200, body: { acknowledged: true } };
    }
    const transformAction = /^(\/_transform\/.+)\/(_start|_stop)$/.exec(path);
    if (method === 'POST' && transformAction)
      return held.has(transformAction[1] ?? '') ? { status: 200, body: { acknowledged: true } } : missing(path);
    const policyAction = /^(\/_enrich\/policy\/.+)\/_execute$/.exec(path);
    if (method === 'POST' && policyAction)
      return held.has(policyAction[1] ?? '') ? { status: 200, body: { status: { phase: 'COMPLETE' } } } : missing(path);
    if (method === 'DELETE') return held.delete(path) ? { status: 200, body: { acknowledged: true } } : missing(path);
    return read(path);
  }

  function read(path: string): { status: number; body: unknown } {
    const alias = /^(\/[^_/][^/]*)\/_alias$/.exec(path);
    const value = held.get(alias?.[1] ?? path);
    if (value === undefined) return path.startsWith('/_enrich/') ? { status: 200, body: { policies: [] } } : missing(path);
    const name = (alias?.[1] ?? path).split('/').at(-1) ?? '';
    if (alias) return { status: 200, body: { [name]: { aliases: value.aliases } } };
    if (path.startsWith('/_component_template/'))
      return { status: 200, body: { component_templates: [{ name, component_template: { ...value, ...CREATED } }] } };
    if (path.startsWith('/_index_template/')) {
      const stream = value.data_stream ? { data_stream: { hidden: false, allow_custom_routing: false } } : {};
      return { status: 200, body: { index_templates: [{ name, index_template: { ...value, ...stream, ...CREATED } }] } };
    }
    if (path.startsWith('/_ingest/pipeline/')) return { status: 200, body: { [name]: { ...value, ...CREATED } } };
    if (path.startsWith('/_transform/')) {
      const filled = {
        ...value,
        source: { ...value.source, query: { match_all: {} } },
        settings: { ...value.settings, docs_per_second: null },
        id: name,
        version,
        create_time: 1,
      };
      return { status: 200, body: { count: 1, transforms: [filled] } };
    }
    return { status: 200, body: { policies: [{ config: { match: { name, ...value.match } } }] } };
  }

  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
  const fake: FakeElasticsearch = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    held,
    calls,
    auth,
    settings: {},
    refuse: null,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((closed) => server.close(closed));
    },
  };
  return fake;
}

function missing(path: string): { status: number; body: unknown } {
  return { status: 404, body: { error: { type: 'resource_not_found_exception', reason: `${path} missing` }, status: 404 } };
}
