import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, expect, it } from 'vitest';
import { openEngine } from '../../../src/compose/open-engine.ts';
import { newStateFolder } from '../../support/open-test-engine.ts';

const UUID = '0e37e828-a9d9-45c0-ac50-1ca579b86c72';

/** urlscan with one scan of every page; counts its calls. */
async function startUrlscan() {
  const paths: string[] = [];
  const server = createServer((request, response) => {
    const { pathname, searchParams } = new URL(request.url ?? '/', 'http://stand-in');
    paths.push(pathname);
    const page = /task\.url:"([^"]*)"/.exec(searchParams.get('q') ?? '')?.[1] ?? 'https://bad.example.com/1';
    response.setHeader('content-type', 'application/json');
    if (pathname.includes('search'))
      response.end(JSON.stringify({ results: [{ _id: UUID, task: { url: page }, page: { url: page } }], total: 1, took: 1 }));
    else
      response.end(
        JSON.stringify({
          task: { uuid: UUID, url: 'https://bad.example.com/1' },
          page: { url: 'https://bad.example.com/1' },
          verdicts: { overall: { score: 100, malicious: true, hasVerdicts: true } },
        }),
      );
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return { url, paths, [Symbol.asyncDispose]: async () => void (await new Promise((resolve) => server.close(resolve))) };
}

describe('a look-up that takes two calls', () => {
  it('counts both, in figures and against own limits', async () => {
    await using api = await startUrlscan();
    const { engine } = await openEngine({
      env: { ISMALICIOUS_STATE_DIR: newStateFolder(), URLSCAN_BASE_URL: api.url, URLSCAN_API_KEY: 'k', URLSCAN_PER_MINUTE: '3' },
    });
    const found = await engine.enrichMany(['https://bad.example.com/1'], { timeoutMs: 8000 });
    expect([...found.values()][0]?.answer).toMatchObject({ status: 'ok', verdict: 'malicious', score: 100 });
    expect(engine.stats().providers[0]).toMatchObject({ calls: 2, lookups: 1, answered: 1 });
    // One of three is left in this minute: enough for a search, not for its result.
    const next = await engine.enrichMany(['https://bad.example.com/2'], { timeoutMs: 8000 });
    expect([...next.values()][0]?.answer).toMatchObject({ status: 'rate_limited', verdict: 'unknown', score: null });
    expect(api.paths).toHaveLength(3);
    await engine.close();
  });
});
