import { FILE_ENDINGS } from '../../model/parsing/file-endings.ts';
import { inLowerCase } from './characters.ts';
import type { FoundHost } from '../extracted.ts';
import { isCommonSuffix } from './name-suffixes.ts';

/** Top-level domains that more often end a file name, where the name has two labels only and nobody defanged it. */
const FILE_SUFFIXES: ReadonlySet<string> = new Set(
  'zip mov sh py md rs ps pl cc so app mk am pm tf vi bz cab dot java cpp la st'.split(' '),
);
/** Those that are also countries or in fashion: a file only when the name looks like one. */
const MAYBE_FILE: ReadonlySet<string> = new Set('pl cc app so st la vi am bz'.split(' '));

/** First labels of `thing.property` in source code, field names and configuration. */
const OBJECTS: ReadonlySet<string> = new Set(
  (
    'this self cls document window location navigator event evt node elem element req request res response resp console process module exports config settings options opts user users host ' +
    'file files file system java javax kotlin scala obj object args params data item row session server client agent source destination url dns http tls network observer log logger logging message ' +
    'rule threat email device os fs path sys time date datetime math string str array list map dict set db app application api auth account cloud container orchestrator package service error ' +
    'subprocess threading requests torch np pd plt df div span body input form table page post blog site img css font pipeline matched bundle answer search state output outputs feed indicator parsed index metric ' +
    'trace span transaction alert case incident vm instance ds'
  ).split(' '),
);

/** Those that start nothing else, however many labels follow. */
const CODE_OBJECTS: ReadonlySet<string> = new Set(
  'this self cls window document req res request response process console module exports evt obj args params div span ul li td tr th'.split(
    ' ',
  ),
);

/** Endings of files before the last: `invoice.pdf.zip`, `x.min.sh`. */
const INNER_ENDINGS: ReadonlySet<string> = new Set('tar min test spec bundle final old new backup orig src draft copy'.split(' '));

/** Top-level domains that are fields of records far more often: a name there has to look like one (`www.`, a digit, a hyphen). */
const FIELD_SUFFIXES: ReadonlySet<string> = new Set('name data email events read call open save show search'.split(' '));

/** Names of products and libraries that read like host names. */
const NOT_NAMES: ReadonlySet<string> = new Set(
  'asp.net vb.net ado.net ml.net system.net system.io java.io java.net javax.net commons.io kotlin.io scala.io paint.net quartz.net json.net log4j.net'.split(
    ' ',
  ),
);

/** First labels of package and bundle names (`com.vendor.product`). */
const REVERSED = /^(?:com|org|net|edu|gov|io|me|dev)\./;

/** Keys whose values are names of operations, events or permissions. */
const ACTION_KEY = /(?:action|operation|event|permission|privilege|scope|method)s?(?:[_.]?(?:name|type|id|code|action))?$/i;
/** What such a key ends in, in lower case: a cheap look. */
const ACTION_ENDS = new Set(Array.from('snedept', (letter) => letter.charCodeAt(0)));

/** What is followed by numbers with dots that are no address, whichever (`any`) or when the first of them is small. */
const NUMBER_WORDS: ReadonlyMap<string, 'any' | 'small'> = new Map([
  ...'v ver version versions firmware revision rev oid section sec chapter clause appendix figure fig table paragraph §'
    .split(' ')
    .map((word) => [word, 'any'] as const),
  ...'release rel build update updated patch upgrade upgraded sdk driver kernel library package than'
    .split(' ')
    .map((word) => [word, 'small'] as const),
]);
const LONGEST_WORD = 16;
/** The letters that they end in, a bit each, by their first letter; shifting takes the last five bits of a code. */
const NUMBER_WORD_ENDS = new Int32Array(256);
for (const word of NUMBER_WORDS.keys()) {
  const first = word.charCodeAt(0) | 32;
  NUMBER_WORD_ENDS[first] = (NUMBER_WORD_ENDS[first] ?? 0) | (1 << word.charCodeAt(word.length - 1));
}

/** A product with its version, as in user agents: `Chrome/120.0.0.0`. Protocols (`TCP/1.2.3.4`) and host names are something else. */
const PRODUCT =
  /(?:^|[^\w.-])(?:[A-Z][A-Za-z-]*[a-z][A-Za-z-]*|PHP|OPR|GSA|curl|wget|nginx|openssl|python[\w-]*|okhttp|libcurl|php|node[\w-]*|axios|git|docker|go-http-client)\/$/;

