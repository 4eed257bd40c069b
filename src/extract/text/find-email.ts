import { parseIndicator } from '../../model/parse-indicator.ts';
import { refang } from '../../model/refang.ts';
import { inLowerCase, isHostCharacter, isLocalCharacter, isUnspacedScript, isWordCharacter } from './characters.ts';
import { note, noteHost } from '../extracted.ts';
import type { Reading } from '../extracted.ts';
import { findHost } from './find-name.ts';
import { readHostRun, scratchRun } from './host-name-run.ts';

/** Longest local part, in characters (RFC 5321 §4.5.3.1), and room for its defanging. */
const MAX_LOCAL = 128;

const LITERAL = /\[(?:IPv6:)?[\d.:a-f]{2,45}\]/iy;
const WORDED_DOMAIN = / at ([a-z\d-]{1,63}(?: dot [a-z\d-]{2,63}){1,4})(?![\w-])/iy;

/** The run behind an at sign; no longer needed once the name in it is found. */
const DOMAIN = scratchRun();

/** What may stand with a colon right before an address. Another word there is a user name, and what follows it a password. */
const LABELS =
  /(?:^|[^\w-])(?:mailto|from|to|cc|bcc|e-?mail|mail|reply-?to|sender|contact|addr|address|recipient|rcpt|account|acct|xmpp|sips?|smtp|imap|user(?:name)?|login|id|by|owner)(?: to| from)?:$/i;
