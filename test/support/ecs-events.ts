/** Events as Beats, Elastic Agent and Logstash ship them: nested, dotted, with lists; made from a number, the same every time. */

/** Values that stand in some of the events. What a stand-in engine says about them is the test's business. */
export const EVENT_VALUES = {
  ips: ['45.155.205.9', '185.220.101.1', '94.102.61.5', '8.8.8.8', '192.0.78.24', '2001:4860:4860::8888', '198.51.100.7', '1.1.1.1'],
  domains: ['bad.example.net', 'cdn.example.org', 'login-update.example.com', 'www.wikipedia.org', 'updates.example.edu'],
  urls: [
    'http://bad.example.net:8080/gate.php?id=1',
    'https://www.wikipedia.org/wiki/Main_Page',
    'https://login-update.example.com/a%20b/',
  ],
  sha256: [
    'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855',
    'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad',
  ],
} as const;

const PRIVATE_IPS = ['10.1.2.3', '192.168.7.40', '172.16.0.9', 'fe80::1'];
const START_MS = Date.UTC(2026, 10, 21, 8);

type Event = Record<string, unknown>;

/** `count` events; event n is always the same. */
export function ecsEvents(count: number): Event[] {
  return Array.from({ length: count }, (_, n) => ({ '@timestamp': new Date(START_MS + n * 1500).toISOString(), ...shapeOf(n) }));
}

function shapeOf(n: number): Event {
  switch (n % 6) {
    case 0:
      return firewall(n);
    case 1:
      return dns(n);
    case 2:
      return proxy(n);
    case 3:
      return endpoint(n);
    case 4:
      return dotted(n);
    default:
      return oddities(n);
  }
}

function pick<T>(list: readonly T[], n: number): T {
  return list[(Math.imul(n + 1, 2_654_435_761) >>> 12) % list.length] as T;
}

function firewall(n: number): Event {
  return {
    event: {
      kind: 'event',
      category: ['network'],
      type: ['connection', n % 2 ? 'denied' : 'allowed'],
      action: n % 2 ? 'deny' : 'accept',
      duration: 12_345_678_901_234 + n,
    },
    source: { ip: pick(PRIVATE_IPS, n), port: 40_000 + n, bytes: 1200 + n, mac: '00-00-5E-00-53-23' },
    destination: { ip: pick(EVENT_VALUES.ips, n), port: n % 3 ? 443 : 4444, geo: { location: { lat: 48.1, lon: 11.5 } } },
    network: { transport: 'tcp', bytes: 9_007_199_254_740_993n.toString() },
    observer: { name: 'fw-1', vendor: 'Example', type: 'firewall' },
    related: { ip: [pick(PRIVATE_IPS, n)] },
    tags: ['forwarded'],
  };
}

function dns(n: number): Event {
  return {
    event: { kind: 'event', category: ['network'], type: ['protocol'], dataset: 'zeek.dns' },
    source: { ip: pick(PRIVATE_IPS, n + 1) },
    dns: {
      question: { name: pick(EVENT_VALUES.domains, n), type: 'A' },
      answers: [
        { type: 'CNAME', data: 'edge.example.org' },
        { type: 'A', data: pick(EVENT_VALUES.ips, n + 1), ttl: 300 },
      ],
      resolved_ip: [pick(EVENT_VALUES.ips, n + 1)],
    },
  };
}

function proxy(n: number): Event {
  const url = pick(EVENT_VALUES.urls, n);
  return {
    event: { kind: 'event', category: ['web'], outcome: 'success' },
    client: { ip: pick(PRIVATE_IPS, n) },
    url: { full: url, original: url, domain: new URL(url).hostname, path: new URL(url).pathname },
    http: { request: { method: 'GET', bytes: 0 }, response: { status_code: 200 } },
    user: { name: 'müller' },
    user_agent: { original: 'Mozilla/5.0 ("quoted")' },
  };
}

function endpoint(n: number): Event {
  return {
    event: { kind: 'event', category: ['process'], type: ['start'] },
    host: { name: `ws-${n % 17}`, ip: ['10.0.0.1', 'fe80::2'], os: { family: 'windows' } },
    process: { pid: n, name: 'powershell.exe', hash: { sha256: pick(EVENT_VALUES.sha256, n) }, command_line: 'powershell -enc "AAA\\"' },
    file: { hash: { sha256: pick(EVENT_VALUES.sha256, n + 1) }, path: 'C:\\Users\\a\\b.exe', size: 12 },
  };
}

/** Flat names with dots, as Logstash and many shippers leave them. */
function dotted(n: number): Event {
  return {
    'event.dataset': 'syslog',
    'source.ip': n % 12 === 4 ? EVENT_VALUES.ips[0] : pick(EVENT_VALUES.ips, n),
    'destination.ip': [n % 24 === 4 ? EVENT_VALUES.ips[1] : pick(EVENT_VALUES.ips, n + 2), pick(PRIVATE_IPS, n)],
    message: `flow ${n} "with quotes" and ünïcode`,
  };
}

/** What makes naive enrichers fall: enrichments there already, as a list, as a single object; empty members; no indicators at all. */
function oddities(n: number): Event {
  const entry = {
    indicator: { ip: '192.0.2.99', type: 'ipv4-addr' },
    matched: { id: `other-${n}`, field: 'source.ip', atomic: '192.0.2.99', type: 'indicator_match_rule' },
  };
  const odd: readonly Event[] = [
    { threat: { enrichments: [entry] }, destination: { ip: pick(EVENT_VALUES.ips, n) } },
    { threat: { enrichments: entry }, destination: { ip: pick(EVENT_VALUES.ips, n + 1) } },
    { threat: { enrichments: [] }, source: { ip: pick(EVENT_VALUES.ips, n) }, tags: [] },
    { threat: { tactic: { id: ['TA0011'] } }, url: { domain: pick(EVENT_VALUES.domains, n) }, related: {} },
    { message: 'nothing to look up', labels: { env: 'test' } },
    { destination: { ip: null, domain: '' }, source: { ip: pick(EVENT_VALUES.ips, n) }, tags: 'single' },
  ];
  return pick(odd, Math.floor(n / 6));
}
