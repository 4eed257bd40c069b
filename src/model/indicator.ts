// src/model/: the words of the chain: indicator, verdict, enrichment. Immutable types and pure functions; stands on nothing, not even Node.

/** Every type an indicator can have. The names are those of ECS and STIX 2.1; hashes carry their algorithm; `cve` is STIX's `vulnerability`. */
export const INDICATOR_TYPES = [
  'ipv4-addr',
  'ipv6-addr',
  'domain-name',
  'url',
  'file:md5',
  'file:sha1',
  'file:sha256',
  'file:sha512',
  'email-addr',
  'cve',
] as const;

export type IndicatorType = (typeof INDICATOR_TYPES)[number];

/**
 * A typed, canonical value that can be looked up: refanged, lower-cased (a CVE id: upper case), IDN in punycode, IPv6 compressed
 * (RFC 5952), IPv4-mapped IPv6 unwrapped. `value` alone names it: no two types share a spelling.
 */
export interface Indicator {
  readonly type: IndicatorType;
  readonly value: string;
}

/** What a raw value turned out to be. */
export type ParsedObservable =
  /** May be asked about outside the house, unless the customer's own lists say otherwise. */
  | { readonly kind: 'public'; readonly indicator: Indicator }
  /** Special-purpose address, internal name: never leaves. `reason` names the rule, for people. */
  | { readonly kind: 'private'; readonly indicator: Indicator; readonly reason: string }
  /** Not an indicator. `reason` says what is wrong and what to do, in one line, for people. */
  | { readonly kind: 'invalid'; readonly reason: string };

/** How a value is looked up. */
export type LookupReading =
  | ParsedObservable
  /** Nothing stands there: it is empty, or a placeholder ("-", "unknown", "N/A"). */
  | { readonly kind: 'nothing'; readonly reason: string }
  /** Not the value itself is asked about but what is sure to be in it; `note` says so, in one line for people. */
  | { readonly kind: 'parts'; readonly parts: readonly Indicator[]; readonly note: string };
