import { readForLookup } from '../model/read-for-lookup.ts';
import { CLOCK_SKEW_S, epochS } from './clock.ts';
import type { EngineOptions } from './engine-options.ts';
import type { Plan } from './enricher.ts';
import type { Indicator } from '../model/indicator.ts';
import type { ProviderClient } from './calls/provider-client.ts';
import type { View } from './cache/provider-view.ts';

const SECOND_MS = 1000;

/** A value, and who would be asked about it. */
export interface PlannedValue {
  readonly value: string;
  readonly view: View;
}

/** An indicator that may leave, and who would be asked about it, each with the view that says so. */
interface PublicOne {
  readonly indicator: Indicator;
  readonly asked: Map<ProviderClient, View>;
}

/** Counts what a set of values would cost, without asking anybody. */
export async function planLookups(options: EngineOptions, values: Iterable<PlannedValue>, maxAgeS: number): Promise<Plan> {
  await options.guard.prepare();
  const nowS = epochS(options.clock);
  const publicOnes = new Map<string, PublicOne>();
  const refused = new Set<string>();
  const invalid = new Set<string>();
  let count = 0;
  for (const { value, view } of values) {
    count++;
    const read = readForLookup(value, options.maxValueBytes);
    if (read.kind === 'invalid') invalid.add(value);
    if (read.kind === 'invalid' || read.kind === 'nothing') continue;
    for (const indicator of read.kind === 'parts' ? read.parts : [read.indicator]) {
      if (read.kind === 'private' || isRefused(options, view, indicator)) refused.add(indicator.value);
      else addPublic(publicOnes, indicator, view);
    }
  }
  // In another field it may be asked about.
  for (const value of publicOnes.keys()) refused.delete(value);
  const missing = new Map<ProviderClient, number>();
  let local = 0;
  let cached = 0;
  const rowsOf = readRows(options, publicOnes);
  const counted = new Set<string>();
  for (const { indicator, asked } of publicOnes.values()) {
    const toAsk = [...asked].filter(([client, view]) => {
      const row = rowsOf.get(client)?.get(view.sentTo(client, indicator).value);
      return !row || row.expiresAtS <= nowS || row.checkedAtS < nowS - maxAgeS || row.checkedAtS > nowS + CLOCK_SKEW_S;
    });
    if (asked.size === 0) local++;
    else if (toAsk.length === 0) cached++;
    for (const [client, view] of toAsk) {
      // Several URLs may leave as one and the same.
      const call = `${client.provider.id} ${view.sentTo(client, indicator).value}`;
      if (!counted.has(call)) missing.set(client, (missing.get(client) ?? 0) + 1);
      counted.add(call);
    }
  }
  const paid = [...missing].filter(([client]) => client.provider.cost > 0);
  return {
    values: count,
    unique: publicOnes.size + refused.size + invalid.size,
    invalid: invalid.size,
    refused: refused.size,
    local,
    cached,
    toPay: paid.reduce((sum, [client, lookups]) => sum + lookups * client.provider.cost, 0),
    byProvider: Object.fromEntries([...missing].map(([client, lookups]) => [client.provider.id, lookups])),
    creditsByProvider: Object.fromEntries(paid.map(([client, lookups]) => [client.provider.id, lookups * client.provider.cost])),
    creditsLeft: Object.fromEntries([...missing.keys()].map((client) => [client.provider.id, creditsLeft(client)])),
    overBudget: Object.fromEntries(
      paid.flatMap(([client, lookups]) => {
        const short = lookups - Math.floor((creditsLeft(client) ?? Infinity) / client.provider.cost);
        return short > 0 ? [[client.provider.id, short]] : [];
      }),
    ),
    estimatedS: estimateS(missing),
  };
}

function isRefused({ guard }: EngineOptions, view: View, indicator: Indicator): boolean {
  return guard.refuse(indicator) !== null || guard.refuseToSend(indicator) !== null || view.audienceOf(indicator.type).refusal !== null;
}

/** An indicator that stands in several fields is asked of everybody who is asked about one of them. */
function addPublic(publicOnes: Map<string, PublicOne>, indicator: Indicator, view: View): void {
  let one = publicOnes.get(indicator.value);
  if (!one) publicOnes.set(indicator.value, (one = { indicator, asked: new Map() }));
  for (const client of view.audienceOf(indicator.type).clients) one.asked.set(client, view);
}

function readRows(options: EngineOptions, publicOnes: ReadonlyMap<string, PublicOne>) {
  const wanted = new Map<ProviderClient, string[]>();
  for (const { indicator, asked } of publicOnes.values()) {
    for (const [client, view] of asked) {
      const { value } = view.sentTo(client, indicator);
      const values = wanted.get(client);
      if (values) values.push(value);
      else wanted.set(client, [value]);
    }
  }
  return new Map([...wanted].map(([client, values]) => [client, options.store.getMany(client.provider.id, values)]));
}

/** The smallest of what the provider told us and what our own budgets leave. */
function creditsLeft(client: ProviderClient): number | null {
  const { notices, budgetPerDay, spentToday, budgetPerMonth, spentThisMonth } = client.stats();
  const counters = notices.filter((notice) => notice.window !== 'burst').map((notice) => notice.remaining);
  const today = budgetPerDay === null ? null : Math.max(0, budgetPerDay - spentToday);
  const thisMonth = budgetPerMonth === null ? null : Math.max(0, budgetPerMonth - spentThisMonth);
  const left = [...counters, today, thisMonth].filter((counter) => counter !== null);
  return left.length === 0 ? null : Math.min(...left);
}

/** Providers are asked side by side: the slowest one decides. A window that is free lets its first calls through at once. */
function estimateS(missing: ReadonlyMap<ProviderClient, number>): number | null {
  const waitsMs = [...missing].flatMap(([client, lookups]) => client.estimateMs(lookups) ?? []);
  return waitsMs.length === 0 ? null : Math.ceil(Math.max(...waitsMs) / SECOND_MS);
}
