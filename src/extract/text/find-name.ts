import { parseHost } from '../../model/parsing/host-name.ts';
import type { Indicator } from '../../model/indicator.ts';
import { refang } from '../../model/refang.ts';
import { isDot, isUnspacedScript, isWordCharacter } from './characters.ts';
import type { FoundHost, Reading } from '../extracted.ts';
import type { HostRun } from './host-name-run.ts';
import { mayBeGateway } from '../links/unwrap-link.ts';
import { namedHost, noHost, ownCopy } from './judged-host.ts';
import type { JudgedHost } from './judged-host.ts';
import { hasKnownSuffix } from './name-suffixes.ts';
import { nameTrap } from './lookalikes.ts';

/** How many hosts are remembered at most. */
const MAX_JUDGED = 20_000;

/** What was judged by each list of suffixes: the same hosts come again from text to text. */
const judgedBy = new WeakMap<(host: string) => boolean, Map<string, JudgedHost>>();

/** The hosts that were judged already by this list of suffixes; grows by reading, up to a bound. */
export function judgedWith(hasPublicSuffix: (host: string) => boolean): Map<string, JudgedHost> {
  const known = judgedBy.get(hasPublicSuffix) ?? new Map<string, JudgedHost>();
  judgedBy.set(hasPublicSuffix, known);
  return known;
}

/** How often labels behind a name may be dropped to make it one: `evil.com.Then`. */
const MAX_DROPS = 3;

/**
 * The name or IPv4 address that a run holds, by its suffix; `null` when it holds none. Words of scripts without blanks are cut off its ends
 * (`访问evil.com查看`), as is the start of a next sentence.
 */
export function findHost(reading: Reading, run: HostRun): FoundHost | null {
  let { start, end } = run.isWide ? withoutUnspacedEnds(reading.text, run) : run;
  while (start < end && !isNameStart(reading.text.charCodeAt(start))) start += 1;
  if (run.isWide) {
    const first = firstOfList(reading, run, start);
    if (first !== null) return first;
  }
  for (let drops = 0; drops <= MAX_DROPS && end > start; drops += 1) {
    const host = judge(reading, start, end, run);
    if (host.indicator !== null) return { host, start, end };
    const cut = droppableLabel(reading.text, start, end);
    if (cut < 0) return null;
    end = cut;
  }
  return null;
}

/** `evil.com。bad.net`: an ideographic full stop behind a name ends the sentence; inside of one (`evil。com`) it is a dot. */
function firstOfList(reading: Reading, run: HostRun, start: number): FoundHost | null {
  for (let at = start + 1; at < run.end; at += 1) {
    const code = reading.text.charCodeAt(at);
    if (code !== 0x3002 && code !== 0xff61) continue;
    const host = judge(reading, start, at, run);
    if (host.indicator !== null) return { host, start, end: at };
  }
  return null;
}

/** Canonical name or address for the host between two places, and whether it may be a trap; remembered for the next time it is met. */
function judge(reading: Reading, start: number, end: number, run: HostRun): JudgedHost {
  const written = reading.text.slice(start, end);
  const known = reading.judged.get(written);
  if (known !== undefined && known.isDefanged === run.isDefanged) return known;
  const original = ownCopy(written, run.isWide);
  const parsed = parseHost(run.isDefanged || run.isWide ? refang(original) : original);
  const host =
    parsed.kind === 'invalid' ? noHost(original, run.isDefanged) : judgeIndicator(parsed.indicator, original, run.isDefanged, reading);
  if (reading.judged.size >= MAX_JUDGED) reading.judged.clear();
  reading.judged.set(original, host);
  return host;
}

function judgeIndicator(indicator: Indicator, original: string, isDefanged: boolean, { hasPublicSuffix }: Reading): JudgedHost {
  if (indicator.type !== 'domain-name') return namedHost(indicator, original, isDefanged);
  if (!hasKnownSuffix(indicator.value, isDefanged, hasPublicSuffix)) return noHost(original, isDefanged);
  const trap = isDefanged ? 'no' : nameTrap(original, indicator.value);
  return { original, isDefanged, trap, isGateway: mayBeGateway(indicator.value), indicator };
}

function isNameStart(code: number): boolean {
  return isWordCharacter(code) || code === 95;
}

/** Where a name may end instead, when its last label is a capitalised word, in another script, or goes on with a hyphen; -1 otherwise. */
function droppableLabel(text: string, start: number, end: number): number {
  let dot = end - 1;
  while (dot > start && !isDot(text.charCodeAt(dot))) dot -= 1;
  if (dot <= start) return -1;
  // `evil.com-hosted`: no top-level domain has a hyphen in it.
  const hyphen = lettersEnd(text, dot + 1, end);
  if (hyphen > dot + 2 && hyphen < end - 1 && text.charCodeAt(hyphen) === 45 && lettersEnd(text, hyphen + 1, end) === end) return hyphen;
  const first = text.charCodeAt(dot + 1);
  const isCapitalised = hyphen === end && first <= 90 && smallLettersEnd(text, dot + 2, end) === end;
  return isCapitalised || isUnspacedScript(first) || text.charCodeAt(dot) > 127 ? dot : -1;
}

/** Where the ASCII letters that start at `from` end. */
function lettersEnd(text: string, from: number, limit: number): number {
  let at = from;
  while (at < limit && isSmallLetter(text.charCodeAt(at) | 32)) at += 1;
  return at;
}

function smallLettersEnd(text: string, from: number, limit: number): number {
  let at = from;
  while (at < limit && isSmallLetter(text.charCodeAt(at))) at += 1;
  return at;
}

function isSmallLetter(code: number): boolean {
  return code >= 97 && code <= 122;
}

/** Cuts words of Chinese, Japanese, Korean or Thai that touch ASCII letters in the first and the last label. */
function withoutUnspacedEnds(text: string, { start: from, end: to }: { start: number; end: number }): { start: number; end: number } {
  let start = from;
  for (let at = from; at < to && !isDot(text.charCodeAt(at)); at += 1) {
    if (isUnspacedScript(text.charCodeAt(at)) && at + 1 < to && isPlainWord(text.charCodeAt(at + 1))) start = at + 1;
  }
  let end = to;
  for (let at = to - 1; at > start && !isDot(text.charCodeAt(at)); at -= 1) {
    if (isUnspacedScript(text.charCodeAt(at)) && isPlainWord(text.charCodeAt(at - 1))) end = at;
  }
  return { start, end };
}

function isPlainWord(code: number): boolean {
  return code < 128 && isWordCharacter(code);
}
