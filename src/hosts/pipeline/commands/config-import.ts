import { readFileSync, writeFileSync } from 'node:fs';
import { EXIT, type Io, parseOptions, UsageError } from '../../cli/command.ts';
import { importSeedConfig } from '../import-config.ts';

/** `ismalicious config import FILE [--out FILE]`: the seed pipeline's `config.yaml` as ours. Its secrets go into the new file only, never on the terminal. */
export async function runConfigImport(args: readonly string[], io: Io): Promise<number> {
  const { values, positionals } = parseOptions(args, { out: { type: 'string' } });
  const [path] = positionals;
  if (path === undefined || values.out === undefined) throw new UsageError('config import wants the old file and --out with the new one');
  const { parse, stringify } = await import('yaml');
  const { config, notes } = importSeedConfig(parse(readFileSync(path, 'utf8')));
  // `wx`: a file that exists is not overwritten.
  writeFileSync(values.out, stringify(config), { mode: 0o600, flag: 'wx' });
  io.stderr.write(`${values.out} is written.\n${notes.map((note) => `- ${note}\n`).join('')}`);
  return EXIT.ok;
}
