import { createHash } from 'node:crypto';
import type { EmailOptions, ExtractedFromEmail } from '../model/extract/extract-from-email.ts';
import { extractFromEmail as findInEmail, looksLikeEmail } from '../model/extract/extract-from-email.ts';
import type { Extracted, ExtractOptions } from '../model/extract/extracted.ts';
import { beginExtraction, extractIndicators } from '../model/extract/extract-indicators.ts';
import type { Extraction } from '../model/extract/extract-indicators.ts';
import { blankMarkup } from '../model/extract/html-text.ts';
import { hasPublicSuffix } from './registrable-domain.ts';

/** How hosts ask: the public suffix list and the hashes are brought along here. */
export type ExtractRequest = Omit<ExtractOptions, 'hasPublicSuffix'>;

const HASH: EmailOptions['hash'] = (algorithm, bytes) => createHash(algorithm).update(bytes).digest('hex');

/** Finds the indicators in a text, as `extractIndicators` does, with ICANN's list of public suffixes. */
export function extractFromText(text: string, request: ExtractRequest = {}): Extracted[] {
  return extractIndicators(text, { ...request, hasPublicSuffix });
}

/** Begins to read a text in slices, see `Extraction`, with ICANN's list of public suffixes. */
export function extractInSlices(text: string): Extraction {
  return beginExtraction(text, { hasPublicSuffix });
}

/** Finds the indicators in an e-mail message (`.eml`), attachments hashed. */
export function extractFromEmail(bytes: Uint8Array, request: ExtractRequest = {}): ExtractedFromEmail[] {
  return findInEmail(bytes, { ...request, hasPublicSuffix, hash: HASH });
}

/** Finds the indicators in a file of any kind that we read: an e-mail message, HTML, or text (UTF-8, or UTF-16 with its mark). */
export function extractFromFile(bytes: Uint8Array, request: ExtractRequest = {}): Extracted[] | ExtractedFromEmail[] {
  if (looksLikeEmail(bytes)) return extractFromEmail(bytes, request);
  const text = decode(bytes);
  return extractFromText(/^\s{0,100}(?:<!doctype html|<html)\b/i.test(text) ? blankMarkup(text) : text, request);
}

function decode(bytes: Uint8Array): string {
  const [first, second] = bytes;
  if (first === 0xff && second === 0xfe) return new TextDecoder('utf-16le').decode(bytes);
  if (first === 0xfe && second === 0xff) return new TextDecoder('utf-16be').decode(bytes);
  return new TextDecoder('utf-8').decode(bytes);
}
