import type { ClientRequest } from 'node:http';
import type { Writable } from 'node:stream';
import { constants, createGzip } from 'node:zlib';
import type { BufferPool } from '../http/buffer-pool.ts';

/** Where the parts of a body go. */
export interface PartSink {
  /** Takes a part, which goes back to the pool once it is written; resolves when the next one may come. */
  put(part: Buffer): Promise<void>;
  end(): void;
  /** Whether nobody reads any more: the upstream has answered early (413, 429), or is gone. */
  isOver(): boolean;
}

/** A sink into a request, by gzip when `compresses`. */
export function createPartSink(out: ClientRequest, pool: BufferPool, compresses: boolean): PartSink {
  let over = false;
  const ended = new Promise<void>((resolve) => {
    const end = () => {
      over = true;
      resolve();
    };
    out.once('response', end);
    out.once('close', end);
  });
  const target: Writable = compresses ? compressor(out) : out;
  return {
    async put(part) {
      if (over) return pool.give(part);
      if (target.write(part, () => pool.give(part))) return undefined;
      const drained = new Promise<void>((resolve) => target.once('drain', resolve));
      await Promise.race([drained, ended]);
      return undefined;
    },
    end: () => void target.end(),
    isOver: () => over,
  };
}

function compressor(out: ClientRequest): Writable {
  const gzip = createGzip({ level: constants.Z_BEST_SPEED, chunkSize: 64 * 1024 });
  gzip.on('error', (error) => out.destroy(error));
  gzip.pipe(out);
  out.once('close', () => gzip.destroy());
  return gzip;
}
