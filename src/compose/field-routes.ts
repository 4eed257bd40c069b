import type { ConfigSources } from '../config/load.ts';
import { createFieldRoutes, type FieldRoutes } from '../engine/field-routes.ts';
import type { WantedProvider } from './wanted-providers.ts';

/** Who is not asked about values of some fields; `undefined`: everybody is asked about all, whatever profile is named. */
export function fieldRoutes({
  wanted,
  hasFields,
}: {
  readonly wanted: readonly WantedProvider[];
  readonly hasFields: boolean;
}): FieldRoutes | undefined {
  if (!hasFields) return undefined;
  return createFieldRoutes(
    new Map(wanted.flatMap(({ provider, common: { fields } }) => (fields === undefined ? [] : [[provider.id, fields]]))),
  );
}

/** Whether a profile may say about which fields a provider is asked: rather once too often than once too seldom. */
export function hasFieldsInProfiles({ file, env }: Pick<ConfigSources, 'file' | 'env'>): boolean {
  const profiles: unknown = typeof file?.values === 'object' && file.values !== null ? Reflect.get(file.values, 'profiles') : undefined;
  return (
    JSON.stringify(profiles ?? null).includes('"fields":') || Object.keys(env).some((name) => /^[A-Z\d_]+__[A-Z\d_]+_FIELDS$/.test(name))
  );
}
