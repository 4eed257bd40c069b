import { open, stat, type FileHandle } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';
import { BatchError } from '../batch-error.ts';

/** How often a file is looked at while nothing comes, in milliseconds. */
const POLL_MS = 250;
const PART_BYTES = 64 * 1024;
const LF = Buffer.from('\n');

/**
 * The bytes of a file from its beginning, and what is added to it, as `tail -n +1 -F` gives them: when the file is replaced (rotation) or cut short,
 * the new one is read from its beginning, after what was left of the old one. Ends when `signal` aborts, with everything read that is there.
 */
export async function* followFile(path: string, signal: AbortSignal): AsyncGenerator<Uint8Array> {
  let file = await openFirst(path);
  let position = 0;
  let endsLine = true;
  let isLastRound = false;
  try {
    for (;;) {
      const part = await readPart(file, position);
      if (part.length > 0) {
        position += part.length;
        endsLine = part[part.length - 1] === LF[0];
        yield part;
        continue;
      }
      const change = await changeOf(path, file, position);
      if (change === null) {
        if (isLastRound) return;
        // What was written before the end was asked for is read.
        isLastRound = signal.aborted;
        if (!isLastRound) await delay(POLL_MS, undefined, { signal }).catch(() => {});
        continue;
      }
      // What was written between the last reading and the change.
      const rest = change === 'cut' ? Buffer.alloc(0) : await readPart(file, position);
      if (rest.length > 0) {
        position += rest.length;
        endsLine = rest[rest.length - 1] === LF[0];
        yield rest;
        continue;
      }
      if (!endsLine) yield LF;
      endsLine = true;
      position = 0;
      if (change === 'cut') continue;
      const old = file;
      file = change;
      await old.close();
    }
  } finally {
    await file.close();
  }
}

async function openFirst(path: string): Promise<FileHandle> {
  try {
    return await open(path, 'r');
  } catch (error) {
    throw new BatchError(`${path} cannot be read (${(error as NodeJS.ErrnoException).code ?? 'unknown'})`);
  }
}

async function readPart(file: FileHandle, position: number): Promise<Buffer> {
  const part = Buffer.allocUnsafe(PART_BYTES);
  const { bytesRead } = await file.read(part, 0, PART_BYTES, position);
  return part.subarray(0, bytesRead);
}

/** What became of the file: another one has its name (here it is, opened), or it was cut short; `null`: nothing, or it is away for now. */
async function changeOf(path: string, file: FileHandle, position: number): Promise<FileHandle | 'cut' | null> {
  const [named, held] = await Promise.all([stat(path).catch(() => null), file.stat()]);
  if (named === null) return null;
  if (named.ino !== held.ino || named.dev !== held.dev) return await open(path, 'r').catch(() => null);
  return held.size < position ? 'cut' : null;
}
