import { OVERRIDE_VERDICTS } from '../../../engine/feedback.ts';

const text = { type: 'string', minLength: 1 } as const;

/** The body of `POST /v1/feedback`. */
export const FEEDBACK_BODY = {
  type: 'object',
  required: ['indicator', 'verdict', 'author', 'reason'],
  additionalProperties: false,
  properties: {
    indicator: text,
    verdict: { type: 'string', enum: OVERRIDE_VERDICTS },
    author: text,
    reason: text,
    score: { type: 'integer', minimum: 0, maximum: 100 },
    for_s: { type: 'integer', minimum: 1 },
  },
} as const;

/** The body of `DELETE /v1/feedback`. */
export const FEEDBACK_END_BODY = {
  type: 'object',
  required: ['indicator', 'author'],
  additionalProperties: false,
  properties: { indicator: text, author: text },
} as const;
