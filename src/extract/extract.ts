// src/extract/: a text, mail, page or file in, indicators with their places out.
import { createHash } from 'node:crypto';
import type { ExtractedFromFile, FileOptions } from './extract-from-file.ts';
import type { Extracted, ExtractOptions } from './extracted.ts';
import { beginExtraction, extractIndicators } from './extract-indicators.ts';
import type { Extraction } from './extract-indicators.ts';
import { decodeText } from './decode-text.ts';
import { fileKind } from './file-kind.ts';
import { hasPublicSuffix } from './public-suffix.ts';

/** How hosts ask: the public suffix list and the hashes are brought along here. */
export type ExtractRequest = Omit<ExtractOptions, 'hasPublicSuffix'> &
  Pick<FileOptions, 'openPdf' | 'openOutlook' | 'openImage' | 'onUnread' | 'maxMs' | 'maxBytes' | 'isStopped'>;

const HASH: FileOptions['hash'] = (algorithm, bytes) => createHash(algorithm).update(bytes).digest('hex');

/** Finds the indicators in a text, as `extractIndicators` does, with ICANN's list of public suffixes. */
export function extractFromText(text: string, request: ExtractRequest = {}): Extracted[] {
  return extractIndicators(text, { ...request, hasPublicSuffix });
}

/** Begins to read a text in slices, see `Extraction`, with ICANN's list of public suffixes. */
export function extractInSlices(text: string): Extraction {
  return beginExtraction(text, { hasPublicSuffix });
}

/** Finds the indicators in an e-mail message (`.eml`), attachments hashed. */
export async function extractFromEmail(bytes: Uint8Array, request: ExtractRequest = {}): Promise<ExtractedFromFile[]> {
  return find({ type: 'message/rfc822', bytes }, request);
}

/**
 * Finds the indicators in a file of any kind that we read: a mail, a mailbox, a message of Outlook, an archive, a document, a page, or text
 * (UTF-8 or UTF-16). The parsers are loaded with the first file that is no text.
 */
export async function extractFromFile(bytes: Uint8Array, request: ExtractRequest = {}): Promise<Extracted[] | ExtractedFromFile[]> {
  switch (fileKind(bytes)) {
    case 'text':
      return extractFromText(decodeText(bytes), request);
    case 'page': {
      const { extractFromPage } = await import('./page/extract-from-page.ts');
      return extractFromPage(decodeText(bytes), { ...request, hasPublicSuffix });
    }
    default:
      return find({ type: '', bytes }, request);
  }
}

async function find({ type, bytes }: { type: string; bytes: Uint8Array }, request: ExtractRequest): Promise<ExtractedFromFile[]> {
  const { extractFromFile: findInFile } = await import('./extract-from-file.ts');
  return findInFile({ name: '', type, charset: '', bytes, isAttachment: false }, { ...request, hasPublicSuffix, hash: HASH });
}
