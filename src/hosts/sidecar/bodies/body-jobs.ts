import type { AlertReading } from '../../../pipeline/triage/read-alerts.ts';
import type { Refusal } from '../http/replies.ts';

/** What a thread is asked to make of a body. */
export type BodyJob =
  | { readonly kind: 'extract'; readonly max: number }
  /** The body is a file. `isUnique`: each indicator once, at its first place. */
  | { readonly kind: 'file'; readonly max: number; readonly isUnique: boolean }
  /** `notesSightings`: who was seen with what is read, too. */
  | { readonly kind: 'alerts'; readonly max: number; readonly notesSightings: boolean };

/** What it says of it, in one part or several. */
export type BodyResult =
  | { readonly kind: 'refused'; readonly refusal: Refusal }
  /** The whole answer of `/v1/extract`, as it is sent. */
  | { readonly kind: 'extracted'; readonly json: Uint8Array<ArrayBuffer>; readonly isTruncated: boolean }
  /** Some of them at a time: taking over all at once would hold up who asked. */
  | { readonly kind: 'alerts'; readonly alerts: readonly AlertReading[]; readonly isLast: boolean }
  /** Nobody waits any more. */
  | { readonly kind: 'stopped' }
  /** A fault of ours. */
  | { readonly kind: 'thrown'; readonly error: Error };

/** A body and what is to be made of it; `stop` is not 0 once nobody waits any more. */
export interface BodyTask {
  readonly job: BodyJob;
  readonly bytes: Uint8Array;
  readonly stop: Int32Array;
}

/** What is said of a body that holds something else. */
export const NO_ALERTS: Refusal = {
  status: 400,
  code: 'invalid_request',
  message: 'send an alert as a JSON object, an array of them, or {"alerts":[…]}: see /openapi.json',
};

/** What is said of a body with more than `max` alerts. */
export function tooManyAlerts(max: number): Refusal {
  return { status: 413, code: 'too_many_alerts', message: `more than ${max} alerts in one call: send fewer at once` };
}
