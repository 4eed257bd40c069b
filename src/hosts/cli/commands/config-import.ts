import { readFileSync, writeFileSync } from 'node:fs';
import { EXIT, type Io, UsageError } from '../command.ts';
import { yamlWords } from '../../../config/yaml-words.ts';
import { readUnicode } from '../../../model/formats/text-encoding.ts';
import { type ImportedConfig, importSeedConfig } from '../../../pipeline/settings/import-seed-config.ts';

/** `ismalicious config import FILE [--out FILE]`: the seed pipeline's `config.yaml` as ours. Its secrets go into the new file only, never on the terminal. */
export async function runConfigImport(path: string | undefined, out: string | undefined, io: Io): Promise<number> {
  if (path === undefined || out === undefined) throw new UsageError('config import needs the old file, and --out with the new one.');
  const { parse, stringify } = await import('yaml');
  const { config, notes } = importOf(parse, path);
  try {
    // `wx`: a file that exists is not overwritten.
    writeFileSync(out, stringify(config), { mode: 0o600, flag: 'wx' });
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    throw new UsageError(
      code === 'EEXIST'
        ? `${out} exists already: name another file with --out, or move it away`
        : `${out} cannot be written (${code ?? 'unknown'})`,
    );
  }
  io.stderr.write(`${out} is written.\n${notes.map((note) => `- ${note}\n`).join('')}`);
  return EXIT.ok;
}

function importOf(parse: (text: string, options: { logLevel: 'error' }) => unknown, path: string): ImportedConfig {
  let text: string;
  try {
    text = readUnicode(readFileSync(path));
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    throw new UsageError(`${path} cannot be read (${code === 'ENOENT' ? 'there is no such file' : (code ?? 'unknown')})`);
  }
  let parsed: unknown;
  try {
    parsed = parse(text, { logLevel: 'error' });
  } catch (error) {
    throw new UsageError(`${path} is not valid YAML: ${yamlWords(error as Error)}`);
  }
  try {
    return importSeedConfig(parsed);
  } catch (error) {
    throw new UsageError(`${path}: ${error instanceof Error ? error.message : 'cannot be imported'}`);
  }
}
