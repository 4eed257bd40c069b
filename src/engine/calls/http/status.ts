import { boundedWait, LookupError } from '../../../model/lookup-error.ts';
import type { HttpAnswer } from '../../../providers/provider.ts';

const SECOND_MS = 1000;

/** `Retry-After` (RFC 9110 §10.2.3: seconds or an HTTP date) in milliseconds from now, at most a day; `null` when absent or senseless. */
export function parseRetryAfter(value: string | undefined, nowMs: number): number | null {
  if (value === undefined) return null;
  const text = value.trim();
  if (/^\d+(\.\d+)?$/.test(text)) return boundedWait(Number(text) * SECOND_MS);
  if (text.startsWith('-')) return null;
  const at = Date.parse(text);
  return boundedWait(at - nowMs);
}

/** Turns an HTTP status into our error, or null for an answer (2xx, and 404 as "not listed" only where the provider says so). */
export function errorFromStatus(provider: string, answer: HttpAnswer, nowMs: number): LookupError | null {
  const { status } = answer;
  if (status >= 200 && status < 300) return null;
  const retryAfterMs = parseRetryAfter(answer.headers['retry-after'], nowMs);
  switch (status) {
    case 400:
    case 422:
      return new LookupError('invalid', provider, `refuses this value (HTTP ${status})`);
    case 401:
      return new LookupError('unauthorized', provider, 'key refused (HTTP 401): check the API key');
    case 402:
    case 403:
      return new LookupError('unauthorized', provider, `not allowed (HTTP ${status}): the key or its plan does not cover this call`);
    case 404:
      return new LookupError('bad_response', provider, 'no such path (HTTP 404): check the base URL');
    case 407:
      return new LookupError('unavailable', provider, 'the proxy refuses us (HTTP 407): check the proxy user and password');
    case 429:
      return new LookupError('rate_limited', provider, 'rate limit reached (HTTP 429)', { retryAfterMs });
    default:
      if (status >= 500 || status === 408)
        return new LookupError('unavailable', provider, `out of order (HTTP ${status})`, { retryAfterMs });
      return new LookupError('bad_response', provider, `unexpected HTTP ${status}`);
  }
}
