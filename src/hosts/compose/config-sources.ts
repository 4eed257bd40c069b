import { readFileSync } from 'node:fs';
import { ConfigError, type ConfigSources } from '../../config/load.ts';

export interface SourceOptions {
  readonly env: Readonly<Record<string, string | undefined>>;
  /** File named by the user (`--config`); it has to exist. */
  readonly configPath?: string | undefined;
  /** Splunk conf stanzas. */
  readonly conf?: ConfigSources['conf'];
}

/** Reads the configuration file, if one is named: `--config`, else ISMALICIOUS_CONFIG. The YAML library is loaded only then. */
export async function readSources(options: SourceOptions): Promise<ConfigSources> {
  const path = options.configPath ?? options.env.ISMALICIOUS_CONFIG;
  const rest = { env: options.env, ...(options.conf ? { conf: options.conf } : {}) };
  if (!path) return rest;
  return { ...rest, file: { name: path, values: await parseYaml(path, readText(path)) } };
}

function readText(path: string): string {
  try {
    return readFileSync(path, 'utf8');
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
