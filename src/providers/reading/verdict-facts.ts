// src/providers/reading/: what several sources have in common: how their calls are described, their answers read and their words understood.
import type { Indicator } from '../../model/indicator.ts';
import { LookupError } from '../../model/lookup-error.ts';
import { parseIndicator } from '../../model/parse-indicator.ts';
import type { Verdict, VerdictWord } from '../../model/verdict.ts';
import { inertText } from '../../model/formats/inert-text.ts';

/** Longer lists are cut: an event is no place for a vendor's whole database. */
const MAX_WORDS = 32;
const MAX_WORD_CHARS = 64;

/** Evidence of an allow list keeps a score at or below this: such an address is shared by the whole world, whatever is reported about it. */
export const ALLOW_LISTED_MAX_SCORE = 20;

/** A verdict; what is left out of `facts` was not said. Word lists come out lower case, each word once. */
export function verdictOf(provider: string, facts: Partial<Verdict>): Verdict {
  return {
    verdict: 'unknown',
    sightings: null,
    firstSeen: null,
    lastSeen: null,
    tlp: 'CLEAR',
    isPending: false,
    ...facts,
    provider,
    reference: facts.reference ? inertText(facts.reference) : null,
    score: percent(facts.score),
    confidence: percent(facts.confidence),
    categories: words(facts.categories ?? []),
    attributes: words(facts.attributes ?? []),
  };
}

/** The word for a score that speaks against the indicator. Never `clean`: a low score alone clears nobody. */
export function wordOfScore(
  score: number,
  edges: { readonly malicious: number; readonly suspicious: number } = { malicious: 60, suspicious: 25 },
): VerdictWord {
  if (score >= edges.malicious) return 'malicious';
  return score >= edges.suspicious ? 'suspicious' : 'unknown';
}

/** Lower case, trimmed, each once, blanks inside as one hyphen; empty ones and what is beyond the bound are dropped. */
export function words(texts: readonly (string | null | undefined)[]): string[] {
  const clean = texts.map((text) =>
    inertText(text ?? '')
      .trim()
      .toLowerCase()
      .replace(/[\s_]+/g, '-')
      .slice(0, MAX_WORD_CHARS),
  );
  return [...new Set(clean.filter((text) => text !== ''))].slice(0, MAX_WORDS);
}

/** Refuses an answer about another value than the one asked for: a broken proxy or a lying server, never a verdict. */
export function assertAbout(provider: string, indicator: Indicator, echoed: readonly (string | null | undefined)[]): void {
  if (echoed.some((value) => typeof value === 'string' && isAbout(indicator, value))) return;
  throw new LookupError('bad_response', provider, 'answered about another value than the one asked for');
}

/** The same where the vendor may leave the echo out: what is not there refuses nothing. */
export function assertAboutIfTold(provider: string, indicator: Indicator, echoed: unknown): void {
  if (typeof echoed === 'string' && echoed.trim() !== '') assertAbout(provider, indicator, [echoed]);
}

/** Whether what a vendor echoes is this value, in whatever spelling: case, defanged, a trailing dot, any form of an IPv6 address. */
export function isAbout(indicator: Indicator, echoed: string): boolean {
  const text = echoed.trim();
  if (text.toLowerCase() === indicator.value.toLowerCase()) return true;
  if (indicator.type.startsWith('file:')) return false;
  const parsed = parseIndicator(text);
  const other = 'indicator' in parsed ? parsed.indicator : null;
  if (other === null) return false;
  if (other.value.toLowerCase() === indicator.value.toLowerCase()) return true;
  if (indicator.type !== 'url') return false;
  // Vendors rewrite URLs (escapes, scheme, a last slash), and some judge the host alone and echo it.
  const host = URL.parse(indicator.value)?.hostname.replace(/^\[(.*)\]$/, '$1');
  return other.type === 'url' ? bareUrl(other.value) === bareUrl(indicator.value) : other.value.toLowerCase() === host;
}

/** A URL without what vendors change: scheme, `www.`, fragment, escapes, case and slashes at the end. */
function bareUrl(text: string): string {
  const bare = text
    .replace(/#.*$/s, '')
    .replace(/^[a-z][a-z\d+.-]*:\/\/(www\.)?/i, '')
    .replace(/\/+(?=\?|$)/, '');
  return unescaped(bare).toLowerCase();
}

function unescaped(text: string): string {
  return text.replace(/%[\da-f]{2}/gi, (escape) => String.fromCharCode(Number.parseInt(escape.slice(1), 16)));
}

function percent(value: number | null | undefined): number | null {
  return value === null || value === undefined || !Number.isFinite(value) ? null : Math.min(100, Math.max(0, Math.round(value)));
}
