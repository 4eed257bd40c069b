import type { Override } from '../../engine/feedback/overrides.ts';
import { unaskedAnswer } from '../../model/enrichment.ts';
import { parseIndicator } from '../../model/parse-indicator.ts';
import type { OutputItem } from '../../outputs/output.ts';
import type { StoredTicket } from '../../store/delivery/tickets.ts';
import type { Routing } from '../../store/outbox.ts';
import type { Store } from '../../store/store-client.ts';
import { unlistedItem } from './output-item.ts';

/** What it works with. */
export interface TellOverruled {
  readonly store: Store;
  /** Decisions of analysts that are in force. */
  readonly overrides: readonly Override[];
  /** Outputs that are told. */
  readonly outputs: readonly string[];
  readonly nowS: number;
  readonly maxPending: number;
}

/**
 * Journals the end of every open ticket on a value that an analyst calls clean since, also one that an alert opened and no feed lists;
 * gives how many are new. It is told once for each decision, and its output ends the ticket.
 */
export async function tellOverruled({ store, overrides, outputs, nowS, maxPending }: TellOverruled): Promise<number> {
  const clean = new Map(overrides.filter(({ verdict }) => verdict === 'clean').map((override) => [override.value, override]));
  if (clean.size === 0) return 0;
  const routings = (await store.openTickets()).flatMap((ticket): Routing[] => {
    const override = clean.get(ticket.subject);
    const item = override && outputs.includes(ticket.output) ? endOf(ticket, override, nowS) : null;
    if (item === null) return [];
    const delivery = { output: ticket.output, key: item.key, subject: ticket.subject, payload: JSON.stringify(item) };
    return [{ routed: null, deliveries: [delivery] }];
  });
  if (routings.length === 0) return 0;
  const { accepted } = await store.route(routings, nowS, maxPending);
  return Object.values(accepted).reduce((sum, count) => sum + count, 0);
}

function endOf({ subject }: StoredTicket, { verdict, score, author, reason, atS }: Override, nowS: number): OutputItem | null {
  const parsed = parseIndicator(subject);
  if (parsed.kind === 'invalid') return null;
  const { indicator } = parsed;
  const about = unlistedItem(indicator, atS);
  const answer = { ...unaskedAnswer('ok', reason), verdict, score, confidence: 100, tier: 'log' as const };
  return {
    ...about,
    key: `ismalicious:overruled:${about.id.slice(0, 32)}:${atS}`,
    event: 'verdict_changed',
    enrichment: { input: subject, indicator, answer, source: 'local', checkedAtS: atS, expiresAtS: null },
    sources: [],
    atS: nowS,
    note: `${author} calls it ${verdict}: ${reason}`,
  };
}
