import { chmodSync, closeSync, mkdirSync, openSync, readdirSync, statSync } from 'node:fs';

const FOLDER_MODE = 0o700;
const FILE_MODE = 0o600;
const OTHERS = 0o077;
const STICKY = 0o1000;

/** Everything our programs put into their state folder. */
const OUR_NAMES = /^(verdicts|feedback|pipeline)\.sqlite|^egress\.ndjson|^searches$|^keys\.|\.known(\.|$)/;

/**
 * Makes a folder for its owner only, whatever the umask. One that was there before is closed to others when it belongs to this user and
 * holds nothing but our files: a folder that is shared with other programs is left as it is. Throws what the disk says.
 */
export function makePrivateFolder(path: string): void {
  const made = mkdirSync(path, { recursive: true, mode: FOLDER_MODE });
  const found = statSync(path);
  if (process.platform === 'win32' || (found.mode & 0o777) === FOLDER_MODE) return;
  if (made !== undefined || (isOpenToOthers(found) && holdsOnlyOurs(path))) chmodSync(path, FOLDER_MODE);
}

/**
 * Makes a file for its owner only before anybody else does: SQLite gives its `-wal`, `-shm` and `-journal` the mode of their file. What an
 * earlier version left open to others is closed. Throws what the disk says.
 */
export function makePrivateFile(path: string): void {
  const found = statSync(path, { throwIfNoEntry: false });
  if (found === undefined) {
    closeSync(openSync(path, 'a', FILE_MODE));
    chmodSync(path, FILE_MODE);
    return;
  }
  for (const file of [path, `${path}-wal`, `${path}-shm`, `${path}-journal`]) {
    const beside = file === path ? found : statSync(file, { throwIfNoEntry: false });
    if (beside !== undefined && isOpenToOthers(beside)) closeToOthers(file);
  }
}

function closeToOthers(path: string): void {
  try {
    chmodSync(path, FILE_MODE);
  } catch (error) {
    // On a disk that is read-only everything can still be read. One beside it may have gone meanwhile.
    if (!['EROFS', 'EPERM', 'ENOENT'].includes((error as NodeJS.ErrnoException).code ?? '')) throw error;
  }
}

function isOpenToOthers({ mode, uid }: { readonly mode: number; readonly uid: number }): boolean {
  return process.platform !== 'win32' && (mode & OTHERS) !== 0 && (mode & STICKY) === 0 && uid === process.getuid?.();
}

function holdsOnlyOurs(path: string): boolean {
  return readdirSync(path).every((name) => OUR_NAMES.test(name));
}
