/** First bytes of a compound file, as which Outlook saves messages (MS-CFB §2.2), and the name of a stream that each message has. */
const COMPOUND = Buffer.from('d0cf11e0a1b11ae1', 'hex');
const MESSAGE_STREAM = Buffer.from('__properties_version1.0', 'utf16le');
/** First bytes of `winmail.dat` (MS-OXTNEF §2.1.3.1). */
const TNEF = Buffer.from('789f3e22', 'hex');
const ARCHIVES: readonly (readonly [string, Buffer])[] = [
  ['zip', '504b0304'],
  ['gzip', '1f8b08'],
  ['rar', '526172211a07'],
  ['7z', '377abcaf271c'],
  ['xz', 'fd377a585a00'],
  ['bzip2', '425a6839314159'],
  ['cab', '4d534346'],
].map(([name = '', magic = '']) => [name, Buffer.from(magic, 'hex')]);
const PDF_MARK = Buffer.from('%PDF-');
/** PDF.js, too, takes a document whose mark stands in its first KiB. */
const PDF_REACH = 1024;

/** Whether bytes are those of a message of Outlook (`.msg`): a compound file with the streams of one. */
export function isOutlook(bytes: Uint8Array): boolean {
  return startsWith(bytes, COMPOUND) && bufferOf(bytes).includes(MESSAGE_STREAM);
}

/** Whether bytes are those of a `winmail.dat`. */
export function isTnef(bytes: Uint8Array): boolean {
  return startsWith(bytes, TNEF);
}

/** Which archive bytes are, by their first ones; `null` when they are none. */
export function archiveOf(bytes: Uint8Array): string | null {
  return ARCHIVES.find(([, magic]) => startsWith(bytes, magic))?.[0] ?? null;
}

/** Whether bytes are those of a PDF document. */
export function isPdf(bytes: Uint8Array): boolean {
  return startsWith(bytes, PDF_MARK);
}

/** Whether bytes are those of a PDF document with something before it, or only mention one. */
export function mayBePdf(bytes: Uint8Array): boolean {
  return bufferOf(bytes.subarray(0, PDF_REACH)).includes(PDF_MARK);
}

/** Whether bytes are something that a parser of its own opens, by their first ones. */
export function isPacked(bytes: Uint8Array): boolean {
  return isPdf(bytes) || archiveOf(bytes) !== null || isTnef(bytes) || isOutlook(bytes);
}

function startsWith(bytes: Uint8Array, magic: Buffer): boolean {
  return bufferOf(bytes.subarray(0, magic.length)).equals(magic);
}

function bufferOf(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
