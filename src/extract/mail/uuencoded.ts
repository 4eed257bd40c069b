import type { InnerFile } from '../opened.ts';

/** Files that are read out of one text. */
const MAX_FILES = 50;
/** The line before a file that mail programs put into the text itself (POSIX.1-2017, `uuencode`). */
const BEGIN = /^begin(-base64)? [0-7]{3,4} ([^\r\n]{1,255})\r?\n/gm;
const BLANK = 32;

/** A text without the files in it, which are blanked so that all else stays at its place. */
export interface WithoutFiles {
  readonly text: string;
  readonly files: readonly InnerFile[];
}

/** Takes the uuencoded files out of a text. What only begins like one stays. */
export function takeUuencoded(text: string): WithoutFiles {
  const files: InnerFile[] = [];
  const pieces: string[] = [];
  let kept = 0;
  for (const { index, 0: line, 1: isBase64, 2: name = '' } of text.matchAll(BEGIN)) {
    if (index < kept || files.length >= MAX_FILES) continue;
    const read = readFile(text, index + line.length, isBase64 === undefined ? UU : BASE64);
    if (read === null || read.bytes.length === 0) continue;
    files.push({ name: name.trim(), type: '', charset: '', bytes: read.bytes, isAttachment: true });
    pieces.push(text.slice(kept, index), text.slice(index, read.end).replace(/[^\r\n]/g, ' '));
    kept = read.end;
  }
  return files.length === 0 ? { text, files } : { text: [...pieces, text.slice(kept)].join(''), files };
}

/** The bytes in a body that is uuencoded whole; of anything else itself. */
export function decodeUuencodedBody(body: Buffer): Buffer {
  return Buffer.from(takeUuencoded(body.toString('latin1')).files[0]?.bytes ?? body);
}

/** A file, and where it ends in the text. */
interface ReadFile {
  readonly bytes: Buffer;
  readonly end: number;
}

/** The lines of a file up to its last one or the end of the text; `null`: one comes before that is none of a file. */
function readFile(text: string, from: number, { last, decode }: Packing): ReadFile | null {
  const parts: Buffer[] = [];
  let at = from;
  while (at < text.length) {
    const end = lineEnd(text, at);
    const line = text.slice(at, end).trimEnd();
    at = end;
    if (line === last) break;
    const bytes = decode(line);
    if (bytes === null) return null;
    parts.push(bytes);
  }
  return { bytes: Buffer.concat(parts), end: at };
}

/** How a file is packed: its last line, and what a line holds; `null`: it is no line of it. */
interface Packing {
  readonly last: string;
  readonly decode: (line: string) => Buffer | null;
}

const BASE64: Packing = { last: '====', decode: (line) => (/^[\w+/]*=*$/.test(line) ? Buffer.from(line, 'base64') : null) };
const UU: Packing = {
  last: 'end',
  decode(line) {
    const length = line === '' ? 0 : valueOf(line.charCodeAt(0));
    return decodeLine(line.padEnd(1 + Math.ceil(length / 3) * 4), length);
  },
};

/** A file, and where it ends in the text. */
interface ReadFile {
  readonly bytes: Buffer;
  readonly end: number;
}

/** Where the line behind the one at `at` starts. */
function lineEnd(text: string, at: number): number {
  const end = text.indexOf('\n', at);
  return end < 0 ? text.length : end + 1;
}

/** Some programs leave blanks at the end of a line away, or put a character more there. */
function decodeLine(line: string, length: number): Buffer | null {
  const needed = Math.ceil(length / 3) * 4;
  if (line.length > needed + 3 || /[^ -`]/.test(line)) return null;
  const bytes = Buffer.alloc((needed / 4) * 3);
  for (let at = 0; at < needed; at += 4) {
    const [a, b, c, d] = [1, 2, 3, 4].map((offset) => valueOf(line.charCodeAt(at + offset)));
    bytes.writeUIntBE((a ?? 0) * 2 ** 18 + (b ?? 0) * 2 ** 12 + (c ?? 0) * 64 + (d ?? 0), (at / 4) * 3, 3);
  }
  return bytes.subarray(0, length);
}

/** Blank and backtick are both zero. */
function valueOf(code: number): number {
  return Number.isNaN(code) ? 0 : (code - BLANK) & 63;
}
