import type { Reading } from '../extracted.ts';
import { inLowerCase, isHostCharacter, isSchemeCharacter, isUnspacedScript } from './characters.ts';
import type { HostRun } from './host-name-run.ts';
import { ODD_WEB } from './plain-url.ts';
import { endOf } from './url-host.ts';

/** Colon and slashes behind a scheme, plain, defanged or escaped for JSON, with the defanged ends of the scheme (`http(s)`, `[http]`). */
const AFTER_SCHEME =
  /(?:[[({]s[\])}])?[\])}]?(?:(?: ?[[({<]:[\])}>] ?|:)(?:\/{2,4}|(?:\\{1,4}\/){2}|(?:\\\\){1,2}|[[({<]\/\/[\])}>]|(?:[[({<]\/[\])}>]){2})|[[({<]:(?:\/\/|\\\\)[\])}>]?|：(?:／／|\/\/))/iy;
/** `hxxp//evil`: nobody writes that for anything but a defanged URL. */
const AFTER_HXXP = /(?::?\/\/|:\\{1,2}|__)/y;
const STARRED_SCHEME = /h[*#_x]{2}ps?(?=[:[({])/iy;
/** `h[tt]p`, `h{tt}ps`, `ht(t)p`, `[h]ttp`: letters of the scheme in brackets. */
const BRACKETED_SCHEME = /[[({]?h[\])}]?[[({]?[tx][\])}]?[[({]?[tx][\])}]?[[({]?p[\])}]?(?:[[({]?s[\])}]?)?(?=[:[({])/iy;
const WEB_TAIL = /(?:h(?:tt|xx)ps?|ftps?|fxps?)$/i;
/** Schemes that end like one of the web. */
const LONGER_SCHEMES: ReadonlySet<string> = new Set(['sftp', 'tftp', 'shttp', 'aftp']);
/** Those that are met often and are none of the web. */
const USUAL_SCHEMES: ReadonlySet<string> = new Set(
  'tcp udp tls ws wss dns ssh sftp tftp telnet rdp vnc smb nfs rsync git svn ldap ldaps rmi irc ircs rtsp rtmp socks4 socks5 mysql postgresql mongodb redis amqp'.split(
    ' ',
  ),
);
/** No schemes of URLs with a host, and what is another scheme when it is refanged. */
const OTHER_WORDS: ReadonlySet<string> = new Set(['mailto', 'meow', 'meows']);
const SCHEME = /^[a-z][a-z\d+.-]{1,15}$/i;
/** Longest scheme that is looked for, in characters. */
const LONGEST_SCHEME = 16;

/** The scheme of a URL, with the colon and the slashes behind it. */
export interface Scheme {
  readonly start: number;
  readonly end: number;
  /** Whether it is one of the web. */
  readonly isWeb: boolean;
  /** As it stands in the canonical spelling; `null` where it has to be read with the whole URL. */
  readonly plain: string | null;
}

/** Cheap look at what stands behind a run, so that ordinary words never reach the patterns. */
export function mayBeScheme(text: string, run: HostRun): boolean {
  const code = text.charCodeAt(run.end);
  const next = text.charCodeAt(run.end + 1);
  switch (code) {
    case 58: // :
      if (next === 92) return run.end - run.start > 1 || isSchemeCharacter(text.charCodeAt(run.start - 1));
      return next === 47 || next === 91 || next === 40 || next === 123;
    case 91: // [
    case 40: // (
    case 123: // {
    case 93: // ]
    case 41: // )
    case 125: // }
      return (
        run.mark?.kind === 'scheme' ||
        run.mark?.kind === 'colon' ||
        (run.end - run.start <= 4 && isH(text, run.start)) ||
        (endsLikeScheme(text, run.end) && /h(?:tt|xx)ps?$/i.test(text.slice(Math.max(run.start, run.end - 5), run.end)))
      );
    case 47: // /
      return next === 47 && run.end - run.start <= 5 && isH(text, run.start);
    case 42: // *
    case 35: // #
      return run.end - run.start <= 5 && isH(text, run.start);
    default:
      return code === 0xff1a;
  }
}

function isH(text: string, at: number): boolean {
  return (text.charCodeAt(at) | 32) === 104;
}

/** `p` or `s`. */
function endsLikeScheme(text: string, end: number): boolean {
  const last = text.charCodeAt(end - 1) | 32;
  return last === 112 || last === 115;
}

/** The scheme that ends with `run`: where it starts, where the host behind it starts, and whether it is one of the web. */
export function schemeAt({ text, from }: Reading, run: HostRun): Scheme | null {
  if (isColonWithSlashes(text, run.end)) {
    const scheme = plainSchemeAt(text, run, from);
    if (scheme !== null) return scheme;
  }
  let { start } = run;
  if (run.isWide) for (let at = run.start; at < run.end; at += 1) if (isUnspacedScript(text.charCodeAt(at))) start = at + 1;
  start = writtenFrom(text, start, run, from);
  const written = text.slice(start, run.end);
  const web = LONGER_SCHEMES.has(inLowerCase(written)) ? null : (WEB_TAIL.exec(written) ?? ODD_WEB.exec(written));
  if (web === null) {
    const bracketed = bracketedScheme(text, run, from);
    if (bracketed !== null) return bracketed;
  }
  const starred = isH(text, run.start) ? endOf(STARRED_SCHEME, text, run.start) : -1;
  const tail = starred > 0 ? starred : run.end;
  const isHxxp = starred > 0 || /hxxps?$/i.test(written);
  const after = endOf(AFTER_SCHEME, text, tail);
  const end = after > 0 ? after : isHxxp ? endOf(AFTER_HXXP, text, tail) : -1;
  if (end < 0) return null;
  const isSecure = /s[\])}]?$/i.test(text.slice(tail - 2, tail)) || /^[[({]s/i.test(text.slice(tail, tail + 2));
  const plain = isSecure ? 'https' : 'http';
  if (starred > 0) return { start: run.start, end: withoutBlank(text, end), isWeb: true, plain };
  if (web !== null) {
    const schemeStart = start + web.index;
    const isMarked = /[[({<]/.test(text.charAt(schemeStart - 1)) && /[\])}>]/.test(text.charAt(run.end));
    const isOfFiles = /^f/i.test(web[0]);
    const spelled = isOfFiles ? (isSecure ? 'ftps' : 'ftp') : plain;
    return { start: isMarked ? schemeStart - 1 : schemeStart, end: withoutBlank(text, end), isWeb: true, plain: spelled };
  }
  return SCHEME.test(written) && !/^mailto$/i.test(written) ? { start, end, isWeb: false, plain: null } : null;
}

/** A colon and two slashes, no more. */
function isColonWithSlashes(text: string, at: number): boolean {
  return text.charCodeAt(at) === 58 && text.charCodeAt(at + 1) === 47 && text.charCodeAt(at + 2) === 47 && text.charCodeAt(at + 3) !== 47;
}

/** Where a scheme begins that goes on at `at`: its plus signs are no part of a run. */
function writtenFrom(text: string, at: number, run: HostRun, from: number): number {
  let start = at;
  while (start > from && isSchemeCharacter(text.charCodeAt(start - 1)) && run.start - start < LONGEST_SCHEME) start -= 1;
  return start;
}

/** A scheme with some of its letters in brackets; `null` when there is none. */
function bracketedScheme(text: string, run: HostRun, from: number): Scheme | null {
  const isOpened = run.start > from && /[[({]/.test(text.charAt(run.start - 1)) && /[\])}]/.test(text.charAt(run.start + 1));
  const start = isOpened ? run.start - 1 : run.start;
  const tail = endOf(BRACKETED_SCHEME, text, start);
  const end = tail < 0 ? -1 : endOf(AFTER_SCHEME, text, tail);
  if (end < 0) return null;
  const isSecure = /s[\])}]?$/i.test(text.slice(start, tail));
  return { start, end: withoutBlank(text, end), isWeb: true, plain: isSecure ? 'https' : 'http' };
}

/** A scheme that is followed by a colon and two slashes, and is none of the odd spellings; `null`: it has to be looked at closely. */
function plainSchemeAt(text: string, run: HostRun, from: number): Scheme | null {
  const start = writtenFrom(text, run.start, run, from);
  const end = run.end + 3;
  const web = start === run.start ? webScheme(text, run) : null;
  if (web !== null) return { start, end: withoutBlank(text, end), isWeb: true, plain: web };
  if (run.isWide || run.isDefanged || isH(text, run.start)) return null;
  const plain = inLowerCase(text.slice(start, run.end));
  if (USUAL_SCHEMES.has(plain)) return { start, end, isWeb: false, plain };
  if (plain === 'ftp' || plain === 'ftps') return { start, end: withoutBlank(text, end), isWeb: true, plain };
  if (!LONGER_SCHEMES.has(plain) && (WEB_TAIL.test(plain) || ODD_WEB.test(plain))) return null;
  return SCHEME.test(plain) && !OTHER_WORDS.has(plain) ? { start, end, isWeb: false, plain } : null;
}

/** `http`, `https`, `hxxp`, `hxxps`, in any case; `null`: anything else. */
function webScheme(text: string, { start, end }: HostRun): 'http' | 'https' | null {
  const length = end - start;
  if (length !== 4 && length !== 5) return null;
  const second = text.charCodeAt(start + 1) | 32;
  if ((second !== 116 && second !== 120) || (text.charCodeAt(start + 2) | 32) !== second) return null;
  if (!isH(text, start) || (text.charCodeAt(start + 3) | 32) !== 112) return null;
  if (length === 4) return 'http';
  return (text.charCodeAt(start + 4) | 32) === 115 ? 'https' : null;
}

/** `http:// evil.com`: one blank behind the slashes is defanging too. */
function withoutBlank(text: string, at: number): number {
  return text.charCodeAt(at) === 32 && isHostCharacter(text.charCodeAt(at + 1)) ? at + 1 : at;
}
