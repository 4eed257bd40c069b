import { chown, type FileHandle, open, readFile, rename, rm, stat } from 'node:fs/promises';
import { BatchError } from './batch-error.ts';
import { lockSpool } from './spool-lock.ts';

/** How far a replay of one spool file came. Written down before and after every batch, so that it can be killed at any time. */
interface Journal {
  /** Bytes of the taken file whose events are given out, or kept. */
  readonly done: number;
  /** Bytes behind `done` whose events may have been given out: a kill leaves that open. */
  readonly pending: number;
  /** What the file of kept events was when `done` was written: it, and its length. */
  readonly keptInode: number;
  readonly keptBytes: number;
}

/** A spool file that was moved away from its writer, and everything that is known of it. */
export interface TakenSpool {
  /** The moved file. */
  readonly path: string;
  /** Milliseconds since 1970 of the writer's last write before it was moved. */
  readonly writtenMs: number;
  readonly done: number;
  readonly pending: number;
  /** Says that the events of these bytes are about to be given out. */
  begin(bytes: number): Promise<void>;
  /** Says that they are out. `kept`: lines that stay, with their ends; `unreadable`: lines that are not events. */
  finish(kept: string, unreadable: string): Promise<void>;
  /** Forgets the file: all of it is given out or kept. */
  remove(): Promise<void>;
  /** Lets another run go on with it. */
  close(): Promise<void>;
}

/** Where events of a spool file go that could not be looked up again: a name that Logstash has never open. */
export function keptPathOf(path: string): string {
  const stem = path.replace(/(?:\.kept)?\.ndjson$/, '');
  return stem === path ? `${path.replace(/\.kept$/, '')}.kept` : `${stem}.kept.ndjson`;
}

/** The spool file whose events the file of kept events holds; itself, where it is none. */
function spoolPathOf(path: string): string {
  return path.replace(/\.kept\.ndjson$/, '.ndjson').replace(/\.kept$/, '');
}

/**
 * Moves a spool file away from its writer, or goes on with one that a killed run had moved. A spool file and its file of kept events are
 * one run's at a time: both write to the latter.
 */
export async function takeSpool(path: string): Promise<TakenSpool> {
  const lock = await lockSpool(keptPathOf(path), path);
  try {
    await refuseUnfinishedOther(path);
    return await takeLocked(path, lock.release);
  } catch (fault) {
    await lock.release();
    throw fault;
  }
}

/** What the other one's killed run kept in vain is cut off by its journal, and nothing of ours may stand behind it then. */
async function refuseUnfinishedOther(path: string): Promise<void> {
  for (const other of [spoolPathOf(path), keptPathOf(path)])
    if (other !== path && (await statOf(`${other}.taken`)) !== null)
      throw new BatchError(`${other}.taken was left by a replay that was ended: replay ${other} first, then ${path}`);
}

async function takeLocked(path: string, release: () => Promise<void>): Promise<TakenSpool> {
  const taken = `${path}.taken`;
  const journalPath = `${path}.replaying`;
  const before = await readJournal(journalPath);
  const isResumed = (await statOf(taken)) !== null;
  const spool = await statOf(isResumed ? taken : path);
  if (spool === null) {
    // All of it was out, and the run was ended before it could forget that.
    await rm(journalPath, { force: true });
    throw new BatchError(`${path} cannot be read (ENOENT)`);
  }
  // A journal that somebody removed: any of it may be out.
  const known = isResumed ? (before ?? { done: 0, pending: spool.size }) : { done: 0, pending: 0 };
  let journal: Journal = { done: known.done, pending: known.pending, keptInode: 0, keptBytes: 0, ...(isResumed && keptOf(before)) };
  const save = async (next: Journal) => {
    await writeWhole(journalPath, JSON.stringify(next), spool);
    journal = next;
  };
  await save(journal);
  if (!isResumed) await rename(path, taken).catch(unwritable(path));
  // Only now: the file of kept events may itself be what is replayed.
  const kept = await openLike(keptPathOf(path), spool);
  const { ino, size } = await kept.stat();
  // What a killed run kept of a batch that it did not finish is kept anew.
  if (journal.keptInode === ino && size > journal.keptBytes) await kept.truncate(journal.keptBytes);
  await save({ ...journal, keptInode: ino, keptBytes: (await kept.stat()).size });
  const close = async () => {
    const isEmpty = (await kept.stat()).size === 0;
    await kept.close();
    if (isEmpty) await rm(keptPathOf(path), { force: true });
    await release();
  };
  return {
    path: taken,
    writtenMs: isResumed ? 0 : spool.mtimeMs,
    done: journal.done,
    pending: journal.pending,
    begin: (bytes) => save({ ...journal, pending: bytes }),
    async finish(lines, unreadable) {
      if (unreadable !== '') await appendLike(`${path}.unreadable`, unreadable, spool);
      if (lines !== '') await kept.appendFile(lines);
      await kept.datasync();
      await save({ ...journal, done: journal.done + journal.pending, pending: 0, keptBytes: (await kept.stat()).size });
    },
    async remove() {
      await rm(taken);
      await rm(journalPath);
      await close();
    },
    close,
  };
}

function keptOf(journal: Journal | null): Pick<Journal, 'keptInode' | 'keptBytes'> {
  return { keptInode: journal?.keptInode ?? 0, keptBytes: journal?.keptBytes ?? 0 };
}

async function readJournal(journalPath: string): Promise<Journal | null> {
  try {
    return JSON.parse(await readFile(journalPath, 'utf8')) as Journal;
  } catch (fault) {
    if ((fault as NodeJS.ErrnoException).code === 'ENOENT') return null;
    throw new BatchError(`${journalPath} cannot be read (${(fault as NodeJS.ErrnoException).code ?? 'unknown'})`);
  }
}

function unwritable(path: string): (fault: unknown) => never {
  return (fault) => {
    const { code = 'unknown' } = fault as NodeJS.ErrnoException;
    throw new BatchError(
      `${path} cannot be written (${code}): replay moves spool files and writes beside them, as the user of Logstash or root`,
    );
  };
}

interface Like {
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
}

async function statOf(path: string) {
  try {
    return await stat(path);
  } catch (fault) {
    if ((fault as NodeJS.ErrnoException).code === 'ENOENT') return null;
    throw new BatchError(`${path} cannot be read (${(fault as NodeJS.ErrnoException).code ?? 'unknown'})`);
  }
}

/** Opened to append; a new file belongs to whom the spool belongs to, so that the next replay may be anybody's who could do this one. */
async function openLike(path: string, like: Like): Promise<FileHandle> {
  const isNew = (await statOf(path)) === null;
  const file = await open(path, 'a', like.mode & 0o777).catch(unwritable(path));
  if (isNew && process.getuid?.() === 0) await chown(path, like.uid, like.gid);
  return file;
}

async function appendLike(path: string, text: string, like: Like): Promise<void> {
  await using file = await openLike(path, like);
  await file.appendFile(text);
}

/** Whole, or as it was. */
async function writeWhole(path: string, text: string, like: Like): Promise<void> {
  const fresh = `${path}.new`;
  await rm(fresh, { force: true });
  {
    await using file = await openLike(fresh, like);
    await file.writeFile(text);
    await file.datasync();
  }
  await rename(fresh, path);
}
