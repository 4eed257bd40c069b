import { isDot, isHostCharacter, isWordCharacter, mayBeMark, plainHostEnd } from './characters.ts';
import type { DefangMark } from './defang-mark.ts';
import { readDefangMark } from './defang-mark.ts';

const DOT = 46;

/** Longest run that is looked at as one name, in characters: a name of 253 with every dot defanged at length fits in. */
export const MAX_RUN = 2048;

/** How many closing brackets may stand behind a dot: `78.128.76.]]]165`. */
const MAX_CLOSING = 3;

/** Characters of a host name in a row, with the defang marks for dots between them. */
export interface HostRun {
  readonly start: number;
  /** Behind its last character; trailing dots, hyphens and underscores are not part of it. */
  readonly end: number;
  /** Behind all of it: from here reading goes on when the run is nothing. */
  readonly stop: number;
  readonly dots: number;
  readonly isDefanged: boolean;
  /** Whether it has letters outside ASCII. */
  readonly isWide: boolean;
  /** A mark behind it that is no dot: the run may be a scheme, a local part or the start of an IPv6 address. */
  readonly mark: DefangMark | null;
}

/** A run that is written over by the next one that is read into it: a text has one every few characters, and nobody keeps them. */
export type ScratchRun = { -readonly [Key in keyof HostRun]: HostRun[Key] };

/** A run that nothing was read into. */
export function scratchRun(): ScratchRun {
  return { start: 0, end: 0, stop: 0, dots: 0, isDefanged: false, isWide: false, mark: null };
}

/** Reads the run that starts at `start`, where a host character stands. `plainEnd`: up to where there are letters and digits, if known. */
export function readHostRun(text: string, start: number, run = scratchRun(), plainEnd = start): HostRun {
  const limit = Math.min(text.length, start + MAX_RUN);
  let end = Math.min(plainEnd, limit);
  let dots = 0;
  let isDefanged = false;
  let isWide = false;
  let mark: DefangMark | null = null;
  while (end < limit) {
    end = plainHostEnd(text, end, limit);
    if (end === limit) break;
    const code = text.charCodeAt(end);
    if (code === DOT) {
      dots += 1;
      end += 1;
      continue;
    }
    if (code > 127 && isHostCharacter(code)) {
      isWide = true;
      if (isDot(code)) dots += 1;
      end += 1;
      continue;
    }
    if (!mayBeMark(code)) break;
    const found = markAfter(text, start, end);
    if (found === null || found.kind !== 'dot') {
      mark = found;
      break;
    }
    if (text.charCodeAt(end - 1) !== DOT) dots += 1;
    isDefanged = true;
    end = found.end;
  }
  let stop = end;
  // Longer than any name: nothing may start in the middle of it.
  while (stop >= limit && stop < text.length && isHostCharacter(text.charCodeAt(stop))) stop += 1;
  const behind = end;
  while (end > start && !isWordCharacter(text.charCodeAt(end - 1))) {
    if (isDot(text.charCodeAt(end - 1))) dots -= 1;
    end -= 1;
  }
  run.start = start;
  run.end = end;
  run.stop = stop;
  run.dots = dots;
  run.isDefanged = isDefanged;
  run.isWide = isWide;
  run.mark = behind === end ? mark : null;
  return run;
}

/** A mark behind the run, or around its last dot: `evil.]com`, unless the bracket was opened before the run. */
function markAfter(text: string, start: number, end: number): DefangMark | null {
  const mark = readDefangMark(text, end);
  if (mark !== null || text.charCodeAt(end - 1) !== DOT) return mark;
  const code = text.charCodeAt(end);
  const isClosing = (code === 93 && text.charCodeAt(start - 1) !== 91) || (code === 125 && text.charCodeAt(start - 1) !== 123);
  if (!isClosing || end - 1 <= start) return null;
  let behind = end + 1;
  while (behind < end + MAX_CLOSING && text.charCodeAt(behind) === code) behind += 1;
  return isWordCharacter(text.charCodeAt(behind)) ? { kind: 'dot', end: behind } : null;
}
