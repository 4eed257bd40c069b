// Writes tar archives that are the same byte for byte whenever, wherever and by whomever they are made.
import { gzipSync } from 'node:zlib';

/** A file in the archive. */
export interface TarFile {
  /** With slashes, relative to the root of the archive. */
  readonly path: string;
  readonly content: Uint8Array;
  readonly isExecutable: boolean;
}

const BLOCK = 512;
// 2020-01-01: any fixed day will do, and some tools distrust 1970.
const MTIME_S = 1_577_836_800;
const OS_UNKNOWN = 255;

/** A gzipped ustar archive: files by path, each folder before what is in it, owned by root, one fixed time. */
export function tarGz(files: readonly TarFile[]): Buffer {
  const sorted = [...files].toSorted((a, b) => (a.path < b.path ? -1 : 1));
  const parts: Uint8Array[] = [];
  const folders = new Set<string>();
  for (const file of sorted) {
    for (const folder of foldersOf(file.path)) {
      if (folders.has(folder)) continue;
      folders.add(folder);
      parts.push(header({ path: `${folder}/`, size: 0, mode: 0o755, type: '5' }));
    }
    parts.push(header({ path: file.path, size: file.content.length, mode: file.isExecutable ? 0o755 : 0o644, type: '0' }), file.content);
    parts.push(Buffer.alloc((BLOCK - (file.content.length % BLOCK)) % BLOCK));
  }
  parts.push(Buffer.alloc(2 * BLOCK));
  const packed = gzipSync(Buffer.concat(parts), { level: 9 });
  // The one byte of the header that names the machine.
  packed[9] = OS_UNKNOWN;
  return packed;
}

function foldersOf(path: string): string[] {
  const names = path.split('/').slice(0, -1);
  return names.map((_, n) => names.slice(0, n + 1).join('/'));
}

function header({ path, size, mode, type }: { path: string; size: number; mode: number; type: string }): Buffer {
  const block = Buffer.alloc(BLOCK);
  const { name, prefix } = split(path);
  block.write(name, 0, 100, 'utf8');
  block.write(`${octal(mode, 7)}\0${octal(0, 7)}\0${octal(0, 7)}\0${octal(size, 11)}\0${octal(MTIME_S, 11)}\0        `, 100, 'latin1');
  block.write(type, 156, 'latin1');
  block.write('ustar\u000000root', 257, 'latin1');
  block.write('root', 297, 'latin1');
  block.write(`${octal(0, 7)}\0${octal(0, 7)}\0`, 329, 'latin1');
  block.write(prefix, 345, 155, 'utf8');
  const sum = block.reduce((total, byte) => total + byte, 0);
  block.write(`${octal(sum, 6)}\0 `, 148, 'latin1');
  return block;
}

/** ustar keeps 100 bytes of a path as its name and up to 155 before a slash as its prefix. */
function split(path: string): { name: string; prefix: string } {
  if (Buffer.byteLength(path) <= 100) return { name: path, prefix: '' };
  for (let slash = path.indexOf('/'); slash > 0; slash = path.indexOf('/', slash + 1)) {
    const prefix = path.slice(0, slash);
    const name = path.slice(slash + 1);
    if (name !== '' && Buffer.byteLength(name) <= 100 && Buffer.byteLength(prefix) <= 155) return { name, prefix };
  }
  throw new Error(`${path} is too long for the archive`);
}

function octal(value: number, digits: number): string {
  return value.toString(8).padStart(digits, '0');
}