/** Whether a dotted quad is a version, an object identifier or the number of a chapter, by what stands before it. */
export function isNumberTrap(text: string, start: number, address: number): boolean {
  if (text.charCodeAt(start - 1) === 47) return PRODUCT.test(text.slice(Math.max(0, start - 40), start));
  let end = signsStart(text, start);
  let at = wordStart(text, end);
  if (isToOrFrom(text, at, end)) {
    end = signsStart(text, at);
    at = wordStart(text, end);
  }
  if (!mayBeNumberWord(text, at, end)) return false;
  const word = inLowerCase(text.slice(at, end));
  const kind = NUMBER_WORDS.get(word);
  if (kind === 'small') return address >>> 24 < 32 && address >>> 24 !== 10;
  return kind === 'any' || word.endsWith('version');
}

function isToOrFrom(text: string, at: number, end: number): boolean {
  const first = text.charCodeAt(at) | 32;
  if (end - at === 2) return first === 116 && (text.charCodeAt(at + 1) | 32) === 111;
  return end - at === 4 && first === 102 && /^from$/i.test(text.slice(at, end));
}

/** Whether one of those words begins and ends like this, so that other words are never cut out of the text. */
function mayBeNumberWord(text: string, at: number, end: number): boolean {
  if (at === end) return false;
  const ends = NUMBER_WORD_ENDS[text.charCodeAt(at) | 32] ?? 0;
  const last = text.charCodeAt(end - 1);
  return (last | 32) === 110 || (ends & (1 << last)) !== 0;
}

/** Where the signs before `start` begin, up to five of them (`version": "1.2.3.4`). */
function signsStart(text: string, start: number): number {
  let at = start;
  while (at > 0 && start - at < 5 && isSign(text.charCodeAt(at - 1))) at -= 1;
  return at;
}

/** Where the word that ends at `end` begins; `end` when there is none. */
function wordStart(text: string, end: number): number {
  if (text.charCodeAt(end - 1) === 0xa7) return end - 1;
  let at = end;
  while (at > 0 && end - at < LONGEST_WORD && isLetter(text.charCodeAt(at - 1))) at -= 1;
  return at > 0 && isLetter(text.charCodeAt(at - 1)) ? end : at;
}

/** Blanks, quotes, colon, equals sign, opening bracket, number sign, full stop. */
function isSign(code: number): boolean {
  return code === 32 || code === 9 || code === 34 || code === 39 || code === 58 || code === 61 || code === 40 || code === 35 || code === 46;
}

function isLetter(code: number): boolean {
  return ((code | 32) >= 97 && (code | 32) <= 122) || code === 0;
}

/** Whether a name with a known suffix, not defanged, is a file, a package, a field, a method or two sentences without a blank. */
export function nameTrap(original: string, name: string): 'no' | 'maybe' | 'never' {
  const labels = name.split('.');
  const suffix = labels.at(-1) ?? '';
  if (NOT_NAMES.has(name) || (name.startsWith('system.') && original.startsWith('System.'))) return 'never';
  if ((labels.at(-2) ?? '').includes('_')) return 'never';
  if (isFileName(original, labels)) return 'never';
  if (/^(?:co|com|org|net|gov|edu|ac|mil)\.[a-z]{2}$/.test(name) || name === 'configure.ac') return 'never';
  // `1.0.0.dev`: a version with its stage.
  if (/^v?\d+(?:\.\d+)+\.[a-z]+$/.test(name)) return 'never';
  if (isInterfaceName(original)) return 'never';
  if (REVERSED.test(name) && labels.length > 2 && !/\.(?:com|net|org)$/.test(name)) return 'never';
  if (isCommonSuffix(name)) return 'no';
  const first = labels[0] ?? '';
  if (FIELD_SUFFIXES.has(suffix) && !/^www\.|[\d-]/.test(name)) return 'never';
  if (CODE_OBJECTS.has(first) || (labels.length === 2 && isField(original, first, suffix))) return 'never';
  return isRunOnSentence(original) ? 'never' : 'maybe';
}

/** Whether a host is a trap where it stands: a part of a path, or (when it may be one) followed like code. */
export function isTrapHere(text: string, { host, start, end }: FoundHost): boolean {
  return (
    host.trap === 'never' ||
    isPathPart(text, start) ||
    (host.trap === 'maybe' && (isFollowedLikeCode(text, end) || isAction(text, start, end)))
  );
}

/** Whether what starts at `start` is the host of `/dev/tcp/evil.com/443`, with its port behind it. */
export function isSocket(text: string, start: number): boolean {
  return text.charCodeAt(start - 1) === 47 && /\/dev\/(?:tcp|udp)\/$/.test(text.slice(Math.max(0, start - 9), start));
}

/** Whether what starts at `start` is the host of a file (`file://evil.com/share/a.url`), and no page of the web. */
export function isFileHost(text: string, start: number): boolean {
  return text.charCodeAt(start - 1) === 47 && /(?:^|[^a-z])file:\/\/$/i.test(text.slice(Math.max(0, start - 8), start));
}

