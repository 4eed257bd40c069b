import { once } from 'node:events';
import { pipeline, Readable } from 'node:stream';
import type { ZstdDecompress } from 'node:zlib';
// By the whole module: Node before 22.15 has no zstd, and would refuse its name.
import * as zlib from 'node:zlib';
import { BatchError } from '../batch-error.ts';

/** How many bytes tell a packed file. */
const HEAD_BYTES = 4;

interface Packing {
  readonly head: readonly number[];
  readonly name: string;
  /** What unpacks it; a text: the program to unpack it with first. */
  readonly open: ((input: AsyncIterable<Uint8Array>) => AsyncIterable<Uint8Array>) | string;
}

const PACKINGS: readonly Packing[] = [
  { head: [0x1f, 0x8b], name: 'gzip', open: gunzip },
  { head: [0x28, 0xb5, 0x2f, 0xfd], name: 'zstd', open: typeof zlib.createZstdDecompress === 'function' ? unpackZstd : 'zstd -dc' },
  { head: [0x42, 0x5a, 0x68], name: 'bzip2', open: 'bzip2 -dc' },
  { head: [0xfd, 0x37, 0x7a, 0x58], name: 'xz', open: 'xz -dc' },
  { head: [0x04, 0x22, 0x4d, 0x18], name: 'lz4', open: 'lz4 -dc' },
  { head: [0x50, 0x4b, 0x03, 0x04], name: 'zip', open: 'unzip -p' },
  { head: [0x37, 0x7a, 0xbc, 0xaf], name: '7z', open: '7z x -so' },
];

/** The bytes of a file, unpacked where it is packed (gzip, zstd), whatever its name; others are refused with the program that unpacks them. */
export async function* unpack(input: AsyncIterable<Uint8Array | string>, path: string): AsyncGenerator<Uint8Array> {
  const parts = input[Symbol.asyncIterator]();
  let head = Buffer.alloc(0);
  while (head.length < HEAD_BYTES && mayBePacked(head)) {
    const part = await parts.next();
    if (part.done === true) break;
    head = Buffer.concat([head, Buffer.from(part.value)]);
  }
  const all = chain(head, parts);
  const packing = PACKINGS.find(({ head: bytes }) => bytes.every((byte, n) => head[n] === byte));
  if (packing === undefined) return yield* all;
  const { open, name } = packing;
  if (typeof open === 'string')
    throw new BatchError(`${path} is packed with ${name}, which is not read here: unpack it first (${open} FILE | ismalicious enrich - …)`);
  try {
    yield* open(all);
  } catch (cause) {
    if (cause instanceof BatchError) throw cause;
    throw new Error(`${path} is damaged or cut short (${name}): what stood before that place is written`, { cause });
  }
}

async function* gunzip(input: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  const unpacked = zlib.createGunzip();
  // What goes wrong ends the reading below.
  pipeline(Readable.from(input), unpacked, () => {});
  for await (const part of unpacked) yield part as Buffer;
}

/** Node's reader ends behind the frame that ends within a part; a file may have many, as `cat` and parallel packers make them. */
async function* unpackZstd(input: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  const parts = input[Symbol.asyncIterator]();
  const left: { bytes: Uint8Array; isOver: boolean } = { bytes: new Uint8Array(0), isOver: false };
  const feed = async (frames: ZstdDecompress) => {
    const isEnd = once(frames, 'end');
    for (;;) {
      const next = left.bytes.length > 0 ? { done: false, value: left.bytes } : await parts.next();
      if (next.done === true) {
        left.isOver = true;
        frames.end();
        return;
      }
      const before = frames.bytesWritten;
      const part = next.value as Uint8Array;
      const isTaken = new Promise<void>((resolve, reject) => frames.write(part, (error) => (error ? reject(error) : resolve())));
      await Promise.race([isTaken, isEnd]);
      if (frames.bytesWritten === before) throw new Error('what follows is not zstd');
      left.bytes = part.subarray(frames.bytesWritten - before);
      if (left.bytes.length > 0) return;
    }
  };
  while (!left.isOver) {
    const frames = zlib.createZstdDecompress();
    const feeding = feed(frames);
    // Broken bytes end the reading below; the input's own fault comes here.
    feeding.catch((error: Error) => frames.destroy(error));
    for await (const part of frames) yield part as Buffer;
    await feeding;
  }
}

/** Whether a file of which so much is known may still turn out to be packed: who types does not wait. */
function mayBePacked(head: Uint8Array): boolean {
  return PACKINGS.some(({ head: bytes }) => bytes.every((byte, n) => n >= head.length || head[n] === byte));
}

/** Whether the first bytes of a file are those of a packed one. */
export function isPacked(head: Uint8Array): boolean {
  return PACKINGS.some(({ head: bytes }) => bytes.every((byte, n) => head[n] === byte));
}

async function* chain(head: Uint8Array, rest: AsyncIterator<Uint8Array | string>): AsyncGenerator<Uint8Array> {
  if (head.length > 0) yield head;
  for (let part = await rest.next(); part.done !== true; part = await rest.next())
    yield typeof part.value === 'string' ? Buffer.from(part.value) : part.value;
}
