// Writes tar archives that are the same byte for byte whenever, wherever and by whomever they are made.
import { promisify } from 'node:util';
import { gzip } from 'node:zlib';
import { packTar, type TarEntry } from 'modern-tar';

/** A file in the archive. */
export interface TarFile {
  /** With slashes, relative to the root of the archive. */
  readonly path: string;
  readonly content: Uint8Array;
  readonly isExecutable: boolean;
}

// 2020-01-01: any fixed day will do, and some tools distrust 1970.
const MTIME = new Date('2020-01-01T00:00:00Z');
const OS_UNKNOWN = 255;
/** 9 takes three times as long for a Node and saves one percent. */
const LEVEL = 6;
/** Beside the main thread, which says meanwhile how long it takes. */
const gzipAside = promisify(gzip);
const OWNER = { mtime: MTIME, uid: 0, gid: 0, uname: 'root', gname: 'root' };

/** A gzipped archive: files by path, each folder before what is in it, owned by root, one fixed time. */
export async function tarGz(files: readonly TarFile[]): Promise<Buffer> {
  const entries: TarEntry[] = [];
  const folders = new Set<string>();
  for (const { path, content, isExecutable } of files.toSorted((a, b) => (a.path < b.path ? -1 : 1))) {
    for (const folder of foldersOf(path)) {
      if (folders.has(folder)) continue;
      folders.add(folder);
      entries.push({ header: { ...OWNER, name: `${folder}/`, size: 0, mode: 0o755, type: 'directory' } });
    }
    entries.push({
      header: { ...OWNER, name: path, size: content.length, mode: isExecutable ? 0o755 : 0o644, type: 'file' },
      body: Buffer.from(content),
    });
  }
  const packed = await gzipAside(await packTar(entries), { level: LEVEL });
  // The one byte of the header that names the machine.
  packed[9] = OS_UNKNOWN;
  return packed;
}

function foldersOf(path: string): string[] {
  const names = path.split('/').slice(0, -1);
  return names.map((_, n) => names.slice(0, n + 1).join('/'));
}
