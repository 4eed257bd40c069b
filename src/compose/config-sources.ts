import { readFileSync } from 'node:fs';
import { ConfigError, type ConfigSources } from '../config/load.ts';
import { readUnicode } from '../model/formats/text-encoding.ts';

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
  const values = path ? await parseYaml(path, readText(path)) : undefined;
  const profile = profileOf(options, path ?? 'no file', values);
  return { ...rest, ...(path ? { file: { name: path, values } } : {}), ...(profile ? { profile } : {}) };
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
  const known = Object.keys(profiles).join(', ') || 'none';
  const message = isName ? `is not among the profiles of the file: ${known}` : 'has to be 1 to 32 of a-z, 0-9 and _, a letter first';
  throw new ConfigError([{ key: `profile ${name.slice(0, 40)}`, place: file, message }]);
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

async function parseYaml(path: string, text: string): Promise<unknown> {
  const yaml = await import('yaml');
  const document = yaml.parseDocument(text, { prettyErrors: true });
  const [first] = document.errors;
  if (!first) return document.toJS() as unknown;
  const line = first.linePos?.[0]?.line ?? 0;
  // The library quotes the line, which may hold a key: its first sentence is enough.
  throw new ConfigError([
    { key: `(line ${line})`, place: `file ${path}`, message: `is no YAML: ${first.message.split('\n')[0]?.replace(/ at line.*/, '')}` },
  ]);
}
