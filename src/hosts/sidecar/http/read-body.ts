import type { IncomingMessage } from 'node:http';
import { headerOf } from './headers.ts';
import type { BufferPool } from './buffer-pool.ts';
import { brokenCoding, codingOf, UNPACK, unknownCoding } from './codings.ts';
import type { Refusal } from './replies.ts';

const NO_BODY = Buffer.alloc(0);
/** From here on a body is put together in place, not from parts. */
const LONG_BYTES = 64 * 1024;

/** Takes the body, or the reason for refusing it. Called once; never for a caller that has gone away. */
export type BodyTaker = (refusal: Refusal | null, body: Buffer) => void;

/** How long a body may be, and where room for a long one comes from; it is given back by whoever took the body. */
export interface BodyLimits {
  readonly limit: number;
  readonly pool?: BufferPool;
}

/** Reads a request's body of up to `limit` bytes, unpacking gzip and deflate. By callback: the warm path has no promise in it. */
export function readBody(req: IncomingMessage, { limit, pool }: BodyLimits, take: BodyTaker): void {
  const coding = codingOf(req);
  if (coding === null) {
    take(unknownCoding(req), NO_BODY);
    return;
  }
  const announced = Number(headerOf(req, 'content-length') ?? Number.NaN);
  if (announced > limit) {
    take(tooLarge(limit), NO_BODY);
    return;
  }
  if (pool !== undefined && announced >= LONG_BYTES && coding === 'identity') {
    fill(req, pool.take(announced), take);
    return;
  }
  collect(req, limit, (refusal, body) => {
    if (refusal !== null || coding === 'identity') take(refusal, body);
    else unpack({ body, coding, limit }, take);
  });
}

/** A body whose length is known goes straight to where it stays. */
function fill(req: IncomingMessage, body: Buffer, take: BodyTaker): void {
  let size = 0;
  req.on('data', (part: Buffer) => {
    body.set(part, size);
    size += part.length;
  });
  req.on('end', () => take(null, body));
}

function collect(req: IncomingMessage, limit: number, take: BodyTaker): void {
  const parts: Buffer[] = [];
  let size = 0;
  let isTaken = false;
  req.on('data', (part: Buffer) => {
    if (isTaken) return;
    size += part.length;
    parts.push(part);
    if (size <= limit) return;
    isTaken = true;
    parts.length = 0;
    take(tooLarge(limit), NO_BODY);
  });
  req.on('end', () => {
    if (isTaken) return;
    isTaken = true;
    take(null, parts.length === 1 ? (parts[0] ?? NO_BODY) : Buffer.concat(parts, size));
  });
}

function unpack({ body, coding, limit }: { body: Buffer; coding: 'gzip' | 'deflate'; limit: number }, take: BodyTaker): void {
  UNPACK[coding](body, { maxOutputLength: limit }, (error, plain) => {
    if (error === null) take(null, plain);
    else if ('code' in error && error.code === 'ERR_BUFFER_TOO_LARGE') take(tooLarge(limit), NO_BODY);
    else take(brokenCoding(coding), NO_BODY);
  });
}

function tooLarge(limit: number): Refusal {
  return {
    status: 413,
    code: 'body_too_large',
    message: `the body is longer than ${limit} bytes: send fewer events a call, or raise the limit of the sidecar`,
  };
}
