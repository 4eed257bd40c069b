import type { InnerFile, Opened } from '../opened.ts';
import { opened } from '../opened.ts';

/** Everything in a tar archive stands in blocks of this length (POSIX.1-2017, pax, "ustar Interchange Format"). */
const BLOCK = 512;
const MAX_FILES = 200;
/** Entries that are looked at: folders and links hold nothing. */
const MAX_ENTRIES = 10_000;
const MAX_FILE_BYTES = 32 << 20;
/** A longer record of names and times is none. */
const MAX_RECORD_BYTES = 1 << 20;

/** Kinds of entries: files (also as old programs and for contiguous storage write them), records for the next entry, GNU's long name. */
const FILE = /[0\0 7]/;
const RECORD = 'x';
const LONG_NAME = 'L';

/** An entry of an archive: what its header says. */
interface TarEntry {
  readonly name: string;
  readonly kind: string;
  readonly size: number;
}

/** Opens a tar archive, within bounds: its files in their order. What cannot be read behind a broken header is said. */
export function openTar(bytes: Uint8Array): Opened {
  const files: InnerFile[] = [];
  const unread: string[] = [];
  let nextName = '';
  let at = 0;
  for (let entries = 0; at + BLOCK <= bytes.length && !isEnd(bytes, at); entries += 1) {
    const entry = readHeader(bytes.subarray(at, at + BLOCK));
    if (entry === null || entries >= MAX_ENTRIES) {
      unread.push(entry === null ? `broken from byte ${at} on` : `more than ${MAX_ENTRIES} entries`);
      break;
    }
    const content = bytes.subarray(at + BLOCK, at + BLOCK + entry.size);
    at += BLOCK + Math.ceil(entry.size / BLOCK) * BLOCK;
    if (entry.kind === RECORD || entry.kind === LONG_NAME) {
      nextName = entry.kind === LONG_NAME ? textOf(content) : (pathIn(content) ?? nextName);
      continue;
    }
    const name = nextName || entry.name;
    nextName = '';
    if (!FILE.test(entry.kind) || name.endsWith('/') || entry.size === 0) continue;
    const why = refusalOf(entry, content, files.length);
    if (why !== null) unread.push(`${name}: ${why}`);
    else files.push({ name, type: '', charset: '', bytes: content, isAttachment: true });
    if (files.length >= MAX_FILES && why !== null) break;
  }
  return opened({ files, unread: unread.length === 0 ? null : `of a tar archive: ${unread.slice(0, 5).join('; ')}` });
}

function refusalOf({ size }: TarEntry, content: Uint8Array, before: number): string | null {
  if (before >= MAX_FILES) return `more than ${MAX_FILES} files`;
  if (size > MAX_FILE_BYTES) return `longer than ${MAX_FILE_BYTES} bytes`;
  return content.length < size ? 'cut off' : null;
}

function readHeader(block: Uint8Array): TarEntry | null {
  const size = numberAt(block, 124, 12);
  if (size === null || numberAt(block, 148, 8) !== sumOf(block)) return null;
  const isUstar = textOf(block.subarray(257, 262)) === 'ustar';
  const prefix = isUstar ? textOf(block.subarray(345, 500)) : '';
  const name = textOf(block.subarray(0, 100));
  return { name: prefix === '' ? name : `${prefix}/${name}`, kind: String.fromCharCode(block[156] ?? 0), size };
}

/** All bytes of a header, those of the sum itself counted as blanks. */
function sumOf(block: Uint8Array): number {
  let sum = 0;
  for (let at = 0; at < BLOCK; at += 1) sum += at >= 148 && at < 156 ? 32 : (block[at] ?? 0);
  return sum;
}

/** Octal digits, or GNU's binary number where the first bit is set; `null`: neither. */
function numberAt(block: Uint8Array, from: number, length: number): number | null {
  const field = block.subarray(from, from + length);
  if ((field[0] ?? 0) === 0x80) {
    const value = field.subarray(1).reduce((sum, byte) => sum * 256 + byte, 0);
    return Number.isSafeInteger(value) ? value : null;
  }
  const digits = textOf(field).trim();
  return /^[0-7]+$/.test(digits) ? Number.parseInt(digits, 8) : null;
}

/** The path in the records of the pax format: `27 path=folder/name.js\n`, whose number counts the whole line in bytes. */
function pathIn(content: Uint8Array): string | null {
  const text = new TextDecoder().decode(content.subarray(0, MAX_RECORD_BYTES));
  return /(?:^|\n)\d+ path=([^\n]*)\n/.exec(text)?.[1] ?? null;
}

function isEnd(bytes: Uint8Array, at: number): boolean {
  return bytes.subarray(at, at + BLOCK).every((byte) => byte === 0);
}

/** A text up to its NUL. */
function textOf(bytes: Uint8Array): string {
  const end = bytes.indexOf(0);
  return new TextDecoder().decode(end < 0 ? bytes : bytes.subarray(0, end));
}
