/** Ids as MISP gives them to events. */
export const UUIDS = [
  '00000000-0000-4000-8000-000000000001',
  '00000000-0000-4000-8000-000000000002',
  '00000000-0000-4000-8000-000000000003',
];
/** What the feeds that answer JSON are asked with. */
export const SETTINGS = { baseUrl: 'https://feed.corp-net.com', apiKey: 'k-feed-secret' };

/** One feed's answers. `wrap` puts rows where the feed has them, `good` is a row that names a value. */
export interface FeedForm {
  readonly settings: object;
  readonly wrap: (rows: unknown[]) => (path: string) => unknown;
  readonly good: (value: string, n: number) => object;
}

/** How each feed that answers JSON has its rows. */
export const FORMS: Record<string, FeedForm> = {
  misp: {
    settings: SETTINGS,
    wrap: (rows) => () => ({ response: { Attribute: rows } }),
    good: (value) => ({ type: 'ip-dst', value }),
  },
  misp_feed: {
    settings: { baseUrl: SETTINGS.baseUrl },
    wrap: (rows) => (path) =>
      path.endsWith('manifest.json') ? { [UUIDS[0] as string]: { timestamp: 1_794_999_000 } } : { Event: { Attribute: rows } },
    good: (value) => ({ type: 'ip-dst', value }),
  },
  otx: {
    settings: SETTINGS,
    wrap: (rows) => () => ({ results: rows }),
    good: (value) => ({ id: 'p', modified: '2026-11-01T00:00:00', indicators: [{ indicator: value, type: 'IPv4' }] }),
  },
  urlhaus: {
    settings: SETTINGS,
    wrap: (urls) => () => ({ query_status: 'ok', urls }),
    good: (value, n) => ({ id: n + 1, url: `http://${value}/a` }),
  },
  malwarebazaar: {
    settings: SETTINGS,
    wrap: (data) => () => ({ query_status: 'ok', data }),
    good: (_value, n) => ({ sha256_hash: String(n).padStart(64, '0'), first_seen: '2026-11-01 00:00:00' }),
  },
  threatfox: {
    settings: SETTINGS,
    wrap: (data) => () => ({ query_status: 'ok', data }),
    good: (value, n) => ({ id: String(n + 1), ioc: value, ioc_type: 'ip' }),
  },
  abuseipdb: { settings: SETTINGS, wrap: (rows) => () => ({ data: rows }), good: (value) => ({ ipAddress: value }) },
  feodo: { settings: { baseUrl: SETTINGS.baseUrl }, wrap: (rows) => () => rows, good: (value) => ({ ip_address: value }) },
  taxii: {
    settings: SETTINGS,
    wrap: (objects) => (path) =>
      path.endsWith('/objects/') ? { objects } : path.endsWith('/collections/') ? { collections: [{ id: 'c' }] } : {},
    good: (value) => ({ type: 'ipv4-addr', value }),
  },
  stix: {
    settings: { baseUrl: SETTINGS.baseUrl },
    wrap: (objects) => () => ({ type: 'bundle', objects }),
    good: (value) => ({ type: 'ipv4-addr', value }),
  },
};
