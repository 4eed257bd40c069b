import { coerceText } from '../config/coerce.ts';
import { type Blocks, type ConfigSources, type LoadedBlock, placeInFile, settingSource, valueAt } from '../config/load.ts';
import { type CommonProviderSettings, providerBlock } from '../config/provider-settings.ts';
import type { Provider } from '../providers/provider.ts';
import { settingMeta, toSnakeCase } from '../config/setting.ts';
import type { KnownProviders } from './known-providers.ts';

/** A provider that is asked, with its settings. */
export interface WantedProvider {
  readonly provider: Provider;
  /** Its own settings, as its schema checked them. */
  readonly own: unknown;
  readonly common: CommonProviderSettings;
  /** What its limits and credits are counted by: its id, and the profile when that has a key of its own. */
  readonly account: string;
}

/**
 * The blocks of the providers that somebody wants: `enabled: true`, or one of its keys is set or the file declares it and `enabled` is not
 * false. The others are not even checked: a missing key is no fault of a provider nobody asked for.
 */
export function wantedBlocks({ named, declared, sources }: KnownProviders): Blocks {
  return Object.fromEntries(
    named
      .filter((provider) => isWanted(provider, sources, declared.has(provider.id)))
      .map((provider) => [`providers.${provider.id}`, providerBlock(provider.id, provider.settings)]),
  );
}

/** The blocks of those that the file or a profile has a block for, although nobody wants them. */
export function namedBlocks({ named, sources: { file, profile } }: KnownProviders, wanted: Blocks): Blocks {
  return Object.fromEntries(
    named
      .map(({ id, settings }) => [`providers.${id}`, providerBlock(id, settings)] as const)
      .filter(([path]) => !(path in wanted) && [file, profile].some((one) => valueAt(one?.values, path) !== undefined)),
  );
}

/** One sentence for each provider that has a block in the file, is not switched off, and is not asked because it has no key. */
export function keylessWarnings({ named, ids, sources }: KnownProviders, off: Blocks): string[] {
  const { file } = sources;
  return named.flatMap(({ id, settings, retired }) => {
    const path = `providers.${id}`;
    // Its instances speak for themselves.
    if (ids.some((other) => other.startsWith(`${id}.`))) return [];
    const { enabled } = off[path]?.shape ?? {};
    if (!file || enabled === undefined || retired !== undefined || valueAt(file.values, path) === undefined) return [];
    if (settingSource(path, 'enabled', enabled, sources).value !== undefined) return [];
    const keys = Object.entries(settings.shape).filter(([, setting]) => settingMeta.get(setting)?.secret === true);
    const names = keys.map(([key]) => toSnakeCase(key)).join(' or ');
    const remedy = names === '' ? 'set enabled: true' : `set ${names}, or enabled: false`;
    return [`${path} (${placeInFile(file, path)}) has no key: ${id} is not asked. To change that, ${remedy}.`];
  });
}

function isWanted(provider: Provider, sources: ConfigSources, isDeclared: boolean): boolean {
  const block = providerBlock(provider.id, provider.settings);
  const valueOf = (key: string) => {
    const setting = block.shape[key];
    return setting ? settingSource(`providers.${provider.id}`, key, setting, sources).value : undefined;
  };
  const enabledSetting = block.shape.enabled;
  const enabled = valueOf('enabled');
  if (enabled !== undefined && enabledSetting)
    return (typeof enabled === 'string' ? coerceText(enabled, enabledSetting) : enabled) !== false;
  if (isDeclared) return true;
  if (provider.retired !== undefined) return false;
  const hasSecret = Object.entries(provider.settings.shape).some(
    ([key, setting]) => settingMeta.get(setting)?.secret === true && valueOf(key) !== undefined,
  );
  if (hasSecret) return true;
  // Who sets an address wants it asked: a stand-in on this machine needs no key, for others its absence is told.
  return valueOf('baseUrl') !== undefined;
}

/** The wanted providers out of the loaded configuration. */
export function wantedProviders({ named, sources }: KnownProviders, loaded: Readonly<Record<string, LoadedBlock>>): WantedProvider[] {
  return named.flatMap((provider) => {
    const block = loaded[`providers.${provider.id}`];
    if (!block) return [];
    const common = block.values as unknown as CommonProviderSettings;
    return [{ provider: routed(provider, common), own: block.values, common, account: accountOf(provider, sources) }];
  });
}

/** The provider as it is asked: about the types that `types` leaves it. */
function routed(provider: Provider, { types }: CommonProviderSettings): Provider {
  return types === undefined ? provider : { ...provider, types: provider.types.filter((type) => types.includes(type)) };
}

/** Types that a provider is to be asked about and does not know. */
export function unknownTypes({ named }: KnownProviders, { provider: { id }, common: { types = [] } }: WantedProvider): string[] {
  const known = named.find((one) => one.id === id)?.types ?? [];
  return types.filter((type) => !known.includes(type));
}

/** A profile with a key of its own has limits and credits of its own; one that shares the key shares those too. */
function accountOf({ id, settings }: Provider, sources: ConfigSources): string {
  const { profile } = sources;
  if (!profile) return id;
  const { profile: _profile, ...without } = sources;
  const isOwn = Object.entries(settings.shape).some(
    ([key, setting]) =>
      settingMeta.get(setting)?.secret === true &&
      settingSource(`providers.${id}`, key, setting, sources).value !== settingSource(`providers.${id}`, key, setting, without).value,
  );
  return isOwn ? `${id}@${profile.name}` : id;
}
