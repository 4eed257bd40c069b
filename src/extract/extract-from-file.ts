// src/extract/: a text, mail, page or file in, indicators with their places out.
import type { IndicatorType } from '../model/indicator.ts';
import type { Extracted, ExtractOptions } from './extracted.ts';
import { extractIndicators, withoutRepeats } from './extract-indicators.ts';
import { openFile } from './open-file.ts';
import type { FileReaders } from './open-file.ts';
import { isOriginator } from './mail/mail-headers.ts';
import type { InnerFile, Opened, OpenedText } from './opened.ts';
import { extractFromPage } from './page/extract-from-page.ts';

/** Hashes that are made of an attachment. */
export type HashAlgorithm = 'md5' | 'sha1' | 'sha256';

/** How to look into a file. The engine brings the hashes. */
export interface FileOptions extends ExtractOptions, FileReaders {
  /** The digest of a file's bytes, in hex. */
  readonly hash: (algorithm: HashAlgorithm, bytes: Uint8Array) => string;
  /** Told what could not be read, and why: nothing in it is among the finds. */
  readonly onUnread?: ((part: string, reason: string) => void) | undefined;
  /** Most milliseconds to look into it; what is not reached by then is unread. Default: two minutes. */
  readonly maxMs?: number | undefined;
  /** Most bytes of it and all files in it together, unpacked; what is beyond is unread. Default: 256 MiB. */
  readonly maxBytes?: number | undefined;
  /** Whether nobody waits any more: asked before each file in it. */
  readonly isStopped?: (() => boolean) | undefined;
}

/** A find in a file. `offset` counts in the decoded text of its part. */
export interface ExtractedFromFile extends Extracted {
  /** `header:from`, `text`, `html`, `attachment:invoice.html`, `attachment:a.zip/b.js`; those of an attached mail with `message/` before. */
  readonly part: string;
}

/** Bounds of one file and all in it: depth, number of files, their bytes, and time. */
const MAX_DEPTH = 16;
const MAX_FILES = 20_000;
const MAX_BYTES = 256 << 20;
const MAX_MS = 120_000;

/** Where something stands: what its parts are called, who received it, and what is left to spend. */
interface Place {
  readonly prefix: string;
  readonly name: string;
  readonly recipients: ReadonlySet<string>;
  /** Whether it is all that its wrapper (a signature, a mailbox) holds. */
  readonly isWrapped: boolean;
  readonly depth: number;
  readonly budget: { files: number; bytes: number; readonly until: number };
}

/**
 * Finds the indicators of a mail, mailbox, message of Outlook, archive, document or page: senders and relays in headers, links and names in
 * texts (what gateways rewrote, too), files by their hashes and by what is in them, all in turn within bounds. Receivers are left out.
 */
export async function extractFromFile(file: InnerFile, options: FileOptions): Promise<ExtractedFromFile[]> {
  const budget = { files: MAX_FILES, bytes: options.maxBytes ?? MAX_BYTES, until: performance.now() + (options.maxMs ?? MAX_MS) };
  const place: Place = { prefix: '', name: '', recipients: new Set(), isWrapped: false, depth: 0, budget };
  const found = await findInFile(file, place, options);
  return options.isUnique === true ? (withoutRepeats(found) as ExtractedFromFile[]) : found;
}

async function findInFile(file: InnerFile, place: Place, options: FileOptions): Promise<ExtractedFromFile[]> {
  const name = place.name || 'file';
  const { budget } = place;
  budget.files -= 1;
  budget.bytes -= file.bytes.length;
  if (place.depth > MAX_DEPTH) return unread(options, name, `nested deeper than ${MAX_DEPTH}`);
  if (budget.files < 0 || budget.bytes < 0) return unread(options, name, 'more files or bytes than are looked at');
  if (options.isStopped?.() === true) return [];
  if (performance.now() > budget.until) return unread(options, name, 'looking took too long');
  const hashes = file.isAttachment ? hashesOf(file, name, options) : [];
  const inside = await openFile(file, options);
  if (inside.unread !== null) unread(options, name, inside.unread);
  const recipients = new Set([...place.recipients, ...addressesOf(inside.recipients, options)]);
  const isInner = inside.isMail && place.depth > 0;
  const prefix = isInner && !place.isWrapped ? `${place.prefix}message/` : place.prefix;
  const own = { ...place, recipients, prefix, name: isInner ? '' : place.name };
  const texts = inside.texts.flatMap((text) => findInText(text, own, options));
  const files: ExtractedFromFile[] = [];
  for (const inner of inside.files) files.push(...(await findInFile(inner, placeOf(inner, inside, own), options)));
  return [...hashes, ...texts, ...files];
}

/** What an inner file is called: an attachment of a mail by its name, a file of an archive behind the name of the archive. */
function placeOf(inner: InnerFile, outer: Opened, place: Place): Place {
  const next = { ...place, depth: place.depth + 1, isWrapped: outer.isWrapper };
  if (!inner.isAttachment)
    return { ...next, name: inner.type.startsWith('message/') && place.name === '' ? `${place.prefix}message` : place.name };
  const own = inner.name || inner.type || 'file';
  return { ...next, name: place.name.includes('attachment:') ? `${place.name}/${own}` : `${place.prefix}attachment:${own}` };
}

function findInText({ label, text, isPage }: OpenedText, place: Place, options: FileOptions): ExtractedFromFile[] {
  const part = place.name.includes('attachment:') ? place.name : `${place.prefix}${label || 'text'}`;
  const all = { ...options, isUnique: false };
  const found = isPage ? extractFromPage(text, all) : extractIndicators(text, all);
  const kept =
    place.recipients.size === 0 || isOriginator(label) ? found : withoutReceivers(found, place.recipients, label.startsWith('header:'));
  return kept.map(({ type, value, original, offset }) => ({ type, value, original, offset, part }));
}

/** Without the addresses of receivers and the hosts in them; in headers without the hosts of their domains, too (the receiving relay). */
function withoutReceivers(found: readonly Extracted[], recipients: ReadonlySet<string>, isHeader: boolean): Extracted[] {
  const domains = [...recipients].map((address) => address.slice(address.lastIndexOf('@') + 1));
  let end = -1;
  return found.filter(({ type, value, original, offset }) => {
    if (type === 'email-addr' && recipients.has(value)) {
      end = offset + original.length;
      return false;
    }
    if (type !== 'domain-name') return true;
    return offset >= end && !(isHeader && domains.some((domain) => value === domain || value.endsWith(`.${domain}`)));
  });
}

function addressesOf(texts: readonly string[], { hasPublicSuffix }: FileOptions): string[] {
  return texts
    .flatMap((text) => extractIndicators(text, { hasPublicSuffix, withHosts: false }))
    .filter(({ type }) => type === 'email-addr')
    .map(({ value }) => value);
}

function hashesOf({ name, bytes }: InnerFile, part: string, { hash }: FileOptions): ExtractedFromFile[] {
  const types: readonly (readonly [IndicatorType, HashAlgorithm])[] = [
    ['file:sha256', 'sha256'],
    ['file:sha1', 'sha1'],
    ['file:md5', 'md5'],
  ];
  return types.map(([type, algorithm]) => ({ type, value: hash(algorithm, bytes), original: name, offset: 0, part }));
}

function unread({ onUnread }: FileOptions, part: string, reason: string): [] {
  onUnread?.(part, reason);
  return [];
}
