import type { Routing } from '../store/outbox.ts';
import { passesFilter } from '../outputs/forms/filter.ts';
import type { OutputItem } from '../outputs/output.ts';
import { toOutputItem } from './delivery/output-item.ts';
import { nowS } from './pipeline-clock.ts';
import type { Pipeline, RoutedOutput } from './pipeline.ts';

const BATCH = 1000;
const DAY_S = 86_400;
/** Assets named in a note; the index knows the rest. */
const MAX_NAMED = 10;

/** What routing did, by output. */
export interface RoutedCounts {
  readonly accepted: Readonly<Record<string, number>>;
  readonly wouldSend: Readonly<Record<string, number>>;
  readonly held: Readonly<Record<string, number>>;
}

/** Journals every judgement that is new or changed for the outputs that want it. What a full journal cannot take stays unrouted and comes again. */
export async function routeJudgements(
  pipeline: Pick<Pipeline, 'store' | 'outputs' | 'clock' | 'limits'>,
  { isDry }: { isDry: boolean },
): Promise<RoutedCounts> {
  const { store, outputs, clock, limits } = pipeline;
  const accepted: Record<string, number> = {};
  const wouldSend: Record<string, number> = {};
  const held: Record<string, number> = {};
  const add = (to: Record<string, number>, counts: Readonly<Record<string, number>>) => {
    for (const [output, count] of Object.entries(counts)) to[output] = (to[output] ?? 0) + count;
  };
  for (let afterId = 0; ;) {
    const batch = await store.unrouted(afterId, BATCH, nowS(clock));
    if (batch.length === 0) return { accepted, wouldSend, held };
    const items = await Promise.all(batch.map(async (stored) => withSightings(toOutputItem(stored, nowS(clock)), pipeline)));
    for (const output of outputs.filter((one) => isDry || one.isDry))
      add(wouldSend, { [output.output.id]: items.filter((item) => wants(output, item)).length });
    if (!isDry) {
      const live = outputs.filter((output) => !output.isDry);
      const routings = batch.map((stored, n): Routing => {
        const item = items[n];
        return { routed: { id: stored.id, revision: stored.revision }, deliveries: item ? deliveriesOf(item, live) : [] };
      });
      const counts = await store.route(routings, nowS(clock), limits.maxPending);
      add(accepted, counts.accepted);
      add(held, counts.held);
    }
    afterId = batch.at(-1)?.id ?? afterId;
  }
}

/** The retro-hunt: a threat that our own assets were seen with says so, latest first. */
async function withSightings(
  item: OutputItem,
  { store, limits, clock }: Pick<Pipeline, 'store' | 'limits' | 'clock'>,
): Promise<OutputItem> {
  const { verdict } = item.enrichment.answer;
  if (verdict !== 'malicious' && verdict !== 'suspicious') return item;
  const seen = await store.whoSaw(item.indicator.value, nowS(clock) - limits.lookBackDays * DAY_S, MAX_NAMED + 1);
  if (seen.length === 0) return item;
  const named = seen
    .slice(0, MAX_NAMED)
    .map(({ asset, times, lastS }) => `${asset} (${times}×, last ${new Date(lastS * 1000).toISOString()})`);
  const note = `seen here in the last ${limits.lookBackDays} days by ${named.join(', ')}${seen.length > MAX_NAMED ? ' and others' : ''}`;
  return { ...item, note: item.note === null ? note : `${item.note}; ${note}` };
}

/** An output and what is let through to it. */
export type Recipient = Pick<RoutedOutput, 'output' | 'filter'>;

/** The messages about an item, for the outputs that want it. */
export function deliveriesOf(item: OutputItem, outputs: readonly Recipient[]): Routing['deliveries'] {
  const payload = JSON.stringify(item);
  const isUrgent = item.event === 'triage' || item.enrichment.answer.tier === 'p1';
  return outputs
    .filter((output) => wants(output, item))
    .map(({ output }) => ({ output: output.id, key: item.key, subject: item.indicator.value, payload, isUrgent }));
}

function wants({ output, filter }: Recipient, item: OutputItem): boolean {
  return passesFilter(item, output, filter);
}
