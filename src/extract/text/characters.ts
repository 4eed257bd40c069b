/** Part of a host name, defanged or not: letters, digits, hyphen, underscore, dot, and what other scripts have in their place. */
const HOST = 1;
/** Part of the local part of an e-mail address, beside those. */
const LOCAL = 2;
const DIGIT = 4;
const HEX = 8;
/** What may stand behind an ordinary word without making it the start of something: blanks, commas, quotes, signs of arithmetic. */
const WORD_END = 16;
/** May be where something begins, beside host characters. */
const STARTING = 128;
/** May start a defang mark, or end one that starts at the dot before. */
const MARK = 64;
/** Part of the user name or password in a URL. */
const USER = 32;

/** Longest word that is neither a hash nor a vulnerability id, in characters. */
const MAX_ORDINARY = 12;

const KIND = kinds();

/**
 * The end of an ordinary word that starts at `at`, where a host character stands: letters and digits without a dot inside, too short for a
 * hash or a vulnerability id, with nothing behind it that would make it a scheme, a local part or the start of an IPv6 address. When it has
 * to be looked at, the complement (`~`) of where its letters and digits end. This is what most of a text is, so it allocates nothing.
 */
export function ordinaryWordEnd(text: string, at: number): number {
  let end = at;
  let kind = 0;
  let code = 0;
  while (end < text.length) {
    code = text.charCodeAt(end);
    kind = code < 128 ? (KIND[code] ?? 0) : HOST;
    if ((kind & HOST) === 0 || code === 46 || code > 127) break;
    end += 1;
  }
  if (end - at > MAX_ORDINARY) return ~end;
  if (end === text.length) return end;
  const next = text.charCodeAt(end + 1);
  if (code === 32) return isBracket(next) || (next | 32) === 97 ? ~end : end;
  if (code === 46) return next === 32 || next === 10 || next === 13 || next === 34 || Number.isNaN(next) ? end + 1 : ~end;
  if (code === 58) return end - at > 4 && (next === 32 || next === 34 || next === 10) ? end : ~end;
  return (kind & WORD_END) !== 0 && (text.charCodeAt(at) | 32) !== 104 ? end : ~end;
}

function isBracket(code: number): boolean {
  return code === 91 || code === 40 || code === 123 || code === 60;
}

/** Where something may begin, from `at` on: a host character, a sign (at sign, colon, bracket), or anything outside ASCII; `end` at the latest. */
export function nextStart(text: string, from: number, end: number): number {
  let at = from;
  while (at < end) {
    const code = text.charCodeAt(at);
    if (code > 127 || ((KIND[code] ?? 0) & (HOST | STARTING)) !== 0) return at;
    at += 1;
  }
  return at;
}

/** Where a row of plain host characters (ASCII, no dot) that starts at `from` ends, at `limit` at the latest. */
export function plainHostEnd(text: string, from: number, limit: number): number {
  let end = from;
  while (end < limit) {
    const code = text.charCodeAt(end);
    if (code > 127 || code === 46 || ((KIND[code] ?? 0) & HOST) === 0) break;
    end += 1;
  }
  return end;
}

/** Whether a UTF-16 code unit may stand in a host name as people write it. */
export function isHostCharacter(code: number): boolean {
  return code < 128 ? ((KIND[code] ?? 0) & HOST) !== 0 : isWideHostCharacter(code);
}

/** Whether it may stand in the local part of an e-mail address. */
export function isLocalCharacter(code: number): boolean {
  return code < 128 ? ((KIND[code] ?? 0) & (HOST | LOCAL)) !== 0 : isWideHostCharacter(code);
}

/** Whether a defang mark may start here: no other character is worth a look. */
export function mayBeMark(code: number): boolean {
  return code < 128 ? ((KIND[code] ?? 0) & MARK) !== 0 : code === 0xff20 || code === 0xff1a;
}

/** Whether it may stand in the name of a scheme. */
export function isSchemeCharacter(code: number): boolean {
  return code === 43 || (code < 128 && ((KIND[code] ?? 0) & HOST) !== 0);
}

/** Whether it may stand in the user name or the password of a URL. */
export function isUserCharacter(code: number): boolean {
  return code < 128 && ((KIND[code] ?? 0) & USER) !== 0;
}

