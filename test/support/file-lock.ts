import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';

/** A lock whose holder is gone is taken over by who comes next. */
export function tryLock(lock: string): boolean {
  try {
    writeFileSync(lock, String(process.pid), { flag: 'wx' });
    return true;
  } catch (fault) {
    if ((fault as NodeJS.ErrnoException).code !== 'EEXIST') throw fault;
    if (isHeldByDead(lock)) rmSync(lock, { force: true });
    return false;
  }
}

function isHeldByDead(lock: string): boolean {
  const holder = existsSync(lock) ? Number(readFileSync(lock, 'utf8')) : 0;
  if (holder === 0) return false;
  try {
    process.kill(holder, 0);
    return false;
  } catch (fault) {
    return (fault as NodeJS.ErrnoException).code === 'ESRCH';
  }
}
