import { lstatSync } from 'node:fs';
import { join } from 'node:path';
import { builtinModule } from '../../disk/builtin-module.ts';
import { stateFolder } from '../state-folder.ts';

const FOLDER = 'compiled';
const OTHERS_MAY_WRITE = 0o022;

/**
 * Keeps what V8 makes of the program's files that are loaded from now on in the state folder, for the processes to come: compiling is a
 * sixth of what a short search costs. Code is run from there, so a folder that others could have written is left alone, and so is one that
 * is not there yet. Node before 22.8 has no such cache.
 */
export function keepCompiled(env: NodeJS.ProcessEnv): void {
  const folder = stateFolder(env, true);
  if (!isOurs(folder)) return;
  const { enableCompileCache } = builtinModule('node:module') as { enableCompileCache?: (folder: string) => unknown };
  // What cannot be written is compiled anew each time.
  enableCompileCache?.(join(folder, FOLDER));
}

function isOurs(folder: string): boolean {
  const stats = lstatSync(folder, { throwIfNoEntry: false });
  return stats?.isDirectory() === true && stats.uid === process.getuid?.() && (stats.mode & OTHERS_MAY_WRITE) === 0;
}
