import type { IncomingMessage } from 'node:http';
import type { Transform } from 'node:stream';
import { createGunzip, createInflate, createInflateRaw } from 'node:zlib';
import { headerOf } from './headers.ts';
import type { Refusal } from './replies.ts';

/** How a body is packed. */
export type Coding = 'identity' | 'gzip' | 'deflate';

// Names are the same in any case, and `x-gzip` is `gzip` (RFC 9110 §8.4.1).
const CODINGS: ReadonlyMap<string, Coding> = new Map([
  ['', 'identity'],
  ['identity', 'identity'],
  ['gzip', 'gzip'],
  ['x-gzip', 'gzip'],
  ['deflate', 'deflate'],
]);

/** How a call's body is packed; `null`: in a way that is not known, or in several. */
export function codingOf(req: IncomingMessage): Coding | null {
  const named = headerOf(req, 'content-encoding');
  return named === undefined ? 'identity' : (CODINGS.get(named.trim().toLowerCase()) ?? null);
}

/** Unpacked at once. */
const CHUNK = { chunkSize: 64 * 1024 };

/** Unpacks a body that begins with `head`. */
export function unpackerOf(coding: 'gzip' | 'deflate', head: Uint8Array): Transform {
  return coding === 'gzip' ? createGunzip(CHUNK) : inflaterOf(head, CHUNK);
}

/** `deflate` has zlib's head (RFC 9110 §8.4.1.2), which some senders leave out; engines take both. `head`: the first bytes, two will do. */
export function inflaterOf(head: Uint8Array, options: { readonly chunkSize: number }): Transform {
  const [first = 0, second = 0] = head;
  // A head of a single byte is told by that alone: the check needs both.
  const hasHead = (first & 0x0f) === 8 && (head.length < 2 || (first * 256 + second) % 31 === 0);
  return hasHead ? createInflate(options) : createInflateRaw(options);
}

/** What a body is refused with that is packed in a way that is not known. */
export function unknownCoding(req: IncomingMessage): Refusal {
  const named = JSON.stringify((headerOf(req, 'content-encoding') ?? '').slice(0, 40));
  return {
    status: 415,
    code: 'unsupported_encoding',
    message: `content-encoding ${named} is not known: send the body plain, as gzip or as deflate`,
  };
}

/** What a body is refused with that is not packed as it says. */
export function brokenCoding(coding: Coding | null): Refusal {
  const name = coding === 'deflate' ? 'deflate' : 'gzip';
  return { status: 400, code: `invalid_${name}`, message: `the body is not ${name}: send it plain, or compress it whole` };
}
