import type { Origin } from '../enrichment.ts';
import { sha256 } from './sha256.ts';

const DIGEST_BYTES = 6;
const SECOND_MS = 1000;
const REQUEST_ID = /^([a-z][a-z0-9_.]*)@(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ)#([0-9a-f]{12})$/;

/** A request as its id names it. */
export interface RequestId {
  readonly provider: string;
  /** When the provider answered, seconds since 1970 (UTC). */
  readonly checkedAtS: number;
  /** See `digestOfSent`. */
  readonly digest: string;
}

/** Stands for a value that was sent to a provider: the first 12 hex digits of SHA-256 of the provider's id, a line feed, and the value. */
export function digestOfSent(provider: string, value: string): string {
  return Array.from(sha256(`${provider}\n${value}`).subarray(0, DIGEST_BYTES), (byte) => byte.toString(16).padStart(2, '0')).join('');
}

/**
 * The id of a request: `virustotal@2026-11-21T10:00:00Z#0f3a9c21b7de`, who answered, when, and a digest of what was sent. The cache
 * knows all of it, so an answer that another program paid for, days ago, has the id of the call that brought it. Without `#…`: nothing was sent.
 */
export function requestIdOf({ provider, checkedAtS, sent }: Origin): string {
  const time = new Date(checkedAtS * SECOND_MS).toISOString().replace(/\.\d+Z$/, 'Z');
  return `${provider}@${time}${sent === null ? '' : `#${digestOfSent(provider, sent)}`}`;
}

/** The request ids in a text, as `im_trace` and `ismalicious.trace` hold them: among other words, or as a list in JSON. */
export function requestIdsIn(text: string): readonly (RequestId & { readonly text: string })[] {
  return text.split(/[\s,"[\]]+/).flatMap((part) => {
    const id = readRequestId(part);
    return id === null ? [] : [{ ...id, text: part }];
  });
}

/** Reads an id of `requestIdOf`; `null`: it is none, or nothing was sent. */
function readRequestId(text: string): RequestId | null {
  const [, provider, time, digest] = REQUEST_ID.exec(text) ?? [];
  const checkedAtS = Date.parse(time ?? '') / SECOND_MS;
  return provider === undefined || digest === undefined || Number.isNaN(checkedAtS) ? null : { provider, checkedAtS, digest };
}
