import type { ConfigFault } from '../../config/config-error.ts';
import type { ConfigSources } from '../../config/load.ts';
import { valueAt } from '../../config/load.ts';
import { providerBlock } from '../../config/provider-settings.ts';
import { settingMeta, toSnakeCase } from '../../config/setting.ts';
import { shownName } from '../../config/shown-name.ts';
import type { Provider } from '../../providers/provider.ts';
import { instanceProvider } from './instance-provider.ts';

const NAME = /^[a-z][a-z0-9_]{0,31}$/;

/** The instances of one provider, and what is wrong with their names. */
export interface DeclaredInstances {
  readonly instances: readonly Provider[];
  /** Ids as they are written, those with a name that cannot be used too. */
  readonly ids: readonly string[];
  readonly faults: readonly ConfigFault[];
}

/**
 * The instances that the file, the profile or a stanza of Splunk's conf declares: blocks inside the block of their provider
 * (`providers.misp.hq`).
 */
export function declaredInstances(provider: Provider, sources: ConfigSources): DeclaredInstances {
  const names = instanceNames(provider, sources);
  const faults = names.flatMap((name) => {
    const message = nameFault(provider, name);
    return message === null ? [] : [{ key: `providers.${provider.id}.${shownName(name)}`, place: 'configuration', message }];
  });
  return {
    instances: names.filter((name) => nameFault(provider, name) === null).map((name) => instanceProvider(provider, name)),
    ids: names.map((name) => `${provider.id}.${name}`),
    faults,
  };
}

/** Settings beside instances that apply to nobody: the provider itself is not asked, and nothing is passed on. `isAsked`: by its id. */
export function strandedSettings(
  known: { readonly named: readonly Provider[]; readonly sources: ConfigSources },
  isAsked: (id: string) => boolean,
): ConfigFault[] {
  return known.named.flatMap((provider) => {
    const names = instanceNames(provider, known.sources);
    if (names.length === 0 || isAsked(provider.id)) return [];
    const settings = settingNames(provider);
    const { file, profile } = known.sources;
    const set = [file?.values, profile?.values].flatMap((values) => Object.keys(blockOf(values, provider.id)));
    return [...new Set(set)]
      .filter((key) => settings.has(key))
      .map((key) => ({
        key: `providers.${provider.id}.${key}`,
        place: 'configuration',
        message: `applies to none of the instances ${names.map(shownName).join(', ')}: set it in each of them`,
      }));
  });
}

function instanceNames(provider: Provider, { file, profile, conf }: ConfigSources): string[] {
  const settings = settingNames(provider);
  const prefix = `providers.${provider.id}.`;
  const inBlocks = [file?.values, profile?.values].flatMap((values) =>
    Object.entries(blockOf(values, provider.id)).flatMap(([key, inner]) => (isMap(inner) && !settings.has(key) ? [key] : [])),
  );
  const inConf = Object.keys(conf?.values ?? {}).flatMap((path) => (path.startsWith(prefix) ? [path.slice(prefix.length)] : []));
  return [...new Set([...inBlocks, ...inConf])];
}

/** Why a name cannot be used; `null`: it can. */
function nameFault(provider: Provider, name: string): string | null {
  if (!NAME.test(name)) return 'the name of an instance has to be 1 to 32 of a-z, 0-9 and _, a letter first';
  const taken = new Set(environmentNames(provider));
  const shared = environmentNames(instanceProvider(provider, name)).find((one) => taken.has(one));
  return shared === undefined
    ? null
    : `the name ${name} makes an environment variable that is a setting of ${provider.id} (${shared}): choose another one`;
}

function environmentNames({ id, settings }: Provider): string[] {
  return Object.values(providerBlock(id, settings).shape).map((setting) => settingMeta.get(setting)?.env ?? '');
}

function settingNames({ id, settings }: Provider): ReadonlySet<string> {
  return new Set(Object.keys(providerBlock(id, settings).shape).map(toSnakeCase));
}

function blockOf(values: unknown, id: string): object {
  const block = valueAt(values, `providers.${id}`);
  return isMap(block) ? block : {};
}

function isMap(value: unknown): value is object {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
