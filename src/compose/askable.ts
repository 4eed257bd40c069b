import { isAskedFor } from '../model/provider-id.ts';
import { type LoadedConfig, loadEngineConfig, type OpenOptions } from './engine-config.ts';

/** Said with answers that come from local lists alone. */
export const ONLY_LOCAL = 'No provider has a key: only local lists answered.';

/** Which of the providers a caller names can be asked. */
export interface Askable {
  /** Why they cannot be asked, in one sentence; `null`: all of them can. */
  refuse(providers: readonly string[], profile?: string): Promise<string | null>;
  /** What to say of answers when no provider has a key; `null`: one has. */
  note(profile?: string): Promise<string | null>;
}

/** Ids that no provider has, and ids of providers that have no key: whoever names one would get an answer of nobody. */
export function unaskable(providers: readonly string[], { knownIds, wanted }: Pick<LoadedConfig, 'knownIds' | 'wanted'>) {
  const configured = ['local', ...wanted.map(({ provider }) => provider.id)];
  const unknown = providers.filter((id) => !knownIds.includes(id));
  const keyless = providers.filter((id) => knownIds.includes(id) && !configured.some((one) => isAskedFor([id], one)));
  return { unknown, keyless, configured };
}

/** Checks what callers of a program that stays ask for, by the configuration of their profile. */
export function createAskable(main: LoadedConfig, options: OpenOptions): Askable {
  const byProfile = new Map<string, Promise<LoadedConfig>>();
  const configOf = async (profile: string | undefined): Promise<LoadedConfig> => {
    if (profile === undefined || profile === main.profile) return main;
    const loading = byProfile.get(profile) ?? loadEngineConfig({ ...options, profile });
    byProfile.set(profile, loading);
    loading.catch(() => byProfile.delete(profile));
    return await loading;
  };
  return {
    async refuse(providers, profile) {
      const config = await configOf(profile);
      const { unknown, keyless, configured } = unaskable(providers, config);
      if (unknown.length > 0) return `unknown provider ${quoted(unknown)}; the providers are ${config.knownIds.join(', ')}`;
      return keyless.length > 0 ? `no key for ${quoted(keyless)}; configured are ${configured.join(', ')}` : null;
    },
    note: async (profile) => ((await configOf(profile)).wanted.length === 0 ? ONLY_LOCAL : null),
  };
}

/** What a caller wrote is repeated only in part: it may be long. */
function quoted(ids: readonly string[]): string {
  return ids
    .slice(0, 5)
    .map((id) => JSON.stringify(id.slice(0, 40)))
    .join(', ');
}
