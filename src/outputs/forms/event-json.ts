import { toEnrichmentJson } from '../../mapping/enrichment-json.ts';
import type { OutputItem } from '../output.ts';
import { isoS } from './item-summary.ts';

/** An item as files and webhooks carry it: the enrichment of the contract, and around it why and whence. `id` is the idempotency key. */
export function toEventJson(item: OutputItem) {
  return {
    id: item.key,
    event: item.event,
    at: isoS(item.atS),
    enrichment: toEnrichmentJson(item.enrichment),
    sources: item.sources,
    tags: item.tags,
    tlp: item.tlp,
    first_seen: isoS(item.firstSeenS),
    last_seen: isoS(item.lastSeenS),
    before:
      item.before === null
        ? null
        : { verdict: item.before.verdict, score: item.before.score, tier: item.before.tier, at: isoS(item.before.atS) },
    note: item.note,
  };
}
