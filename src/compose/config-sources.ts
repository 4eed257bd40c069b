import { readFileSync } from 'node:fs';
import { readUnicode } from '../model/formats/text-encoding.ts';
import { ConfigError, type ConfigFault } from '../config/config-error.ts';
import { type ConfigFile, type ConfigSources } from '../config/load.ts';
import { shownName } from '../config/shown-name.ts';
import { yamlWords } from '../config/yaml-words.ts';

/** Errors after the first are most likely its consequences. */
const MOST_YAML_FAULTS = 3;

export interface SourceOptions {
  readonly env: Readonly<Record<string, string | undefined>>;
  /** File named by the user (`--config`); it has to exist. */
  readonly configPath?: string | undefined;
  /** Which of the file's `profiles` is used; by default ISMALICIOUS_PROFILE, else the file's own `profile`. */
  readonly profile?: string | undefined;
  /** Splunk conf stanzas. */
  readonly conf?: ConfigSources['conf'];
}

/** Reads the configuration file, if one is named: `--config`, else ISMALICIOUS_CONFIG. The YAML library is loaded only then. */
export async function readSources(options: SourceOptions): Promise<ConfigSources> {
  const path = options.configPath ?? options.env.ISMALICIOUS_CONFIG;
  const rest = { env: options.env, ...(options.conf ? { conf: options.conf } : {}) };
  const file = path ? await parseYaml(path, readText(path)) : undefined;
  const profile = profileOf(options, path ?? 'no file', file?.values);
  return { ...rest, ...(file ? { file } : {}), ...(profile ? { profile } : {}) };
}

/** Every profile of the file. */
export function profileNames({ file }: ConfigSources): string[] {
  const profiles: unknown = typeof file?.values === 'object' && file.values !== null ? Reflect.get(file.values, 'profiles') : null;
  return typeof profiles === 'object' && profiles !== null ? Object.keys(profiles) : [];
}

/** The profile that is asked for, out of the file. Throws for one that is not there, naming those that are. */
function profileOf(options: SourceOptions, file: string, values: unknown): ConfigSources['profile'] {
  const map = typeof values === 'object' && values !== null ? (values as Record<string, unknown>) : {};
  const own = typeof map['profile'] === 'string' ? map['profile'] : undefined;
  const name = options.profile ?? (options.env['ISMALICIOUS_PROFILE'] || own);
  if (name === undefined) return undefined;
  const profiles = typeof map['profiles'] === 'object' && map['profiles'] !== null ? map['profiles'] : {};
  const isName = /^[a-z][a-z0-9_]{0,31}$/.test(name);
  if (isName && Object.hasOwn(profiles, name)) return { name, values: (Reflect.get(profiles, name) as unknown) ?? {} };
  const known = Object.keys(profiles).map(shownName).join(', ') || 'none';
  const message = isName ? `is not among the profiles of the file: ${known}` : 'has to be 1 to 32 of a-z, 0-9 and _, a letter first';
  throw new ConfigError([{ key: `profile ${shownName(name)}`, place: file, message }]);
}

function readText(path: string): string {
  try {
    return readUnicode(readFileSync(path));
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code ?? 'unknown';
    throw new ConfigError([
      { key: '(file)', place: `file ${path}`, message: `cannot be read (${code}): check the path and its permissions` },
    ]);
  }
}

async function parseYaml(path: string, text: string): Promise<ConfigFile> {
  const yaml = await import('yaml');
  const lines = new yaml.LineCounter();
  // Its warnings would go to stderr, with what they warn of.
  const document = yaml.parseDocument(text, { prettyErrors: true, lineCounter: lines, logLevel: 'error' });
  const refused = (line: number, words: string) => ({ key: `(line ${line})`, place: `file ${path}`, message: `not valid YAML: ${words}` });
  if (document.errors.length > 0) {
    const first = document.errors.slice(0, MOST_YAML_FAULTS);
    throw new ConfigError(first.map((error) => refused(error.linePos?.[0]?.line ?? 0, yamlWords(error))));
  }
  const stray: ConfigFault[] = [];
  yaml.visit(document, {
    Alias(_key, alias) {
      if (!alias.resolve(document)) stray.push(refused(lines.linePos(alias.range?.[0] ?? 0).line, 'no anchor has the name of this alias'));
    },
  });
  if (stray.length > 0) throw new ConfigError(stray);
  const lineOf = (keys: readonly string[]) => {
    const offset = offsetOf(document.contents, keys);
    return offset === null ? null : lines.linePos(offset).line;
  };
  try {
    return { name: path, values: document.toJS() as unknown, lineOf };
  } catch {
    // Aliases of aliases: what is left that the library does not unfold. Its words may quote the file.
    throw new ConfigError([refused(1, 'its aliases cannot be unfolded, or make it too large')]);
  }
}

/** A pair of a YAML map, as far as it is needed to find where its key stands. */
interface YamlPair {
  readonly key: { readonly value?: unknown; readonly range?: readonly number[] | null } | null;
  readonly value: unknown;
}

/** Where the key at the end of a path stands; if it is not there, the last one on the way to it that is. */
function offsetOf(contents: unknown, keys: readonly string[]): number | null {
  let node = contents;
  let offset: number | null = null;
  for (const key of keys) {
    const pairs = (node as { readonly items?: readonly YamlPair[] } | null)?.items;
    const pair = pairs?.find((one) => String(one.key?.value) === key);
    if (!pair) break;
    offset = pair.key?.range?.[0] ?? offset;
    node = pair.value;
  }
  return offset;
}
