import { MAX_VALUES } from '../../../events/json/parse-body.ts';
import type { Refusal } from '../http/replies.ts';

/** What is said of a body with too many values in it. */
export const TOO_MANY_VALUES: Refusal = {
  status: 413,
  code: 'body_too_large',
  message: `the body holds more than ${MAX_VALUES} values: send fewer at once`,
};

/** What is said of a body that cannot be parsed. */
export const NO_JSON: Refusal = { status: 400, code: 'invalid_request', message: 'Body is not valid JSON: see /openapi.json' };
