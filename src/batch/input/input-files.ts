import { glob, mkdir, stat } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { BatchError } from '../batch-error.ts';

/** One input of a run, and where it is written; both `undefined`: standard input, standard output. */
export interface RunPaths {
  readonly inputPath: string | undefined;
  readonly outPath: string | undefined;
}

/** What was typed: the inputs and where their output belongs. */
export interface TypedPaths {
  readonly words: readonly string[];
  readonly out: string | undefined;
  readonly outFolder: string | undefined;
}

/** The files of a run with their outputs; patterns that the shell left alone are files too. */
export async function filesOf({ words, out, outFolder }: TypedPaths): Promise<RunPaths[]> {
  if (out !== undefined && outFolder !== undefined) throw new BatchError('--out and --out-dir do not go together');
  const paths = (await Promise.all(words.map(matching))).flat();
  if (paths.length === 0) paths.push('-');
  if (outFolder === undefined) {
    if (paths.length > 1 && out !== undefined && out !== '-')
      throw new BatchError('several files do not go into one: name a folder with --out-dir, or leave --out away');
    return paths.map((path) => ({ inputPath: path, outPath: out }));
  }
  if (paths.includes('-')) throw new BatchError('--out-dir needs files: standard input has no name');
  const names = paths.map((path) => basename(path));
  const twice = names.find((name, n) => names.indexOf(name) !== n);
  if (twice !== undefined) throw new BatchError(`two files are called ${twice}: in ${outFolder} they would overwrite each other`);
  await mkdir(outFolder, { recursive: true });
  return paths.map((path, n) => ({ inputPath: path, outPath: join(outFolder, names[n] ?? '') }));
}

async function matching(word: string): Promise<string[]> {
  if (!/[*?[{]/.test(word) || (await stat(word).catch(() => null)) !== null) return [word];
  const found: string[] = [];
  for await (const path of glob(word)) if ((await stat(path)).isFile()) found.push(path);
  if (found.length === 0) throw new BatchError(`no file matches ${word}`);
  return found.sort();
}
