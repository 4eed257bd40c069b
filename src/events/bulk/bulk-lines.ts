import { CLOSE_ARRAY, CLOSE_OBJECT, closingQuote, OPEN_ARRAY, OPEN_OBJECT, QUOTE, skipSpace } from '../json/json-bytes.ts';
import type { UnenrichedReason } from './unenriched.ts';
import { actionOn } from './action-line.ts';

const LINE_FEED = 0x0a;
const ESCAPED_LETTER = Buffer.from('\\u');

/** Where the line from `pos` on ends: at its line feed, or with the text. */
export function endOfLine(bytes: Buffer, pos: number): number {
  const feed = bytes.indexOf(LINE_FEED, pos);
  return feed < 0 ? bytes.length : feed;
}

/** Lines, from `from` on, behind an action line that nobody can read. Which of them are documents nobody knows: those that are no action count. */
export function countUnknownLines(bytes: Buffer, from: number): number {
  let lines = 0;
  for (let pos = from; pos < bytes.length;) {
    const end = endOfLine(bytes, pos);
    if (actionOn(bytes, pos, end) === 'broken') lines++;
    pos = end + 1;
  }
  return lines;
}

/** Why a document could not be read: it has more brackets open at once than are followed, or it is no JSON for us. */
export function whyUnread(bytes: Buffer, { start, end, maxDepth }: { start: number; end: number; maxDepth: number }): UnenrichedReason {
  let depth = 0;
  for (let pos = start; pos < end; pos++) {
    const byte = bytes[pos];
    if (byte === QUOTE) {
      pos = closingQuote(bytes, pos + 1);
      if (pos < 0) break;
    } else if (byte === OPEN_OBJECT || byte === OPEN_ARRAY) {
      if (++depth > maxDepth) return 'too_deep';
    } else if (byte === CLOSE_OBJECT || byte === CLOSE_ARRAY) depth--;
  }
  return 'not_json';
}

/** Whether a key may stand on the line, its quotes included: it does, or something is spelled with escapes there. */
export function mayHold(line: Buffer, key: Buffer): boolean {
  return line.includes(key) || line.includes(ESCAPED_LETTER);
}

/** Whether an update changes its document by a script, and has none of its own to begin with: what becomes of that is not known here. */
export function isScriptAlone(line: Buffer): boolean {
  try {
    const update: unknown = JSON.parse(line.toString('utf8', skipSpace(line, 0, line.length)));
    if (typeof update !== 'object' || update === null || !('script' in update)) return false;
    return !('upsert' in update) || typeof update.upsert !== 'object' || Object.keys(update.upsert ?? {}).length === 0;
  } catch {
    // No JSON is an answer here: the line was counted as such.
    return false;
  }
}
