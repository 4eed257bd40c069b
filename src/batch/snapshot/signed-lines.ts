// src/batch/snapshot/: what is known, as one signed file that is carried to a site without a network.
import { createHash, createPrivateKey, createPublicKey, type KeyObject, sign, verify } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { BatchError } from '../batch-error.ts';

/** Longest last line: a signature is 64 bytes. */
const MAX_SIGNATURE_LINE = 512;
const LINE_FEED = 0x0a;
const NEW_KEY = 'make one with: openssl genpkey -algorithm ed25519 -out key.pem';
const NEW_PUBLIC_KEY = 'make it with: openssl pkey -in key.pem -pubout -out key.pub';

/** Ends a snapshot: its last line, which signs all lines before it (Ed25519 over their SHA-512). */
export function signatureLine(digest: Buffer, key: KeyObject): string {
  return `${JSON.stringify({ signature: sign(null, digest, key).toString('base64') })}\n`;
}

/** The digest that is signed, filled line by line. */
export function createDigest(): { add(text: string): void; end(): Buffer } {
  const hash = createHash('sha512');
  return { add: (text) => void hash.update(text), end: () => hash.digest() };
}

/** The lines of a signed text, without the signature. Throws when they are not, to the last byte, what the owner of the key has signed. */
export function verifiedLines(bytes: Buffer, key: KeyObject, name: string): string[] {
  const begin = bytes.lastIndexOf(LINE_FEED, Math.max(0, bytes.length - 2)) + 1;
  const signature = bytes.length - begin > MAX_SIGNATURE_LINE ? null : readSignature(bytes.toString('utf8', begin));
  if (signature === null || bytes[bytes.length - 1] !== LINE_FEED)
    throw new BatchError(`${name} is not signed, or cut off: nothing of it was taken. Have it exported and carried over again`);
  const digest = createHash('sha512').update(bytes.subarray(0, begin)).digest();
  if (!verify(null, digest, key, signature))
    throw new BatchError(`${name} was changed, or signed with another key than --verify names: nothing of it was taken`);
  return bytes
    .toString('utf8', 0, begin)
    .split('\n')
    .filter((line) => line !== '');
}

function readSignature(line: string): Buffer | null {
  const text = /^\{"signature":"([A-Za-z0-9+/]{86}==)"\}\n?$/.exec(line)?.[1];
  return text === undefined ? null : Buffer.from(text, 'base64');
}

/** The key that signs, out of a PEM file. */
export function signingKey(path: string): KeyObject {
  return keyOf(path, { read: (pem) => createPrivateKey(pem), option: '--sign', remedy: NEW_KEY });
}

/** The key that signatures are checked with, out of a PEM file. */
export function verifyingKey(path: string): KeyObject {
  return keyOf(path, {
    read: (pem) => {
      // Node would take the public half out of it: whoever checks has no need to hold what signs.
      if (pem.includes('PRIVATE KEY')) throw new Error('private');
      return createPublicKey(pem);
    },
    option: '--verify',
    remedy: NEW_PUBLIC_KEY,
  });
}

interface Reading {
  readonly read: (pem: string) => KeyObject;
  readonly option: string;
  readonly remedy: string;
}

function keyOf(path: string, { read, option, remedy }: Reading): KeyObject {
  let pem;
  try {
    pem = readFileSync(path, 'utf8');
  } catch (error) {
    throw new BatchError(`${option}: ${path} cannot be read (${(error as NodeJS.ErrnoException).code ?? 'unknown'})`);
  }
  const kind = option === '--sign' ? 'private' : 'public';
  try {
    const key = read(pem);
    if (key.asymmetricKeyType === 'ed25519') return key;
  } catch {
    // What the library says of a broken key may show a part of it: the sentence below says enough.
    throw new BatchError(`${option}: ${path} holds no ${kind} key in PEM: ${remedy}`);
  }
  throw new BatchError(`${option}: ${path} holds another kind of key than Ed25519: ${remedy}`);
}
