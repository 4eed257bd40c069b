import { decodeText } from './decode-text.ts';
import { isPacked } from './file-signature.ts';
import { looksLikeEmail } from './mail/looks-like-mail.ts';
import { encodingOf } from '../model/formats/text-encoding.ts';
import { looksLikePage } from './page/looks-like-page.ts';

/** What a file is to us: `mail`, `page` and `packed` (a document, an archive, a message of Outlook) are read whole, `text` as it comes. */
export type FileKind = 'mail' | 'page' | 'packed' | 'text';

/** How much tells a page, in bytes. */
const HEAD = 8192;

/** What a file is, by its start: its first 64 KiB, more where the first header of a mail is longer. */
export function fileKind(bytes: Uint8Array): FileKind {
  if (isPacked(bytes)) return 'packed';
  if (looksLikeEmail(bytes)) return 'mail';
  return looksLikePage(decodeText(bytes.subarray(0, HEAD))) ? 'page' : 'text';
}

/** Bytes by which a file is told from a text. */
const SAMPLE_BYTES = 4096;
const MOST_CONTROLS = 0.1;

/** More control characters than any text has. UTF-16 is full of them, but says so at its beginning. */
export function isBinary(head: Uint8Array): boolean {
  if (encodingOf(head).encoding !== 'utf-8') return false;
  const sample = head.subarray(0, SAMPLE_BYTES);
  const controls = sample.filter((byte) => byte < 0x20 && !(byte >= 0x08 && byte <= 0x0d) && byte !== 0x1b).length;
  return controls > sample.length * MOST_CONTROLS;
}
