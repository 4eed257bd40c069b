/** First bytes of a compound file, as which Outlook saves messages (MS-CFB §2.2), and the name of a stream that each message has. */
const COMPOUND = Buffer.from('d0cf11e0a1b11ae1', 'hex');
const MESSAGE_STREAM = Buffer.from('__properties_version1.0', 'utf16le');
/** First bytes of `winmail.dat` (MS-OXTNEF §2.1.3.1). */
const TNEF = Buffer.from('789f3e22', 'hex');
/** Archives and images of disks: what they are called, their mark, and where it stands. Those that are not opened are told as unread. */
const ARCHIVES: readonly (readonly [string, Buffer, number])[] = [
  ['zip', '504b0304'],
  ['gzip', '1f8b08'],
  ['rar', '526172211a07'],
  ['7z', '377abcaf271c'],
  ['xz', 'fd377a585a00'],
  ['bzip2', '425a6839314159'],
  ['zstd', '28b52ffd'],
  ['cab', '4d534346'],
  ['ace', '2a2a4143452a2a', 7],
  ['lzh', '2d6c68352d', 2],
  ['wim', '4d5357494d000000'],
  ['vhd', '636f6e6563746978000000'],
  ['vhdx', '7668647866696c65'],
  ['tar', '7573746172', 257],
  ['iso', '014344303031', 0x8000],
].map(([name, magic, at = 0]) => [String(name), Buffer.from(String(magic), 'hex'), Number(at)]);
const PDF_MARK = Buffer.from('%PDF-');
const PNG = Buffer.from('89504e470d0a1a0a', 'hex');
const JPEG = Buffer.from('ffd8ff', 'hex');
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
  const kind = ARCHIVES.find(([, magic, at]) => startsWith(bytes, magic, at))?.[0] ?? null;
  // A text may have that word there, but no NUL, with which the first block of a tar archive ends.
  return kind === 'tar' && bytes[511] !== 0 ? null : kind;
}

/** Whether bytes are those of a PDF document. */
export function isPdf(bytes: Uint8Array): boolean {
  return startsWith(bytes, PDF_MARK);
}

/** Whether bytes are those of a PDF document with something before it, or only mention one. */
export function mayBePdf(bytes: Uint8Array): boolean {
  return bufferOf(bytes.subarray(0, PDF_REACH)).includes(PDF_MARK);
}

/** Whether bytes are a PNG picture. */
export function isPng(bytes: Uint8Array): boolean {
  return startsWith(bytes, PNG);
}

/** Whether bytes are a picture of a kind that can be searched for QR codes. */
export function isPicture(bytes: Uint8Array): boolean {
  return isPng(bytes) || startsWith(bytes, JPEG);
}

/** Whether bytes are something that a parser of its own opens, by their first ones. */
export function isPacked(bytes: Uint8Array): boolean {
  return isPdf(bytes) || archiveOf(bytes) !== null || isTnef(bytes) || isOutlook(bytes) || isPicture(bytes);
}

/** Compared in place: every text is asked about every mark. */
function startsWith(bytes: Uint8Array, magic: Buffer, from = 0): boolean {
  for (let at = 0; at < magic.length; at += 1) if (bytes[from + at] !== magic[at]) return false;
  return true;
}

function bufferOf(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
