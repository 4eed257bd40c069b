import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Io, UsageError } from '../../../src/hosts/cli/command.ts';
import { backfillCommand } from '../../../src/hosts/cli/commands/backfill.ts';
import type { EngineAnswer } from '../../support/search-engine.ts';

const folder = mkdtempSync(join(tmpdir(), 'ismalicious-backfill-command-'));
let url: string;
let server: http.Server;
const updates: EngineAnswer[] = [];
const searches: EngineAnswer[] = [];

// An engine of two documents; private addresses are answered at home, so that nothing is asked outside.
const HITS = ['10.0.0.1', '192.168.1.9'].map((ip, n) => ({
  _index: 'i',
  _id: `e${n}`,
  _seq_no: n,
  _primary_term: 1,
  _source: { source: { ip } },
  sort: [5 - n, n],
}));

beforeAll(async () => {
  server = http.createServer((request, response) => {
    const parts: Buffer[] = [];
    request.on('data', (part: Buffer) => parts.push(part));
    request.on('end', () => {
      const path = (request.url ?? '').split('?')[0] ?? '';
      const text = Buffer.concat(parts).toString('utf8');
      response.setHeader('content-type', 'application/json');
      if (path.endsWith('/_count')) return response.end('{"count":2}');
      if (path.endsWith('/_pit')) return response.end('{"id":"p"}');
      if (path === '/_search') {
        searches.push(JSON.parse(text));
        return response.end(JSON.stringify({ hits: { hits: HITS } }));
      }
      if (path === '/_bulk') {
        const docs = text
          .trimEnd()
          .split('\n')
          .map((line) => JSON.parse(line));
        updates.push(...docs.filter((line) => line.doc));
        return response.end(JSON.stringify({ items: docs.filter((line) => line.update).map(() => ({ update: { status: 200 } })) }));
      }
      return response.end('{}');
    });
  });
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});

afterAll(() => {
  server.closeAllConnections();
  server.close();
  rmSync(folder, { recursive: true });
});

async function run(...args: string[]) {
  const [stdout, stderr] = [new PassThrough(), new PassThrough()];
  const io: Io = { stdin: new PassThrough(), stdout, stderr, env: { ISMALICIOUS_STATE_DIR: folder }, hasColor: false, hasProgress: false };
  const code = await backfillCommand.run(args, io);
  return { code, out: String(stdout.read() ?? ''), err: String(stderr.read() ?? '') };
}

describe('ismalicious backfill', () => {
  it('says what it would cost, and writes nothing', async () => {
    const { code, out } = await run('--url', url, '--index', 'logs-*', '--dry-run', '--json');
    expect(code).toBe(0);
    expect(JSON.parse(out)).toMatchObject({ documents: 2, read: 2, plan: { unique: 2, refused: 2, toPay: 0 } });
    expect(updates).toEqual([]);
  });

  it('enriches, and reports as JSON', async () => {
    const { code, out } = await run('--url', url, '--index', 'logs-*', '--since', '7d', '--parallel', '1', '--json');
    expect(code).toBe(0);
    expect(JSON.parse(out)).toMatchObject({ end: 'done', total: 2, scanned: 2, updated: 2, paid: 0, refusals: [] });
    expect(updates.map(({ doc }) => doc.ismalicious.status)).toEqual(['skipped_private', 'skipped_private']);
    expect(JSON.stringify(searches.at(-1))).toContain('"gte":"now-604800s"');
  });

  it('takes a query of the user, with or without the word', async () => {
    const query = join(folder, 'query.json');
    for (const text of ['{"term":{"host.name":"web-1"}}', '{"query":{"term":{"host.name":"web-1"}}}']) {
      writeFileSync(query, text);
      await run('--url', url, '--index', 'logs-*', '--query', query, '--dry-run');
      expect(searches.at(-1).query.bool.filter.at(-1)).toEqual({ term: { 'host.name': 'web-1' } });
    }
  });

  it.each([
    [['--index', 'x'], 'which engine?'],
    [['--url', 'http://127.0.0.1:9'], 'backfill needs --index'],
    [['--url', 'http://127.0.0.1:9', '--index', 'x', '--since', 'yesterday'], '--since has to be'],
    [['--url', 'http://127.0.0.1:9', '--index', 'x', '--budget', 'many'], '--budget has to be'],
    [['--url', 'http://127.0.0.1:9', '--index', 'x', '--page-size', '5000'], '--page-size has to be 1000 at most'],
    [['--url', 'http://127.0.0.1:9', '--index', 'x', '--parallel', '0'], '--parallel has to be'],
    [['--url', 'http://127.0.0.1:9', '--index', 'x', '--query', '/nowhere'], 'cannot be read'],
  ])('%j is wrong use: %s', async (args, words) => {
    const fault = await run(...args).catch((error: unknown) => error);
    expect(fault).toBeInstanceOf(UsageError);
    expect((fault as Error).message).toContain(words);
  });
});
