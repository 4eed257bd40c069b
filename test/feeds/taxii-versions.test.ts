import { describe, expect, it } from 'vitest';
import type { Feed } from '../../src/feeds/feed.ts';
import { FEEDS } from '../../src/feeds/registry.ts';
import type { HttpAnswer, HttpCall } from '../../src/providers/provider.ts';
import { answer, http, walk, type Walk } from './walk.ts';

const HOST = 'https://taxii.corp-net.com';
const OLD = { 'content-type': 'application/vnd.oasis.taxii+json; version=2.0' };
const taxii = FEEDS.find(({ id }) => id === 'taxii') as Feed;
const addressOf = (n: number) => `45.83.${Math.floor(n / 250)}.${(n % 250) + 1}`;
const object = (n: number) => ({ type: 'ipv4-addr', id: `ipv4-addr--${n}`, value: addressOf(n) });
const acceptOf = ({ headers }: HttpCall) => headers?.accept ?? '';
const isOld = (call: HttpCall) => acceptOf(call).includes('vnd.oasis');

/** A server of 2.0 as the specification has it: it refuses other media types and gives out ranges of what was added after a date. */
function oldServer(count: number, more: { readonly total?: string; readonly path?: string } = {}) {
  const path = more.path ?? '/taxii/';
  return (call: HttpCall): HttpAnswer => {
    const { pathname } = call.url;
    if (!isOld(call)) return pathname.startsWith(path) ? answer('no', { status: 406 }) : answer('no', { status: 404 });
    if (pathname === path) return answer({ title: 'old', default: `${HOST}/api1/`, api_roots: [`${HOST}/api1/`] }, { headers: OLD });
    if (pathname === '/api1/collections/') return answer({ collections: [{ id: 'c1', title: 'all', can_read: true }] }, { headers: OLD });
    if (pathname !== '/api1/collections/c1/objects/') return answer('no', { status: 404 });
    if (!acceptOf(call).includes('stix+json')) return answer('no', { status: 406 });
    const [, first = '0', last = '0'] = /^items (\d+)-(\d+)$/.exec(call.headers?.range ?? '') ?? [];
    const since = Number(/T(\d+)/.exec(call.url.searchParams.get('added_after') ?? 'T0')?.[1]);
    const all = Array.from({ length: count }, (_, n) => n + 1).filter((n) => n > since);
    const page = all.slice(Number(first), Number(last) + 1);
    if (page.length === 0) return answer('range', { status: 416 });
    const headers = {
      'content-type': 'application/vnd.oasis.stix+json; version=2.0',
      'content-range': `items ${first}-${Number(first) + page.length - 1}/${more.total ?? all.length}`,
      'x-taxii-date-added-last': `T${page.at(-1)}`,
    };
    return answer({ type: 'bundle', id: 'bundle--1', objects: page.map(object) }, { status: 206, headers });
  };
}

const read = (settings: object, cursor: string | null, reply: (call: HttpCall, n: number) => HttpAnswer): Walk =>
  walk(taxii, { baseUrl: `${HOST}/taxii`, apiKey: 'k-feed-secret', ...settings }, cursor, reply);
const pathsOf = ({ calls }: Walk) =>
  calls.map((call) => `${http(call).url.pathname}${http(call).url.search} ${http(call).headers?.range ?? ''}`.trim());

describe('TAXII 2.0', () => {
  it('is found where 2.1 is not acceptable, and read range by range; the next run goes on behind what was added last', () => {
    const got = read({ pageSize: 2 }, null, oldServer(5));
    expect(got.items.map(({ indicator }) => indicator.value)).toEqual([1, 2, 3, 4, 5].map(addressOf));
    expect(pathsOf(got)).toEqual([
      '/taxii/',
      '/taxii/',
      '/api1/collections/',
      '/api1/collections/c1/objects/ items 0-1',
      '/api1/collections/c1/objects/ items 2-3',
      '/api1/collections/c1/objects/ items 4-5',
    ]);
    expect(got.faults).toEqual([]);
    const again = read({ pageSize: 2 }, got.cursor, oldServer(7));
    expect(again.items.map(({ indicator }) => indicator.value)).toEqual([6, 7].map(addressOf));
    expect(pathsOf(again).at(-1)).toBe('/api1/collections/c1/objects/?added_after=T5 items 0-1');
  });

  it('ends where there is nothing more, also when the server does not know how much there is', () => {
    const got = read({ pageSize: 2 }, null, oldServer(4, { total: '*' }));
    expect([got.items.length, got.faults, got.rejected]).toEqual([4, [], []]);
    expect(read({}, null, oldServer(0))).toMatchObject({ items: [], faults: [], rejected: [] });
  });

  it.each([
    ['/taxii2/', '2.1'],
    ['/taxii/', '2.0'],
  ])('an address without a path is asked at %s', (path, version) => {
    const old = oldServer(1);
    const reply = (call: HttpCall): HttpAnswer => {
      if (version === '2.0') return old(call);
      if (isOld(call) || call.url.pathname === '/') return answer('no', { status: isOld(call) ? 406 : 404 });
      if (call.url.pathname === path) return answer({ default: `${HOST}/api1/` });
      if (call.url.pathname.endsWith('/collections/')) return answer({ collections: [{ id: 'c1' }] });
      return answer({ objects: [object(1)] });
    };
    expect(read({ baseUrl: HOST }, null, reply).items.map(({ indicator }) => indicator.value)).toEqual([addressOf(1)]);
  });

  it('a server that takes any Accept is known by its media type', () => {
    const old = oldServer(1);
    const reply = (call: HttpCall): HttpAnswer =>
      old(call.url.pathname.startsWith('/taxii') ? { ...call, headers: { ...call.headers, accept: OLD['content-type'] } } : call);
    expect(read({}, null, reply).items).toHaveLength(1);
  });

  it('a refused key is told at once: nobody asks with it elsewhere', () => {
    const calls: string[] = [];
    const reply = (call: HttpCall): HttpAnswer => {
      calls.push(call.url.pathname);
      return answer('no', { status: 401 });
    };
    expect(() => read({ baseUrl: HOST }, null, reply)).toThrow(expect.objectContaining({ code: 'unauthorized' }));
    expect(calls).toEqual(['/']);
  });

  it.each([
    ['gives the first range again and again', 'items 0-1/9'],
    ['counts backwards', 'items 0-0/9'],
  ])('a server that %s is cut, with a message', (_name, range) => {
    const old = oldServer(9);
    let asked = 0;
    const reply = (call: HttpCall): HttpAnswer => {
      const got = old(call);
      if (!call.url.pathname.endsWith('/objects/')) return got;
      asked += 1;
      return { ...got, headers: { ...got.headers, 'content-range': range }, body: { objects: [{ ...object(1), id: undefined }] } };
    };
    const got = read({ pageSize: 2 }, null, reply);
    expect(got.faults).toEqual([expect.stringMatching(/came before: it is cut there/)]);
    expect(asked).toBe(2);
  });
});
