import { gunzipSync, unzipSync } from 'fflate';
import type { UnzipFileInfo } from 'fflate';
import { openTar } from './open-tar.ts';
import { extractTextOfOffice, isOfficeEntry } from './office.ts';
import type { InnerFile, Opened } from '../opened.ts';
import { opened } from '../opened.ts';

/** How many files of an archive are opened, how long one may be, and how much longer than packed, from some length on. */
const MAX_FILES = 200;
const MAX_FILE_BYTES = 32 << 20;
const MAX_RATIO = 200;
const RATIO_FROM_BYTES = 4 << 20;
/** How many files of an archive are looked at in its list. */
const MAX_LISTED = 10_000;

/** Opens an archive, within bounds: its files, or of an Office document its texts and links. */
export function openArchive(kind: string, name: string, bytes: Uint8Array): Opened {
  if (kind === 'zip') return openZip(bytes);
  if (kind === 'tar') return openTar(bytes);
  return kind === 'gzip' ? openGzip(name, bytes) : opened({ unread: `a ${kind} archive, which is not opened` });
}

function openZip(bytes: Uint8Array): Opened {
  const listed: UnzipFileInfo[] = [];
  const list = (file: UnzipFileInfo) => {
    if (listed.length < MAX_LISTED) listed.push(file);
    return false;
  };
  const fault = tried(() => unzipSync(bytes, { filter: list }));
  if (fault instanceof Error) return opened({ unread: `a zip archive that is broken: ${fault.message}` });
  const isOffice = listed.some(({ name }) => name === '[Content_Types].xml' || name === 'mimetype' || name === 'word/document.xml');
  // Bit 0 of the flags of the first file: it is encrypted (APPNOTE §4.4.4).
  if (((bytes[6] ?? 0) & 1) === 1)
    return opened({
      unread: `a zip archive with a password (${listed
        .slice(0, 5)
        .map(({ name }) => name)
        .join(', ')})`,
    });
  const wanted = listed.filter((file) => file.originalSize > 0 && (!isOffice || isOfficeEntry(file.name)));
  const files: InnerFile[] = [];
  const unread: string[] = wanted.length > MAX_FILES ? [`more than ${MAX_FILES} files`] : [];
  for (const file of wanted.slice(0, MAX_FILES)) {
    const content = unpack(bytes, file);
    if (typeof content === 'string') unread.push(`${file.name}: ${content}`);
    else files.push({ name: file.name, type: '', charset: '', bytes: content, isAttachment: true });
  }
  const why = unread.length === 0 ? null : unread.slice(0, 5).join('; ');
  return isOffice ? opened({ texts: files.flatMap(extractTextOfOffice), unread: why }) : opened({ files, unread: why });
}

/** The content of a file; a text: why it was not unpacked. */
function unpack(archive: Uint8Array, { name, size, originalSize }: UnzipFileInfo): Uint8Array | string {
  if (originalSize > MAX_FILE_BYTES) return `longer than ${MAX_FILE_BYTES} bytes`;
  if (originalSize > RATIO_FROM_BYTES && originalSize > size * MAX_RATIO) return `more than ${MAX_RATIO} times longer than packed`;
  const content = tried(() => unzipSync(archive, { filter: (file) => file.name === name })[name]);
  if (content instanceof Error) return `broken (${content.message})`;
  return content ?? 'not found';
}

function openGzip(name: string, bytes: Uint8Array): Opened {
  const length = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength).getUint32(Math.max(0, bytes.length - 4), true);
  if (length > MAX_FILE_BYTES || (length > RATIO_FROM_BYTES && length > bytes.length * MAX_RATIO))
    return opened({ unread: 'a gzip archive that is too long, or far longer than packed' });
  const content = tried(() => gunzipSync(bytes));
  if (content instanceof Error) return opened({ unread: `a gzip archive that is broken: ${content.message}` });
  const inner = name.replace(/\.(?:gz|gzip)$/i, '').replace(/\.tgz$/i, '.tar');
  return opened({ files: [{ name: inner === name ? '' : inner, type: '', charset: '', bytes: content, isAttachment: true }] });
}

function tried<T>(work: () => T): T | Error {
  try {
    return work();
  } catch (error) {
    if (error instanceof Error) return error;
    throw error;
  }
}