/** Headers whose addresses are no mailboxes. */
const MESSAGE_ID =
  /(?:message-id|in-reply-to|references|content-id|resent-message-id)["']?\s{0,3}[:=]\s{0,3}["']?[^\n]{0,60}$|(?:^|[^a-z])cid:$/i;

/**
 * Reads the e-mail address around an at sign that starts at `at` and whose domain starts at `domainStart`. Gives the place behind the
 * address; -1 when it is none: what stands behind the sign is then read for itself.
 */
export function readEmail(reading: Reading, at: number, domainStart: number): number {
  const { text } = reading;
  const start = localStart(reading, at);
  if (start === at) return -1;
  if (text.charCodeAt(domainStart) === 91) return readLiteral(reading, start, domainStart);
  if (!isHostCharacter(text.charCodeAt(domainStart))) return -1;
  const run = readHostRun(text, domainStart, DOMAIN);
  const host = findHost(reading, run);
  if (host === null || host.start !== domainStart || host.host.indicator.type !== 'domain-name') return -1;
  if (isMessageId(text, start)) return host.end;
  if (isNoMailbox(text, start, host.end)) return -1;
  const value = canonicalAddress(text.slice(start, at), host.host.indicator.value);
  if (value === null) return -1;
  note(reading, 'email-addr', value, { start, end: host.end });
  if (reading.withHosts) noteHost(reading, host);
  return host.end;
}

/** `user@[192.0.2.1]`: the host is an address in brackets. */
function readLiteral(reading: Reading, start: number, bracket: number): number {
  LITERAL.lastIndex = bracket;
  if (!LITERAL.test(reading.text)) return -1;
  const end = LITERAL.lastIndex;
  const parsed = parseIndicator(reading.text.slice(start, end));
  if (parsed.kind === 'invalid' || parsed.indicator.type !== 'email-addr') return -1;
  note(reading, 'email-addr', parsed.indicator.value, { start, end });
  return end;
}

/** `domain` is canonical; `local` may be defanged. */
function canonicalAddress(local: string, domain: string): string | null {
  if (isPlainLocal(local)) return `${inLowerCase(local)}@${domain}`;
  const plain = refang(local);
  if (isPlainLocal(plain)) return `${inLowerCase(plain)}@${domain}`;
  const parsed = parseIndicator(`${plain}@${domain}`);
  return parsed.kind === 'invalid' || parsed.indicator.type !== 'email-addr' ? null : parsed.indicator.value;
}

/** Letters, digits, underscores and hyphens, with single dots, pluses, equals signs and apostrophes between them. */
function isPlainLocal(local: string): boolean {
  if (local.length === 0 || local.length > 64 || local.charCodeAt(0) === 45) return false;
  let isBetween = true;
  for (let at = 0; at < local.length; at += 1) {
    const code = local.charCodeAt(at);
    const isSign = code === 46 || code === 43 || code === 61 || code === 39;
    if (code > 127 || (isSign ? isBetween : !isHostCharacter(code))) return false;
    isBetween = isSign;
  }
  return !isBetween;
}

/** Reads `user at evil dot com`, where `run` is the user. -1 when it is none. */
export function readWordedEmail(reading: Reading, run: { start: number; end: number }): number {
  WORDED_DOMAIN.lastIndex = run.end;
  const match = WORDED_DOMAIN.exec(reading.text);
  if (match?.[1] === undefined) return -1;
  const domain = match[1].replaceAll(/ dot /gi, '.');
  const parsed = parseIndicator(`${reading.text.slice(run.start, run.end)}@${domain}`);
  if (parsed.kind === 'invalid' || parsed.indicator.type !== 'email-addr' || !reading.hasPublicSuffix(domain.toLowerCase())) return -1;
  const end = run.end + match[0].length;
  note(reading, 'email-addr', parsed.indicator.value, { start: run.start, end });
  return end;
}

/** Where the local part before `at` starts, not before what was found already. */
function localStart({ text, from }: Reading, at: number): number {
  const limit = Math.max(from, at - MAX_LOCAL);
  let start = at;
  while (start > limit) {
    const code = text.charCodeAt(start - 1);
    if (isUnspacedScript(code)) break;
    const marked = markedDotBefore(text, start, limit);
    if (marked > 0) start = marked;
    else if (isLocalCharacter(code)) start -= 1;
    else break;
  }
  while (start < at && !isLocalStart(text.charCodeAt(start))) start += 1;
  return escapedStart(text, start, at);
}

/** `john[.]doe`: where the mark for a dot that ends at `end` starts; 0 when there is none. */
function markedDotBefore(text: string, end: number, limit: number): number {
  const code = text.charCodeAt(end - 1);
  if (code !== 93 && code !== 41 && code !== 125) return 0;
  const mark = /[[({](?:\.|dot)[\])}]$/i.exec(text.slice(Math.max(limit, end - 5), end));
  return mark === null ? 0 : end - mark[0].length;
}

/** `\nbob@evil.com` in escaped text is a line break and an address; `key=bob@evil.com` and `'bob@evil.com` are a key or quote and an address. */
function escapedStart(text: string, start: number, at: number): number {
  if (text.charCodeAt(start - 1) !== 92 && !hasEqualsSign(text, start, at)) return start;
  const local = text.slice(start, at);
  const key = /^(?:.*[?&])?[\w.-]{1,40}=['"]?(?=\w)/.exec(local);
  if (key !== null) return start + key[0].length;
  return text.charCodeAt(start - 1) === 92 && /^[nrt]\w/.test(local) ? start + 1 : start;
}

function hasEqualsSign(text: string, start: number, end: number): boolean {
  for (let at = start; at < end; at += 1) if (text.charCodeAt(at) === 61) return true;
  return false;
}

function isLocalStart(code: number): boolean {
  return isWordCharacter(code) || code === 95 || code === 43;
}

function isMessageId(text: string, start: number): boolean {
  const before = text.charCodeAt(start - 1);
  if (before !== 60 && before !== 58 && before !== 32 && before !== 34) return false;
  return hasKeyBefore(text, start) && MESSAGE_ID.test(text.slice(Math.max(0, start - 90), start));
}

/** Whether what ends before a colon or an equals sign, over blanks and a quote, ends as those headers do. */
function mayEndKey(text: string, sign: number): boolean {
  let at = sign;
  while (at > 0 && sign - at < 5 && isBlankOrQuote(text.charCodeAt(at - 1))) at -= 1;
  // `-id`, `-to`, `references`, `cid`.
  const third = text.charCodeAt(at - 3) | 32;
  if (third !== 45 && third !== 99) return false;
  const last = text.charCodeAt(at - 1) | 32;
  return last === 100 || last === 111 || last === 115;
}

function isBlankOrQuote(code: number): boolean {
  return code <= 32 || code === 34 || code === 39 || code > 127;
}

/** Whether a colon or an equals sign stands so near before a place that a header or a key may end there. */
function hasKeyBefore(text: string, start: number): boolean {
  for (let at = start - 1; at >= Math.max(0, start - 90); at -= 1) {
    const code = text.charCodeAt(at);
    if ((code === 58 || code === 61) && mayEndKey(text, at)) return true;
  }
  return false;
}

/** A user name with its password, a remote of ssh (`git@host:path`). */
function isNoMailbox(text: string, start: number, end: number): boolean {
  if (text.charCodeAt(start - 1) === 58) {
    const before = text.slice(Math.max(0, start - 32), start);
    if (/[a-z0-9]:$/.test(before) && !LABELS.test(before)) return true;
  }
  return text.charCodeAt(end) === 58 && /^:[\w~/]/.test(text.slice(end, end + 2)) && !/^:\d{1,5}(?!\w)/.test(text.slice(end, end + 7));
}
