import { parseEmail } from './parsing/email-address.ts';
import { hashLengthFault, ipv4Observable, parseHost, parseIpv6 } from './parsing/host-name.ts';
import type { IndicatorType, ParsedObservable } from './indicator.ts';
import { invalid } from './parsing/invalid-observable.ts';
import { ipv4FromText } from './parsing/ipv4-address.ts';
import { refang } from './refang.ts';
import { parseUrl } from './parsing/url.ts';
import { parseVulnerabilityId } from './parsing/vulnerability-id.ts';
import { maskedNetwork } from './parsing/masked-network.ts';
import { withoutNote } from './parsing/note-behind.ts';

/** Longest value that is looked at, in characters; nothing longer is an indicator. */
const MAX_LENGTH = 65_536;

const MAX_PORT = 65_535;

/** An address with its port and interface, as SonicWall writes it (`192.0.2.1:443:X1`), or one mapped to IPv6 with a port and no brackets. */
const SOCKET = /^((?:\d{1,3}\.){3}\d{1,3}):\d{0,5}:[a-z][\w .-]{0,40}$|^(::ffff:(?:\d{1,3}\.){3}\d{1,3}):\d{1,5}$/i;

/** `192.0.2.1:443/tcp`, as scanners write an open port. */
const ADDRESS_AND_PROTOCOL = /^(?:\d{1,3}\.){3}\d{1,3}:\d{1,5}\/(?:tcp|udp|sctp|icmp)$/i;

/**
 * A URL without its scheme whose path or query has signs in it that elsewhere stand in front of a port, a domain or another scheme
 * (`evil.com/a:b`, `evil.com/a?to=bob@corp.com`, `evil.com?u=http://b.com`, `evil.com#bob@corp.com`). A number and a colon behind an address are no path.
 */
