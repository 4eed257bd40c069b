import type { Indicator } from './indicator.ts';
import type { LookupErrorCode } from './lookup-error.ts';
import type { Detections, VerdictWord } from './verdict.ts';

/**
 * How the look-up went, apart from what it said. Only `ok` and `stale` carry a complete answer. `skipped_empty`: nothing stood there, or a
 * placeholder.
 */
export const STATUSES = [
  'ok',
  'stale',
  'partial',
  'pending',
  'invalid',
  'skipped_empty',
  'skipped_private',
  'skipped_allowlist',
  'skipped_tlp',
  'over_budget',
  'rate_limited',
  'quota_exhausted',
  'timeout',
  'unauthorized',
  'unavailable',
  'bad_response',
] as const;

export type Status = (typeof STATUSES)[number];

/** What to do: from `p1` (now) to `log`; `review` when no source gave a score, so that an analyst has to look. */
export const TIERS = ['p1', 'p2', 'watch', 'log', 'review'] as const;

export type Tier = (typeof TIERS)[number];

/** Where the answer came from: `coalesced` shared another caller's look-up, `local` never left the house. */
export type Source = 'live' | 'cache' | 'coalesced' | 'local' | 'none';

/** What one provider contributed to an enrichment. */
export interface ProviderResult {
  readonly provider: string;
  readonly status: 'ok' | 'pending' | 'not_listed' | 'skipped_tlp' | LookupErrorCode;
  readonly verdict: VerdictWord;
  readonly score: number | null;
  readonly confidence: number | null;
  readonly categories: readonly string[];
  readonly attributes: readonly string[];
  readonly sightings: number | null;
  readonly firstSeen: string | null;
  readonly lastSeen: string | null;
  readonly reference: string | null;
  /** Engines that answered and how many of them accuse it, where the provider counts engines. */
  readonly detections?: Detections;
  /** Whom an address belongs to, where the provider names it. */
  readonly organization?: string;
  /** Whole points of the merged score that come from this provider; all contributions add up to the score exactly. */
  readonly contribution: number;
  /** One line for people when `status` is a failure or `skipped_tlp`, or where somebody gave a reason. */
  readonly message: string | null;
}

/**
 * The merged answer, without the indicator and the times: what many indicators have in common.
 * Instances are shared between indicators and never change, so renderings can be cached by identity.
 */
export interface Answer {
  readonly verdict: VerdictWord;
  readonly status: Status;
  /** 0 to 100, whole; `null` when no provider gave one. */
  readonly score: number | null;
  /** 0 to 100, whole; `null` when no provider gave one. */
  readonly confidence: number | null;
  readonly tier: Tier;
  readonly autoResolve: boolean;
  readonly categories: readonly string[];
  readonly attributes: readonly string[];
  readonly sightings: number | null;
  readonly firstSeen: string | null;
  readonly lastSeen: string | null;
  readonly reference: string | null;
  /** One line for people: why it was skipped or failed, and what to do; `null` when all is well. */
  readonly message: string | null;
  readonly providers: readonly ProviderResult[];
}

/** One source of an answer: who, when, and what it was asked about. */
export interface Origin {
  readonly provider: string;
  /** When it answered, seconds since 1970 (UTC). */
  readonly checkedAtS: number;
  /** The value as it was sent; `null`: nothing was sent (own lists, overrides). */
  readonly sent: string | null;
}

/** What makes the words of a trace; programs that trace nothing do without the code for it. */
export interface Tracer {
  /** Fingerprint of the settings in force, as the audit log has it. */
  readonly settings: string;
  /** The id of the request that brought an answer (`formats/request-id.ts`). */
  readonly idOf: (origin: Origin) => string;
}

/** What a trace is made of (`mapping/trace.ts`). */
export interface TraceFacts {
  readonly tracer: Tracer;
  /** `null`: every provider that answered did so at `checkedAtS`, about the indicator itself. */
  readonly origins: readonly Origin[] | null;
}

/** All verdicts on one observable, merged. */
export interface Enrichment {
  /** The value as it was given. */
  readonly input: string;
  /** `null` when the value is not an indicator (status `invalid`). */
  readonly indicator: Indicator | null;
  readonly answer: Answer;
  readonly source: Source;
  /** When the providers answered, seconds since 1970 (UTC); `null` when nobody was asked. */
  readonly checkedAtS: number | null;
  /** Until when the answer may be reused, seconds since 1970 (UTC). */
  readonly expiresAtS: number | null;
  /** Left out where nobody asked for traces. */
  readonly trace?: TraceFacts;
}

/**
 * An answer that no provider gave: invalid, private, allow-listed, not asked yet. No source answered, so there is no score. What is by
 * design never asked needs no action (`log`); all else needs a review.
 */
export function unaskedAnswer(status: Status, message: string): Answer {
  return {
    verdict: 'unknown',
    status,
    score: null,
    confidence: null,
    tier: isLeftAlone(status) ? 'log' : 'review',
    autoResolve: false,
    categories: [],
    attributes: [],
    sightings: null,
    firstSeen: null,
    lastSeen: null,
    reference: null,
    message,
    providers: [],
  };
}

/** Whether there was nothing to ask: an empty value, or one that by design never leaves. It says nothing, and asks for nothing. */
export function isLeftAlone(status: Status): boolean {
  return status === 'skipped_empty' || status === 'skipped_private' || status === 'skipped_allowlist';
}

/** Whether the look-up failed: an answer that nobody may read as "clean". */
export function isFailure(status: Status): boolean {
  switch (status) {
    case 'ok':
    case 'stale':
    case 'partial':
    case 'pending':
    case 'skipped_empty':
    case 'skipped_private':
    case 'skipped_allowlist':
    case 'skipped_tlp':
      return false;
    default:
      return true;
  }
}
