import type { EnrichmentJson } from '../../mapping/enrichment-json.ts';

/** What a row is called, worst first. `failed`: no source answered, which says nothing about the value. `waiting`: not asked yet. */
export const WORDS = ['malicious', 'suspicious', 'failed', 'unknown', 'clean', 'private', 'allowed', 'invalid', 'waiting'] as const;

export type Word = (typeof WORDS)[number];

/** A value of the table: where it came from, and what was said. */
export interface Row {
  readonly value: string;
  readonly type: string | null;
  /** How it stands in the text. */
  readonly original: string;
  /** In how many places. */
  readonly places: number;
  /** It only stands inside of URLs or addresses, and this is one of them. */
  readonly within: string | null;
  readonly answer: EnrichmentJson | null;
}

const ANSWERED: ReadonlySet<string> = new Set(['ok', 'stale', 'partial', 'pending']);

/** The word for an answer. */
export function wordOf(answer: EnrichmentJson | null): Word {
  if (answer === null) return 'waiting';
  if (answer.status === 'invalid') return 'invalid';
  if (answer.verdict === 'malicious' || answer.verdict === 'suspicious' || answer.verdict === 'clean') return answer.verdict;
  if (answer.status === 'skipped_private') return 'private';
  if (answer.status === 'skipped_allowlist') return 'allowed';
  return ANSWERED.has(answer.status) || answer.status.startsWith('skipped_') ? 'unknown' : 'failed';
}

/** How the table is sorted. */
export type SortKey = 'worst' | 'indicator' | 'score' | 'confidence' | 'status' | 'tier' | 'age';

/** What is shown of all rows. */
export interface Shown {
  readonly word: Word | '';
  readonly type: string;
  readonly status: string;
  readonly search: string;
  /** Also hosts that only stand inside of URLs. */
  readonly hosts: boolean;
  readonly sort: SortKey;
  readonly isReversed: boolean;
}

/** Everything, worst first. */
export const ALL_SHOWN: Shown = { word: '', type: '', status: '', search: '', hosts: false, sort: 'worst', isReversed: false };

/** Rows in the order of the table; equal ones stay as they stand in the text. */
export function shownRows(rows: readonly Row[], shown: Shown): Row[] {
  const words = new Map(rows.map((row) => [row.value, WORDS.indexOf(wordOf(row.answer))]));
  const search = shown.search.trim().toLowerCase();
  const wanted = rows.filter((row) => isShown(row, shown, { words, search }));
  const compare = COMPARE[shown.sort];
  const sign = shown.isReversed ? -1 : 1;
  return wanted.sort((a, b) => sign * compare(a, b, words));
}

/** Rows by their word, those folded into others left out. */
export function countWords(rows: readonly Row[], hosts: boolean): ReadonlyMap<Word, number> {
  const words = new Map(rows.map((row) => [row.value, WORDS.indexOf(wordOf(row.answer))]));
  const counts = new Map<Word, number>();
  for (const row of rows) {
    if (!hosts && isFolded(row, words)) continue;
    const word = wordOf(row.answer);
    counts.set(word, (counts.get(word) ?? 0) + 1);
  }
  return counts;
}

type Words = ReadonlyMap<string, number>;

/** A host inside of a URL says nothing new, unless it is worse than the URL. */
function isFolded(row: Row, words: Words): boolean {
  return row.within !== null && (words.get(row.value) ?? 0) >= (words.get(row.within) ?? 0);
}

function isShown(row: Row, shown: Shown, { words, search }: { words: Words; search: string }): boolean {
  if (!shown.hosts && isFolded(row, words)) return false;
  if (shown.word !== '' && wordOf(row.answer) !== shown.word) return false;
  if (shown.type !== '' && row.type !== shown.type) return false;
  if (shown.status !== '' && row.answer?.status !== shown.status) return false;
  return search === '' || textOf(row).includes(search);
}

function textOf({ value, original, answer }: Row): string {
  const said = answer?.providers.flatMap(({ provider, categories }) => [provider, ...categories]) ?? [];
  const all = [value, original, ...(answer?.categories ?? []), ...(answer?.attributes ?? []), ...said];
  return all.join(' ').toLowerCase();
}

type Compare = (a: Row, b: Row, words: Words) => number;
const descending = (pick: (row: Row) => number | null | undefined) => (a: Row, b: Row) => (pick(b) ?? -1) - (pick(a) ?? -1);
const ascending = (pick: (row: Row) => string) => (a: Row, b: Row) => (pick(a) < pick(b) ? -1 : pick(a) > pick(b) ? 1 : 0);
const byScore = descending(({ answer }) => answer?.score);
const TIERS = ['p1', 'p2', 'watch', 'review', 'log'];

const COMPARE: Readonly<Record<SortKey, Compare>> = {
  worst: (a, b, words) => (words.get(a.value) ?? 0) - (words.get(b.value) ?? 0) || byScore(a, b),
  indicator: ascending(({ value }) => value),
  score: byScore,
  confidence: descending(({ answer }) => answer?.confidence),
  status: ascending(({ answer }) => answer?.status ?? '~'),
  tier: descending(({ answer }) => (answer === null ? -1 : TIERS.length - TIERS.indexOf(answer.tier))),
  age: ascending(({ answer }) => answer?.checked_at ?? ''),
};
