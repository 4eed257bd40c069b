import { readFileSync } from 'node:fs';
import { Cluster, Redis } from 'ioredis';
import type { RedisAddress } from '../../../model/parsing/redis-address.ts';
import type { RedisScript } from './redis-scripts.ts';

/** Longer than this an answer of the server is not waited for: it is away. */
const COMMAND_MS = 1000;
/** The same when this process was busy so long itself: what has arrived meanwhile is read first. */
const GRACE_MS = 100;
const CONNECT_MS = 2000;
/** Tries to get it back come at random between these: many processes do not come at once, and none comes late. */
const SOONEST_RETRY_MS = 200;
const RETRY_SPREAD_MS = 800;
const START_MS = 3000;
/** As Node names them: https://nodejs.org/api/tls.html#x509-certificate-error-codes */
const UNKNOWN_AUTHORITY =
  /^(UNABLE_TO_(VERIFY_LEAF_SIGNATURE|GET_ISSUER_CERT(_LOCALLY)?)|SELF_SIGNED_CERT_IN_CHAIN|DEPTH_ZERO_SELF_SIGNED_CERT)$/;
/** Nodes of a cluster that send a command on, one after the other, while it moves or a node fails. */
const MOST_REDIRECTIONS = 5;

/** What a link is opened with. */
export interface RedisLinkOptions {
  readonly address: RedisAddress;
  readonly caFile: string | null;
  /** It is there; the name of the server's run, empty when it does not say. */
  readonly onUp: (run: string) => void;
  /** It was there and is not any more, or cannot be reached: why, in a few words. */
  readonly onDown: (why: string) => void;
}

/** The connection to Redis or Valkey, or those to the nodes of a cluster, that knows whether it is there. A command that fails gives `null`. */
export class RedisLink {
  readonly #client: Redis | Cluster;
  readonly #options: RedisLinkOptions;
  #isUp = false;
  #onStarted: () => void = () => {};
  #isClosed = false;

  constructor(options: RedisLinkOptions) {
    this.#options = options;
    this.#client = clientOf(options);
    this.#client.on('ready', () => void this.#ready());
    this.#client.on('error', (error: Error) => this.#down(error));
    this.#client.on('close', () => this.#down(null));
  }

  get isUp(): boolean {
    return this.#isUp;
  }

  /** Connects; waits a little for it. */
  async start(): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    const timer = setTimeout(resolve, START_MS);
    this.#onStarted = resolve;
    // Tried again by itself: the fault is told by its event.
    this.#client.connect().catch((error: Error) => {
      this.#down(error);
      resolve();
    });
    await promise;
    clearTimeout(timer);
  }

  /** Has the server remember scripts, so that none comes twice and out of turn. */
  async remember(scripts: readonly RedisScript[]): Promise<void> {
    const nodes = this.#client instanceof Cluster ? this.#client.nodes('master') : [this.#client];
    await this.#guarded(() => Promise.all(nodes.flatMap((node) => scripts.map(({ text }) => node.script('LOAD', text)))));
  }

  async mget(keys: readonly string[]): Promise<readonly (string | null)[] | null> {
    if (!this.#isUp) return null;
    return await this.#guarded(() => this.#client.mget([...keys]));
  }

  /** `null`: it is away. */
  async run({ text, sha }: RedisScript, keys: readonly string[], args: readonly (string | number)[]): Promise<unknown> {
    if (!this.#isUp) return null;
    return await this.#guarded(async () => {
      try {
        return await this.#client.evalsha(sha, keys.length, ...keys, ...args);
      } catch (error) {
        if (!isUnknownScript(error)) throw error;
        return await this.#client.eval(text, keys.length, ...keys, ...args);
      }
    });
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    const wasUp = this.#isUp;
    this.#isUp = false;
    // What was sent before goes out first.
    if (wasUp) await this.#client.quit().catch(() => 'gone already');
    this.#client.disconnect();
  }

  async #guarded<T>(ask: () => Promise<T>): Promise<T | null> {
    try {
      return await inTime(ask());
    } catch (error) {
      this.#down(error instanceof Error ? error : null);
      // Half open, or too slow: begun anew.
      if (!this.#isClosed && this.#client.status === 'ready') this.#client.disconnect(true);
      return null;
    }
  }

  async #ready(): Promise<void> {
    // Who may not ask is told nothing: then only a server without our keys counts as new. Nodes of a cluster have runs of their own.
    const said = this.#client instanceof Cluster ? '' : await inTime(this.#client.info('server')).catch(() => '');
    if (this.#isClosed || this.#client.status !== 'ready') return;
    this.#isUp = true;
    this.#options.onUp(/^run_id:(\w+)/m.exec(said)?.[1] ?? '');
    this.#onStarted();
  }

  #down(error: Error | null): void {
    if (this.#isClosed || (!this.#isUp && error === null)) return;
    this.#isUp = false;
    this.#options.onDown(error === null ? 'the connection was closed' : wordsOf(error));
  }
}

