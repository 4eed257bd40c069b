import { createHash } from 'node:crypto';
import type { Indicator } from '../../model/indicator.ts';
import type { EnrichedIndicator } from '../../store/observation.ts';
import type { OutputItem } from '../../outputs/output.ts';

/** The message that outputs get about a judged indicator. Its key names indicator and revision: the same judgement is never told twice. */
export function toOutputItem(stored: EnrichedIndicator, atS: number): OutputItem {
  const { indicator, answer, before } = stored;
  const id = indicatorId(indicator.type, indicator.value);
  const isTurned = before !== null && before.verdict !== answer.verdict;
  return {
    key: `ismalicious:${id.slice(0, 32)}:${stored.revision}`,
    id,
    event: isTurned ? 'verdict_changed' : 'enriched',
    indicator,
    enrichment: { input: indicator.value, indicator, answer, source: 'cache', checkedAtS: stored.checkedS, expiresAtS: stored.expiresS },
    sources: stored.sources,
    tags: stored.tags,
    tlp: stored.tlp,
    addedS: stored.addedS,
    firstSeenS: stored.firstSeenS,
    lastSeenS: stored.lastSeenS,
    validUntilS: stored.validUntilS,
    isRevoked: stored.state === 'revoked' || stored.state === 'false_positive',
    atS: stored.checkedS ?? atS,
    before,
    note: stored.state === 'false_positive' ? 'an analyst called it a false positive' : null,
  };
}

/** What an item about an indicator says that no feed listed: known since `atS`, without tags or end. */
export function unlistedItem(indicator: Indicator, atS: number) {
  return {
    id: indicatorId(indicator.type, indicator.value),
    indicator,
    tags: [],
    tlp: null,
    addedS: atS,
    firstSeenS: atS,
    lastSeenS: atS,
    validUntilS: null,
    isRevoked: false,
    before: null,
  } satisfies Partial<OutputItem>;
}

/** SHA-256 of type and value, in hex. */
export function indicatorId(type: string, value: string): string {
  return createHash('sha256').update(`${type}:${value}`).digest('hex');
}
