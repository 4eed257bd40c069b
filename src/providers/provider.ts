import type { z } from 'zod/mini';
import type { SettingsSchema } from '../config/setting.ts';
import type { Indicator, IndicatorType } from '../model/indicator.ts';
import type { LookupError } from '../model/lookup-error.ts';
import type { Tlp } from '../model/tlp.ts';
import type { Verdict } from '../model/verdict.ts';

/** A call, described but not made. Secrets go into headers or the body, never into `url` (a vendor that forces it sets `secretQuery`). */
export interface HttpCall {
  readonly url: URL;
  readonly method?: 'GET' | 'POST';
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
  /** Names of query parameters that carry a secret: redacted wherever the URL is shown. */
  readonly secretQuery?: readonly string[];
}

/** What came back. `body` is the parsed JSON, or the text when it is not JSON. Header names are lower case. */
export interface HttpAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | undefined>>;
  readonly body: unknown;
}

/** What a provider tells about our account, from its answer's headers. `null`: not said. */
export interface QuotaNotice {
  readonly limit: number | null;
  readonly remaining: number | null;
  /** Seconds since 1970 (UTC) when the counter starts again. */
  readonly resetsAtS: number | null;
  /** What the counter counts: `burst`, `daily`, `monthly`, … */
  readonly window: string;
}

/** Requests allowed in a sliding window, as the provider documents it. */
export interface Quota {
  readonly requests: number;
  readonly perMs: number;
}

/** The form for many indicators in one call, where the API has one. */
export interface BulkForm<S> {
  /** Most indicators in one call, when it is fixed. */
  readonly maxSize: number;
  /** Asks for the account's own cap, where it depends on the plan. `readCap` gives 0 when the plan has no bulk form. */
  readonly capRequest?: (settings: S) => HttpCall;
  readonly readCap?: (answer: HttpAnswer) => number;
  readonly request: (indicators: readonly Indicator[], settings: S) => HttpCall;
  /** By canonical value. One that is missing in the map is asked alone. */
  readonly read: (body: unknown, indicators: readonly Indicator[], settings: S) => ReadonlyMap<string, Verdict | null>;
}

/** A source that is asked about one indicator: pure functions and facts. The engine does everything else. */
export interface Provider<Schema extends SettingsSchema = SettingsSchema, S = z.output<Schema>> {
  readonly id: string;
  readonly title: string;
  /** Where the API is documented. */
  readonly docs: string;
  readonly types: readonly IndicatorType[];
  readonly settings: Schema;
  /** Default limits; settings override them. */
  readonly quotas?: readonly Quota[];
  /** Requests in flight at once, by default. */
  readonly concurrency?: number;
  /** Credits one look-up costs; 0 for a free source. */
  readonly cost: number;
  /** Up to which TLP label an indicator may be sent there, by default. */
  readonly maxTlp: Tlp;
  /** Weight of its score in the merged one, by default 1. */
  readonly weight?: number;
  request(indicator: Indicator, settings: S): HttpCall;
  /** Turns a 2xx body into our type; `null`: not listed. Throws (a schema error, or a coded LookupError) for any other shape. */
  read(body: unknown, indicator: Indicator, settings: S): Verdict | null;
  /**
   * Where the status alone misleads: a miss as 404 with a body, an error inside 200, a quota told apart from a burst.
   * `'answer'`: use `read`; `'not-listed'`: a miss; an error: that failure; `undefined`: decide by status.
   */
  judge?(answer: HttpAnswer, indicator: Indicator | null): 'answer' | 'not-listed' | LookupError | undefined;
  /** Counters of our account, from the headers of any answer. */
  quotaNotices?(answer: HttpAnswer): readonly QuotaNotice[];
  readonly bulk?: BulkForm<S>;
}

/** Keeps a provider's settings type while it goes into the registry. */
export function defineProvider<Schema extends SettingsSchema>(
  provider: Provider<Schema, z.output<Schema>>,
): Provider<Schema, z.output<Schema>> {
  return provider;
}
