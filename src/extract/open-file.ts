import { encodingOf } from '../model/formats/text-encoding.ts';
import { decodeText } from './decode-text.ts';
import { openCalendar } from './files/calendar.ts';
import { archiveOf, isOutlook, isPdf, isPicture, isTnef, mayBePdf } from './file-signature.ts';
import { looksLikeEmail, mailStart } from './mail/looks-like-mail.ts';
import { openMail } from './mail/mail-headers.ts';
import { messagesOf, plainMail, withGaps } from './mail/plain-mail.ts';
import { readMail } from './mail/read-mail.ts';
import { takeUuencoded } from './mail/uuencoded.ts';
import type { InnerFile, Opened } from './opened.ts';
import { opened } from './opened.ts';
import { looksLikePage } from './page/looks-like-page.ts';

/** Readers that not every program carries; without one, such files are hashed only. */
export interface FileReaders {
  readonly openPdf?: ((bytes: Uint8Array) => Promise<Opened>) | undefined;
  readonly openOutlook?: ((bytes: Uint8Array) => Promise<Opened>) | undefined;
  readonly openImage?: ((bytes: Uint8Array) => Promise<Opened>) | undefined;
}

/** Media types of a mail as an attachment, and names of the file it is saved as. */
const MAIL_TYPE = /^(?:message\/(?:rfc822|global|x-eml|news|email)|application\/(?:eml|x-eml|email)|text\/rfc822-headers)$/;
const MAIL_NAME = /\.(?:eml|emlx|mht|mhtml|mbox)$/i;
/** Files whose text is looked at too. */
const TEXT_NAME =
  /\.(?:svg|txt|csv|json|xml|url|js|jse|vbs|vbe|wsf|ps1|bat|cmd|sh|py|hta|rtf|log|md|yaml|yml|ini|conf|reg|desktop|website|sct|xsl|iqy|slk)$/i;
/** Media types of files that are no texts; what has another one (`invalid/invalid`), or none, is a text when it is made of characters. */
const OPAQUE_TYPE = /^(?:application|image|audio|video|font|model|multipart|message(?!\/partial$))\//;
/** How much tells a text, in bytes. */
const SAMPLE = 4096;
const PAGE_NAME = /\.(?:x?html?|shtml?|svg|hta)$/i;
/** Archives without a mark, as old programs write them. */
const TAR_NAME = /\.tar$/i;
const CALENDAR_NAME = /\.(?:ics|ifb|vcs|vcf|vcard)$/i;

/** Opens a file of a kind that we read, told by its bytes, its type and its name; any other holds nothing that we see. */
export async function openFile(file: InnerFile, { openPdf, openOutlook, openImage }: FileReaders): Promise<Opened> {
  const { bytes, name, type } = file;
  if (isTnef(bytes)) return (await import('./mail/open-tnef.ts')).openTnef(bytes);
  if (isOutlook(bytes)) return openOutlook === undefined ? notOpened('a message of Outlook') : openOutlook(bytes);
  if (/^application\/(?:x-)?pkcs7-mime$/.test(type) || /\.p7m$/i.test(name))
    return (await import('./mail/open-signed.ts')).openSigned(bytes);
  const archive = archiveOf(bytes) ?? (TAR_NAME.test(name) ? 'tar' : null);
  if (archive !== null) return (await import('./files/open-archive.ts')).openArchive(archive, name, bytes);
  // Most mails carry pictures: only one that was given by itself is said to be unread.
  if (isPicture(bytes)) return openImage?.(bytes) ?? (file.isAttachment ? opened({}) : notOpened('a picture'));
  const isDocument = isPdf(bytes);
  if (!isDocument && isMail(file)) return openMails(bytes);
  if (isDocument || (isOfNoText(file) && mayBePdf(bytes))) return openPdf === undefined ? notOpened('a PDF document') : openPdf(bytes);
  return openText(file);
}

/** A text that mentions the mark of a PDF document, as a mail that holds one does, is none. */
function isOfNoText({ name, type }: InnerFile): boolean {
  return /pdf$/i.test(type) || /\.pdf$/i.test(name) || (!type.startsWith('text/') && !type.startsWith('message/') && !TEXT_NAME.test(name));
}

/** What this program has no reader for is said to be unread: `ismalicious extract` has them all. */
function notOpened(what: string): Opened {
  return opened({ unread: `${what}, which is not opened here: use \`ismalicious extract\` on the command line` });
}

/** A mail says so by its type or name; else it has to look like one and be a file of its own, not the text of a mail. */
function isMail({ bytes, name, type, isAttachment }: InnerFile): boolean {
  if (MAIL_TYPE.test(type)) return true;
  const mayBe = isAttachment || MAIL_NAME.test(name) || type === '' || type === 'application/octet-stream' || type === 'message/partial';
  return mayBe && !PAGE_NAME.test(name) && looksLikeEmail(bytes);
}

async function openMails(bytes: Uint8Array): Promise<Opened> {
  const plain = plainMail(bytes);
  const start = Math.max(0, mailStart(plain.toString('latin1')));
  const messages = messagesOf(plain.subarray(start));
  const [only] = messages;
  if (messages.length === 1 && only !== undefined) return openMail(await readMail(withGaps(only)));
  const files = messages.map((message) => ({ name: '', type: 'message/rfc822', charset: '', bytes: message, isAttachment: false }));
  return opened({ files, isWrapper: true });
}

function openText({ bytes, name, type, charset }: InnerFile): Opened {
  const isReport = type === 'message/delivery-status' || type === 'message/disposition-notification';
  if (isReport) return openReport(decodeText(bytes, charset));
  const isText =
    type.startsWith('text/') ||
    (!OPAQUE_TYPE.test(type) && isPrintable(bytes)) ||
    TEXT_NAME.test(name) ||
    PAGE_NAME.test(name) ||
    CALENDAR_NAME.test(name);
  const isMarkup = type === 'text/html' || type === 'application/xhtml+xml' || PAGE_NAME.test(name);
  if (!isText && !isMarkup && type !== '' && type !== 'application/octet-stream') return opened({});
  const text = decodeText(bytes, charset);
  if (!isText && !isMarkup) return looksLikePage(text) ? opened({ texts: [{ label: 'html', text, isPage: true }] }) : opened({});
  if (/^text\/(?:calendar|x-vcalendar|vcard|x-vcard)$/.test(type) || CALENDAR_NAME.test(name)) return openCalendar(text);
  const isPage = isMarkup || looksLikePage(text);
  if (isPage) return opened({ texts: [{ label: 'html', text, isPage }] });
  const { text: rest, files } = takeUuencoded(text);
  return opened({ texts: [{ label: 'text', text: rest, isPage }], files });
}

/** A report on delivery is fields like headers; those that name the receiver are left out. */
function openReport(text: string): Opened {
  const lines = text.replace(/\r?\n[ \t]+/g, ' ').split(/\r?\n/);
  const isReceiver = (line: string) => /^(?:final|original)-recipient\s*:/i.test(line);
  return opened({
    texts: [{ label: 'text', text: lines.filter((line) => !isReceiver(line)).join('\n'), isPage: false }],
    recipients: lines.filter(isReceiver),
  });
}

/** Whether bytes that nobody says the type of are text: no control characters but those of texts. */
function isPrintable(bytes: Uint8Array): boolean {
  return encodingOf(bytes).encoding !== 'utf-8' || !bytes.subarray(0, SAMPLE).some((byte) => byte < 9 || (byte > 13 && byte < 27));
}
