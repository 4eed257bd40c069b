import { spawn, type ChildProcess } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type net from 'node:net';
import { Readable } from 'node:stream';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openStore, type Store } from '../../src/store/store-client.ts';
import type { Feed } from '../../src/feeds/feed.ts';
import { FEEDS } from '../../src/feeds/registry.ts';
import { exportStore } from '../../src/pipeline/export-store.ts';
import { readFeed } from '../../src/pipeline/read-feed.ts';
import { answerTaxii, TAXII_COLLECTION_ID } from '../../src/pipeline/taxii-collection.ts';
import { enrichmentOf, observationOf } from '../store/samples.ts';
import { bodyOf, contextOf, itemOf, outputOf, start } from '../outputs/samples.ts';
import { freePort } from '../support/free-port.ts';
import { hasPeers, peerPython, runPython } from '../support/python-peers.ts';
import { fakeClock, fetchTransport } from './stand-in.ts';

const folder = mkdtempSync(join(tmpdir(), 'ismalicious-peers-'));
afterAll(() => rmSync(folder, { recursive: true }));
const taxii = FEEDS.find(({ id }) => id === 'taxii') as Feed;
const NOW = 1_795_000_000;

async function readTaxii(store: Store, url: string, more: Record<string, unknown> = {}) {
  const settings = taxii.settings.parse({ baseUrl: url, username: 'admin', apiKey: 'Password0', ...more });
  return readFeed(
    { feed: taxii, settings, transport: fetchTransport, timeoutMs: 10_000 },
    { store, clock: fakeClock(), signal: new AbortController().signal, isDry: false },
  );
}

describe.skipIf(!hasPeers)('medallion 3.0.0, a TAXII server [needs python]', () => {
  let server: ChildProcess;
  let url = '';
  const object = (n: number) => ({
    type: 'indicator',
    spec_version: '2.1',
    id: `indicator--00000000-0000-4000-8000-${String(n).padStart(12, '0')}`,
    created: '2026-11-01T00:00:00.000Z',
    modified: '2026-11-01T00:00:00.000Z',
    pattern: n === 4 ? "[process:name = 'x.exe']" : `[domain-name:value = 'h${n}.evil-host.net']`,
    pattern_type: 'stix',
    valid_from: '2026-11-01T00:00:00Z',
  });
  beforeAll(async () => {
    const objects = Array.from({ length: 8 }, (_, n) => object(n));
    const manifest = objects.map(({ id, modified }, n) => ({
      id,
      date_added: `2026-11-01T00:00:0${n}.000000Z`,
      version: modified,
      media_type: 'application/stix+json;version=2.1',
    }));
    const data = {
      '/discovery': { title: 't', default: 'API1', api_roots: ['API1'] },
      api1: {
        information: { title: 'a', versions: ['application/taxii+json;version=2.1'], max_content_length: 9_765_625 },
        status: [],
        collections: [
          {
            id: '91a7b528-80eb-42ed-a74d-c6fbd5a26116',
            title: 'Malware',
            can_read: true,
            can_write: true,
            media_types: ['application/stix+json;version=2.1'],
            objects,
            manifest,
          },
        ],
      },
    };
    const port = await freePort();
    const root = `http://127.0.0.1:${port}/api1/`;
    writeFileSync(join(folder, 'data.json'), JSON.stringify(data).replaceAll('API1', root));
    const config = {
      backend: { module: 'medallion.backends.memory_backend', module_class: 'MemoryBackend', filename: join(folder, 'data.json') },
      users: { admin: 'Password0' },
      taxii: { max_page_size: 3 },
    };
    writeFileSync(join(folder, 'config.json'), JSON.stringify(config));
    server = spawn(
      peerPython,
      ['-m', 'medallion.scripts.run', '--host', '127.0.0.1', '--port', String(port), join(folder, 'config.json')],
      { stdio: 'ignore' },
    );
    url = `http://127.0.0.1:${port}/taxii2`;
    await reachable(url);
  });
  afterAll(() => void server?.kill('SIGTERM'));

  it('is read page by page to its end, resumed by date, and a second run brings nothing', async () => {
    const store = await openStore(join(folder, 'taxii.db'));
    const report = await readTaxii(store, url, { pageSize: 3 });
    expect(report).toMatchObject({ failure: null, items: 8, accepted: 7, quarantined: 1, new: 7 });
    expect((await store.quarantinedItems('taxii', 9)).map(({ reason }) => reason)).toEqual([expect.stringContaining('names no indicator')]);
    const again = await readTaxii(store, url, { pageSize: 3 });
    expect(again).toMatchObject({ failure: null, items: 0 });
    const added = await fetchTransport.send(
      {
        url: new URL(url.replace('taxii2', 'api1/collections/91a7b528-80eb-42ed-a74d-c6fbd5a26116/objects/')),
        method: 'POST',
        headers: {
          authorization: `Basic ${Buffer.from('admin:Password0').toString('base64')}`,
          accept: 'application/taxii+json;version=2.1',
          'content-type': 'application/taxii+json;version=2.1',
        },
        body: JSON.stringify({ objects: [{ ...object(50), modified: '2026-11-20T00:00:00.000Z' }] }),
      },
      { timeoutMs: 5000, maxBytes: 1e6 },
    );
    expect(added.status).toBe(202);
    expect(await readTaxii(store, url, { pageSize: 3 })).toMatchObject({ failure: null, items: 1, new: 1 });
    await store.close();
  });
  it('refuses a wrong password: a failure, not an empty feed', async () => {
    const store = await openStore(join(folder, 'taxii-wrong.db'));
    expect((await readTaxii(store, url, { apiKey: 'wrong' })).failure).toMatch(/401/);
    await store.close();
  });
});