const BARE_URL =
  /^(?!(?:\d{1,3}\.){3}\d{1,3}\/\d{1,5}\b)[^\s/?#@:\\[\]]{1,253}\.[^\s/?#@:\\[\]]{1,63}(?::\d{1,5})?(?:\/[^@:]*[@:]|\?[\w.~-]+=|(?<=\.[a-z]{2,63})#[^@\s]*@)/i;

const OTHER = 1;
const HEX = 2;
const COLON = 4;
const SLASH = 8;
const AT = 16;
/** What defanged text is made of, and letters outside ASCII. */
const MARK = 32;
const CONTROL = 64;

/** What kinds of characters there are, by code; those outside ASCII are marks. */
const KIND = kindsOfCharacters();

const HASH_TYPES: ReadonlyMap<number, IndicatorType> = new Map([
  [32, 'file:md5'],
  [40, 'file:sha1'],
  [64, 'file:sha256'],
  [128, 'file:sha512'],
]);

/**
 * Reads one value as it stands in an event: trims, refangs, classifies, normalises, and tells what may leave the house. Never throws;
 * linear in the length of `raw`. Reading the value it gives once more gives the same again. Decisions where writers differ:
 * host:port and [address]:port are the host; a /32 or /128 is the address, larger networks are refused; `host/path` without a scheme is an
 * http URL; `address/port` and `value|port` are the address or name; `Name <user@host>` and `mailto:` are the address; `sha256:…` is the
 * hash.
 */
export function parseIndicator(raw: string): ParsedObservable {
  const address = ipv4FromText(raw, 0, raw.length);
  if (address >= 0) return ipv4Observable(raw, address);
  if (raw.length > MAX_LENGTH)
    return invalid(`value of ${raw.length} characters: no indicator is that long; put one indicator into the field`);
  const text = unwrap(raw);
  if (text === '') return invalid('empty value: nothing to look up');
  const kinds = kindsIn(text);
  if ((kinds & MARK) === 0 && !isOddScheme(text, kinds)) return classify(text, kinds);
  // "Name <user@host>" as mail headers carry it, "192.0.2.1#53" as name servers write a port.
  const named = /^[^<>]*<([^<>@\s]+@[^<>@\s]+)>$/.exec(text) ?? /^([\d.]{7,15}|[\da-f:]{3,39})#\d{1,5}$/i.exec(text);
  const plain = unwrap(refang(named?.[1] ?? text));
  if (plain === '') return invalid('empty value: nothing to look up');
  return classify(plain, kindsIn(plain));
}

/** Tells by its characters what `text` (trimmed, plain) is, and reads it as that. */
function classify(text: string, kinds: number): ParsedObservable {
  if ((kinds & CONTROL) !== 0) return invalid('control character or line break in the value: split it into single values');
  if (kinds === HEX && text.length >= 24) return parseHash(text, text.length);
  const scheme = (kinds & (COLON | SLASH)) === (COLON | SLASH) ? text.indexOf('://') : -1;
  if (isBareUrl(text, kinds, scheme)) return parseWithSlash(text);
  if (scheme > 0) return parseUrl(text, scheme);
  const first = text.charCodeAt(0);
  if (first === 47 || first === 92) {
    const socket = parseSocket(text);
    if (socket !== null) return socket;
    if (first === 47) return invalid('a path or words with a slash, not an indicator: write a URL with its scheme, or the host');
  }
  if ((kinds & COLON) !== 0) return classifyWithColon(text, kinds);
  if ((kinds & AT) !== 0) return parseEmail(text);
  if ((kinds & SLASH) !== 0) return parseWithSlash(text);
  return (text.includes('|') ? parseWithPipe(text) : null) ?? parseVulnerabilityId(text) ?? parseHost(text);
}

/** Whether it is a URL without its scheme that would be taken for something else. `scheme`: where `://` stands; -1: nowhere. */
function isBareUrl(text: string, kinds: number, scheme: number): boolean {
  if (scheme > 0 && text.indexOf('.') > scheme) return false;
  return ((kinds & SLASH) === 0 ? /[?#]/.test(text) : (kinds & (COLON | AT)) !== 0) && BARE_URL.test(text);
}

/**
 * `/192.0.2.1` and `/192.0.2.1:443`, as Java writes an address whose name is not known, and `\\192.0.2.1`, as IIS writes a field that a
 * balancer set; `null`: anything else, a path.
 */
function parseSocket(text: string): ParsedObservable | null {
  const rest = text.replace(/^(?:\/|\\{1,2})/, '');
  const said = /^(?:(?:\d{1,3}\.){3}\d{1,3}|\[?[\da-f:.]{2,45}\]?)(?::\d{1,5})?$/i.test(rest) ? parseIndicator(rest) : null;
  return said !== null && said.kind !== 'invalid' && said.indicator.type.startsWith('ip') ? said : null;
}

function classifyWithColon(text: string, kinds: number): ParsedObservable {
  const zoneless = (kinds & (OTHER | AT | SLASH)) === 0;
  if (zoneless || /^\[?[\da-f:.]*%/i.test(text)) {
    const address = parseIpv6(text);
    if (address !== null) return address;
  }
  const bracketed = /^\[([^\]]{2,})\](?::(\d{1,5}))?$/.exec(text);
  if (bracketed?.[1] !== undefined) return parseBracketed(bracketed[1]);
  const mail = /^mailto:\/*([^?]+)/i.exec(text);
  if (mail?.[1]) return classifyMail(mail[1]);
  const hash = /^(md5|sha-?1|sha-?256|sha-?512):([\da-f]+)$/i.exec(text);
  if (hash?.[1] && hash[2]) return parseHash(hash[2], digitsOf(hash[1]));
  return classifyWithPort(text, kinds);
}

/** What stands in brackets before a port: an IPv6 address, or, as Office 365 and mail servers write it, an IPv4 address or a name. */
function parseBracketed(text: string): ParsedObservable {
  const address = parseIpv6(text);
  if (address !== null) return address;
  const host = text.includes('.') ? parseHost(text) : null;
  return host === null || host.kind === 'invalid' ? invalid('brackets around something that is not an address: check its spelling') : host;
}

/** An IPv6 address with the length of a network or, beyond that, a port behind its slash. */
function withPrefix(address: ParsedObservable, rest: string): ParsedObservable {
  if (rest === '128') return address;
  return /^\d{3,5}$/.test(rest) && Number(rest) > 128 && Number(rest) <= MAX_PORT ? address : invalid(networkFault());
}

/** `value|port` as MISP writes it; `null`: something else. */
function parseWithPipe(text: string): ParsedObservable | null {
  const said = /^([^|\s]+)\|(\d{1,5})$/.exec(text);
  return said?.[1] && Number(said[2]) <= MAX_PORT ? parseHost(said[1]) : null;
}

function classifyMail(text: string): ParsedObservable {
  // What would be read as a URL when it is read again is none.
  return text.includes('@') && !BARE_URL.test(text) ? parseEmail(text) : invalid('mailto: without an e-mail address');
}

/** `host:port`, `host:port/path`, and what only looks like it. */
function classifyWithPort(text: string, kinds: number): ParsedObservable {
  if (/^[a-z]:[\\/]/i.test(text)) return invalid('a Windows path, not an indicator: look up the file by its hash');
  if (/^(?:[\da-f]{2}:){5}[\da-f]{2}$/i.test(text))
    return invalid('a MAC address, not an indicator: it means nothing outside its own network');
  if (/^\d{4}-\d\d-\d\d[t ]?|^\d{1,2}:\d\d(?::\d\d)?/i.test(text))
    return invalid('a time, not an indicator: look up the address, name, URL or hash that was seen');
  const colon = text.indexOf(':');
  if (text.includes(':', colon + 1)) {
    const slash = text.lastIndexOf('/');
    const address = slash > 0 ? parseIpv6(text.slice(0, slash)) : null;
    if (address !== null && slash > 0) return withPrefix(address, text.slice(slash + 1));
    const socket = SOCKET.exec(text);
    if (socket !== null) return parseIndicator(socket[1] ?? socket[2] ?? '');
    if ((kinds & SLASH) === 0) return invalid('several colons, but no IPv6 address: check its spelling, or write the host alone');
  }
  const port = /^:(\d{1,5})(\/|$)/.exec(text.slice(colon, colon + 8));
  if (!port || Number(port[1]) > 65_535)
    return invalid('a colon that is followed by no port: write one address, name, URL, hash or e-mail address');
  if (port[2] === '/') return ADDRESS_AND_PROTOCOL.test(text) ? parseHost(text.slice(0, colon)) : parseWithSlash(text);
  if ((kinds & AT) !== 0) return invalid('user name with a host: write the host alone, or name@domain');
  return parseHost(text.slice(0, colon));
}

/** A network in CIDR form, `address/port` as firewalls write it, `host/path` without a scheme, and what only looks like it. */
function parseWithSlash(whole: string): ParsedObservable {
  const text = withoutNote(whole);
  if (/\s/.test(text)) return invalid('words behind the value: write one address, name or URL alone');
  const slash = text.indexOf('/');
  const host = text.slice(0, slash);
  const rest = text.slice(slash + 1);
  const masked = ipv4FromText(text, 0, slash) < 0 ? null : maskedNetwork(text);
  if (masked !== null) return parseWithSlash(masked);
  if (/^\d{1,5}$/.test(rest)) {
    const address = ipv4FromText(text, 0, slash);
    if (address >= 0 && rest.length <= 3 && Number(rest) <= 32)
      return rest === '32' ? ipv4Observable(host, address) : invalid(networkFault());
    if (address >= 0 && Number(rest) <= MAX_PORT) return ipv4Observable(host, address);
  }
  if (!host.includes('.') || host.startsWith('.'))
    return invalid('a path or words with a slash, not an indicator: write a URL with its scheme, or the host');
  return parseUrl(`http://${text}`, 4);
}

function parseHash(text: string, digits: number): ParsedObservable {
  const type = HASH_TYPES.get(digits);
  if (type === undefined || text.length !== digits) return invalid(hashLengthFault(text.length));
  return { kind: 'public', indicator: { type, value: text.toLowerCase() } };
}

function digitsOf(algorithm: string): number {
  if (/md5/i.test(algorithm)) return 32;
  return algorithm.endsWith('1') ? 40 : algorithm.endsWith('256') ? 64 : 128;
}

function networkFault(): string {
  return 'a network, not one address: write one address; networks belong into allow lists and warning lists';
}

/** Without white space, quotes and brackets around it, however nested, and without commas behind it unless it is a URL: there they may be meant. */
function unwrap(raw: string): string {
  let start = 0;
  let end = raw.length;
  let before = -1;
  const isTail = raw.includes('://') ? isBlank : isBlankOrComma;
  while (end - start !== before) {
    before = end - start;
    while (start < end && isBlank(raw.charCodeAt(start))) start += 1;
    while (end > start && isTail(raw.charCodeAt(end - 1))) end -= 1;
    if (end - start >= 2 && isPair(raw, start, end)) {
      start += 1;
      end -= 1;
    }
  }
  return start === 0 && end === raw.length ? raw : raw.slice(start, end);
}

function isPair(raw: string, start: number, end: number): boolean {
  const close = CLOSING.get(raw.charCodeAt(start));
  return close !== undefined && close === raw.charCodeAt(end - 1);
}

const CLOSING: ReadonlyMap<number, number> = new Map(
  ['""', "''", '``', '<>', '()', '[]', '{}', '“”', '‘’', '«»', '„“', '「」', '【】'].map((pair) => [
    pair.charCodeAt(0),
    pair.charCodeAt(1),
  ]),
);

function isBlank(code: number): boolean {
  return (
    code <= 32 ||
    code === 0xa0 ||
    code === 0xad ||
    code === 0xfeff ||
    (code >= 0x2000 && code <= 0x200f) ||
    code === 0x3000 ||
    (code >= 0x2028 && code <= 0x202f) ||
    (code >= 0x2060 && code <= 0x2064)
  );
}

function isBlankOrComma(code: number): boolean {
  return code === 44 || code === 59 || isBlank(code);
}

function kindsIn(text: string): number {
  let kinds = 0;
  for (let at = 0; at < text.length; at += 1) {
    const code = text.charCodeAt(at);
    kinds |= code < 128 ? (KIND[code] ?? 0) : MARK;
  }
  return kinds;
}

/** Whether it starts like a URL in a defanged scheme that has no bracket in it: `hxxp://`, `http//`. */
function isOddScheme(text: string, kinds: number): boolean {
  if ((kinds & SLASH) === 0) return false;
  if (text.startsWith('http') && (text.startsWith('://', 4) || text.startsWith('s://', 4))) return false;
  const first = text.charCodeAt(0) | 32;
  if (first !== 104 && first !== 102 && first !== 109) return false;
  return !/^(?:https?|ftp):\/\//i.test(text) && /^(?:h..p|f.p|meow)s?:?\//i.test(text);
}

function kindsOfCharacters(): Uint8Array {
  const kinds = new Uint8Array(128).fill(OTHER);
  kinds.fill(CONTROL, 0, 32);
  kinds[127] = CONTROL;
  for (const digit of '0123456789abcdefABCDEF') kinds[digit.charCodeAt(0)] = HEX;
  for (const mark of '[](){}<>\\*#') kinds[mark.charCodeAt(0)] = MARK;
  kinds[46] = 0;
  kinds[58] = COLON;
  kinds[47] = SLASH;
  kinds[64] = AT;
  return kinds;
}
