import { LookupError, type LookupErrorCode } from '../../model/lookup-error.ts';
import type { HttpAnswer } from '../provider.ts';

const SECOND_MS = 1000;

/**
 * A URL of an API: base, then the API's own prefix (left out when the base ends in it already, as many people paste it), then the path.
 * Every `segment` is one path segment: it is escaped whole.
 */
export function apiUrl(baseUrl: string, prefix: string, ...segments: readonly string[]): URL {
  const base = baseUrl.replace(/\/+$/, '');
  const root = base.endsWith(prefix) ? base : `${base}${prefix}`;
  return new URL([root, ...segments.map(encodeURIComponent)].join('/'));
}

/** What a vendor's error answer means, where the status alone misleads. `waitS`: how long it asks us to wait. */
export function refusal(code: LookupErrorCode, provider: string, message: string, waitS: number | null = null): LookupError {
  return new LookupError(code, provider, message, waitS === null ? {} : { retryAfterMs: Math.round(waitS * SECOND_MS) });
}

/** A header as a number of seconds or counts; `null` when absent or no number. */
export function headerNumber(answer: HttpAnswer, name: string): number | null {
  const text = answer.headers[name]?.trim();
  return text !== undefined && /^\d+(\.\d+)?$/.test(text) ? Number(text) : null;
}

/** A text at the top of an error body (`message`, `error`, `detail`), lower case; empty when there is none. */
export function errorText(body: unknown, ...keys: readonly string[]): string {
  let at: unknown = body;
  for (const key of keys) at = typeof at === 'object' && at !== null ? Reflect.get(at, key) : undefined;
  return typeof at === 'string' ? at.toLowerCase() : '';
}
