// src/config/: one schema for each setting: its type, check, environment name, YAML key, Splunk conf key and docs.
import * as z from 'zod/mini';
import { coerceText } from './coerce.ts';
import { ConfigError, type ConfigFault } from './config-error.ts';
import { faultWords } from './fault-words.ts';
import { settingMeta, type SettingsSchema, toSnakeCase } from './setting.ts';
import { shownName } from './shown-name.ts';
import { unknownKeys } from './unknown-keys.ts';

// Without a language every fault reads "Invalid input".
z.config({ localeError: faultWords });

/** A parsed file, and the line in which a key of it stands. */
export interface ConfigFile {
  readonly name: string;
  readonly values: unknown;
  /** The line of a key, or of what it would be in; `null`: nothing of it is there. */
  readonly lineOf?: (path: readonly string[]) => number | null;
}

/** Where settings come from; later ones win: file, conf, environment, profile. */
export interface ConfigSources {
  /** The parsed YAML file; blocks by path, keys in snake_case. */
  readonly file?: ConfigFile;
  /** Splunk conf stanzas: block path → key → text. */
  readonly conf?: { readonly name: string; readonly values: Readonly<Record<string, Readonly<Record<string, string>>>> };
  readonly env: Readonly<Record<string, string | undefined>>;
  /** A named set of settings that was asked for; `SOC__VIRUSTOTAL_API_KEY` is the environment's word for profile `soc`. */
  readonly profile?: { readonly name: string; readonly values: unknown };
}

/** The blocks that exist, by dotted path: `engine`, `providers.virustotal`, … */
export type Blocks = Readonly<Record<string, SettingsSchema>>;

/** A block's values, and which of its keys somebody set. */
export interface LoadedBlock {
  readonly values: Record<string, unknown>;
  readonly set: ReadonlySet<string>;
}

/** What is checked beside the blocks. */
export interface ReadOptions {
  /** Paths of the file that other programs read (`outputs`, `providers.shodan`): left alone here. */
  readonly foreign?: readonly string[];
  /** Blocks that are switched off: what is set there is checked, what is missing is no fault. */
  readonly off?: ReadonlySet<string>;
}

/** Checks all blocks against all sources. Throws a `ConfigError` with every fault; `foreign`: see `ReadOptions`. */
export function loadConfig(blocks: Blocks, sources: ConfigSources, foreign: readonly string[] = []): Record<string, LoadedBlock> {
  const { loaded, faults } = readBlocks(blocks, sources, { foreign });
  if (faults.length > 0) throw new ConfigError(faults);
  return loaded;
}

/** The same without throwing: what could be read, and every fault. */
export function readBlocks(blocks: Blocks, sources: ConfigSources, { foreign = [], off }: ReadOptions = {}) {
  const faults: ConfigFault[] = [];
  const loaded: Record<string, LoadedBlock> = {};
  for (const [path, schema] of Object.entries(blocks)) {
    const { values, set, faults: found } = loadBlock(path, schema, sources, off?.has(path) !== true);
    loaded[path] = { values, set };
    faults.push(...found);
  }
  const { file, profile } = sources;
  if (file) faults.push(...unknownKeys(blocks, { ...file, placeOf: (path) => placeInFile(file, path) }, foreign));
  if (profile) faults.push(...unknownKeys(blocks, { ...profile, placeOf: (path) => placeInProfile(sources, path) }, foreign));
  return { loaded, faults };
}

/** `file x.yaml, line 3`. `path`: dotted. */
export function placeInFile({ name, lineOf }: ConfigFile, path: string): string {
  const line = lineOf?.(path.split('.')) ?? null;
  return line === null ? `file ${name}` : `file ${name}, line ${line}`;
}

/** The same faults; those without a place whose setting stands in the file say where. */
export function placedIn(file: ConfigFile | undefined, faults: readonly ConfigFault[]): ConfigFault[] {
  return faults.map((fault) => {
    const path = settingOf(fault.key);
    const isThere = fault.place === 'configuration' && valueAt(file?.values, path) !== undefined;
    return file && isThere ? { ...fault, place: placeInFile(file, path) } : fault;
  });
}

