import { inertText } from './formats/inert-text.ts';

/** Why a provider gave no answer. The words are those users see as `status`; hosts branch on them, never on message text. */
export const LOOKUP_ERROR_CODES = [
  'invalid',
  'over_budget',
  'rate_limited',
  'quota_exhausted',
  'timeout',
  'unauthorized',
  'unavailable',
  'bad_response',
] as const;

/** Nobody is left alone for longer than this because of one header, in milliseconds. */
const LONGEST_RETRY_AFTER_MS = 86_400_000;

export type LookupErrorCode = (typeof LOOKUP_ERROR_CODES)[number];

/** V8's own: how many calls of a stack are noted. */
const STACKS = Error as { stackTraceLimit?: number | undefined };

/** A lookup that gave no answer. "Not listed" is an answer (`null` verdict), not an error. */
export class LookupError extends Error {
  override readonly name = 'LookupError';
  readonly code: LookupErrorCode;
  readonly provider: string;
  /** How long the provider asks us to wait, in milliseconds, at most a day: then it is asked again. `null`: it did not say. */
  readonly retryAfterMs: number | null;

  /** `message`: one line for people, without the key: what happened and what to do. The original error goes into `cause`. */
  constructor(code: LookupErrorCode, provider: string, message: string, options: { retryAfterMs?: number | null; cause?: unknown } = {}) {
    // In an outage there are thousands a second, and nobody reads where they were made: taking down the stack cost more than the look-up.
    // `cause` has its own.
    const { stackTraceLimit } = STACKS;
    STACKS.stackTraceLimit = 0;
    super(inertText(`${provider}: ${message}`), options.cause === undefined ? undefined : { cause: options.cause });
    STACKS.stackTraceLimit = stackTraceLimit;
    this.code = code;
    this.provider = provider;
    this.retryAfterMs = boundedWait(options.retryAfterMs ?? null);
  }
}

/** A wait as somebody asks for it, between nothing and a day; `null`: it is no time. */
export function boundedWait(waitMs: number | null): number | null {
  return waitMs === null || Number.isNaN(waitMs) ? null : Math.min(Math.max(0, waitMs), LONGEST_RETRY_AFTER_MS);
}

/** Any fault as ours: one that is not coded is a fault in reading the answer. */
export function asLookupError(provider: string, error: unknown): LookupError {
  return error instanceof LookupError
    ? error
    : new LookupError('bad_response', provider, 'the call or its answer could not be handled', { cause: error });
}
