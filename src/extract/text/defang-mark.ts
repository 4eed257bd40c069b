import { isWordCharacter } from './characters.ts';

const AT = 64;
const COLON = 58;

/** What a defang mark stands for. */
export type MarkKind = 'dot' | 'at' | 'colon' | 'scheme';

/** A defang mark: what it stands for, and the place behind it. */
export interface DefangMark {
  readonly kind: MarkKind;
  readonly end: number;
}

/**
 * Marks as people write them, at one place of the text (sticky). Brackets may be two or three, of another kind at the end, and have one blank
 * inside and outside. `[.com` and `\.com` count, a word (`dot`, `at`) needs both brackets. No part can grow: each try is bounded.
 */
const MARK =
  / ?[[({<]{1,3} ?(?:(:[\\/]{2})|(:)|(@|at|@at@)|(?:\.|dot|d0t|punkt|point|,)) ?[\])}>]{1,3} ?|[[({]\.(?=[a-z0-9])|\\\.(?=[a-z0-9])|&(?:(?:#46|#x2e|period)|(#64|#x40|commat)|(#58|#x3a|colon));|(＠)|(：\/\/|：／／)/iy;

/** The mark that starts at `at`, or `null`. A dot or an at has to be followed by a letter or a digit to mean anything. */
export function readDefangMark(text: string, at: number): DefangMark | null {
  if (!mayStartMark(text, at)) return null;
  const sign = shortMarkSign(text, at);
  if (sign > 0) return sign === COLON || isWordCharacter(text.charCodeAt(at + 3)) ? { kind: kindOfSign(sign), end: at + 3 } : null;
  MARK.lastIndex = at;
  const match = MARK.exec(text);
  if (match === null) return null;
  const end = MARK.lastIndex;
  const kind = kindOf(match);
  if (kind !== 'scheme' && kind !== 'colon' && !isWordCharacter(text.charCodeAt(end))) return null;
  return { kind, end };
}

/** The sign in brackets that starts at `at` when it is the plainest of marks, `[.]`, with nothing that could belong to it behind; else 0. */
function shortMarkSign(text: string, at: number): number {
  if (!isOpener(text.charCodeAt(at)) || !isCloser(text.charCodeAt(at + 2))) return 0;
  const behind = text.charCodeAt(at + 3);
  if (behind === 32 || isCloser(behind)) return 0;
  const sign = text.charCodeAt(at + 1);
  return sign === 46 || sign === AT || sign === COLON || sign === 44 ? sign : 0;
}

function kindOfSign(sign: number): MarkKind {
  return sign === AT ? 'at' : sign === COLON ? 'colon' : 'dot';
}

function kindOf(match: RegExpExecArray): MarkKind {
  const [, scheme, colon, at, atEntity, colonEntity, wideAt, wideScheme] = match;
  if (scheme !== undefined || wideScheme !== undefined) return 'scheme';
  if (colon !== undefined || colonEntity !== undefined) return 'colon';
  return at !== undefined || atEntity !== undefined || wideAt !== undefined ? 'at' : 'dot';
}

/** Cheap look at one or two characters, so that ordinary words never reach the pattern. */
function mayStartMark(text: string, at: number): boolean {
  switch (text.charCodeAt(at)) {
    case 91: // [
    case 40: // (
    case 123: // {
    case 60: // <
      return mayBeInside(text, at + 1);
    case 92: // \
      return text.charCodeAt(at + 1) === 46;
    case 38: // &
    case 0xff20:
    case 0xff1a:
      return true;
    case 32:
      return isOpener(text.charCodeAt(at + 1)) && mayBeInside(text, at + 2);
    default:
      return false;
  }
}

/** What a mark may have behind its bracket: another bracket, a blank, a dot, comma, colon or at sign, or how a word for one begins. */
function mayBeInside(text: string, at: number): boolean {
  const code = text.charCodeAt(at);
  if (isOpener(code) || code === 32 || code === 46 || code === 44 || code === 58 || code === 64) return true;
  const next = text.charCodeAt(at + 1) | 32;
  switch (code | 32) {
    case 97: // at
      return next === 116;
    case 100: // dot, d0t
      return next === 111 || next === 48;
    case 112: // punkt, point
      return next === 117 || next === 111;
    default:
      return false;
  }
}

function isOpener(code: number): boolean {
  return code === 91 || code === 40 || code === 123 || code === 60;
}

function isCloser(code: number): boolean {
  return code === 93 || code === 41 || code === 125 || code === 62;
}
