import type { LoadedBlock } from '../../config/load.ts';
import { DEFAULT_FIELDS } from '../../events/wanted-fields.ts';
import { wildcard } from '../../model/tables/wildcard.ts';
import { ALERT_FIELDS } from '../../pipeline/triage/read-alert.ts';
import type { WantedProvider } from '../wanted-providers.ts';

/** The settings that say which fields of events are looked at. */
const LISTS = [
  ['sidecar', 'fields'],
  ['sidecar', 'extractFields'],
  ['gateway', 'fields'],
  ['gateway', 'fieldsByIndex'],
  ['gateway', 'extractFields'],
] as const;

/**
 * One sentence for each entry of `providers.<id>.fields` that no event has: the provider is never asked for its sake. Columns of searches and CSV
 * files have any name; only names with a dot, as events have them, can be told from those.
 */
export function unseenFields(asked: readonly WantedProvider[], loaded: Readonly<Record<string, LoadedBlock>>): string[] {
  const set = LISTS.flatMap(([block, key]) => namesIn(loaded[block]?.values[key]));
  const known = [...DEFAULT_FIELDS, ...ALERT_FIELDS, ...set];
  return asked.flatMap(({ provider: { id }, common: { fields = [] } }) =>
    fields
      .filter((pattern) => pattern.includes('.') && !known.some(wildcard(pattern)))
      .map(
        (pattern) =>
          `providers.${id}.fields: no event is looked up by "${pattern}" as sidecar.fields and gateway.fields stand; it counts only where a command or a table names that field.`,
      ),
  );
}

function namesIn(value: unknown): string[] {
  if (typeof value === 'string') return [value];
  return typeof value === 'object' && value !== null ? Object.values(value).flatMap(namesIn) : [];
}
