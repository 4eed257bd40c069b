import { isUnspacedScript, isWidePunctuation } from './characters.ts';

/** How many brackets of a kind are open in the URL that is read, by the code of the opening one. Shared to save a map for each URL. */
const DEPTHS = new Int32Array(128);

/** Characters that need no second look inside a URL. */
const IS_PLAIN = new Uint8Array(128);
for (const character of 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~/%+:!$*#') IS_PLAIN[character.charCodeAt(0)] = 1;

/** Punctuation of the sentence around a URL, and characters nobody sees: full stop, comma, semicolon, colon, `!?'*~`, zero width. */
const TAIL: ReadonlySet<number> = new Set([46, 44, 59, 58, 33, 63, 39, 42, 126, 0xad, 0x200b, 0x200c, 0x200d, 0x2060, 0xfeff]);
const IS_TAIL = new Uint8Array(128);
for (const code of TAIL) if (code < 128) IS_TAIL[code] = 1;

/** HTML references that stand for a character no URL has in it. */
const ENDING_REFERENCE = /&(?:lt|gt|quot|nbsp|apos|laquo|raquo|#0?39|#34|#60|#62|#x2[27]|#x3[ce]);/iy;
/** What is a cell of a table and no piece of a path: words, a date, something quoted. */
const CELL = /^(?:|"[^"]*"|[A-Za-z][A-Za-z _-]*|\d{4}-\d\d-\d\d\b.*)$/;
/** What ends like a path: a page, a list of characters of URL Defense. */
const PATH_END = /\.(?:html?|php|aspx?|jsp)$|!!\S*$/i;
/** How far a line is looked at, in characters. */
const MAX_LINE = 512;
/** A command of a shell, as attackers put several on one line: `;chmod 777 x`, `&&sh x`, `;sh+/tmp/x`. */
const COMMAND =
  /^(?:[ +]|%20){0,3}(?:\.\/|\/(?:usr\/)?s?bin\/|(?:sudo|nohup|(?:ba|da|z|k|c|a)?sh|busybox|chmod|chown|curl|wget|tftp|ftpget|nc|cd|cp|mv|rm|mkdir|cat|echo|exec|kill(?:all)?|pkill|sleep|python[23]?|perl|php|ruby|uname|history|exit)(?=[ +;|&\n\r]|%20|\$|$))/;
/** The next field of a LEEF record with a caret between fields; with a semicolon the head of the record has to say so. */
const NEXT_FIELD = /^\^[a-z]\w{0,24}=/i;
const SEMICOLON_RECORD = /LEEF:2\.0(?:\|[^|\n]{0,128}){4}\|(?:;|(?:0?x|%)3b)\|[^\n]*$/i;
const CEF_VALUE = /CEF:\d{1,2}\|[^\n]*=$/;
/** How far back the head of a record is looked for, in characters. */
const RECORD_REACH = 2048;
const NEXT_URL = /(?:h(?:tt|xx)ps?|ftp):\/\//iy;

/**
 * Where a URL ends whose path, query or fragment starts at `from`. `start`: where the URL starts; what stands before it tells which quote,
 * bracket or comma belongs to the text around it. Brackets inside are kept when they are closed inside (`/a_(b)`).
 */
export function findUrlEnd(text: string, from: number, start: number): number {
  const before = text.charCodeAt(start - 1);
  // In a form a plus stands for a blank, before a URL and behind it.
  const blank = before === 43 ? 43 : -1;
  let isInQuery = false;
  let separators = 0;
  DEPTHS[40] = DEPTHS[91] = DEPTHS[123] = 0;
  let at = from;
  for (; at < text.length; at += 1) {
    const code = text.charCodeAt(at);
    if (code === blank) break;
    if (code < 128 && IS_PLAIN[code] === 1) continue;
    if (isEnd(text, at, code) && !(code === 124 && isBarOfCef(text, at, start))) break;
    if (code === 63 || code === 61) {
      isInQuery = true;
      continue;
    }
    if (code === 123 && text.startsWith('${IFS}', at - 1)) {
      at -= 1;
      break;
    }
    if (code === 92) {
      const escape = escapeLength(text, at);
      if (escape === 0 && !isBackslashed(text, start)) break;
      at += Math.max(escape, 1) - 1;
    } else if (code === 39 && before === 39) break;
    else if (code === 94 && NEXT_FIELD.test(text.slice(at, at + 32))) break;
    else if (code === 44 || code === 59) {
      if (isSeparator(text, at, start, isInQuery)) break;
      // Only the first of each is looked at.
      const separator = code === 44 ? 1 : 2;
      const isFirst = (separators & separator) === 0;
      separators |= separator;
      if (isFirst && isLineStart(text, start) && isRowOfCells(text, at, start) && !isListOfNumbers(text, at, isInQuery)) break;
    } else if (code === 64) isInQuery = true;
    else if (!isBalanced(text, at)) break;
  }
  return trimmed(text, from, at, before);
}

/** `hxxp:\\evil.com\a`: backslashes all the way. */
export function isBackslashed(text: string, start: number): boolean {
  return /^[^/\s]{2,12}:?\\\\(?!\\{0,2}\/)/.test(text.slice(start, start + 20));
}

/** Keeps count of brackets; false for one that was not opened inside the URL, and for the `[/` that ends a mark-up of a forum. */
function isBalanced(text: string, at: number): boolean {
  const code = text.charCodeAt(at);
  if (code === 40 || code === 91 || code === 123) {
    if (code === 91 && text.charCodeAt(at + 1) === 47 && text.charCodeAt(at + 2) !== 93) return false;
    DEPTHS[code] = (DEPTHS[code] ?? 0) + 1;
    return true;
  }
  const opener = openerOf(code);
  if (opener === 0) return true;
  const depth = DEPTHS[opener] ?? 0;
  DEPTHS[opener] = depth - 1;
  return depth > 0;
}

/** The bracket that a closing one belongs to; 0 for anything else. */
function openerOf(code: number): number {
  return code === 41 ? 40 : code === 93 ? 91 : code === 125 ? 123 : 0;
}

/**
 * Whether the comma or semicolon at `at` stands between cells of a table, fields or URLs, and not in the URL (`/@48.8,2.3`,
 * `;jsessionid=1`). `isInQuery`: a `?`, `=` or `@` came before, behind which commas are common.
 */
function isSeparator(text: string, at: number, start: number, isInQuery: boolean): boolean {
  const code = text.charCodeAt(at);
  const before = text.charCodeAt(start - 1);
  const isReference = before === 59 && /&#?\w{2,6};$/.test(text.slice(Math.max(0, start - 9), start));
  if ((before === code && !isReference) || isNextUrl(text, at + 1)) return true;
  const next = text.slice(at + 1, at + 32);
  if (code === 59)
    return (
      /^ ?[\w-]{1,20}:(?!\/)/.test(next) || COMMAND.test(next) || (/^[a-z]\w{0,24}=/i.test(next) && isBehind(SEMICOLON_RECORD, text, start))
    );
  return !isInQuery && /^[\w.-]{1,24}=/.test(next);
}

/** Whether what stands before a place, as far back as the head of a record may be, is what a pattern says. */
function isBehind(record: RegExp, text: string, start: number): boolean {
  return text.charCodeAt(start - 1) === 61 && record.test(text.slice(Math.max(0, start - RECORD_REACH), start));
}

/** A bar inside of a URL that is the value of an extension of CEF, where bars need no escape. */
function isBarOfCef(text: string, at: number, start: number): boolean {
  return /^\|[^\s|]/.test(text.slice(at, at + 2)) && isBehind(CEF_VALUE, text, start) && !isNextUrl(text, at + 1);
}

/** `?ids=1,2,3` to the end of the line. */
function isListOfNumbers(text: string, at: number, isInQuery: boolean): boolean {
  return isInQuery && /^\d(?:,\d{1,12})+\s*$/.test(text.slice(at - 1, endOfLine(text, at)));
}

function isLineStart(text: string, start: number): boolean {
  const before = text.charCodeAt(start - 1);
  return start === 0 || before === 10 || before === 13;
}

/**
 * Whether the first comma or semicolon of a URL that starts a line ends the first cell of a table: the lines beside it have as many of them,
 * or what follows are words. A URL alone on its line keeps them (`/news,123,x.html`, `__;!!abc$`).
 */
function isRowOfCells(text: string, at: number, start: number): boolean {
  const separator = text.charAt(at);
  const lineEnd = endOfLine(text, at);
  const cells = text.slice(at, lineEnd).split(separator).slice(1);
  if (cells.every((cell) => CELL.test(cell.trim())) && cells.some((cell) => cell !== '')) return true;
  const before = text.slice(Math.max(0, start - MAX_LINE), Math.max(0, start - 1)).replace(/\r$/, '');
  const lines = [text.slice(lineEnd + 1, endOfLine(text, lineEnd + 1)), before.slice(before.lastIndexOf('\n') + 1)];
  return !PATH_END.test(text.slice(at, lineEnd).trimEnd()) && lines.some((line) => line.split(separator).length - 1 === cells.length);
}

function endOfLine(text: string, at: number): number {
  const end = text.slice(at, at + MAX_LINE).indexOf('\n');
  return end < 0 ? Math.min(text.length, at + MAX_LINE) : at + end;
}

/** Blanks, quotes, angle brackets, back quotes, bars, punctuation of other scripts, HTML references to such, and a text that goes on. */
function isEnd(text: string, at: number, code: number): boolean {
  if (code <= 32 || code === 34 || code === 60 || code === 62 || code === 96 || code === 124 || code === 127) return true;
  if (code === 38) return isAt(ENDING_REFERENCE, text, at) || (text.charCodeAt(at + 1) === 38 && COMMAND.test(text.slice(at + 2, at + 32)));
  if (code < 128) return false;
  if (isWidePunctuation(code) || code === 0x3002 || code === 0xff61 || (code >= 0xd800 && code < 0xe000)) return true;
  // Chinese behind a Latin word is the sentence that goes on; behind a slash or an equals sign it is part of the URL.
  return isUnspacedScript(code) && /[a-z0-9]/i.test(text.charAt(at - 1)) && !/%[\da-f]{2}$/i.test(text.slice(at - 3, at));
}

/**
 * JSON writes `\/` for a slash and `\u0026` for an ampersand, JSON inside of JSON twice as many backslashes, CEF `\=` for an equals sign; any
 * other backslash ends the URL.
 */
function escapeLength(text: string, at: number): number {
  const next = text.charCodeAt(at + 1);
  if (next === 47 || next === 61) return 2;
  return /^\\{1,4}(?:[/=]|(?<=\\)u00(?:26|3d|2b|25))/i.exec(text.slice(at, at + 9))?.[0].length ?? 0;
}

function isNextUrl(text: string, at: number): boolean {
  return isAt(NEXT_URL, text, text.charCodeAt(at) === 32 ? at + 1 : at);
}

/** Without the punctuation of the sentence around it. */
function trimmed(text: string, from: number, to: number, before: number): number {
  let end = to;
  while (end > from) {
    const code = text.charCodeAt(end - 1);
    const isTail = code < 128 ? IS_TAIL[code] === 1 : TAIL.has(code);
    const isMarkup = (code === 95 && before === 95) || code === 40 || code === 91 || code === 123 || code === 92;
    if (!isTail && !isMarkup) break;
    end -= 1;
  }
  return end;
}

function isAt(pattern: RegExp, text: string, at: number): boolean {
  pattern.lastIndex = at;
  return pattern.test(text);
}
