import type { IncomingMessage } from 'node:http';
import type { Transform } from 'node:stream';
import * as zlib from 'node:zlib';
import { codingOf, inflaterOf } from '../http/codings.ts';
import { headerOf } from '../http/headers.ts';

/** How a bulk body is packed. */
export type BulkCoding = 'identity' | 'gzip' | 'deflate' | 'br' | 'zstd';

/** Unpacked at once. Shorter steps cost a change of thread each, which doubles what inflating costs. */
const CHUNK = { chunkSize: 256 * 1024 };
/** Not in every Node that is supported. */
const HAS_ZSTD = typeof zlib.createZstdDecompress === 'function';

/** How a bulk body is packed: all that engines take; `null`: in a way that cannot be read here. */
export function bulkCodingOf(req: IncomingMessage): BulkCoding | null {
  const coding = codingOf(req);
  if (coding !== null) return coding;
  const name = headerOf(req, 'content-encoding')?.trim().toLowerCase();
  if (name === 'br') return 'br';
  return name === 'zstd' && HAS_ZSTD ? 'zstd' : null;
}

/** The body of a call, unpacked as it comes. It breaks off with an error when the body is damaged, or its caller goes away. */
export function unpacked(req: IncomingMessage, coding: BulkCoding): AsyncIterable<Buffer> {
  if (coding === 'identity') return req.iterator({ destroyOnReturn: false });
  return coding === 'deflate' ? deflated(req) : through(req, unpackerOf(coding));
}

function unpackerOf(coding: 'gzip' | 'br' | 'zstd'): Transform {
  if (coding === 'gzip') return zlib.createGunzip(CHUNK);
  return coding === 'br' ? zlib.createBrotliDecompress(CHUNK) : zlib.createZstdDecompress(CHUNK);
}

function through(req: IncomingMessage, unpacker: Transform): Transform {
  const leave = () => (req.complete ? undefined : unpacker.destroy(new Error('the caller went away')));
  if (req.destroyed) leave();
  else req.once('close', leave);
  return req.pipe(unpacker);
}

/** Which kind of `deflate` it is, its first bytes tell. */
async function* deflated(req: IncomingMessage): AsyncGenerator<Buffer> {
  yield* through(req, inflaterOf(await headOf(req), CHUNK)) as AsyncIterable<Buffer>;
}

/** The first bytes of a body, which stay where they are; none when there are none. */
function headOf(req: IncomingMessage): Promise<Buffer> {
  return new Promise((resolve) => {
    const look = () => {
      const part = req.read() as Buffer | null;
      if (part !== null) req.unshift(part);
      else if (!req.readableEnded && !req.destroyed) return undefined;
      for (const event of EVENTS) req.off(event, look);
      return resolve(part ?? Buffer.alloc(0));
    };
    for (const event of EVENTS) req.on(event, look);
  });
}

const EVENTS = ['readable', 'end', 'close'] as const;

/** Whether a body broke off since it is not packed as it says. */
export function isDamage(error: unknown): boolean {
  const code = error instanceof Error && 'code' in error ? String(error.code) : '';
  return /^(Z_|ERR__ERROR_|ZSTD_)/.test(code);
}
