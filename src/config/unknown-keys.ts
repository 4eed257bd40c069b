import { settingMeta, type SettingsSchema, toSnakeCase } from './setting.ts';
import { shownName } from './shown-name.ts';

/** A part of a configuration file: its values, what it is called in faults, and where a key of it stands. */
export interface KeyedValues {
  readonly name: string;
  readonly values: unknown;
  readonly placeOf: (path: string) => string;
}

/** A key that no program reads, most likely misspelt. */
export interface UnknownKey {
  readonly key: string;
  readonly place: string;
  readonly message: string;
}

type KnownBlocks = Readonly<Record<string, SettingsSchema>>;

const MOST_CHANGES = 2;
/** A long name may differ in one letter of so many. */
const LETTERS_A_CHANGE = 4;

/** Every key that is in none of the blocks. `foreign`: paths that other programs read, left alone here. */
export function unknownKeys(blocks: KnownBlocks, { values, placeOf }: KeyedValues, foreign: readonly string[]): UnknownKey[] {
  if (values === null || values === undefined) return [];
  if (!isMap(values)) return [{ key: '(file)', place: placeOf(''), message: 'has to be a map of blocks' }];
  const known = new Map(Object.entries(blocks).map(([path, schema]) => [path, Object.keys(schema.shape).map(toSnakeCase)]));
  const paths = [...known.keys(), ...foreign];
  const faults: UnknownKey[] = [];
  const walk = (value: object, path: string) => {
    for (const [key, inner] of Object.entries(value)) {
      const full = path === '' ? key : `${path}.${key}`;
      if (known.get(path)?.includes(key) || foreign.includes(full)) continue;
      const isBlock = paths.some((name) => name === full || name.startsWith(`${full}.`));
      const shown = path === '' ? shownName(key) : `${path}.${shownName(key)}`;
      if (isBlock && isMap(inner)) walk(inner, full);
      else if (!isBlock) faults.push({ key: shown, place: placeOf(full), message: remedy(key, path, blocks, paths) });
      else if (inner !== null) faults.push({ key: full, place: placeOf(full), message: 'has to be a map of settings' });
    }
  };
  walk(values, '');
  return faults;
}

function isMap(value: unknown): value is object {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function remedy(key: string, path: string, blocks: KnownBlocks, paths: readonly string[]): string {
  const meant = meantKey(key, path, blocks, paths);
  return `unknown setting "${shownName(key)}"; ${meant === null ? 'see docs/settings.md' : `did you mean ${meant}?`}`;
}

/** What was most likely meant: a key or block of the same map, the same word elsewhere, or the key that holds the secret. */
function meantKey(key: string, path: string, blocks: KnownBlocks, paths: readonly string[]): string | null {
  const prefix = path === '' ? '' : `${path}.`;
  const schema = blocks[path];
  const keys = schema ? Object.keys(schema.shape).map(toSnakeCase) : [];
  const below = paths.flatMap((name) => (name.startsWith(prefix) ? [name.slice(prefix.length).split('.')[0] ?? ''] : []));
  const sibling = closest(key, [...new Set([...keys, ...below])]);
  if (sibling !== null) return prefix + sibling;
  const elsewhere = likeliest(paths.filter((name) => name === key || name.endsWith(`.${key}`)));
  if (elsewhere !== undefined) return elsewhere;
  const holders = Object.entries(blocks).filter(([, { shape }]) => Object.keys(shape).some((own) => toSnakeCase(own) === key));
  if (holders.length === 1) return `${holders[0]?.[0]}.${key}`;
  return schema && /key|token|secret|pass/i.test(key) ? secretOf(schema, prefix) : null;
}

/** Of blocks with one name, the provider's: most people set that one. */
function likeliest(paths: readonly string[]): string | undefined {
  return paths.find((name) => name.startsWith('providers.')) ?? paths[0];
}

function secretOf({ shape }: SettingsSchema, prefix: string): string | null {
  const found = Object.entries(shape).find(([key, setting]) => key !== 'proxy' && settingMeta.get(setting)?.secret === true);
  return found === undefined ? null : prefix + toSnakeCase(found[0]);
}

/** The nearest of some names: equal but for case and separators, or a few letters away; `null`: none is near. */
function closest(word: string, names: readonly string[]): string | null {
  const plain = plainOf(word);
  const equal = names.find((name) => plainOf(name) === plain);
  if (equal !== undefined) return equal;
  const most = Math.max(MOST_CHANGES, word.length / LETTERS_A_CHANGE);
  const [nearest] = names
    .map((name) => ({ name, changes: distance(word.toLowerCase(), name) }))
    .filter(({ name, changes }) => changes <= most && changes < Math.max(word.length, name.length) / 2)
    .toSorted((a, b) => a.changes - b.changes);
  return nearest?.name ?? null;
}

function plainOf(word: string): string {
  return word.toLowerCase().replaceAll(/[-_. ]/g, '');
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