function clientOf({ address, caFile }: RedisLinkOptions): Redis | Cluster {
  const { kind, isTls, username, password, nodes, database, master } = address;
  const tls = caFile === null ? {} : { ca: readFileSync(caFile, 'utf8') };
  const retryStrategy = () => SOONEST_RETRY_MS + Math.random() * RETRY_SPREAD_MS;
  const common = {
    ...(username === null ? {} : { username }),
    ...(password === null ? {} : { password }),
    ...(isTls ? { tls } : {}),
    db: database,
    autoResendUnfulfilledCommands: false,
    maxRetriesPerRequest: 0,
    connectTimeout: CONNECT_MS,
    // A line that is cut while it is greeted would be waited for until the system gives it up.
    socketTimeout: CONNECT_MS,
    connectionName: 'ismalicious',
    // After a fail-over the old server takes no writes.
    reconnectOnError: (error: Error) => error.message.startsWith('READONLY'),
  };
  const own = { lazyConnect: true, enableOfflineQueue: false };
  if (kind === 'sentinel')
    return new Redis({
      ...common,
      ...own,
      retryStrategy,
      sentinels: [...nodes],
      name: master,
      sentinelRetryStrategy: retryStrategy,
      sentinelCommandTimeout: COMMAND_MS,
      ...(isTls ? { enableTLSForSentinelMode: true, sentinelTLS: tls } : {}),
    });
  if (kind === 'cluster')
    return new Cluster([...nodes], {
      ...own,
      redisOptions: common,
      clusterRetryStrategy: retryStrategy,
      slotsRefreshTimeout: CONNECT_MS,
      maxRedirections: MOST_REDIRECTIONS,
      // A certificate names a host: looked up by who connects.
      ...(isTls ? { dnsLookup: (host: string, found: (error: null, host: string) => void) => found(null, host) } : {}),
    });
  return new Redis({ ...common, ...own, retryStrategy, ...nodes[0] });
}

/** Rejects when no answer comes. */
async function inTime<T>(answer: Promise<T>): Promise<T> {
  const { promise: late, reject } = Promise.withResolvers<never>();
  let timer = setTimeout(() => {
    timer = setTimeout(() => reject(new Error('timed out')), GRACE_MS);
  }, COMMAND_MS);
  try {
    return await Promise.race([answer, late]);
  } finally {
    clearTimeout(timer);
    // One that was given up may still fail.
    answer.catch(() => 'reported already');
  }
}

function isUnknownScript(error: unknown): boolean {
  return error instanceof Error && error.message.startsWith('NOSCRIPT');
}

/** A refusal's code and what the network says; never what was sent. */
function wordsOf(error: Error): string {
  const code: unknown = Reflect.get(error, 'code');
  if (typeof code === 'string') return certificateWords(code) ?? code;
  const [word = ''] = error.message.split(' ', 1);
  if (/^[A-Z]{2,20}$/.test(word)) return `it says ${word}`;
  return error.message.includes('timed out') ? `no answer within ${COMMAND_MS / 1000} s` : 'the connection failed';
}

/** What is wrong with the server's certificate, and what to do; `null`: it is something else. */
function certificateWords(code: string): string | null {
  if (UNKNOWN_AUTHORITY.test(code)) return `its certificate is signed by an unknown authority, ${code}: set cache.redis_ca_file`;
  if (code === 'ERR_TLS_CERT_ALTNAME_INVALID') return `its certificate is for another host, ${code}`;
  return code === 'CERT_HAS_EXPIRED' ? `its certificate has expired, ${code}` : null;
}
