import { countedName } from '../../model/parsing/counted-name.ts';
import { note } from '../extracted.ts';
import type { Reading } from '../extracted.ts';
import { findHost } from './find-name.ts';
import { readHostRun } from './host-name-run.ts';

/** Longest name in this form, in characters: one of 253 with a count for each label. */
const MAX_LENGTH = 640;
const COUNTED = /^(?:\(\d{1,2}\)[\w-]{1,63}){1,64}\(0\)/;

/**
 * Reads a name as the DNS server of Windows logs it, each label behind its length: `(4)evil(7)badhost(3)net(0)`. It starts with the bracket
 * at `at`. Gives the place behind it, or -1.
 */
export function readCountedName(reading: Reading, at: number): number {
  const match = COUNTED.exec(reading.text.slice(at, at + MAX_LENGTH));
  if (match === null) return -1;
  const end = at + match[0].length;
  const name = countedName(match[0]);
  if (name === null) return end;
  const host = findHost({ ...reading, text: name }, readHostRun(name, 0));
  if (host?.end === name.length) note(reading, host.host.indicator.type, host.host.indicator.value, { start: at, end });
  return end;
}
