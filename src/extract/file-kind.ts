import { decodeText } from './decode-text.ts';
import { isPacked } from './file-signature.ts';
import { looksLikeEmail } from './mail/looks-like-mail.ts';
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
