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

const FAULT =
  '(?:invalid|not (?:a |an )?valid|must be (?:a |an )?valid|malformed|unsupported|not supported|illegal|unrecogni[sz]ed|wrong|routable|unparsable)';
const VALUE =
  '(?:ip|ips|ipv4|ipv6|address|domain|host|hostname|url|hash|md5|sha-?1|sha-?256|indicator|value|resource|entity|entities|observable|ioc|e-?mail|query|term|argument)';
const BLAME = new RegExp(`invalidargument|\\b${FAULT}[^.{}]{0,60}\\b${VALUE}\\b|\\b${VALUE}\\b[^.{}]{0,60}${FAULT}`);
const MAX_BODY_CHARS = 2000;

/** Whether a refusal says that it is about the value: the status alone may as well mean a request that this server does not know. */
export function blamesValue(body: unknown): boolean {
  return BLAME.test(textOf(body).replaceAll(/[_"\\]/g, ' '));
}

/** Whether a refusal says that too much was asked at once. */
export function blamesSize(body: unknown): boolean {
  return /\b(?:limits?|too (?:many|large|big|long)|maximum|max|exceed(?:s|ed)?|at most)\b/.test(textOf(body).replaceAll('_', ' '));
}

function textOf(body: unknown): string {
  const text = typeof body === 'string' ? body : (JSON.stringify(body) ?? '');
  return text.slice(0, MAX_BODY_CHARS).toLowerCase();
}

/** Turns an HTTP status into our error, or null for an answer (2xx, and 404 as "not listed" only where the provider says so). */
export function errorFromStatus(provider: string, answer: HttpAnswer, nowMs: number): LookupError | null {
  const { status } = answer;
  if (status >= 200 && status < 300) return null;
  const retryAfterMs = parseRetryAfter(answer.headers['retry-after'], nowMs);
  switch (status) {
    case 400:
    case 422:
      return blamesValue(answer.body)
        ? new LookupError('invalid', provider, `refuses this value (HTTP ${status})`)
        : new LookupError('bad_response', provider, `refuses the request (HTTP ${status}): its version may be another one; report it`);
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