/** What stands before the host of a share: two backslashes, four in JSON, behind nothing that could be a folder. */
const SHARE = /(?:^|[\s"'`=(,;>|]|[a-z]{2}:)\\{2}(?:\\{2})?$/i;

/** A part of a path: behind a slash or backslash that does not start a host (`//evil.com`, `\\evil.com\share`, `/dev/tcp/evil.com/443`). */
function isPathPart(text: string, start: number): boolean {
  const before = text.charCodeAt(start - 1);
  if (before === 47) return text.charCodeAt(start - 2) !== 47 && !isSocket(text, start);
  if (before !== 92) return false;
  return !/^[^\\\w]\\/.test(text.slice(start - 2, start)) && !SHARE.test(text.slice(Math.max(0, start - 9), start));
}

function isFileName(original: string, labels: readonly string[]): boolean {
  const suffix = labels.at(-1) ?? '';
  if (!FILE_SUFFIXES.has(suffix)) return false;
  const inner = labels.at(-2) ?? '';
  if (labels.length > 2) return !MAYBE_FILE.has(suffix) && (/^\d+$/.test(inner) || INNER_ENDINGS.has(inner) || FILE_ENDINGS.has(inner));
  if (!MAYBE_FILE.has(suffix)) return true;
  return /^(?:lib|main|index|test|setup|install|run|build|config|configure|makefile|util|utils|helper|script|server|client|app|readme)[\w-]*\./i.test(
    original,
  );
}

/** `Microsoft.Storage`, `MICROSOFT.NETWORK`, `Mail.Read`, `Auth0.Events`: name spaces, permissions and audit events, below new top-level domains. */
function isInterfaceName(original: string): boolean {
  const dot = original.indexOf('.');
  const suffix = original.slice(original.lastIndexOf('.') + 1);
  if (suffix.length < 3 || isCommonSuffix(original.toLowerCase())) return false;
  return /^(?:MICROSOFT|WINDOWS)\.[A-Z]+$/.test(original) || (dot > 2 && /^(?:[A-Z][a-z][A-Za-z\d]*\.)+[A-Z][a-z]+$/.test(original));
}

/** The name of an operation: the value of a key that says so, or followed by what is done (`microsoft.web/sites/write`). */
function isAction(text: string, start: number, end: number): boolean {
  if (text.charCodeAt(end) === 47 && /^(?:\/[A-Za-z]{2,40}){1,6}\/(?:read|write|delete|action)\b/i.test(text.slice(end, end + 160)))
    return true;
  const before = text.charCodeAt(start - 1);
  if (before !== 34 && before !== 39 && before !== 61) return false;
  let at = start;
  while (at > 0 && start - at < 8 && isKeySign(text.charCodeAt(at - 1))) at -= 1;
  return ACTION_ENDS.has(text.charCodeAt(at - 1) | 32) && ACTION_KEY.test(text.slice(Math.max(0, at - 24), at));
}

/** Quotes, colon, equals sign, blank, opening square bracket, backslash. */
function isKeySign(code: number): boolean {
  return code === 34 || code === 39 || code === 58 || code === 61 || code === 32 || code === 91 || code === 92;
}

/** `user.name`, `x.data`, `u.id`, `myObject.page`. */
function isField(original: string, first: string, suffix: string): boolean {
  if (OBJECTS.has(first) || /[a-z][A-Z]/.test(original)) return true;
  return first.length === 1 && (suffix.length > 3 || /^(?:id|is|in|no|do|as|at)$/.test(suffix));
}

/** `done.So`: a sentence that ends and one that starts, with no blank between. */
function isRunOnSentence(original: string): boolean {
  const dot = original.lastIndexOf('.');
  return /^[A-Z][a-z]+$/.test(original.slice(dot + 1)) && !/^[A-Z]/.test(original);
}

/** States of an element in a rule of style: `.btn.live:hover`. */
const ELEMENT_STATE = /^::?(?:hover|focus|active|visited|link|before|after|first|last|nth|not|checked|disabled|root|target|empty)\b/;

/** A call, an assignment, a rule of style or a key: `logging.info(`, `user.name=`, `.btn.live{`, `"host.name":`. */
function isFollowedLikeCode(text: string, end: number): boolean {
  const next = text.charCodeAt(end);
  if (next === 40 || next === 61 || next === 123) return true;
  if (next === 58) return ELEMENT_STATE.test(text.slice(end, end + 12));
  return (next === 34 || next === 39) && /^["']\s{0,2}[:=]/.test(text.slice(end, end + 4));
}
