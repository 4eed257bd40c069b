import { createWriteStream } from 'node:fs';
import { once } from 'node:events';
import { open } from 'node:fs/promises';
import { pipeline } from 'node:stream/promises';
import * as zlib from 'node:zlib';
import { BatchError } from './batch-error.ts';

/** A file that a run writes. */
export interface OutputFile {
  /** Resolves when the bytes may be used for something else. */
  write(bytes: Buffer): Promise<void>;
  close(): Promise<void>;
}

/** Whether the output is packed, by the ending of its name. Throws a usage error for what is not written here. */
export function isPackedOutput(path: string): boolean {
  const other = /\.(bz2|xz|lz4|zip|7z)$/i.exec(path)?.[1];
  if (other !== undefined)
    throw new BatchError(`${path}: output is packed with gzip (.gz) or zstd (.zst); for .${other} write to stdout and pack it there`);
  return /\.(gz|zst)$/i.test(path);
}

/** A plain file; `keptBytes`: what of it stays, of an earlier run, `null` for a new one. */
export async function openPlainOutput(path: string, keptBytes: number | null): Promise<OutputFile> {
  try {
    const file = await open(path, keptBytes === null ? 'w' : 'a');
    // What an earlier run wrote beyond what it noted as done is cut off.
    if (keptBytes !== null) await file.truncate(keptBytes);
    return { write: (bytes) => file.writeFile(bytes), close: () => file.close() };
  } catch (error) {
    throw unwritable(path, error);
  }
}

/** A file packed with gzip or, where its name ends in `.zst`, zstd. */
export async function openPackedOutput(path: string): Promise<OutputFile> {
  const isZstd = /\.zst$/i.test(path);
  if (isZstd && typeof zlib.createZstdCompress !== 'function')
    throw new BatchError(`${path}: Node ${process.versions.node} writes no zstd: end the name in .gz, or use Node 22.15 or newer`);
  const file = createWriteStream(path);
  await new Promise<void>((resolve, reject) => {
    file.once('open', () => resolve());
    file.once('error', (error) => reject(unwritable(path, error)));
  });
  const packer = isZstd ? zlib.createZstdCompress() : zlib.createGzip();
  const isDone = pipeline(packer, file);
  // Told when the file is closed; until then it would be an error that nobody hears.
  isDone.catch(() => {});
  return {
    async write(bytes) {
      // The packer may hold on to what it is given.
      if (!packer.write(Buffer.from(bytes))) await Promise.race([once(packer, 'drain'), isDone]);
    },
    async close() {
      packer.end();
      await isDone;
    },
  };
}

function unwritable(path: string, error: unknown): BatchError {
  return new BatchError(`${path} cannot be written (${(error as NodeJS.ErrnoException).code ?? 'unknown'})`);
}
