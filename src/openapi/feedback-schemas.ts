import { MAX_AUTHOR_CHARS, MAX_OVERRIDE_S, MAX_REASON_CHARS, MAX_VALUE_CHARS, OVERRIDE_VERDICTS } from '../engine/feedback/overrides.ts';

const text = (maxLength: number) => ({ type: 'string', minLength: 1, maxLength }) as const;

/** The body of `POST /v1/feedback`. */
export const FEEDBACK_BODY = {
  type: 'object',
  required: ['indicator', 'verdict', 'author', 'reason'],
  additionalProperties: false,
  properties: {
    indicator: text(MAX_VALUE_CHARS),
    verdict: { type: 'string', enum: OVERRIDE_VERDICTS },
    author: text(MAX_AUTHOR_CHARS),
    reason: text(MAX_REASON_CHARS),
    score: { type: 'integer', minimum: 0, maximum: 100 },
    for_s: { type: 'integer', minimum: 1, maximum: MAX_OVERRIDE_S },
  },
} as const;

/** The body of `DELETE /v1/feedback`. */
export const FEEDBACK_END_BODY = {
  type: 'object',
  required: ['indicator', 'author'],
  additionalProperties: false,
  properties: { indicator: text(MAX_VALUE_CHARS), author: text(MAX_AUTHOR_CHARS) },
} as const;

/** The query of `GET /v1/feedback`: anything but these two is refused, so that a slip does not leave out half of them. */
export const FEEDBACK_QUERY = { type: 'object', properties: { all: { type: 'string', enum: ['true', 'false'] } } } as const;
