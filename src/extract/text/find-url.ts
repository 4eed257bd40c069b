// src/extract/text/: one pass over a text: what begins where it stands, and what only looks like an indicator.
import { parseIndicator } from '../../model/parse-indicator.ts';
import { refang } from '../../model/refang.ts';
import { webUrl } from '../../model/parsing/url.ts';
import { isHostCharacter, isUnspacedScript } from './characters.ts';
import { note } from '../extracted.ts';
import type { Reading } from '../extracted.ts';
import type { FoundHost } from './find-name.ts';
import type { HostRun } from './host-name-run.ts';
import { readHostRun } from './host-name-run.ts';
import { unwrapLink } from '../links/unwrap-link.ts';
import { findUrlEnd, isBackslashed } from './url-end.ts';
import { endOf, findPortEnd, readUrlHost } from './url-host.ts';
import type { UrlHost } from './url-host.ts';
import { LONGEST_REREAD, withoutLines, wrappedEnd } from './url-lines.ts';

/** Colon and slashes behind a scheme, plain, defanged or escaped for JSON, with the defanged ends of the scheme (`http(s)`, `[http]`). */
const AFTER_SCHEME =
  /(?:[[({]s[\])}])?[\])}]?(?:(?: ?[[({<]:[\])}>] ?|:)(?:\/{2,4}|(?:\\{1,4}\/){2}|(?:\\\\){1,2}|[[({<]\/\/[\])}>]|(?:[[({<]\/[\])}>]){2})|[[({<]:(?:\/\/|\\\\)[\])}>]?|：(?:／／|\/\/))/iy;
