import { ConfigError, type ConfigFault } from '../config/config-error.ts';
import type { ConfigSources } from '../config/load.ts';
import type { Provider } from '../providers/provider.ts';
import { loadProviders, providerIds } from '../providers/registry.ts';
import { declaredInstances } from './instances/declared-instances.ts';

/** Ids that mean something else in `providers`, in answers or on command lines. */
const RESERVED_IDS = ['local', 'feedback', 'taxii', 'custom'];

/** The providers that somebody said a word about, and the sources as they read after the declared ones got blocks of their own. */
export interface KnownProviders {
  /** Those that a setting names; the others cannot be wanted, and are not even loaded. */
  readonly named: readonly Provider[];
  /** Ids of all that could be asked. */
  readonly ids: readonly string[];
  /** Ids of those the file declares: who declares one wants it asked. */
  readonly declared: ReadonlySet<string>;
  /** Names of instances that cannot be used. */
  readonly faults: readonly ConfigFault[];
  readonly sources: ConfigSources;
}

/**
 * Ours, instances of ours (`providers.misp.hq`), and those declared under `providers.custom`. What an entry says beyond its declaration (`enabled`, `per_minute`, `api_key`, …) is
 * read as its block `providers.<id>`, like any other provider's. Throws a `ConfigError` with every fault of every entry.
 */
export async function knownProviders(sources: ConfigSources): Promise<KnownProviders> {
  const blocks = blockAt(blockAt(sources.file?.values, 'providers'), 'custom');
  const bases = await loadProviders(new Set(providerIds.filter((id) => isNamed(id, sources))));
  const instances = bases.map((base) => declaredInstances(base, sources));
  const shipped = bases.flatMap((base, n) => [base, ...(instances[n]?.instances ?? [])]);
  const shippedIds = [...providerIds, ...instances.flatMap(({ ids }) => ids)];
  const faults = instances.flatMap((one) => one.faults);
  if (!sources.file || blocks === undefined || blocks === null)
    return { named: shipped, ids: shippedIds, declared: new Set(), faults, sources };
  const place = `file ${sources.file.name}`;
  if (!Array.isArray(blocks)) throw new ConfigError([{ key: 'providers.custom', place, message: 'has to be a list of declarations' }]);
  // Loaded only by those who declare something: a search starts often.
  const { customProviders } = await import('../providers/custom.ts');
  const { CustomProviderConfig, toCamelKeys } = await import('../providers/reading/custom-config.ts');
  const custom = declare(() => customProviders(blocks, [...RESERVED_IDS, ...providerIds]), place);
  const isDeclaration = (key: string) =>
    Object.keys(toCamelKeys({ [key]: null }) as object).every((name) => name in CustomProviderConfig.shape);
  const own = Object.fromEntries(
    custom.map(({ id }, n) => {
      const entry = Object.entries(blocks[n] as object).filter(([key]) => !isDeclaration(key));
      return [id, { ...Object.fromEntries(entry), ...(blockAt(blockAt(sources.file?.values, 'providers'), id) as object | undefined) }];
    }),
  );
  const values = sources.file.values as Record<string, object>;
  const file = { name: sources.file.name, values: { ...values, providers: { ...values['providers'], ...own } } };
  const declared = custom.map(({ id }) => id);
  return {
    named: [...shipped, ...custom],
    ids: [...shippedIds, ...declared],
    declared: new Set(declared),
    faults,
    sources: { ...sources, file },
  };
}

/** Whether any source has a word about a provider: its block, or an environment variable with its prefix. */
function isNamed(id: string, { env, conf, file, profile }: ConfigSources): boolean {
  const path = `providers.${id}`;
  const prefix = `${id.toUpperCase()}_`;
  const profilePrefix = `${profile?.name.toUpperCase()}__${prefix}`;
  return (
    Object.keys(env).some((name) => name.startsWith(prefix) || name.startsWith(profilePrefix)) ||
    Object.values(conf?.values[path] ?? {}).some((text) => text !== '') ||
    Object.keys(conf?.values ?? {}).some((stanza) => stanza.startsWith(`${path}.`)) ||
    [file?.values, profile?.values].some((values) => blockAt(blockAt(values, 'providers'), id) !== undefined)
  );
}

function declare(read: () => Provider[], place: string): Provider[] {
  try {
    return read();
  } catch (error) {
    const faults = (error as Error).message.replace(/^custom providers: /, '').split('; ');
    throw new ConfigError(
      faults.map((fault) => {
        const [, key = 'custom', message = fault] = /^(custom\[\d+\]\S*): (.*)$/s.exec(fault) ?? [];
        return { key: `providers.${key}`, place, message };
      }),
    );
  }
}

function blockAt(value: unknown, key: string): unknown {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? Reflect.get(value, key) : undefined;
}
