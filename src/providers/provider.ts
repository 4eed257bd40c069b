// src/providers/: one file for each source that is asked; pure: a call described, an answer read. See "A provider in three files".
import type { z } from 'zod/mini';
import type { SettingsSchema } from '../config/setting.ts';
import type { Indicator, IndicatorType } from '../model/indicator.ts';
import type { LookupError } from '../model/lookup-error.ts';
import type { Tlp } from '../model/tlp.ts';
import type { Verdict } from '../model/verdict.ts';

/** A call, described but not made. Secrets go into headers or the body, never into `url` (a vendor that forces it sets `secretQuery`). */
export interface HttpCall {
  readonly url: URL;
  readonly method?: 'GET' | 'POST' | 'PUT' | 'DELETE';
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
  /** Names of query parameters that carry a secret: redacted wherever the URL is shown. */
  readonly secretQuery?: readonly string[];
  /** Keys that one object of the answer may say once only, as its outermost or as a row of a list in it; twice is a contradiction, and no answer. */
  readonly saidOnce?: readonly string[];
  /** The answer does not end by itself (server-sent events): what came within `forMs`, or until `mostBytes`, is the answer. */
  readonly stream?: { readonly forMs: number; readonly mostBytes: number };
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
  capRequest?(settings: S): HttpCall;
  readCap?(answer: HttpAnswer): number;
  request(indicators: readonly Indicator[], settings: S, token?: string): HttpCall;
  /** By canonical value. One that is missing in the map is asked alone; an error: its row cannot be read, and is not paid for again. */
  read(body: unknown, indicators: readonly Indicator[], settings: S): ReadonlyMap<string, Verdict | null | LookupError>;
}

/** A short-lived token that has to be fetched first, where the API takes no plain key (OAuth client credentials). */
export interface SignIn<S> {
  /** `null`: these settings need no token. */
  request(settings: S): HttpCall | null;
  /** Throws (a schema error, or a coded LookupError) for any other shape. */
  read(body: unknown): { readonly token: string; readonly lifetimeS: number };
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
  /** How its answer becomes our score, for people: one or two sentences. */
  readonly scale?: string;
  /** What the vendor's terms allow, for people. */
  readonly terms?: string;
  /** Why it is off unless `enabled` is set by hand: the service is gone or going. */
  readonly retired?: string;
  /** What its settings lack to be asked, in one sentence for people, where the schema alone cannot tell; `null`: nothing. */
  missing?(settings: S): string | null;
  /** What of its settings can be used but is most likely not meant so, in one sentence; `null`: nothing. */
  doubt?(settings: S): string | null;
  /** Fetched before the first call and again when it runs out; handed to `request` as `token`. */
  readonly signIn?: SignIn<S>;
  request(indicator: Indicator, settings: S, token?: string): HttpCall;
  /** Turns a 2xx body into our type; `null`: not listed. Throws (a schema error, or a coded LookupError) for any other shape. */
  read(body: unknown, indicator: Indicator, settings: S): Verdict | null;
  /**
   * Where the status alone misleads: a miss as 404 with a body, an error inside 200, a quota told apart from a burst.
   * `'answer'`: use `read`; `'not-listed'`: a miss; an error: that failure; `undefined`: decide by status.
   */
  judge?(answer: HttpAnswer, indicator: Indicator | null): 'answer' | 'not-listed' | LookupError | undefined;
  /**
   * The second call, where the first one only says where the verdict is; its answer is judged and read in place of the first.
   * `null`: the first body says all there is to say.
   */
  followUp?(body: unknown, indicator: Indicator, settings: S): HttpCall | null;
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
