import type { LookupError } from '../../model/lookup-error.ts';
import { BARE_VERDICT, type Verdict } from '../../model/verdict.ts';
import { parseCachedText } from '../cache/cached-text.ts';

/** What became of asking one provider about one indicator. */
export type Outcome =
  | {
      readonly kind: 'answered';
      readonly provider: string;
      /** `null`: not listed. */
      readonly verdict: Verdict | null;
      readonly source: 'live' | 'coalesced' | 'cache' | 'local';
      readonly checkedAtS: number;
      readonly expiresAtS: number;
      readonly isStale: boolean;
    }
  | { readonly kind: 'failed'; readonly provider: string; readonly error: LookupError }
  /** Not asked, because it is not cleared for what is looked up. `message`: one line for people. */
  | { readonly kind: 'skipped'; readonly provider: string; readonly status: 'skipped_tlp'; readonly message: string };

/** How long answers may be reused, in seconds. */
export interface Lifetimes {
  readonly listedS: number;
  /** Not listed, or listed without a judgement: this changes soonest. */
  readonly unknownS: number;
  readonly pendingS: number;
}

/** Until when a verdict may be reused, in seconds from now. */
export function lifetimeOf(verdict: Verdict | null, lifetimes: Lifetimes): number {
  if (verdict?.isPending) return lifetimes.pendingS;
  return verdict === null || verdict.verdict === 'unknown' ? lifetimes.unknownS : lifetimes.listedS;
}

/** A verdict as cached text; the provider is the row's. `n`: not listed. */
export function verdictToText(verdict: Verdict | null): string {
  if (verdict === null) return 'n';
  const said: Record<string, unknown> = { verdict: verdict.verdict };
  for (const [key, silent] of Object.entries(BARE_VERDICT)) {
    const value: unknown = Reflect.get(verdict, key);
    if (value !== silent && !(Array.isArray(value) && value.length === 0)) said[key] = value;
  }
  if (verdict.detections) said['detections'] = verdict.detections;
  if (verdict.organization !== undefined) said['organization'] = verdict.organization;
  if (verdict.note !== undefined) said['note'] = verdict.note;
  return JSON.stringify(said);
}

/** The verdict of a cached text; `undefined`: it cannot be read, so it is as if it were not there. */
export function verdictFromText(provider: string, text: string): Verdict | null | undefined {
  if (text === 'n') return null;
  const said = parseCachedText(text);
  return said === undefined ? undefined : { ...BARE_VERDICT, ...said, provider };
}
