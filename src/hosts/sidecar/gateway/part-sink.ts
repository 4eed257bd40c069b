import type { ClientRequest, IncomingMessage } from 'node:http';
import type { Writable } from 'node:stream';
import { constants, createGzip } from 'node:zlib';
import type { BufferPool } from '../../../events/buffer-pool.ts';

/** Where the parts of a body go. */
export interface PartSink {
  /** Takes a part, which goes back to the pool once it is written; resolves when the next one may come. */
  put(part: Buffer): Promise<void>;
  end(): void;
  /** Whether nobody reads any more: the upstream has answered early (413, 429), or is gone. */
  isOver(): boolean;
}

/** How parts go out. */
export interface PartSending {
  /** By gzip. */
  readonly compresses: boolean;
  /** The answer comes while the body does: its beginning is not the end of that. */
  readonly isLive: boolean;
}

/** A sink into a request. */
export function createPartSink(out: ClientRequest, pool: BufferPool, { compresses, isLive }: PartSending): PartSink {
  let over = false;
  let isEnded = false;
  const ended = new Promise<void>((resolve) => {
    const end = () => {
      over = true;
      resolve();
    };
    out.once('response', (answer: IncomingMessage) => {
      if (isLive) return;
      end();
      // An answer before the end of its request leaves a connection on which nothing else may go.
      if (!isEnded) answer.once('close', () => out.destroy());
    });
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
    end() {
      isEnded = true;
      target.end();
    },
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