/** `privacy.own_networks[0]` → `privacy.own_networks`; of several keys the first. */
function settingOf(key: string): string {
  return key.replace(/[[,].*$/s, '');
}

function placeInProfile({ file, profile }: ConfigSources, path: string): string {
  const line = file?.lineOf?.(['profiles', profile?.name ?? '', ...path.split('.')]) ?? null;
  return line === null ? `profile ${profile?.name}` : `profile ${profile?.name}, line ${line} of ${file?.name}`;
}

function loadBlock(path: string, schema: SettingsSchema, sources: ConfigSources, isOn: boolean) {
  const faults: ConfigFault[] = [];
  const values: Record<string, unknown> = {};
  const set = new Set<string>();
  for (const [key, setting] of Object.entries(schema.shape)) {
    const { value, place } = settingSource(path, key, setting, sources);
    const result = setting.safeParse(value);
    if (value !== undefined) set.add(key);
    if (result.success) {
      if (result.data !== undefined) values[key] = result.data;
      continue;
    }
    if (value === undefined && !isOn) continue;
    const message =
      value === undefined
        ? `is missing; set it here or by ${settingMeta.get(setting)?.env ?? 'its environment variable'}`
        : wordsOf(result.error);
    faults.push({ key: `${path}.${toSnakeCase(key)}`, place: place(), message });
  }
  return { values, set, faults };
}

function wordsOf(error: z.core.$ZodError): string {
  return error.issues.map(({ path, message }) => (path.length > 0 ? `${path.map(shownPart).join('.')}: ${message}` : message)).join('; ');
}

/** A step into a list or map; names of a map are whatever somebody wrote. */
function shownPart(part: PropertyKey): string {
  return typeof part === 'number' ? String(part) : shownName(String(part));
}

/** Where a setting's value comes from, before it is checked; `undefined`: nobody set it. */
export function settingSource(
  path: string,
  key: string,
  setting: z.ZodMiniType,
  sources: ConfigSources,
): { value: unknown; place: () => string } {
  const env = settingMeta.get(setting)?.env;
  const fromProfile = profileSource(path, key, setting, sources);
  if (fromProfile) return fromProfile;
  const fromEnv = env === undefined ? undefined : sources.env[env];
  // An empty variable is how shells and unit files say "not set".
  if (env !== undefined && fromEnv !== undefined && fromEnv !== '')
    return { value: coerceText(fromEnv, setting), place: () => `environment variable ${env}` };
  const fromConf = sources.conf?.values[path]?.[toSnakeCase(key)];
  if (fromConf !== undefined && fromConf !== '')
    return { value: coerceText(fromConf, setting), place: () => `conf file ${sources.conf?.name}` };
  const { file } = sources;
  const full = `${path}.${toSnakeCase(key)}`;
  const place = () => (file ? placeInFile(file, full) : 'not set');
  const fromFile = valueAt(file?.values, full);
  if (fromFile !== undefined && fromFile !== null)
    return { value: typeof fromFile === 'string' ? coerceText(fromFile, setting) : fromFile, place };
  return { value: undefined, place };
}

/** What the profile says; its own environment variable first. */
function profileSource(
  path: string,
  key: string,
  setting: z.ZodMiniType,
  sources: ConfigSources,
): { value: unknown; place: () => string } | null {
  const { profile, env } = sources;
  if (!profile) return null;
  const name = `${profile.name.toUpperCase()}__${settingMeta.get(setting)?.env}`;
  const fromEnv = env[name];
  if (fromEnv !== undefined && fromEnv !== '') return { value: coerceText(fromEnv, setting), place: () => `environment variable ${name}` };
  const value = valueAt(profile.values, `${path}.${toSnakeCase(key)}`);
  if (value === undefined || value === null) return null;
  return {
    value: typeof value === 'string' ? coerceText(value, setting) : value,
    place: () => placeInProfile(sources, `${path}.${toSnakeCase(key)}`),
  };
}

/** What stands at a dotted path of a file's values; `undefined`: nothing. */
export function valueAt(values: unknown, path: string): unknown {
  let found = values;
  for (const key of path.split('.'))
    found = typeof found === 'object' && found !== null && !Array.isArray(found) ? Reflect.get(found, key) : undefined;
  return found;
}
