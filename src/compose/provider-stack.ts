import { readFileSync } from 'node:fs';
import { certificateFault } from '../config/client-certificate-settings.ts';
import { shownPlace } from '../config/shown-name.ts';
import { ConfigError } from '../config/config-error.ts';
import { settingMeta } from '../config/setting.ts';
import type { AuditLog } from '../engine/privacy/audit-log.ts';
import type { Clock } from '../engine/clock.ts';
import { createExchange } from '../engine/calls/exchange.ts';
import { timedExchange } from '../engine/feedback/figures.ts';
import { readClientCertificate } from '../engine/calls/http/client-certificate.ts';
import { createFetchTransport } from '../engine/calls/http/fetch-transport.ts';
import type { HttpTransport } from '../engine/calls/http/transport.ts';
import { createUndiciTransport } from '../engine/calls/http/undici-transport.ts';
import type { Lifetimes } from '../engine/score/outcome.ts';
import { payerOf } from '../engine/calls/spending.ts';
import { ProviderQueue } from '../engine/calls/provider-queue.ts';
import type { Payer, SharedCache } from '../engine/cache/redis/shared-cache.ts';
import type { VerdictStore } from '../engine/cache/verdict-store.ts';
import type { EngineProvider } from '../engine/cache/provider-view.ts';
import { LookupError } from '../model/lookup-error.ts';
import type { Provider, Quota } from '../providers/provider.ts';
import { proxyFromEnv } from './proxy.ts';
import type { WantedProvider } from './wanted-providers.ts';
import { builtinModule } from '../disk/builtin-module.ts';

const MINUTE_MS = 60_000;
const DAY_MS = 86_400_000;
const DEFAULT_CONCURRENCY = 4;
const FINGERPRINT_CHARS = 12;
/** undici 8 does not load before this version of Node. */
const UNDICI_NEEDS = [22, 19] as const;

/** What all providers share. */
export interface StackContext {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly store: VerdictStore;
  readonly shared: SharedCache | undefined;
  readonly clock: Clock;
  readonly lifetimes: Lifetimes;
  readonly audit: AuditLog;
  /** Told how long each call took. */
  readonly onCall: (provider: string, latencyMs: number) => void;
  /** Told in one line of a throw that nobody expected. */
  readonly onFault: (message: string) => void;
}

/** One provider, ready to be asked, and what has to be closed with it. */
export function stackProvider(
  { provider, own, common, account }: WantedProvider,
  context: StackContext,
): EngineProvider & { readonly transport: HttpTransport; readonly payerNow: () => Payer } {
  const concurrency = common.concurrency ?? provider.concurrency ?? DEFAULT_CONCURRENCY;
  const transport = openTransport(provider, own, { common, connections: concurrency }, context.env);
  const exchange = createExchange({
    provider,
    settings: own,
    transport,
    timeoutMs: common.timeoutMs,
    clock: context.clock,
    onNotices: (notices) => client.notice(notices),
    beforeFurtherCall: (signal) => client.furtherCall(signal),
    onLeave(indicators) {
      if (context.audit.record(provider.id, indicators, context.clock.epochMs())) return;
      throw new LookupError('unavailable', provider.id, context.audit.refusal() ?? 'the audit log cannot be written');
    },
  });
  const limits = {
    concurrency,
    timeoutMs: common.timeoutMs,
    quotas: quotasOf(provider, common),
    budgetPerDay: common.budgetPerDay ?? null,
    budgetPerMonth: common.budgetPerMonth ?? null,
    useBulk: common.bulk,
  };
  const client: ProviderQueue = new ProviderQueue({
    provider,
    account,
    key: lazily(() => fingerprintOf(provider, own, common)),
    exchange: timedExchange(exchange, context.clock, (latencyMs) => context.onCall(provider.id, latencyMs)),
    limits,
    lifetimes: context.lifetimes,
    store: context.store,
    shared: context.shared,
    clock: context.clock,
    random: Math.random,
    onFault: context.onFault,
    refuseToSend: () => context.audit.refusal(),
  });
  const redaction = { url: common.sendUrl, email: common.sendEmail };
  return {
    client,
    maxTlp: common.maxTlp ?? provider.maxTlp,
    redaction,
    transport,
    payerNow: () => payerOf({ provider, account, limits, clock: context.clock }),
  };
}

function lazily<T>(make: () => T): () => T {
  let made: T | undefined;
  return () => (made ??= make());
}

/** Stands for where a provider is asked and with which key, and cannot be turned back. */
function fingerprintOf({ id, settings }: Provider, own: unknown, { proxy, certFile }: WantedProvider['common']): string {
  const secrets = Object.entries(settings.shape).flatMap(([key, setting]) => {
    const value: unknown = Reflect.get(own as object, key);
    return settingMeta.get(setting)?.secret === true || key === 'baseUrl' ? [[key, value]] : [];
  });
  // Loaded at the first look-up: a search that finds everything in the cache makes none.
  const { createHash } = builtinModule('node:crypto');
  return createHash('sha256')
    .update(JSON.stringify([id, secrets, proxy, ...(certFile === undefined ? [] : [certFile])]))
    .digest('hex')
    .slice(0, FINGERPRINT_CHARS);
}

/** A limit that is set takes the place of the provider's own for that window. */
function quotasOf(provider: Provider, { perMinute, perDay }: WantedProvider['common']): Quota[] {
  const set = [
    ...(perMinute === undefined ? [] : [{ requests: perMinute, perMs: MINUTE_MS }]),
    ...(perDay === undefined ? [] : [{ requests: perDay, perMs: DAY_MS }]),
  ];
  return [...(provider.quotas ?? []).filter(({ perMs }) => !set.some((quota) => quota.perMs === perMs)), ...set];
}

interface Reach {
  readonly common: WantedProvider['common'];
  readonly connections: number;
}

function openTransport(provider: Provider, own: unknown, { common, connections }: Reach, env: StackContext['env']): HttpTransport {
  const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
  const baseUrl: unknown = Reflect.get(own as object, 'baseUrl');
  const proxy = common.proxy ?? (typeof baseUrl === 'string' ? proxyFromEnv(new URL(baseUrl), env) : null);
  const block = `providers.${provider.id}`;
  const client = readClientCertificate(common, certificateFault(block));
  const hasUndici = major > UNDICI_NEEDS[0] || (major === UNDICI_NEEDS[0] && minor >= UNDICI_NEEDS[1]);
  if (hasUndici) return createUndiciTransport({ provider: provider.id, connections, proxy, ca: readCa(provider, common.caFile), client });
  if (proxy === null && common.caFile === undefined && client === null) return createFetchTransport(provider.id);
  const setting = common.caFile !== undefined ? 'ca_file' : client !== null ? 'cert_file' : 'proxy';
  throw new ConfigError([{ key: `${block}.${setting}`, place: `Node ${process.versions.node}`, message: 'needs Node 22.19 or newer' }]);
}

function readCa(provider: Provider, path: string | undefined): string | null {
  if (path === undefined) return null;
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code ?? 'unknown';
    throw new ConfigError([
      {
        key: `providers.${provider.id}.ca_file`,
        place: shownPlace(path),
        message: `cannot be read (${code}): check the path and its permissions`,
      },
    ]);
  }
}
