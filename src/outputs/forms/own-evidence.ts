import { isAskedFor } from '../../model/provider-id.ts';
import type { OutputItem } from '../output.ts';
import { isoS } from './item-summary.ts';

/**
 * Whether somebody other than the receiver speaks against the item: what a service said itself is not reported back to it, for then it would
 * confirm itself.
 */
export function isHeldByOthers({ enrichment }: OutputItem, receiver: string): boolean {
  const { verdict, providers } = enrichment.answer;
  if (verdict !== 'malicious') return false;
  return providers.some(({ provider, contribution }) => !isAskedFor([receiver], provider) && contribution > 0);
}

/** What may be read by the whole world: verdict and score, no asset, user, alert, feed or provider of ours. */
export function publicComment({ enrichment, atS }: OutputItem): string {
  const { verdict, score, categories } = enrichment.answer;
  const kinds = categories.length === 0 ? '' : ` (${categories.join(', ')})`;
  return `${verdict}${kinds}${score === null ? '' : `, score ${score} of 100`}; seen in an alert, ${isoS(atS)}. isMalicious integration pack`;
}
