import { toStixObject, type StixObject } from '../../mapping/stix.ts';
import type { OutputItem } from '../output.ts';

const DAY_S = 86_400;

/** An item as STIX; without an end of its own it holds `validDays` from when it was judged. */
export function stixOf(item: OutputItem, validDays: number): StixObject {
  return toStixObject({
    indicator: item.indicator,
    answer: item.enrichment.answer,
    tags: item.tags,
    sources: item.sources,
    tlp: item.tlp,
    addedS: item.addedS,
    judgedS: item.atS,
    firstSeenS: item.firstSeenS,
    validUntilS: item.validUntilS ?? item.atS + validDays * DAY_S,
    isRevoked: item.isRevoked,
  });
}
