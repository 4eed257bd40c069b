import { endOf } from './url-host.ts';

/** Longest text that is read again when it turns out to be no URL, in characters. */
export const LONGEST_REREAD = 2048;

/** The next line of a URL in angle brackets that was broken over several, with the marks of a quotation before it. */
const NEXT_LINE = /[^\s<>"]{0,8}\r?\n(?:[>|] ?){0,8}(?!\w{2,8}:\/\/)[^\s<>"]+/y;
/** The line behind one that goes on in quoted-printable. */
const NEXT_SOFT_LINE = /=?\r?\n[^\s<>"]+/y;
const LINE_BREAKS = /\r?\n(?:[>|] ?){0,8}/g;
const MAX_LINES = 16;

/**
 * Where a URL ends that goes on behind the end of its line, in angle brackets (RFC 3986, appendix C) or in the source of a mail in
 * quoted-printable; `lineEnd` when it does not.
 */
export function wrappedEnd(text: string, start: number, lineEnd: number): number {
  if (text.charCodeAt(start - 1) === 60) return linesEnd(text, lineEnd, NEXT_LINE, isClosed) ?? lineEnd;
  const breakAt = text.charCodeAt(lineEnd) === 61 ? lineEnd : lineEnd - 1;
  const isSource = isSoftBreak(text, breakAt) && text.slice(Math.max(0, start - 8), lineEnd).includes('=3D');
  return isSource ? (linesEnd(text, lineEnd, NEXT_SOFT_LINE, isLineDone) ?? lineEnd) : lineEnd;
}

/** Whether a closing angle bracket stands at `end`. */
function isClosed(text: string, end: number): boolean {
  return text.charCodeAt(end) === 62;
}

/** Whether the line that ends at `end` goes on in no other. */
function isLineDone(text: string, end: number): boolean {
  return !isSoftBreak(text, end - 1);
}

/** Whether an equals sign with the end of the line behind it stands at `at`. */
function isSoftBreak(text: string, at: number): boolean {
  if (text.charCodeAt(at) !== 61) return false;
  const next = text.charCodeAt(at + 1);
  return next === 10 || (next === 13 && text.charCodeAt(at + 2) === 10);
}

/** Where the last of the lines that follow ends; `null`: too many, or none that is the last. */
function linesEnd(text: string, lineEnd: number, nextLine: RegExp, isLast: (text: string, end: number) => boolean): number | null {
  let end = lineEnd;
  for (let line = 0; line < MAX_LINES; line += 1) {
    end = endOf(nextLine, text, end);
    if (end < 0 || end - lineEnd > LONGEST_REREAD) return null;
    if (isLast(text, end)) return end;
  }
  return null;
}

/** A URL of several lines as one. Soft line breaks and escapes are those of quoted-printable. */
export function withoutLines(text: string): string {
  if (!/=\r?\n/.test(text)) return text.replace(LINE_BREAKS, '');
  const joined = text.replace(/=\r?\n/g, '');
  return joined.replace(/=(2\d|3[\dA-F]|7E)/g, (_, hex: string) => String.fromCharCode(parseInt(hex, 16)));
}