/**
 * The same in lower case. Text beside letters of other scripts is stored in two bytes a character, which makes lower-casing slow: what is
 * in lower case already, as most is, comes back as it is.
 */
export function inLowerCase(text: string): string {
  for (let at = 0; at < text.length; at += 1) {
    const code = text.charCodeAt(at);
    if (code > 127 || (code >= 65 && code <= 90)) return text.toLowerCase();
  }
  return text;
}

/** Whether it is a hex digit. */
export function isHexDigit(code: number): boolean {
  return code < 128 && ((KIND[code] ?? 0) & HEX) !== 0;
}

/** Whether it is a decimal digit. */
export function isDigit(code: number): boolean {
  return code < 128 && ((KIND[code] ?? 0) & DIGIT) !== 0;
}

/** Whether it is a dot, or what other scripts write for one. */
export function isDot(code: number): boolean {
  return code === 46 || code === 0x3002 || code === 0xff0e || code === 0xff61 || code === 0x2024;
}

/** Whether it is a letter or a digit, of any script. */
export function isWordCharacter(code: number): boolean {
  return isHostCharacter(code) && code !== 45 && code !== 95 && code !== 0x2010 && code !== 0x2011 && !isDot(code);
}

/** Whether it belongs to a script that is written without blanks between words: Chinese, Japanese, Korean, Thai. */
export function isUnspacedScript(code: number): boolean {
  return (
    (code >= 0x0e00 && code <= 0x0e7f) ||
    (code >= 0x3005 && code <= 0x9fff && code !== 0x3002) ||
    (code >= 0xac00 && code <= 0xd7a3) ||
    (code >= 0xf900 && code <= 0xfaff)
  );
}

/** Whether it ends whatever stands before it: blanks, control characters, quotation marks, arrows, punctuation of any script. */
export function isWidePunctuation(code: number): boolean {
  return code >= 128 && !isWideHostCharacter(code) && (code < 0xd800 || code > 0xdfff);
}

/** Letters, digits and marks outside ASCII, by block: punctuation, symbols and emoji are out, invisible joiners are in (defanging). */
function isWideHostCharacter(code: number): boolean {
  if (code < 0xc0) return code === 0xaa || code === 0xb5 || code === 0xba || code === 0xad;
  if (code < 0x2000)
    return (
      code !== 0xd7 &&
      code !== 0xf7 &&
      code !== 0x037e &&
      code !== 0x0589 &&
      code !== 0x060c &&
      code !== 0x061b &&
      code !== 0x061f &&
      code !== 0x06d4
    );
  if (code < 0x2c00) return (code >= 0x200b && code <= 0x200d) || code === 0x2010 || code === 0x2011 || code === 0x2024 || code === 0x2060;
  if (code < 0x3040) return code === 0x3002 || code === 0x3005 || code === 0x3006 || code === 0x3007 || (code >= 0x2c00 && code < 0x2e00);
  if (code < 0xd800) return code !== 0x30fb;
  if (code < 0xf900) return false;
  if (code < 0xfe00) return true;
  if (code < 0xff00) return code >= 0xfe70;
  return isFullWidthHostCharacter(code);
}

/** Full-width letters, digits, hyphen, dot and underscore, the half-width full stop, half-width Kana and Hangul. */
function isFullWidthHostCharacter(code: number): boolean {
  if (code === 0xff0d || code === 0xff0e || code === 0xff3f || code === 0xff61) return true;
  return (
    (code >= 0xff10 && code <= 0xff19) ||
    (code >= 0xff21 && code <= 0xff3a) ||
    (code >= 0xff41 && code <= 0xff5a) ||
    (code >= 0xff66 && code <= 0xffdc)
  );
}

function kinds(): Uint8Array {
  const table = new Uint8Array(128);
  const mark = (characters: string, bit: number): void => {
    for (const character of characters) table[character.charCodeAt(0)] = (table[character.charCodeAt(0)] ?? 0) | bit;
  };
  mark('abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.', HOST);
  mark("+%'&~=", LOCAL);
  mark('\t\n\r,;"\'=!?|>/)]}`', WORD_END);
  mark('abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.~%!$&*+=:', USER);
  mark('[({<\\& ]}', MARK);
  mark('@:(', STARTING);
  mark('0123456789', DIGIT);
  mark('0123456789abcdefABCDEF', HEX);
  return table;
}
