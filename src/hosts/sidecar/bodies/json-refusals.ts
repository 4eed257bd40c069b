import { MAX_BODY_DEPTH, MAX_VALUES } from '../../../events/json/parse-body.ts';
import type { BodyBounds, Excess } from '../../../events/json/parse-body.ts';
import type { Refusal } from '../http/replies.ts';

/** What a body may hold that is parsed between calls. */
export const BODY_BOUNDS: BodyBounds = { values: MAX_VALUES, depth: MAX_BODY_DEPTH };
/** What one may hold that is short, or has a thread of its own: there depth costs nobody anything, and an alert that nests deep is decided. */
export const DEEP_BOUNDS: BodyBounds = { values: MAX_VALUES, depth: Number.MAX_SAFE_INTEGER };

/** What is said of a body that holds too much. */
export function excessRefusal(excess: NonNullable<Excess>): Refusal {
  return excess === 'values'
    ? { status: 413, code: 'body_too_large', message: `the body holds more than ${MAX_VALUES} values: send fewer at once` }
    : { status: 400, code: 'invalid_request', message: `the body nests deeper than ${MAX_BODY_DEPTH} brackets: see /openapi.json` };
}

/** What is said of a body that cannot be parsed. */
export const NO_JSON: Refusal = { status: 400, code: 'invalid_request', message: 'Body is not valid JSON: see /openapi.json' };
