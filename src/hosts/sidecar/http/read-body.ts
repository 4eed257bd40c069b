import type { IncomingMessage, ServerResponse } from 'node:http';
import type { BufferPool } from '../../../events/buffer-pool.ts';
import { freeBytes } from '../../../events/free-bytes.ts';
import { brokenCoding, codingOf, unknownCoding, unpackerOf } from './codings.ts';
import { headerOf } from './headers.ts';
import { FREE_BYTES, NO_ROOM } from './held-bytes.ts';
import type { HeldBytes } from './held-bytes.ts';
import type { Refusal } from './replies.ts';

const NO_BODY = Buffer.alloc(0);
/** From here on a body is put together in place, not from parts. */
const LONG_BYTES = 64 * 1024;
/** Room that a long body gets at first, whatever it announces: once that is full, it gets all that it announced, or twice as much. */
const FIRST_BYTES = 1024 * 1024;
/** Parts are joined beyond so many: each costs far more than a few bytes. */
const MAX_PARTS = 32;

/** Takes the body, or the reason for refusing it. Called once; never for a caller that has gone away. */
export type BodyTaker = (refusal: Refusal | null, body: Buffer) => void;

/** How long a body may be, and where its room comes from. */
export interface BodyLimits {
  readonly limit: number;
  /** Where a long one is put; it is given back by whoever took the body. */
  readonly pool?: BufferPool;
  /** The room that all bodies share. */
  readonly held: HeldBytes;
  /** Gets what the taker throws: it is called by the socket, and what is thrown there would end the process. */
  readonly fail: (error: unknown) => void;
}

/** Reads a call's body of up to `limit` bytes, unpacking gzip and deflate. By callback: the warm path has no promise in it. */
export function readBody(call: { readonly req: IncomingMessage; readonly res: ServerResponse }, limits: BodyLimits, take: BodyTaker): void {
  const { req, res } = call;
  const { limit, pool, held, fail } = limits;
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
  if (announced < LONG_BYTES && coding === 'identity') {
    collectShort(req, take, fail);
    return;
  }
  const guarded: BodyTaker = (refusal, body) => {
    try {
      take(refusal, body);
    } catch (error) {
      fail(error);
    }
  };
  const isLong = pool !== undefined && announced >= LONG_BYTES && coding === 'identity';
  const heap = createHeap(res, { limit, held, ...(isLong ? { pool } : {}), announced: announced >= 0 ? announced : 0 });
  collect(req, heap, (refusal, body) => {
    if (refusal !== null || coding === 'identity') guarded(refusal, body);
    else unpack(res, { body, coding, limit, held }, guarded);
  });
}

/** A body that says it is short, which nearly all are: it never counts, and its length holds, for HTTP sees to that. */
function collectShort(req: IncomingMessage, take: BodyTaker, fail: (error: unknown) => void): void {
  let parts: Buffer[] = [];
  req.on('data', (part: Buffer) => {
    parts.push(part);
    if (parts.length > MAX_PARTS) parts = [Buffer.concat(parts)];
  });
  req.on('end', () => {
    try {
      take(null, joined(parts));
    } catch (error) {
      fail(error);
    }
  });
}

/** Counts a body as it comes, by its length so far; the reason when that is too much. */
function createMeasure(res: ServerResponse, { limit, held }: Pick<BodyLimits, 'limit' | 'held'>): (size: number) => Refusal | null {
  let counted = 0;
  return (size) => {
    if (size > limit) return tooLarge(limit);
    if (size <= FREE_BYTES) return null;
    if (!held.hold(res, size - counted)) return NO_ROOM;
    counted = size;
    return null;
  };
}

/** A body as far as it has come. */
interface Heap {
  /** Adds a part; the reason when that is one too many. */
  add(part: Buffer): Refusal | null;
  whole(): Buffer;
  /** Lets go of it. */
  drop(): void;
}

interface HeapOptions {
  readonly limit: number;
  readonly held: HeldBytes;
  readonly pool?: BufferPool;
  /** Bytes in all, if that is known. */
  readonly announced?: number;
}

/** A lone part stays what it is; several are copied together at once, since thousands of tiny ones would each cost far more than they hold. */
function createHeap(res: ServerResponse, { limit, held, pool, announced = 0 }: HeapOptions): Heap {
  const measure = createMeasure(res, { limit, held });
  let room: Buffer = NO_BODY;
  let size = 0;

  function makeRoom(needed: number): void {
    const most = needed <= FIRST_BYTES ? Math.min(announced, FIRST_BYTES) : announced;
    const bytes = announced >= needed ? most : Math.max(needed, room.length * 2, 4096);
    const larger = pool === undefined ? Buffer.allocUnsafeSlow(bytes) : pool.take(bytes);
    room.copy(larger, 0, 0, size);
    pool?.give(room);
    room = larger;
  }

  return {
    add(part) {
      const total = size + part.length;
      const refusal = measure(total);
      if (refusal !== null) return refusal;
      if (size === 0 && pool === undefined) {
        room = part;
      } else {
        if (total > room.length) makeRoom(total);
        room.set(part, size);
        freeBytes(part);
      }
      size = total;
      return null;
    },
    whole: () => (room.length === size ? room : room.subarray(0, size)),
    drop() {
      pool?.give(room);
      room = NO_BODY;
    },
  };
}

function collect(req: IncomingMessage, heap: Heap, take: BodyTaker): void {
  let isTaken = false;
  req.on('data', (part: Buffer) => {
    if (isTaken) return;
    const refusal = heap.add(part);
    if (refusal === null) return;
    isTaken = true;
    heap.drop();
    take(refusal, NO_BODY);
  });
  req.on('end', () => {
    if (isTaken) return;
    isTaken = true;
    take(null, heap.whole());
  });
  // A caller that goes away in the middle leaves its room to the next one.
  req.once('close', () => {
    if (isTaken) return;
    isTaken = true;
    heap.drop();
  });
}

interface PackedBody {
  readonly body: Buffer;
  readonly coding: 'gzip' | 'deflate';
  readonly limit: number;
  readonly held: HeldBytes;
}

/** What it holds comes in parts of one length, which are joined once all are there: most that is too long never gets that far. */
function unpack(res: ServerResponse, { body, coding, limit, held }: PackedBody, take: BodyTaker): void {
  const unpacker = unpackerOf(coding, body);
  const measure = createMeasure(res, { limit, held });
  let parts: Buffer[] = [];
  let size = 0;
  let isTaken = false;
  const end = (refusal: Refusal | null) => {
    if (isTaken) return;
    isTaken = true;
    unpacker.destroy();
    const plain = refusal === null ? joined(parts, size) : NO_BODY;
    parts = [];
    take(refusal, plain);
  };
  unpacker.on('data', (part: Buffer) => {
    if (isTaken) return;
    size += part.length;
    parts.push(part);
    const refusal = measure(size);
    if (refusal !== null) end(refusal);
  });
  unpacker.on('end', () => end(null));
  unpacker.on('error', () => end(brokenCoding(coding)));
  // Nobody waits for what a bomb would still inflate to.
  res.once('close', () => {
    isTaken = true;
    parts = [];
    unpacker.destroy();
  });
  unpacker.end(body);
}

function joined(parts: readonly Buffer[], size?: number): Buffer {
  return parts.length === 1 ? (parts[0] ?? NO_BODY) : Buffer.concat(parts, size);
}

function tooLarge(limit: number): Refusal {
  return {
    status: 413,
    code: 'body_too_large',
    message: `the body is longer than ${limit} bytes: send fewer events a call, or raise the limit of the sidecar`,
  };
}
