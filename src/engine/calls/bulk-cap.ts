import { epochS, isYounger } from '../clock.ts';
import type { ClientOptions } from './provider-client.ts';

/** Plans change seldom: a cap that the API named holds for a day. */
const KEPT_S = 86_400;

const nameOf = (options: ClientOptions) => `${options.account}.bulk-cap`;

/** How many indicators one call may carry: 0: none; `null`: the provider has to be asked. */
export function knownBulkCap(options: ClientOptions): number | null {
  const { provider, limits, store, clock } = options;
  if (!limits.useBulk || !provider.bulk) return 0;
  const note = store.note(nameOf(options));
  const cap = note && isYounger(note.atS, epochS(clock), KEPT_S) ? Number(note.text) : Number.NaN;
  return Number.isInteger(cap) && cap >= 0 ? cap : null;
}

/** Asks the provider, and keeps what it told, for the next process too. */
export async function askBulkCap(options: ClientOptions, signal: AbortSignal): Promise<number> {
  const cap = await options.exchange.bulkCap(signal);
  options.store.setNote(nameOf(options), String(cap), epochS(options.clock));
  return cap;
}
