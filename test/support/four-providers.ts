import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { newStateFolder } from './open-test-engine.ts';

/** Four providers of IP addresses, as their paths tell them apart. */
export const FOUR = ['ismalicious', 'virustotal', 'abuseipdb', 'greynoise'] as const;

export type FourId = (typeof FOUR)[number];

/** Answers one provider's call about one value. */
export type FourReply = (response: ServerResponse, value: string, id: FourId) => void;

/** One stand-in that speaks for four providers. */
export interface FourProviders extends AsyncDisposable {
  readonly url: string;
  /** Values asked for, by provider, in order. */
  readonly asked: Readonly<Record<FourId, string[]>>;
  readonly replies: Partial<Record<FourId, FourReply>>;
  /** The environment that points all four here; the vendors' own limits are out of the way. */
  env(more?: Record<string, string>): Record<string, string>;
}

const json = (response: ServerResponse, status: number, body: unknown) =>
  void response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));

/** What each says when it is well: all four call the value malicious. */
export const accuse: FourReply = (response, value, id) => {
  if (id === 'ismalicious') json(response, 200, { malicious: true, riskScore: { score: 90 }, confidenceScore: 90, categories: ['c2'] });
  else if (id === 'virustotal')
    json(response, 200, {
      data: {
        id: value,
        type: 'ip_address',
        attributes: { last_analysis_stats: { malicious: 10, suspicious: 0, undetected: 20, harmless: 60 } },
      },
    });
  else if (id === 'abuseipdb')
    json(response, 200, {
      data: { ipAddress: value, abuseConfidenceScore: 100, totalReports: 20, lastReportedAt: null, isWhitelisted: false },
    });
  else json(response, 200, { ip: value, noise: true, riot: false, classification: 'malicious', last_seen: '2026-11-20' });
};

function targetOf(path: string, query: URLSearchParams): { id: FourId; value: string } {
  if (path.startsWith('/api/v3/')) return { id: 'virustotal', value: decodeURIComponent(path.split('/').at(-1) ?? '') };
  if (path.startsWith('/api/v2/')) return { id: 'abuseipdb', value: query.get('ipAddress') ?? '' };
  if (path.includes('/community/')) return { id: 'greynoise', value: decodeURIComponent(path.split('/').at(-1) ?? '') };
  return { id: 'ismalicious', value: query.get('query') ?? '' };
}

/** Starts the stand-in on a free port. */
export async function startFourProviders(): Promise<FourProviders> {
  const asked: Record<FourId, string[]> = { ismalicious: [], virustotal: [], abuseipdb: [], greynoise: [] };
  const replies: Partial<Record<FourId, FourReply>> = {};
  const server = createServer((request, response) => {
    const url = new URL(request.url ?? '/', 'http://stand-in');
    if (url.pathname === '/bulk/check') return json(response, 403, { error: 'Plan required' });
    const { id, value } = targetOf(url.pathname, url.searchParams);
    asked[id].push(value);
    return (replies[id] ?? accuse)(response, value, id);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const many = '1000000';
  return {
    url,
    asked,
    replies,
    env: (more = {}) => ({
      ISMALICIOUS_STATE_DIR: newStateFolder(),
      ISMALICIOUS_BASE_URL: url,
      ISMALICIOUS_X_API_KEY: 'a2V5OnNlY3JldA==',
      ...Object.fromEntries(
        FOUR.slice(1).flatMap((id) => [
          [`${id.toUpperCase()}_BASE_URL`, url],
          [`${id.toUpperCase()}_API_KEY`, `key-of-${id}`],
          [`${id.toUpperCase()}_PER_MINUTE`, many],
          [`${id.toUpperCase()}_PER_DAY`, many],
        ]),
      ),
      ...more,
    }),
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