/** `hxxp//evil`: nobody writes that for anything but a defanged URL. */
const AFTER_HXXP = /(?::?\/\/|:\\{1,2}|__)/y;
const STARRED_SCHEME = /h[*#_x]{2}ps?(?=[:[({])/iy;
/** `h[tt]p`, `h{tt}ps`, `ht(t)p`, `[h]ttp`: letters of the scheme in brackets. */
const BRACKETED_SCHEME = /[[({]?h[\])}]?[[({]?[tx][\])}]?[[({]?[tx][\])}]?[[({]?p[\])}]?(?:[[({]?s[\])}]?)?(?=[:[({])/iy;
/** `hxxxp`, `htttp`, `h00p`, `xxxx`, `ttp`, `tps`: what is left of the scheme when its letters were crossed out, doubled or not copied. */
const ODD_WEB = /^(?:h{1,2}[tx0]{1,5}p|h[tx]{2}|x{3,5}p?|t{1,3}p)s?$/i;
const WEB_TAIL = /(?:h(?:tt|xx)ps?|ftps?|fxps?)$/i;
/** Schemes that end like one of the web. */
const LONGER_SCHEMES: ReadonlySet<string> = new Set(['sftp', 'tftp', 'shttp', 'aftp']);
const SCHEME = /^[a-z][a-z\d+.-]{1,15}$/i;
/** User name and password, up to the last `@` before the host ends. */
const DOMAIN_USER = /[\w-]{1,64};[\w.-]{1,64}(?::[^\s@/]{0,64})?@(?=[\w[])/y;
const USER = /[\w.~%!$&*+=:-]{0,256}(?:@[\w.~%!$&*+=:-]{1,64}){0,2}@(?=[\w[]|[^\0-\u007f])/y;

/** The scheme where it is written plainly; `null` where it is defanged, odd, or followed by a user name. */
type PlainScheme = 'http' | 'https' | null;

/** A path behind an address: it starts with a letter, or with digits that go on like the name of a file or folder (`/85.exe`, `/7/bins`). */
const ADDRESS_PATH =
  /^(?:\/|\\{1,4}\/)(?!(?:tcp|udp|icmp)\b)(?:[a-zA-Z_~.?-]|\d{1,12}(?:\.(?:[a-z][a-z\d]{1,4}|[A-Z][A-Z\d]{1,4})(?![\w-])|[a-z_?][\w.=-]|\/(?!tcp|udp|icmp)[a-z_~]))/;

/** Gateways that may have rewritten each other's links. */
const MAX_LAYERS = 6;

/** `http[://`: the bracket around the colon was never closed. */
const HALF_MARKED_COLON = /^([^/]{1,12})[[({]:\/\//;

/** Schemes that `refang` knows. */
const USUAL_SCHEME = /^(?:h(?:tt|xx)p|fxp|ftp)s?[:[({]/i;

/** What may be a defang mark or an escape in a path. */
const MAYBE_MARKED = /[[({<\\]|&(?:amp|#)/;

/** Cheap look at what stands behind a run, so that ordinary words never reach the patterns. */
export function mayBeScheme(text: string, run: HostRun): boolean {
  const code = text.charCodeAt(run.end);
  const next = text.charCodeAt(run.end + 1);
  switch (code) {
    case 58: // :
      return next === 47 || next === 92 || next === 91 || next === 40 || next === 123;
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
        /h(?:tt|xx)ps?$/i.test(text.slice(Math.max(run.start, run.end - 5), run.end))
      );
    case 47: // /
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

/** Reads the URL whose scheme is `run`, or ends in it. Gives the place behind it; -1 when there is none. */
export function readUrl(reading: Reading, run: HostRun): number {
  const { text } = reading;
  const scheme = schemeAt(reading, run);
  if (scheme === null) return -1;
  const user = userEnd(text, scheme);
  const host = readUrlHost(reading, user < 0 ? scheme.end : user, scheme.isWeb);
  if (host === null) return -1;
  return noteUrl(reading, scheme.start, { ...host, scheme: user < 0 ? scheme.plain : null });
}

/** Where user name and password end, with their at sign; -1 when there are none. */
function userEnd(text: string, scheme: { end: number; isWeb: boolean }): number {
  let at = scheme.end;
  while (isHostCharacter(text.charCodeAt(at))) at += 1;
  if (at === text.length || '/?# "\'<>)\n'.includes(text.charAt(at))) return -1;
  return Math.max(endOf(USER, text, scheme.end), scheme.isWeb ? -1 : endOf(DOMAIN_USER, text, scheme.end));
}

/** Reads a URL without a scheme: a host that was found already, and a path or a port with a path behind it. -1 when there is none. */
export function readBareUrl(reading: Reading, host: FoundHost): number {
  const { text } = reading;
  const code = text.charCodeAt(host.end);
  if (code !== 47 && code !== 58 && code !== 91 && code !== 92 && code !== 40) return -1;
  const portEnd = findPortEnd(text, host.end);
  // Behind an address a number is a port or a prefix, as firewalls write it.
  const path = host.indicator.type === 'ipv4-addr' ? ADDRESS_PATH : /^(?:\/|\[\/\]|\\{1,4}\/)[^\s"'<>)\]},;|\\]/;
  if (!path.test(text.slice(portEnd, portEnd + 24))) return -1;
  const { indicator, isGateway, start, end } = host;
  return noteUrl(reading, start, { indicator, isGateway, start, end, portEnd, scheme: 'http' });
}

function noteUrl(reading: Reading, start: number, host: UrlHost & { scheme: PlainScheme }): number {
  const { text } = reading;
  const isPath = startsPath(text, host.portEnd) || (text.charCodeAt(host.portEnd) === 92 && isBackslashed(text, start));
  const lineEnd = isPath ? findUrlEnd(text, host.portEnd, start) : host.portEnd;
  const end = isPath ? wrappedEnd(text, start, lineEnd) : lineEnd;
  const value = end > lineEnd ? readWhole(withoutLines(text.slice(start, end))) : canonicalUrl(text, { start, end }, host);
  // What is far too long is passed over whole: reading it once more from each of its slashes would not be linear.
  if (value === null) return end - start > LONGEST_REREAD ? end : -1;
  note(reading, 'url', value, { start, end });
  if (host.isGateway) noteTarget(reading, value, { start, end });
  if (reading.withHosts && host.indicator !== null) note(reading, host.indicator.type, host.indicator.value, host);
  return end;
}

/** Behind a link that a gateway rewrote, what it leads to, at the place of the link. */
function noteTarget(reading: Reading, link: string, span: { start: number; end: number }): void {
  const target = reading.layers < MAX_LAYERS ? unwrapLink(link) : null;
  const parsed = target === null ? null : parseIndicator(target);
  if (parsed === null || parsed.kind === 'invalid') return;
  const { type, value } = parsed.indicator;
  if (type !== 'url') return note(reading, type, value, span);
  const inner: Reading = { ...reading, text: value, found: [], from: 0, layers: reading.layers + 1 };
  if (readUrl(inner, readHostRun(value, 0)) < 0) return;
  for (const find of inner.found) note(reading, find.type, find.value, span);
}

function readWhole(written: string): string | null {
  const parsed = parseIndicator(plainUrl(written));
  return parsed.kind === 'invalid' || parsed.indicator.type !== 'url' ? null : parsed.indicator.value;
}

/** What was read goes together without being read again, where nothing is defanged or escaped. */
function canonicalUrl(
  text: string,
  { start, end }: { start: number; end: number },
  host: UrlHost & { scheme: PlainScheme },
): string | null {
  const hostEnd = text.charCodeAt(host.end) === 93 ? host.end + 1 : host.end;
  if (host.scheme !== null && host.indicator !== null && (host.portEnd === hostEnd || text.charCodeAt(hostEnd) === 58)) {
    const rest = text.slice(host.portEnd, end);
    return webUrl(host.scheme, host.indicator, text.slice(hostEnd + 1, host.portEnd), MAYBE_MARKED.test(rest) ? plainUrl(rest) : rest);
  }
  return readWhole(text.slice(start, end));
}

/** A slash (also as JSON or a report writes it), question mark or number sign. */
function startsPath(text: string, at: number): boolean {
  const code = text.charCodeAt(at);
  if (code === 47 || code === 63 || code === 35) return true;
  return (
    (code === 92 && /^\\{1,4}\//.test(text.slice(at, at + 5))) ||
    (code === 91 && text.charCodeAt(at + 1) === 47 && text.charCodeAt(at + 2) === 93)
  );
}

/** The URL without what the text around it did to it: escapes of JSON and HTML, a blank behind the slashes. */
function plainUrl(original: string): string {
  let plain = original;
  if (plain.includes('\\'))
    plain = plain
      .replace(/\\{1,4}([/=])/g, '$1')
      .replace(/\\{1,2}u00(26|3d|2b|25)/gi, (_, hex: string) => String.fromCharCode(parseInt(hex, 16)));
  if (plain.includes('&')) plain = plain.replace(/&amp;|&#38;|&#x26;/gi, '&');
  if (plain.includes('// ')) plain = plain.replace(/^([^/]{1,20}\/\/) /, '$1');
  if (plain.includes('p__')) plain = plain.replace(/^\[?(h[*#_x]{2}ps?)__/i, '$1://');
  const whole = refang(plainScheme(plain));
  return whole.includes('://') ? whole : refang(plainScheme(plain.replace(HALF_MARKED_COLON, '$1://')));
}

/** With a plain scheme instead of an odd or bracketed one: `h[tt]ps://`, `hxxxp://`, `ttp://`. */
function plainScheme(url: string): string {
  if (USUAL_SCHEME.test(url)) return url;
  const end = url.search(/[:[({]{1,2}\/\//);
  const letters = end < 0 || end > 12 ? '' : url.slice(0, end).replace(/[[\](){}]/g, '');
  if (letters === '' || !ODD_WEB.test(letters)) return url;
  return `http${/s$/i.test(letters) ? 's' : ''}${url.slice(end)}`;
}

/** The scheme that ends with `run`: where it starts, where the host behind it starts, and whether it is one of the web. */
function schemeAt({ text, from }: Reading, run: HostRun): { start: number; end: number; isWeb: boolean; plain: PlainScheme } | null {
  if (
    text.startsWith('://', run.end) &&
    text.charCodeAt(run.end + 3) !== 47 &&
    (run.start === from || !/[\w+.-]/.test(text.charAt(run.start - 1)))
  ) {
    const plain = writtenScheme(text, run);
    if (plain !== null) return { start: run.start, end: withoutBlank(text, run.end + 3), isWeb: true, plain };
  }
  let { start } = run;
  for (let at = run.start; at < run.end; at += 1) if (isUnspacedScript(text.charCodeAt(at))) start = at + 1;
  while (start > from && /[\w+.-]/.test(text.charAt(start - 1)) && run.start - start < 16) start -= 1;
  const written = text.slice(start, run.end);
  const web = LONGER_SCHEMES.has(written.toLowerCase()) ? null : (WEB_TAIL.exec(written) ?? ODD_WEB.exec(written));
  if (web === null) {
    const bracketed = bracketedScheme(text, run, from);
    if (bracketed !== null) return bracketed;
  }
  const starred = endOf(STARRED_SCHEME, text, run.start);
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
    const isHttp = /^[hxt]/i.test(web[0]);
    return { start: isMarked ? schemeStart - 1 : schemeStart, end: withoutBlank(text, end), isWeb: true, plain: isHttp ? plain : null };
  }
  return SCHEME.test(written) && !/^mailto$/i.test(written) ? { start, end, isWeb: false, plain: null } : null;
}

/** A scheme with some of its letters in brackets; `null` when there is none. */
function bracketedScheme(
  text: string,
  run: HostRun,
  from: number,
): { start: number; end: number; isWeb: boolean; plain: PlainScheme } | null {
  const isOpened = run.start > from && /[[({]/.test(text.charAt(run.start - 1)) && /[\])}]/.test(text.charAt(run.start + 1));
  const start = isOpened ? run.start - 1 : run.start;
  const tail = endOf(BRACKETED_SCHEME, text, start);
  const end = tail < 0 ? -1 : endOf(AFTER_SCHEME, text, tail);
  if (end < 0) return null;
  const isSecure = /s[\])}]?$/i.test(text.slice(start, tail));
  return { start, end: withoutBlank(text, end), isWeb: true, plain: isSecure ? 'https' : 'http' };
}

function writtenScheme(text: string, { start, end }: { start: number; end: number }): PlainScheme {
  if (end - start === 5 && text.startsWith('https', start)) return 'https';
  return end - start === 4 && text.startsWith('http', start) ? 'http' : null;
}

/** `http:// evil.com`: one blank behind the slashes is defanging too. */
function withoutBlank(text: string, at: number): number {
  return text.charCodeAt(at) === 32 && isHostCharacter(text.charCodeAt(at + 1)) ? at + 1 : at;
}
