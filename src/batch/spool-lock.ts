import { randomUUID } from 'node:crypto';
import { readFile, readdir, rename, rm, stat, writeFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { describeHolder, isHolderGone, lockHolderName } from '../disk/lock-holder.ts';
import { BatchError } from './batch-error.ts';

/** A lock in the making: it becomes one whole. */
const NEW = '.new';
/** After that its run was killed. */
const MOST_MAKING_MS = 60_000;

/** A lock that this process holds. */
export interface SpoolLock {
  release(): Promise<void>;
}

/**
 * Takes the lock of `name`, for a run over `path`. Everybody writes a file of their own first and looks for others' then: of two at the same
 * moment at least one sees the other, and whoever sees one that lives gives way. What killed runs left is removed.
 */
export async function lockSpool(name: string, path: string): Promise<SpoolLock> {
  const prefix = `${basename(name)}.lock-`;
  const own = `${prefix}${randomUUID()}`;
  const folder = dirname(name);
  const release = () => rm(join(folder, own), { force: true });
  try {
    await writeFile(join(folder, own + NEW), lockHolderName(own), { mode: 0o644, flag: 'wx' });
    await rename(join(folder, own + NEW), join(folder, own));
    for (const other of (await readdir(folder)).filter((one) => one.startsWith(prefix) && one !== own)) {
      await passOver(join(folder, other), path);
    }
  } catch (fault) {
    await release();
    if (fault instanceof BatchError) throw fault;
    const { code = 'unknown' } = fault as NodeJS.ErrnoException;
    if (code === 'ENOENT') throw new BatchError(`${path} cannot be read (ENOENT)`);
    throw new BatchError(
      `${path} cannot be written (${code}): replay moves spool files and writes beside them, as the user of Logstash or root`,
    );
  }
  return { release };
}

/** Removes the lock of a run that is gone; of one that is not, throws. */
async function passOver(lock: string, path: string): Promise<void> {
  try {
    if (lock.endsWith(NEW)) {
      if (Date.now() - (await stat(lock)).mtimeMs > MOST_MAKING_MS) await rm(lock, { force: true });
      return;
    }
    const holder = await readFile(lock, 'utf8');
    if (!isHolderGone(holder))
      throw new BatchError(
        `${path} is being replayed by ${describeHolder(holder)}: wait for it, or end it first (if it is not there any more, remove ${lock})`,
      );
    await rm(lock, { force: true });
  } catch (fault) {
    // Whoever removed it has ended.
    if ((fault as NodeJS.ErrnoException).code !== 'ENOENT') throw fault;
  }
}
