import * as z from 'zod/mini';
import { isSafeEndpoint } from '../model/parsing/safe-endpoint.ts';

/** What is known of a setting besides its type: everything users read about it is made from this. */
export interface SettingMeta {
  /** One sentence with unit, range and what the edge does. */
  readonly doc: string;
  /** Environment variable that sets it, on top of file and conf. */
  readonly env: string;
  /** Masked wherever settings are shown; never written to logs, errors or caches. */
  readonly secret?: boolean;
}

/** Every setting is registered here: a test fails for one that is not. */
export const settingMeta = z.registry<SettingMeta>();

/** Settings of one block (`providers.<id>`, `outputs.<id>`, `engine`, …). Keys are camelCase here, snake_case in YAML and conf. */
export type SettingsSchema = z.ZodMiniObject<Record<string, z.ZodMiniType>>;

/** `maxAgeDays` → `max_age_days`: the spelling of a setting in YAML, Splunk conf and docs. */
export function toSnakeCase(key: string): string {
  return key.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}

/** Declares the settings of one block (`feeds.misp`, `outputs.file`): key, environment name and docs in one place. */
export function declareSettings(block: string) {
  const prefix = `ISMALICIOUS_${block.replaceAll('.', '_')}`;
  return <T extends z.ZodMiniType>(key: string, schema: T, doc: string, options: { secret?: boolean } = {}): T => {
    settingMeta.add(schema, { doc, env: `${prefix}_${toSnakeCase(key)}`.toUpperCase(), ...options });
    return schema;
  };
}

/** Base URL of a server that is sent credentials. Trailing slashes are taken off. */
export function endpoint() {
  return z.string().check(
    z.refine(isSafeEndpoint, { error: 'has to be an https URL without a password in it (plain http only to this machine)' }),
    z.overwrite((text) => text.replace(/\/+$/, '')),
  );
}
