import libmime from 'libmime';
import type { InnerFile, Opened, OpenedText } from '../opened.ts';
import { opened } from '../opened.ts';
import { decodeText } from '../decode-text.ts';
import { looksLikePage } from '../page/looks-like-page.ts';
import type { Mail, MailHeader, MailPart } from './read-mail.ts';
import { takeUuencoded } from './uuencoded.ts';

/** Headers that name those a mail was sent to. */
const RECIPIENT_HEADERS: ReadonlySet<string> = new Set(
  (
    'to cc bcc delivered-to x-original-to envelope-to x-envelope-to x-envelope-recipient x-delivered-to x-forwarded-to x-forwarded-for x-rcpt-to resent-to resent-cc resent-bcc ' +
    'apparently-to x-failed-recipients final-recipient original-recipient x-ms-exchange-organization-originalenveloperecipients'
  ).split(' '),
);
/** Headers that name nothing but this mail, its form and its way: ids and signatures only look like indicators. */
const SILENT_HEADERS: ReadonlySet<string> = new Set(
  (
    'message-id in-reply-to references content-id content-type content-disposition content-transfer-encoding mime-version date thread-index thread-topic arc-seal ' +
    'arc-message-signature resent-message-id x-message-id x-ms-exchange-organization-network-message-id x-gm-message-state x-google-dkim-signature x-google-smtp-source feedback-id list-id ' +
    'reporting-mta arrival-date remote-mta'
  ).split(' '),
);
/** Headers of which the sender says who it is: they count even when they name the receiver. */
const ORIGINATORS: ReadonlySet<string> = new Set('from sender reply-to return-path resent-from errors-to'.split(' '));

/** What a mail holds. */
export function openMail(mail: Mail): Opened {
  const isInline = (part: MailPart) => !part.isAttachment && (part.type === 'text/plain' || part.type === 'text/html');
  const inline = mail.parts.filter(isInline).map(inlineText);
  return opened({
    texts: [...headerTexts(mail.headers), ...inline.map(({ text }) => text)],
    files: [...mail.parts.filter((part) => !isInline(part)), ...inline.flatMap(({ files }) => files)],
    recipients: recipientTexts(mail.headers),
    isMail: true,
    unread: mail.unread,
  });
}

/** Headers to look into, each by its name. */
export function headerTexts(headers: readonly MailHeader[]): OpenedText[] {
  return headers
    .filter(({ name }) => !RECIPIENT_HEADERS.has(name) && !SILENT_HEADERS.has(name))
    .map(({ name, value }) => ({ label: `header:${name}`, text: ownText(name, value), isPage: false }));
}

/** Texts that name the receivers. */
export function recipientTexts(headers: readonly MailHeader[]): string[] {
  const named = headers.filter(({ name }) => RECIPIENT_HEADERS.has(name)).map(({ value }) => value);
  const relayed = headers.filter(({ name }) => name === 'received').flatMap(({ value }) => value.match(/\bfor <?[^\s<>;]{1,320}/g) ?? []);
  return [...named, ...relayed];
}

/** Whether the label is that of a header in which the sender names itself. */
export function isOriginator(label: string): boolean {
  return ORIGINATORS.has(label.slice(label.lastIndexOf('header:') + 'header:'.length));
}

/** Of a signature only whose it is; of a relay everything but for whom it took the mail. */
function ownText(name: string, value: string): string {
  if (name === 'dkim-signature') return (value.match(/\b[di]=[^;]*/g) ?? []).join('; ');
  return name === 'received' || name === 'x-received' ? value.replace(/\bfor <?[^\s<>;]{1,320}>?/g, '') : value;
}

/** A text of the mail itself, without the files that stand in it uuencoded. */
function inlineText({ bytes, charset, type, flowed }: MailPart): { readonly text: OpenedText; readonly files: readonly InnerFile[] } {
  const decoded = decodeText(bytes, charset);
  const isPage = type === 'text/html' || looksLikePage(decoded);
  const { text, files } = isPage ? { text: decoded, files: [] } : takeUuencoded(decoded);
  const shown = flowed === null ? text : libmime.decodeFlowed(text, flowed.delSp);
  return { text: { label: isPage ? 'html' : 'text', text: shown, isPage }, files };
}
