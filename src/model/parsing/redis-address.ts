/** Where a Redis or Valkey is, as its address says. */
export interface RedisAddress {
  /** One server, the sentinels that know it, or some nodes of a cluster, which name the others. */
  readonly kind: 'single' | 'sentinel' | 'cluster';
  readonly isTls: boolean;
  readonly username: string | null;
  readonly password: string | null;
  readonly nodes: readonly { readonly host: string; readonly port: number }[];
  readonly database: number;
  /** What the sentinels call the server; empty where there are none. */
  readonly master: string;
}

const ADDRESS = /^(rediss?)(?:\+(sentinel|cluster))?:\/\/(?:([^@/]*)@)?([^@/?#]+)(?:\/([^/?#]*))?$/;
const NODE = /^(\[[0-9a-f:.]+\]|[a-z0-9._-]+)(?::(\d{1,5}))?$/i;
const LOOPBACK = /^(localhost|127(\.\d{1,3}){3}|::1)$/i;
const PORT = 6379;
const SENTINEL_PORT = 26_379;
const MAX_PORT = 65_535;
const MAX_DATABASE = 65_535;

/** Reads `rediss://user:password@host:port/0`, `rediss+sentinel://host,host/name` and `rediss+cluster://host,host`; `null`: it is none of them. */
export function parseRedisAddress(text: string): RedisAddress | null {
  const [, scheme, kind = 'single', credentials = '', hosts = '', path = ''] = ADDRESS.exec(text) ?? [];
  if (scheme === undefined) return null;
  const isSentinel = kind === 'sentinel';
  const nodes = hosts.split(',').map((host) => readNode(host, isSentinel ? SENTINEL_PORT : PORT));
  if (nodes.includes(null) || (kind === 'single' && nodes.length > 1)) return null;
  // A cluster has no databases.
  if (kind === 'cluster' && path !== '') return null;
  if (isSentinel ? path === '' : !/^\d{0,5}$/.test(path) || Number(path) > MAX_DATABASE) return null;
  const known = readCredentials(credentials);
  if (known === null) return null;
  return {
    kind: kind as RedisAddress['kind'],
    isTls: scheme === 'rediss',
    ...known,
    nodes: nodes.filter((node) => node !== null),
    database: isSentinel ? 0 : Number(path),
    master: isSentinel ? path : '',
  };
}

/** Whether what is sent there cannot be read on the way: encrypted, without a password, or never leaving this machine. */
export function isSafeRedisAddress(text: string): boolean {
  const address = parseRedisAddress(text);
  if (address === null) return false;
  return address.isTls || address.password === null || address.nodes.every(({ host }) => LOOPBACK.test(host));
}

function readNode(text: string, otherwise: number): { host: string; port: number } | null {
  const [, host = '', port] = NODE.exec(text) ?? [];
  const number = port === undefined ? otherwise : Number(port);
  if (host === '' || number < 1 || number > MAX_PORT) return null;
  return { host: host.replace(/^\[|\]$/g, ''), port: number };
}

function readCredentials(text: string): Pick<RedisAddress, 'username' | 'password'> | null {
  if (text === '') return { username: null, password: null };
  const colon = text.indexOf(':');
  try {
    const [user, password] = colon < 0 ? [text, ''] : [text.slice(0, colon), text.slice(colon + 1)];
    return { username: user === '' ? null : decodeURIComponent(user), password: password === '' ? null : decodeURIComponent(password) };
  } catch {
    // A percent sign that begins no escape.
    return null;
  }
}
