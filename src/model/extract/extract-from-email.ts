import { parseIndicator } from '../parse-indicator.ts';
import type { Extracted, ExtractedType, ExtractOptions } from './extracted.ts';
import { extractIndicators, withoutRepeats } from './extract-indicators.ts';
import { htmlToText } from './html-text.ts';
import type { MimeMessage, MimePart } from './mime-part.ts';
import { decodeCharset, parseMessage } from './mime-part.ts';
import { unwrapLink } from './wrapped-link.ts';

/** Hashes that are made of an attachment. */
export type HashAlgorithm = 'md5' | 'sha1' | 'sha256';

/** How to look into a message. The engine brings the hashes. */
export interface EmailOptions extends ExtractOptions {
  /** The digest of an attachment's bytes, in hex. */
  readonly hash: (algorithm: HashAlgorithm, bytes: Uint8Array) => string;
}

/** A find in a message. `offset` counts in the decoded text of its part. */
export interface ExtractedFromEmail extends Extracted {
  /** `header:from`, `text`, `html`, `attachment:invoice.html`; those of an attached message with `message/` before. */
  readonly part: string;
}

/**
 * Headers that name the receiving side, or nothing but this message: the victim is no indicator, and ids and signatures only look like some.
 */
const SKIPPED_HEADERS: ReadonlySet<string> = new Set(
  (
    'to cc bcc delivered-to x-original-to envelope-to x-envelope-to x-delivered-to x-forwarded-to x-forwarded-for resent-to apparently-to message-id in-reply-to references content-id ' +
    'content-type content-disposition content-transfer-encoding mime-version date thread-index thread-topic arc-seal arc-message-signature resent-message-id x-message-id ' +
    'x-ms-exchange-organization-network-message-id x-gm-message-state x-google-dkim-signature x-google-smtp-source feedback-id list-id'
  ).split(' '),
);

/** Bytes of a message that are looked at, at most. */
const MAX_BYTES = 64 * 1024 * 1024;
/** Types of attachments whose text is looked at too. */
const TEXT_ATTACHMENT = /\.(?:html?|xhtml|shtml|svg|txt|csv|json|xml|ics|vcf|url|eml|js|vbs|ps1|bat|cmd|hta|rtf)$/i;

/**
 * Finds the indicators of an e-mail message: senders and relays in its headers, links and names in its text and HTML (those of mail gateways
 * unwrapped), attachments by their hashes and, where they are text, by what is in them; attached messages alike. The recipients are left out.
 */
export function extractFromEmail(bytes: Uint8Array, options: EmailOptions): ExtractedFromEmail[] {
  const found = findInMessage(parseMessage(toText(bytes.subarray(0, MAX_BYTES))), '', options);
  return options.isUnique === true ? (withoutRepeats(found) as ExtractedFromEmail[]) : found;
}

/** Whether bytes look like a message: header lines from the start, one of them of the kind every message has. */
export function looksLikeEmail(bytes: Uint8Array): boolean {
  const head = toText(bytes.subarray(0, 65_536));
  if (!/^(?:From [^\n]*\n)?(?:[\w-]{1,80}:[^\n]*\r?\n(?:[ \t][^\n]*\n)*){2}/.test(head)) return false;
  const headers = head.slice(0, /\r?\n\r?\n/.exec(head)?.index ?? head.length);
  return (
    (headers.match(/^(?:from|to|subject|date|received|message-id|mime-version|return-path|content-type|delivered-to):/gim) ?? []).length >=
    2
  );
}

function findInMessage(message: MimeMessage, prefix: string, options: EmailOptions): ExtractedFromEmail[] {
  const all = { ...options, isUnique: false };
  const found: ExtractedFromEmail[] = [];
  for (const { name, value } of message.headers) {
    if (SKIPPED_HEADERS.has(name)) continue;
    addAll(found, inPart(extractIndicators(headerText(name, value), all), `${prefix}header:${name}`));
  }
  for (const part of message.parts) addAll(found, findInPart(part, prefix, all));
  for (const attached of message.attached) addAll(found, findInMessage(attached, `${prefix}message/`, options));
  return found;
}

/** One by one: as arguments of a single `push`, some hundred thousand of them do not fit on the stack. */
function addAll(found: ExtractedFromEmail[], more: readonly ExtractedFromEmail[]): void {
  for (const one of more) found.push(one);
}

/** Of a signature only whose it is; of a relay everything but for whom it took the message. */
function headerText(name: string, value: string): string {
  if (name === 'dkim-signature') return (value.match(/\b[di]=[^;]*/g) ?? []).join('; ');
  return name === 'received' ? value.replace(/\bfor <[^>]*>/g, '') : value;
}

function findInPart(part: MimePart, prefix: string, options: EmailOptions): ExtractedFromEmail[] {
  const isHtml = part.type === 'text/html' || part.type === 'application/xhtml+xml' || /\.(?:x?html?|shtml|svg)$/i.test(part.fileName);
  const name = part.isAttachment ? `${prefix}attachment:${part.fileName || part.type}` : `${prefix}${isHtml ? 'html' : 'text'}`;
  const hashes = part.isAttachment ? hashesOf(part, name, options) : [];
  if (part.isAttachment && !part.type.startsWith('text/') && !TEXT_ATTACHMENT.test(part.fileName)) return hashes;
  const decoded = decodeCharset(part.content, part.charset);
  const links = withUnwrapped(extractIndicators(isHtml ? htmlToText(decoded) : decoded, options), options);
  return [...hashes, ...inPart(links, name)];
}

function hashesOf(part: MimePart, name: string, { hash }: EmailOptions): ExtractedFromEmail[] {
  const bytes = Uint8Array.from(part.content, (byte) => byte.charCodeAt(0));
  const types: readonly (readonly [ExtractedType, HashAlgorithm])[] = [
    ['file:sha256', 'sha256'],
    ['file:sha1', 'sha1'],
    ['file:md5', 'md5'],
  ];
  return types.map(([type, algorithm]) => ({ type, value: hash(algorithm, bytes), original: part.fileName, offset: 0, part: name }));
}

/** Behind each link that a mail gateway rewrote, the link it leads to. */
function withUnwrapped(found: readonly Extracted[], options: EmailOptions): Extracted[] {
  return found.flatMap((each) => {
    const target = each.type === 'url' ? unwrapLink(each.value) : null;
    const parsed = target === null ? null : parseIndicator(target);
    if (parsed === null || parsed.kind === 'invalid') return [each];
    const inner = extractIndicators(parsed.indicator.value, options).map((find) => ({
      ...find,
      original: each.original,
      offset: each.offset,
    }));
    return [each, ...inner];
  });
}

function inPart(found: readonly Extracted[], part: string): ExtractedFromEmail[] {
  return found.map((each) => ({ ...each, part }));
}

/** One character for each byte. */
function toText(bytes: Uint8Array): string {
  let text = '';
  for (let at = 0; at < bytes.length; at += 8192) text += String.fromCharCode(...bytes.subarray(at, at + 8192));
  return text;
}