describe('our own TAXII collection', () => {
  it('is read by our own TAXII feed, every object once, also what was judged while it was read', async () => {
    const store = await openStore(join(folder, 'own.db'));
    const judge = async (values: string[], atS: number) => {
      await store.observe(
        values.map((value) => observationOf(value, { tlp: 'GREEN' })),
        atS,
      );
      await store.record(
        values.map(
          (value) =>
            [
              value,
              enrichmentOf({ score: value.startsWith('ok') ? 0 : 90, verdict: value.startsWith('ok') ? 'clean' : 'malicious' }),
            ] as const,
        ),
        atS,
      );
    };
    await judge(
      Array.from({ length: 25 }, (_, n) => `h${n}.evil-host.net`),
      NOW - 100,
    );
    await judge(['ok.good-host.net'], NOW - 100);
    await store.observe([observationOf('red.evil-host.net', { tlp: 'RED' })], NOW - 100);
    await store.record([['red.evil-host.net', enrichmentOf({})]], NOW - 100);
    let nowS = NOW;
    const server = createServer((request, response) => {
      const url = new URL(request.url ?? '', 'http://x');
      const baseUrl = `http://${String(request.headers.host)}/taxii2`;
      void answerTaxii(
        { path: url.pathname.slice('/taxii2'.length), query: url.searchParams, accept: request.headers.accept ?? '', baseUrl },
        { store, nowS, maxTlp: 'AMBER' },
      ).then(({ status, headers, body }) => response.writeHead(status, headers).end(JSON.stringify(body)));
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const url = `http://127.0.0.1:${(server.address() as net.AddressInfo).port}/taxii2`;
    const reader = await openStore(join(folder, 'reader.db'));
    expect(await readTaxii(reader, url, { pageSize: 10 })).toMatchObject({ failure: null, items: 25, accepted: 25, new: 25 });
    expect(await reader.get('red.evil-host.net', NOW)).toBeNull();
    await judge(['late.evil-host.net'], NOW);
    expect(await readTaxii(reader, url, { pageSize: 10 })).toMatchObject({ items: 0 });
    nowS = NOW + 5;
    expect(await readTaxii(reader, url, { pageSize: 10 })).toMatchObject({ items: 1, new: 1 });
    const get = (path: string, accept = 'application/taxii+json;version=2.1') => fetch(url + path, { headers: { accept } });
    expect((await get('/api/', 'application/json')).status).toBe(406);
    expect((await get('/api/nothing/')).status).toBe(404);
    expect((await get(`/api/collections/${TAXII_COLLECTION_ID}/objects/?limit=0`)).status).toBe(400);
    expect((await get(`/api/collections/${TAXII_COLLECTION_ID}/objects/?next=x`)).status).toBe(400);
    const manifest = (await (await get(`/api/collections/${TAXII_COLLECTION_ID}/manifest/?limit=2`)).json()) as {
      objects: object[];
      more: boolean;
    };
    expect([Object.keys(manifest.objects[0]!), manifest.more]).toEqual([['id', 'date_added', 'version', 'media_type'], true]);
    await Promise.all([store.close(), reader.close()]);
    server.close();
  });
});

describe('the store, exported', () => {
  it('as CSV, NDJSON, seed table and STIX that stix2 parses', async () => {
    const store = await openStore(join(folder, 'export.db'));
    await store.observe(
      [observationOf('=cmd.evil-host.net', { tags: ['=1+1'] }), observationOf('evil-host.net'), observationOf('unjudged-host.net')],
      NOW,
    );
    await store.record(
      [
        ['evil-host.net', enrichmentOf({})],
        ['=cmd.evil-host.net', enrichmentOf({})],
      ],
      NOW,
    );
    const text = async (format: Parameters<typeof exportStore>[1]) =>
      (await Readable.from(exportStore(store, format, NOW)).toArray()).join('');
    expect((await text('csv')).split('\n')[1]).toMatch(/^domain-name,"'=cmd/);
    expect(
      (await text('ndjson'))
        .trimEnd()
        .split('\n')
        .map((line) => (JSON.parse(line) as { value: string }).value),
    ).toHaveLength(3);
    // The key is what `sha256sum` says of the value, as in the seed's table.
    expect((await text('seed')).split('\n')[2]).toBe(
      '58bf8b1e4e2fd28f788790f0bcb88c5c12cc329ad366a36472e9f2d738fb0f0e,evil-host.net,domain,2026-11-18T11:06:40Z,2026-11-18T11:06:40Z,90',
    );
    const stix = JSON.parse(await text('stix')) as { objects: unknown[] };
    expect(stix.objects).toHaveLength(3);
    if (hasPeers)
      expect(
        runPython(
          "import sys, json, stix2\nprint(len(stix2.parse(json.load(sys.stdin), version='2.1').objects))",
          JSON.stringify(stix),
        ).trim(),
      ).toBe('3');
    await store.close();
  });
});

describe.skipIf(!hasPeers)("PyMISP 2.5.34.4, MISP's own parser [needs python]", () => {
  it('takes every attribute and event we send, and changes nothing in them', () => {
    const values = {
      'ipv4-addr': '45.83.64.7',
      'ipv6-addr': '2606:4700::1111',
      'domain-name': 'evil-host.net',
      url: 'http://evil-host.net/a',
      'email-addr': 'a@evil-host.net',
      'file:md5': 'd41d8cd98f00b204e9800998ecf8427e',
      'file:sha1': 'da39a3ee5e6b4b0d3255bfef95601890afd80709',
      'file:sha256': 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855',
      'file:sha512': 'c'.repeat(128),
    } as const;
    const sent = Object.entries(values).map(([type, value]) => {
      const item = itemOf(value, { type: type as keyof typeof values });
      const unknownThere = { status: 200, headers: {}, body: { response: { Attribute: [] } } };
      return bodyOf(outputOf('misp').read(unknownThere, start('misp', [item]), [item], contextOf('misp')).next);
    });
    const program = `
import sys, json, pymisp
out = []
for sent in json.load(sys.stdin):
    attribute = pymisp.MISPAttribute()
    attribute.from_dict(**dict(sent))
    kept = attribute.to_dict()
    out.append({key: kept.get(key) for key in ('type', 'category', 'value', 'to_ids', 'comment')} | {'tags': [tag.name for tag in attribute.tags]})
print(json.dumps(out))`;
    const kept = JSON.parse(runPython(program, JSON.stringify(sent))) as unknown[];
    expect(kept).toEqual(
      sent.map((one) => ({
        type: one!.type,
        category: one!.category,
        value: one!.value,
        to_ids: one!.to_ids,
        comment: one!.comment,
        tags: (one!.Tag as unknown as { name: string }[]).map(({ name }) => name),
      })),
    );
  });
});

/** Waits until a peer that was just started answers. */
async function reachable(url: string): Promise<void> {
  for (let tries = 0; tries < 200; tries++) {
    try {
      await fetch(url);
      return;
    } catch {
      await delay(100);
    }
  }
  throw new Error(`${url} does not answer`);
}
