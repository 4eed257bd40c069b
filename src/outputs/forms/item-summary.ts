// src/outputs/forms/: the forms in which judgements are given out, and how receivers' answers are read.
import { defang } from '../../model/defang.ts';
import type { IndicatorType } from '../../model/indicator.ts';
import type { OutputItem } from '../output.ts';
import { inertText } from '../../model/formats/inert-text.ts';

/** How far a line for people may go. */
const MAX_SUMMARY_CHARS = 250;

/** One line for a subject, title or chat: `P1 203[.]0[.]113[.]7 malicious, score 87`. */
export function summaryOf(item: OutputItem): string {
  const { answer } = item.enrichment;
  const turned = item.before && item.event === 'verdict_changed' ? ` (was ${item.before.verdict}, ${scoreText(item.before.score)})` : '';
  const tail = ` ${answer.verdict}, ${scoreText(answer.score)}${turned}`;
  const head = `${answer.tier.toUpperCase()} ${defang(item.indicator)}`;
  return inertText(head.slice(0, MAX_SUMMARY_CHARS - tail.length) + tail);
}

/** The facts an analyst asks for first, one a line. Unknown says "unknown"; nothing is made up. */
export function factsOf(item: OutputItem): [name: string, text: string][] {
  const { answer, checkedAtS } = item.enrichment;
  const providers = answer.providers.map(({ provider, status, score }) => `${provider}: ${status === 'ok' ? scoreText(score) : status}`);
  const facts: [name: string, text: string][] = [
    ['Indicator', `${defang(item.indicator)} (${item.indicator.type})`],
    ['Verdict', `${answer.verdict}, ${scoreText(answer.score)}, confidence ${answer.confidence ?? 'unknown'}, tier ${answer.tier}`],
    ['Categories', answer.categories.join(', ') || 'none named'],
    ['Listed by', item.sources.join(', ') || 'no feed'],
    ['Tags', item.tags.join(', ') || 'none'],
    ['Providers', providers.join(', ') || 'none asked'],
    ['Seen', `first ${isoS(item.firstSeenS)}, last ${isoS(item.lastSeenS)}`],
    ['Checked', checkedAtS === null ? 'unknown' : isoS(checkedAtS)],
    ...(item.note === null ? [] : [['Note', item.note] as [string, string]]),
    ...(answer.reference === null ? [] : [['Reference', answer.reference] as [string, string]]),
  ];
  // Feeds, providers and analysts write these: they go to chats, tickets and mails.
  return facts.map(([name, text]) => [name, inertText(text)]);
}

/** Whether the item is held for a threat: malicious or suspicious. */
export function isThreat({ enrichment }: OutputItem): boolean {
  return enrichment.answer.verdict === 'malicious' || enrichment.answer.verdict === 'suspicious';
}

/** Seconds since 1970 as ISO 8601 UTC, whole seconds. */
export function isoS(seconds: number): string {
  return new Date(seconds * 1000).toISOString().replace('.000Z', 'Z');
}

/** Attribute types as the seed pipeline and MISP name them. */
export function mispTypeOf(type: IndicatorType): string {
  switch (type) {
    case 'ipv4-addr':
    case 'ipv6-addr':
      return 'ip-dst';
    case 'domain-name':
      return 'domain';
    case 'email-addr':
      return 'email-src';
    case 'cve':
      return 'vulnerability';
    default:
      return type.replace('file:', '');
  }
}

function scoreText(score: number | null): string {
  return score === null ? 'no score' : `score ${score}`;
}
