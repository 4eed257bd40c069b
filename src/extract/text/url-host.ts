import { parseIpv6 } from '../../model/parsing/host-name.ts';
import { parseIndicator } from '../../model/parse-indicator.ts';
import { refang } from '../../model/refang.ts';
import type { Reading } from '../extracted.ts';
import { isDigit, isHostCharacter } from './characters.ts';
import { findHost } from './find-name.ts';
import type { HostRun } from './host-name-run.ts';
import { readHostRun } from './host-name-run.ts';
import { namedHost } from './judged-host.ts';
import type { NamedHost } from './judged-host.ts';

const MARKED_PORT = /(?:\[:\]|\(:\))\d{1,5}(?!\d)/y;
/** Longest name that is looked at, in characters. */
const MAX_NAME = 253;
/** What may stand in a host that only punycode carries. */
const SIGNED_HOST = /[^\s/?#:@"'`<>()[\]{}\\|,;]{1,253}/y;
/** Pictures, arrows and other signs outside ASCII. */
const SIGN = /(?![\0-\u007f])[\p{So}\p{Sm}\p{Sk}]/u;
const PUNCTUATION = /(?![-_.])\p{P}/u;

/** A host inside a URL: what it is, where it stands, and where the port behind it ends. */
export interface UrlHost {
  readonly host: NamedHost | null;
  readonly start: number;
  readonly end: number;
  readonly portEnd: number;
}

/** Reads the host of a URL at a place; `null` when there is none. `known`: what is there, if read. `isWeb`: behind a scheme of the web. */
export function readUrlHost(reading: Reading, at: number, known: HostRun | null, isWeb: boolean): UrlHost | null {
  const { text } = reading;
  if (text.charCodeAt(at) === 91) {
    const close = text.slice(at, at + 64).indexOf(']');
    const inside = text.slice(at + 1, at + Math.max(close, 1));
    const address = /[\s/]/.test(inside) ? null : parseIpv6(refang(inside));
    if (address !== null && address.kind !== 'invalid')
      return {
        host: namedHost(address.indicator, inside),
        start: at + 1,
        end: at + close,
        portEnd: portEndInUrl(text, at + close + 1),
      };
  }
  if (!isHostCharacter(text.charCodeAt(at))) return isWeb ? signedHost(reading, at) : null;
  const run = known ?? readHostRun(text, at);
  const found = findHost(reading, run);
  if (found !== null)
    return found.start === at ? { host: found.host, start: at, end: found.end, portEnd: portEndInUrl(text, found.end) } : null;
  return isWeb ? (signedHost(reading, at) ?? unknownHost(text, run)) : null;
}

/** A host with signs in it that are no letters (`i❤.ws`), below a public suffix: what a browser would open. */
function signedHost({ text, hasPublicSuffix }: Reading, at: number): UrlHost | null {
  if (!hasWideCharacter(text, at)) return null;
  SIGNED_HOST.lastIndex = at;
  const written = (SIGNED_HOST.exec(text)?.[0] ?? '').replace(/[.!?…。]+$/, '');
  if (!SIGN.test(written) || PUNCTUATION.test(written)) return null;
  const parsed = parseIndicator(written);
  if (parsed.kind === 'invalid' || parsed.indicator.type !== 'domain-name' || !hasPublicSuffix(parsed.indicator.value)) return null;
  const end = at + written.length;
  return { host: namedHost(parsed.indicator, written), start: at, end, portEnd: findPortEnd(text, end) };
}

/** Whether anything outside ASCII stands before the next blank or slash. */
function hasWideCharacter(text: string, from: number): boolean {
  const limit = Math.min(text.length, from + MAX_NAME);
  for (let at = from; at < limit; at += 1) {
    const code = text.charCodeAt(at);
    if (code > 127) return true;
    if (code === 32 || code === 47) return false;
  }
  return false;
}

/** A host of the own network, or one below a suffix nobody knows: only where more than the host says that it is a URL. */
function unknownHost(text: string, run: HostRun): UrlHost | null {
  const host = { host: null, start: run.start, end: run.end, portEnd: findPortEnd(text, run.end) };
  if (text.charCodeAt(host.portEnd) === 58) return null;
  if (run.dots > 0) return host;
  const isMore = host.portEnd > run.end || /^\/[^\s"'<>]/.test(text.slice(run.end, run.end + 2));
  return isMore || /^localhost$/i.test(text.slice(run.start, run.end)) ? host : null;
}

/** Where the port of a URL with a scheme ends: a colon without a number is the default one (`http://evil.com:/a`, WHATWG URL). */
function portEndInUrl(text: string, at: number): number {
  const isEmpty = text.charCodeAt(at) === 58 && text.charCodeAt(at + 1) === 47 && text.charCodeAt(at + 2) !== 47;
  return isEmpty ? at + 1 : findPortEnd(text, at);
}

/** Where the port behind a host ends; `at`, where the host ends, when there is none. */
export function findPortEnd(text: string, at: number): number {
  const code = text.charCodeAt(at);
  if (code === 91 || code === 40) return Math.max(at, endOf(MARKED_PORT, text, at));
  if (code !== 58) return at;
  let end = at + 1;
  while (end < at + 7 && isDigit(text.charCodeAt(end))) end += 1;
  return end === at + 1 || end === at + 7 ? at : end;
}

/** Where a sticky pattern ends that begins at a place; -1 when it does not. */
export function endOf(pattern: RegExp, text: string, at: number): number {
  pattern.lastIndex = at;
  return pattern.test(text) ? pattern.lastIndex : -1;
}
