import { readFileSync, writeFileSync } from 'node:fs';
import { EXIT, type Io, UsageError } from '../command.ts';
import { importSeedConfig } from '../../../pipeline/settings/import-seed-config.ts';
import { readUnicode } from '../../../model/formats/text-encoding.ts';

/** `ismalicious config import FILE [--out FILE]`: the seed pipeline's `config.yaml` as ours. Its secrets go into the new file only, never on the terminal. */
export async function runConfigImport(path: string | undefined, out: string | undefined, io: Io): Promise<number> {
  if (path === undefined || out === undefined) throw new UsageError('config import needs the old file, and --out with the new one.');
  const { parse, stringify } = await import('yaml');
  const { config, notes } = importSeedConfig(parse(readUnicode(readFileSync(path))));
  // `wx`: a file that exists is not overwritten.
  writeFileSync(out, stringify(config), { mode: 0o600, flag: 'wx' });
  io.stderr.write(`${out} is written.\n${notes.map((note) => `- ${note}\n`).join('')}`);
  return EXIT.ok;
}
