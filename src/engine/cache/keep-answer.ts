import type { Indicator } from '../../model/indicator.ts';
import type { Verdict } from '../../model/verdict.ts';
import { epochS } from '../clock.ts';
import { lifetimeOf, type Outcome, verdictToText } from '../score/outcome.ts';
import type { ClientOptions } from '../calls/provider-client.ts';

/** Puts a fresh answer into the shared cache for as long as its kind may be reused, and gives it as an outcome. */
export function keepAnswer({ provider, store, clock, lifetimes }: ClientOptions, indicator: Indicator, verdict: Verdict | null): Outcome {
  const checkedAtS = epochS(clock);
  const expiresAtS = checkedAtS + lifetimeOf(verdict, lifetimes);
  store.put(provider.id, indicator.value, { answer: verdictToText(verdict), checkedAtS, expiresAtS });
  return { kind: 'answered', provider: provider.id, verdict, source: 'live', checkedAtS, expiresAtS, isStale: false };
}
