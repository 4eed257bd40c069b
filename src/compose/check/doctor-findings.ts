import { accessSync, constants, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import type { LoadedConfig } from '../engine-config.ts';
import type { WantedProvider } from '../wanted-providers.ts';
import { makePrivateFolder } from '../../disk/private-files.ts';
import type { Engine, EngineStats } from '../../engine/engine.ts';
import { readAsDatabase } from '../lists/read-as-database.ts';
import { proxyFromEnv } from '../proxy.ts';
import { nodeFault, OLDEST_WITH_SQLITE } from './node-version.ts';

/** One thing that `doctor` looked at. */
export interface Finding {
  readonly what: string;
  readonly ok: boolean;
  readonly detail: string;
}

type Env = Readonly<Record<string, string | undefined>>;
type ProviderStats = EngineStats['providers'][number];

/** A value that is well known and harmless: what providers say of it does not matter, only that they answer. */
const PROBE = '1.1.1.1';
const PROBE_MS = 15_000;
/** A clock that is this far behind a file of ours is wrong. */
const MOST_BEHIND_MS = 300_000;
const SECOND_MS = 1000;

/** Whether this Node can do everything. */
export function nodeFinding(version: string): Finding {
  const fault = nodeFault(version, { needs: OLDEST_WITH_SQLITE });
  return { what: 'Node', ok: fault === null, detail: fault ?? `v${version}` };
}

/** Whether the state folder can be written. */
export function stateFinding(folder: string): Finding {
  try {
    makePrivateFolder(folder);
    accessSync(folder, constants.W_OK);
    return { what: 'state folder', ok: true, detail: folder };
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code ?? 'unknown';
    return { what: 'state folder', ok: false, detail: `${folder} cannot be written (${code}): set ISMALICIOUS_STATE_DIR` };
  }
}

/** A clock that is wrong makes caches, budgets and certificates wrong: it is held against our own files. */
export function clockFinding(folder: string, nowMs: number): Finding {
  const now = new Date(nowMs).toISOString();
  const newest = Math.max(0, ...filesIn(folder).map((path) => statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? 0));
  if (newest <= nowMs + MOST_BEHIND_MS) return { what: 'clock', ok: true, detail: now };
  return {
    what: 'clock',
    ok: false,
    detail: `${now} is earlier than files in the state folder (${new Date(newest).toISOString()}): set the clock`,
  };
}

function filesIn(folder: string): string[] {
  try {
    return readdirSync(folder).map((name) => join(folder, name));
  } catch {
    // That it cannot be read is the finding of the state folder.
    return [];
  }
}

/** Where certificate authorities come from. */
export function authorityFinding(wanted: readonly WantedProvider[], env: Env): Finding {
  const files = wanted.flatMap(({ provider, common: { caFile } }) => (caFile === undefined ? [] : [`${caFile} (${provider.id})`]));
  const extra = env.NODE_EXTRA_CA_CERTS;
  if (extra && statSync(extra, { throwIfNoEntry: false }) === undefined)
    return { what: 'certificates', ok: false, detail: `NODE_EXTRA_CA_CERTS names ${extra}, which is not there` };
  const more = [...files, ...(extra ? [`${extra} (NODE_EXTRA_CA_CERTS)`] : [])];
  return { what: 'certificates', ok: true, detail: ['those of Node', ...more].join(', ') };
}

/** Whether the file with AS numbers can be used, although no list may name any yet; none where no file is set. */
export async function asNumberFindings({ core }: LoadedConfig): Promise<Finding[]> {
  const { asnDatabase } = core.local;
  if (asnDatabase === undefined) return [];
  const database = await readAsDatabase(asnDatabase);
  const [fault, kind] = [database.fault(), database.kind()];
  const detail = kind === null ? '' : `${kind.type} of ${kind.builtOn ?? 'an unknown day'}, ${asnDatabase}`;
  return [{ what: 'AS numbers', ok: fault === null, detail: fault ?? detail }];
}

/** Asks every provider for real, whatever is in the cache. */
export async function probeProviders(engine: Engine, { wanted }: LoadedConfig, env: Env): Promise<Finding[]> {
  const ids = wanted.map(({ provider }) => provider.id);
  const found = await engine.enrichMany([PROBE], { timeoutMs: PROBE_MS, isTest: true, providers: ids });
  const said = found.get(PROBE)?.answer.providers ?? [];
  const stats = new Map(engine.stats().providers.map((one) => [one.provider, one]));
  return wanted.map((one) => {
    const { id } = one.provider;
    const result = said.find(({ provider }) => provider === id);
    if (!result) return { what: id, ok: true, detail: 'does not answer about IP addresses: not asked' };
    const way = wayTo(one, env);
    const until = stats.get(id)?.blockedUntilMs ?? null;
    const hasFailed = result.status !== 'ok' && result.status !== 'not_listed' && result.status !== 'pending';
    if (hasFailed || result.message !== null)
      return {
        what: id,
        ok: !hasFailed,
        detail: `${result.message ?? result.status}${until === null ? '' : `, until ${timeOf(until)}`}; ${way}`,
      };
    return { what: id, ok: true, detail: [`answers; ${way}`, ...creditWords(stats.get(id))].join('; ') };
  });
}

/** Address and proxy of a provider, without anything secret. */
function wayTo({ own, common }: WantedProvider, env: Env): string {
  const baseUrl: unknown = Reflect.get(own as object, 'baseUrl');
  if (typeof baseUrl !== 'string') return 'address built in';
  const { origin } = new URL(baseUrl);
  const proxy = common.proxy ?? proxyFromEnv(new URL(baseUrl), env);
  return proxy === null ? origin : `${origin} by way of proxy ${new URL(proxy).host}`;
}

/** What is left of a provider's credits, as far as it says so or a budget is set. */
export function creditWords(stats: ProviderStats | undefined): string[] {
  if (!stats) return [];
  const told = stats.notices
    .filter(({ window, remaining }) => window !== 'burst' && remaining !== null)
    .map(({ window, remaining, limit }) => `${remaining} left${limit === null ? '' : ` of ${limit}`} (${window})`);
  const { budgetPerDay, spentToday, budgetPerMonth, spentThisMonth } = stats;
  return [
    ...told,
    ...(budgetPerDay === null ? [] : [`budget today: ${spentToday} of ${budgetPerDay} spent`]),
    ...(budgetPerMonth === null ? [] : [`budget this month: ${spentThisMonth} of ${budgetPerMonth} spent`]),
  ];
}

function timeOf(epochMs: number): string {
  return new Date(Math.ceil(epochMs / SECOND_MS) * SECOND_MS).toISOString().replace('.000Z', 'Z');
}
