import { callJson } from '../page/call.ts';
import { cutText } from './cut-text.ts';

/** An indicator at its place in a text. `type` null: a line of a list in which nothing is recognised. */
export interface Find {
  readonly type: string | null;
  readonly value: string;
  readonly original: string;
  /** UTF-16 code units from the start of the text. */
  readonly offset: number;
  /** In which part of a file it stands: `header:from`, `attachment:a.zip/b.js`. */
  readonly part?: string;
}

interface ExtractAnswer {
  readonly indicators: readonly Find[];
  readonly truncated?: true;
  readonly read_until?: number;
}

/** What was found in the next piece of a text, and how many characters that has. */
interface ReadPiece {
  readonly finds: readonly Find[];
  readonly read: number;
}

/** Finds the indicators of a text, a piece at a time. */
export async function* readText(text: string, signal: AbortSignal): AsyncGenerator<ReadPiece> {
  const isList = isListOfValues(text);
  for (const piece of cutText(text)) {
    let from = 0;
    const found: Find[] = [];
    for (;;) {
      const body = { text: from === 0 ? piece.text : piece.text.slice(from) };
      const answer: ExtractAnswer = await callJson('v1/extract', { body, signal });
      for (const find of answer.indicators) found.push({ ...find, offset: find.offset + from + piece.offset });
      const next = from + (answer.read_until ?? 0);
      if (answer.truncated !== true || next <= from) break;
      from = next;
    }
    yield { finds: isList ? withLines(piece.text, piece.offset, found) : found, read: piece.text.length };
  }
}

/** Longest text that is taken for a list, in characters. */
const LONGEST_LIST = 2_000_000;
const LIKE_A_VALUE = /[.:]|^[\da-f]{32,}$|^cve-/i;

/** One value a line: then a line in which nothing is found is worth a word. */
function isListOfValues(text: string): boolean {
  return text.length <= LONGEST_LIST && !/[^\s,;][^\S\n\r]+\S|[,;]\S/.test(text.trim());
}

/** The finds and, between them, the lines without any. */
function withLines(text: string, offset: number, found: readonly Find[]): Find[] {
  const all = [...found];
  let n = 0;
  for (const { 0: line, index } of text.matchAll(/[^\s,;]+/g)) {
    const start = index + offset;
    while (n < found.length && (found[n]?.offset ?? 0) < start) n++;
    const isFound = (found[n]?.offset ?? Infinity) < start + line.length || (found[n - 1] !== undefined && endOf(found[n - 1]) > start);
    if (!isFound && LIKE_A_VALUE.test(line)) all.push({ type: null, value: line, original: line, offset: start });
  }
  return all.sort((a, b) => a.offset - b.offset);
}

function endOf(find: Find | undefined): number {
  return find === undefined ? 0 : find.offset + find.original.length;
}
