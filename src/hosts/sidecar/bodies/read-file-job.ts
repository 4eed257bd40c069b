import { extractFromFile } from '../../../extract/extract.ts';
import type { ExtractedFromFile } from '../../../extract/extract-from-file.ts';
import { fileKind, isBinary } from '../../../extract/file-kind.ts';
import type { Extracted } from '../../../extract/extracted.ts';
import type { BodyJob, BodyResult, BodyTask } from './body-jobs.ts';

/** How long a file may take: others wait for the thread. */
const MAX_MS = 20_000;
/** Most bytes of a file and what is packed in it: others need the memory. */
const MAX_BYTES = 64 << 20;
/** What could not be read is told this often, and no text of it is longer. */
const MAX_UNREAD = 100;
const MAX_CHARACTERS = 500;

/** Readers that are loaded with the first such file. */
const READERS = {
  openPdf: async (bytes: Uint8Array) => (await import('../../../extract/files/open-pdf.ts')).openPdf(bytes),
  openOutlook: async (bytes: Uint8Array) => (await import('../../../extract/mail/open-outlook.ts')).openOutlook(bytes),
};

/** Opens a file and gives the indicators in it, and what could not be read. Never rejects. */
export async function readFileJob({ bytes, stop }: BodyTask, { max, isUnique }: Extract<BodyJob, { kind: 'file' }>): Promise<BodyResult> {
  const isStopped = () => Atomics.load(stop, 0) !== 0;
  const unread: { part: string; reason: string }[] = [];
  const onUnread = (part: string, reason: string) => {
    if (unread.length < MAX_UNREAD) unread.push({ part: part.slice(0, MAX_CHARACTERS), reason: reason.slice(0, MAX_CHARACTERS) });
  };
  try {
    // What looks like a name in a picture is none.
    const isOpaque = fileKind(bytes) === 'text' && isBinary(bytes);
    if (isOpaque) onUnread('file', 'a binary file of a kind that cannot be opened: nothing in it was read');
    const found = isOpaque
      ? []
      : await extractFromFile(bytes, { ...READERS, isUnique, onUnread, isStopped, maxMs: MAX_MS, maxBytes: MAX_BYTES });
    if (isStopped()) return { kind: 'stopped' };
    if (found.length > max) onUnread('file', `only the first ${max} indicators are given (sidecar.max_extracted)`);
    const answer = { indicators: found.slice(0, max).map(toJson), ...(unread.length === 0 ? {} : { unread }) };
    return { kind: 'extracted', json: new TextEncoder().encode(JSON.stringify(answer)), isTruncated: found.length > max };
  } catch (error) {
    return { kind: 'thrown', error: error instanceof Error ? error : new Error(String(error)) };
  }
}

function toJson(one: Extracted | ExtractedFromFile) {
  const { type, value, original, offset } = one;
  return { type, value, original: original.slice(0, MAX_CHARACTERS), offset, ...('part' in one ? { part: one.part } : {}) };
}
