// src/config/: one schema for each setting: its type, check, environment name, YAML key, Splunk conf key and docs.
import * as z from 'zod/mini';
import english from 'zod/v4/locales/en.js';
import { coerceText } from './coerce.ts';
import { settingMeta, type SettingsSchema, toSnakeCase } from './setting.ts';

// Without a language every fault reads "Invalid input".
z.config(english());

/** One wrong setting: where it was set, what is wrong, what to do. Never its value: it may be a secret. */
export interface ConfigFault {
  /** Dotted, as in YAML: `providers.virustotal.api_key`. */
  readonly key: string;
  /** `environment variable X`, `file Y` or `conf file Z`. */
  readonly place: string;
  readonly message: string;
}

/** All wrong settings at once: a start never begins half configured. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError';
  readonly faults: readonly ConfigFault[];

  constructor(faults: readonly ConfigFault[]) {
    super(
      `${faults.length} wrong setting${faults.length === 1 ? '' : 's'}:\n${faults.map(({ key, place, message }) => `  ${key} (${place}): ${message}`).join('\n')}`,
    );
    this.faults = faults;
  }
}

/** Where settings come from; later ones win: file, conf, environment, profile. */
export interface ConfigSources {
  /** The parsed YAML file; blocks by path, keys in snake_case. */
  readonly file?: { readonly name: string; readonly values: unknown };
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

/**
 * Checks all blocks against all sources. Throws a `ConfigError` with every fault. `foreign`: paths of the file that other programs read
 * (`outputs`, `providers.shodan`): left alone here.
 */
export function loadConfig(blocks: Blocks, sources: ConfigSources, foreign: readonly string[] = []): Record<string, LoadedBlock> {
  const faults: ConfigFault[] = [];
  const loaded: Record<string, LoadedBlock> = {};
  for (const [path, schema] of Object.entries(blocks)) loaded[path] = loadBlock(path, schema, sources, faults);
  faults.push(...unknownKeys(blocks, sources.file, foreign));
  if (sources.profile)
    faults.push(...unknownKeys(blocks, { name: `profile ${sources.profile.name}`, values: sources.profile.values }, foreign));
  if (faults.length > 0) throw new ConfigError(faults);
  return loaded;
}

function loadBlock(path: string, schema: SettingsSchema, sources: ConfigSources, faults: ConfigFault[]): LoadedBlock {
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
    const message =
      value === undefined
        ? `is missing; set it here or by ${settingMeta.get(setting)?.env ?? 'its environment variable'}`
        : wordsOf(result.error);
    faults.push({ key: `${path}.${toSnakeCase(key)}`, place, message });
  }
  return { values, set };
}

function wordsOf(error: z.core.$ZodError): string {
  return error.issues.map((issue) => (issue.path.length > 0 ? `${issue.path.join('.')}: ${issue.message}` : issue.message)).join('; ');
}

/** Where a setting's value comes from, before it is checked; `undefined`: nobody set it. */
export function settingSource(
  path: string,
  key: string,
  setting: z.ZodMiniType,
  sources: ConfigSources,
): { value: unknown; place: string } {
  const env = settingMeta.get(setting)?.env;
  const fromProfile = profileSource(path, key, setting, sources);
  if (fromProfile) return fromProfile;
  const fromEnv = env === undefined ? undefined : sources.env[env];
  // An empty variable is how shells and unit files say "not set".
  if (env !== undefined && fromEnv !== undefined && fromEnv !== '')
    return { value: coerceText(fromEnv, setting), place: `environment variable ${env}` };
  const fromConf = sources.conf?.values[path]?.[toSnakeCase(key)];
  if (fromConf !== undefined && fromConf !== '') return { value: coerceText(fromConf, setting), place: `conf file ${sources.conf?.name}` };
  const fromFile = at(sources.file?.values, [...path.split('.'), toSnakeCase(key)]);
  if (fromFile !== undefined && fromFile !== null)
    return { value: typeof fromFile === 'string' ? coerceText(fromFile, setting) : fromFile, place: `file ${sources.file?.name}` };
  return { value: undefined, place: sources.file ? `file ${sources.file.name}` : 'not set' };
}

/** What the profile says; its own environment variable first. */
function profileSource(
  path: string,
  key: string,
  setting: z.ZodMiniType,
  { profile, env }: ConfigSources,
): { value: unknown; place: string } | null {
  if (!profile) return null;
  const name = `${profile.name.toUpperCase()}__${settingMeta.get(setting)?.env}`;
  const fromEnv = env[name];
  if (fromEnv !== undefined && fromEnv !== '') return { value: coerceText(fromEnv, setting), place: `environment variable ${name}` };
  const value = at(profile.values, [...path.split('.'), toSnakeCase(key)]);
  if (value === undefined || value === null) return null;
  return { value: typeof value === 'string' ? coerceText(value, setting) : value, place: `profile ${profile.name}` };
}

function at(value: unknown, path: readonly string[]): unknown {
  let found = value;
  for (const key of path)
    found = typeof found === 'object' && found !== null && !Array.isArray(found) ? Reflect.get(found, key) : undefined;
  return found;
}

/** Keys of the file that nobody reads: most likely misspelt. */
function unknownKeys(blocks: Blocks, file: ConfigSources['file'], foreign: readonly string[]): ConfigFault[] {
  if (!file) return [];
  if (typeof file.values !== 'object' || file.values === null || Array.isArray(file.values)) {
    return file.values === null || file.values === undefined
      ? []
      : [{ key: '(file)', place: `file ${file.name}`, message: 'has to be a map of blocks' }];
  }
  const known = new Map(Object.entries(blocks).map(([path, schema]) => [path, Object.keys(schema.shape).map(toSnakeCase)]));
  const faults: ConfigFault[] = [];
  const walk = (value: object, path: string) => {
    for (const [key, inner] of Object.entries(value)) {
      const full = path === '' ? key : `${path}.${key}`;
      if (known.get(path)?.includes(key) || foreign.includes(full)) continue;
      const isBlock = known.has(full) || [...known.keys(), ...foreign].some((name) => name.startsWith(`${full}.`));
      if (isBlock && typeof inner === 'object' && inner !== null) walk(inner, full);
      else if (!isBlock || inner !== null) faults.push({ key: full, place: `file ${file.name}`, message: remedy(isBlock, full, known) });
    }
  };
  walk(file.values, '');
  return faults;
}

function remedy(isBlock: boolean, key: string, known: ReadonlyMap<string, readonly string[]>): string {
  if (isBlock) return 'has to be a map of settings';
  const all = [...known].flatMap(([path, keys]) => [path, ...keys.map((name) => `${path}.${name}`)]);
  const nearest = all.map((name) => [distance(key, name), name] as const).sort((a, b) => a[0] - b[0])[0];
  return nearest && nearest[0] <= Math.max(2, key.length / 5)
    ? `is no setting; did you mean ${nearest[1]}?`
    : 'is no setting; see docs/settings.md';
}

/** Levenshtein distance. */
function distance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, n) => n);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++)
      next[j] = Math.min((row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1, (row[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1));
    row = next;
  }
  return row[b.length] ?? 0;
}
