// What `npm start` shows: the most telling indicators as a table, the counts, and whether both hosts agree.
import { defangForReading } from '../../src/model/defang.ts';
import { paint } from '../../src/hosts/cli/table-words.ts';
import type { EnrichmentJson } from '../../src/mapping/enrichment-json.ts';
import type { ReplyRow } from './search-command.ts';
import type { EnrichedEvent } from './sidecar.ts';

const MAX_INDICATOR = 42;
const MAX_WHY = 48;

/** How many rows of each kind are shown, and which come first. */
const SHOWN = { malicious: 9, suspicious: 4, clean: 3, unknown: 2, refused: 3, invalid: 3 } as const;

type Kind = keyof typeof SHOWN;

function kindOf({ status, verdict }: EnrichmentJson): Kind {
  if (status === 'invalid') return 'invalid';
  if (status.startsWith('skipped_')) return 'refused';
  return verdict in SHOWN ? (verdict as Kind) : 'unknown';
}

/** The enrichments without repetitions, in their order. */
function uniqueOf(enrichments: readonly EnrichmentJson[]): EnrichmentJson[] {
  return [...new Map(enrichments.map((enrichment) => [enrichment.indicator, enrichment])).values()];
}

/** A few of each kind, the worst first, so that every type of indicator appears. */
export function mostTelling(enrichments: readonly EnrichmentJson[]): EnrichmentJson[] {
  return (Object.keys(SHOWN) as Kind[]).flatMap((kind) => {
    const ranked = uniqueOf(enrichments)
      .filter((enrichment) => kindOf(enrichment) === kind)
      .toSorted((a, b) => (b.score ?? -1) - (a.score ?? -1) || (a.indicator < b.indicator ? -1 : 1));
    const byType = Map.groupBy(ranked, ({ type }) => type);
    const first = [...byType.values()].flatMap((group) => group.slice(0, 1));
    const picked = [...first, ...ranked.filter((enrichment) => !first.includes(enrichment))].slice(0, SHOWN[kind]);
    return ranked.filter((enrichment) => picked.includes(enrichment));
  });
}

/** An aligned table: indicator (defanged, so that nothing makes a link of it), verdict, score, tier, why, source. */
export function formatTable(enrichments: readonly EnrichmentJson[], hasColor: boolean): string {
  const header = ['VERDICT', 'SCORE', 'TIER', 'INDICATOR', 'SOURCE', 'WHY'];
  const rows = enrichments.map((enrichment) => [
    enrichment.verdict,
    String(enrichment.score ?? '-'),
    enrichment.tier,
    cut(defangForReading(enrichment.indicator || '(empty)'), MAX_INDICATOR),
    enrichment.source,
    cut(whyOf(enrichment), MAX_WHY),
  ]);
  const widths = header.map((title, n) => Math.max(title.length, ...rows.map((row) => row[n]?.length ?? 0)));
  const line = (row: readonly string[]) => row.map((cell, n) => (n === row.length - 1 ? cell : cell.padEnd(widths[n] ?? 0))).join('  ');
  return [line(header), ...rows.map((row) => paint(line(row), row[0] ?? '', hasColor))].map((text) => `  ${text}`).join('\n');
}

function whyOf({ verdict, categories, attributes, message, auto_resolve: isResolved }: EnrichmentJson): string {
  if (message !== null) return message;
  const facts = [...categories, ...attributes.filter((attribute) => !attribute.startsWith('list:'))];
  if (isResolved) facts.push('safe to close automatically');
  if (verdict === 'unknown' && facts.length === 0) return 'not on any local list: needs review';
  return facts.join(', ');
}

function cut(text: string, most: number): string {
  const shown = text.replaceAll(/\p{Cc}/gu, '\uFFFD');
  return shown.length > most ? `${shown.slice(0, most - 1)}…` : shown;
}

/** What the look-ups came to, in distinct indicators: each is in exactly one of the counts after `unique`. */
export interface Counts {
  readonly values: number;
  readonly unique: number;
  readonly paid: number;
  readonly cache: number;
  readonly local: number;
  /** Asked for, and nobody who was asked knows it. */
  readonly notListed: number;
  readonly refused: number;
  readonly invalid: number;
}

/** Counts distinct indicators by where their answer came from. */
export function countUp(enrichments: readonly EnrichmentJson[]): Counts {
  const unique = uniqueOf(enrichments);
  const places = Map.groupBy(unique, placeOf);
  const count = (place: ReturnType<typeof placeOf>) => places.get(place)?.length ?? 0;
  return {
    values: enrichments.length,
    unique: unique.length,
    paid: count('paid'),
    cache: count('cache'),
    local: count('local'),
    notListed: count('notListed'),
    refused: count('refused'),
    invalid: count('invalid'),
  };
}

function placeOf(enrichment: EnrichmentJson): 'paid' | 'cache' | 'local' | 'notListed' | 'refused' | 'invalid' {
  const kind = kindOf(enrichment);
  if (kind === 'refused' || kind === 'invalid') return kind;
  if (enrichment.source === 'live' || enrichment.source === 'coalesced') return 'paid';
  if (enrichment.source === 'cache') return 'cache';
  return kind === 'unknown' ? 'notListed' : 'local';
}

/** The values on which the search command and the sidecar disagree, each with both answers. */
export function disagreements(enrichments: readonly EnrichmentJson[], rows: readonly ReplyRow[]): string[] {
  return enrichments.flatMap((enrichment, n) => {
    const { indicator, verdict, score, confidence, status, tier, auto_resolve: isResolved } = enrichment;
    const sidecar = wordsOf([indicator, verdict, score, confidence, status, tier, isResolved]);
    const row = rows[n] ?? {};
    const splunk = wordsOf([
      row.im_indicator,
      row.im_verdict,
      row.im_score,
      row.im_confidence,
      row.im_status,
      row.im_tier,
      row.im_auto_resolve,
    ]);
    return sidecar === splunk ? [] : [`sidecar: ${sidecar} | search command: ${splunk}`];
  });
}

/**
 * The events on which they disagree: the worst of an event's values, as each host shows it. Verdict and score only: where all is
 * unknown the hosts may show different values, because the sidecar passes over fields that by definition hold other things, too.
 */
export function eventDisagreements(events: readonly EnrichedEvent[], rows: readonly ReplyRow[]): string[] {
  return events.flatMap(({ ismalicious }, n) => {
    // An event about which there is nothing to say carries no score (`ecs.detail: lean`).
    const hasScore = ismalicious?.score !== undefined;
    const sidecar = wordsOf([ismalicious?.verdict, ismalicious?.score]);
    const row = rows[n] ?? {};
    const splunk = wordsOf([row.im_verdict, hasScore || row.im_verdict === 'malicious' ? row.im_score : undefined]);
    return sidecar === splunk ? [] : [`event ${n + 1}, sidecar: ${sidecar} | search command: ${splunk}`];
  });
}

/** Splunk writes `True` where JSON has `true`, and an empty cell for null. */
function wordsOf(cells: readonly unknown[]): string {
  return cells.map((cell) => String(cell ?? '').toLowerCase()).join(' ');
}
