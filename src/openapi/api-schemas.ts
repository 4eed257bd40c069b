import { ROLL_UP_MEMBERS } from '../mapping/ecs-roll-up.ts';
import { STATUSES, TIERS } from '../model/enrichment.ts';
import { INDICATOR_TYPES } from '../model/indicator.ts';
import { VERDICT_WORDS } from '../model/verdict.ts';
import { FEEDBACK_BODY, FEEDBACK_END_BODY } from './feedback-schemas.ts';

const text = { type: 'string' } as const;
const texts = { type: 'array', items: text } as const;
const trace = {
  ...texts,
  description:
    'With `ecs.trace`: where the answer comes from, a word for each source (`virustotal@2026-11-21T10:00:00Z#0f3a9c21b7de`, a request id that leads to the audit log; `local@…`; `otx!timeout`), then `settings=` and a fingerprint.',
};
const textOrNull = { type: ['string', 'null'] } as const;
const percent = { type: 'integer', minimum: 0, maximum: 100 } as const;
const percentOrNull = { type: ['integer', 'null'], minimum: 0, maximum: 100 } as const;
const timeOrNull = { type: ['string', 'null'], format: 'date-time' } as const;

/** The body of `POST /v1/lookup`: checked by the server as it stands here, nothing is coerced and nothing ignored. */
export const LOOKUP_BODY = {
  type: 'object',
  additionalProperties: false,
  required: ['indicators'],
  properties: {
    indicators: { ...texts, description: 'Values as they are: defanged, upper case, with ports. Answered in this order.' },
    providers: { ...texts, description: 'Ask only these providers (ids).' },
    timeout_ms: { type: 'integer', minimum: 1, maximum: 600_000, description: 'Answer with what is there after this many milliseconds.' },
    max_age_s: { type: 'integer', minimum: 0, description: 'Ask again for what is older than this many seconds.' },
    plan: { type: 'boolean', description: 'Only say what it would cost; nothing is spent.' },
    explain: { type: 'boolean', description: 'Say how each score came about.' },
    profile: {
      type: 'string',
      minLength: 1,
      description: 'Ask with the keys, budgets and clearances of this profile of the configuration.',
    },
    tlp: { type: 'string', minLength: 1, description: 'How the values are marked, when that is stricter than the settings: CLEAR to RED.' },
  },
} as const;

/** The query of `/v1/extract`: what a body of JSON says itself. */
export const EXTRACT_QUERY = { type: 'object', properties: { unique: { type: 'string', enum: ['true', 'false'] } } } as const;

/** The body of `POST /v1/extract`. */
export const EXTRACT_BODY = {
  type: 'object',
  additionalProperties: false,
  required: ['text'],
  properties: {
    text: { type: 'string', description: 'Any text: a log line, a mail, a page.' },
    unique: { type: 'boolean', description: 'Each indicator once.' },
  },
} as const;

/** Components of the OpenAPI document. */
export const SCHEMAS = {
  Error: {
    type: 'object',
    required: ['error'],
    properties: { error: { type: 'object', required: ['code', 'message'], properties: { code: text, message: text } } },
  },
  IngestAnswer: {
    type: 'object',
    additionalProperties: false,
    required: ['events', 'indexed', 'already', 'refused'],
    properties: {
      events: { type: 'integer', description: 'All of the batch: the sum of the others.' },
      indexed: { type: 'integer' },
      already: { type: 'integer', description: 'In the index since the batch was sent before.' },
      refused: { type: 'integer', description: 'Not taken by the engine as they are: kept in `gateway.refused_index`.' },
      failure_store: {
        type: 'integer',
        description: 'Not taken by the engine, which keeps them in the failure store of their data stream. Left out when there are none.',
      },
    },
  },
  LookupRequest: LOOKUP_BODY,
  ExtractRequest: EXTRACT_BODY,
  ExtractAnswer: {
    type: 'object',
    required: ['indicators'],
    properties: {
      indicators: {
        type: 'array',
        items: {
          type: 'object',
          required: ['type', 'value', 'original', 'offset'],
          properties: {
            type: { type: 'string', enum: INDICATOR_TYPES },
            value: text,
            original: { ...text, description: 'As it stands in the text.' },
            offset: { type: 'integer', minimum: 0, description: 'UTF-16 code units from the start.' },
            part: { ...text, description: 'Of a mail, document or archive: in which part, as `header:from` or `attachment:a.zip/b.js`.' },
          },
        },
      },
      unread: {
        type: 'array',
        description: 'Only for a file, and only when something in it could not be read: which part, and why.',
        items: { type: 'object', required: ['part', 'reason'], properties: { part: text, reason: text } },
      },
      truncated: {
        type: 'boolean',
        description: 'Only when it is true: the text holds more than `sidecar.max_extracted` indicators and was not read to its end.',
      },
      read_until: {
        type: 'integer',
        minimum: 0,
        description: 'With `truncated`: send the text from here on (UTF-16 code units from the start) to get the rest.',
      },
    },
  },
  FeedbackRequest: FEEDBACK_BODY,
  FeedbackEndRequest: FEEDBACK_END_BODY,
  Override: {
    type: 'object',
    description: 'What an analyst said: indicator, verdict, score, author, reason, at, until, and what sources said then.',
  },
  Overrides: { type: 'object', required: ['overrides'], properties: { overrides: { type: 'array', items: { type: 'object' } } } },
  ProviderResult: {
    type: 'object',
    required: [
      'provider',
      'status',
      'score',
      'confidence',
      'categories',
      'sightings',
      'first_seen',
      'last_seen',
      'reference',
      'contribution',
    ],
    properties: {
      provider: text,
      status: text,
      score: percentOrNull,
      confidence: percentOrNull,
      categories: texts,
      sightings: { type: ['integer', 'null'] },
      first_seen: textOrNull,
      last_seen: textOrNull,
      reference: textOrNull,
      contribution: { type: 'integer' },
      message: text,
    },
  },
  Enrichment: {
    type: 'object',
    required: [
      'indicator',
      'type',
      'verdict',
      'status',
      'score',
      'confidence',
      'categories',
      'attributes',
      'tier',
      'auto_resolve',
      'source',
      'checked_at',
      'expires_at',
      'message',
      'providers',
    ],
    properties: {
      indicator: { ...text, description: 'The canonical value.' },
      input: { ...text, description: 'What was given, when it is spelt differently.' },
      type: { enum: [...INDICATOR_TYPES, null] },
      verdict: { enum: VERDICT_WORDS },
      status: { enum: STATUSES },
      score: percentOrNull,
      confidence: percentOrNull,
      categories: texts,
      attributes: texts,
      tier: { enum: TIERS },
      auto_resolve: { type: 'boolean' },
      source: { enum: ['live', 'cache', 'coalesced', 'local', 'none'] },
      checked_at: timeOrNull,
      expires_at: timeOrNull,
      message: textOrNull,
      providers: { type: 'array', items: { $ref: '#/components/schemas/ProviderResult' } },
      explain: {
        ...texts,
        description: 'Where it was asked for: the contributions, which add up to the score, then how they were merged.',
      },
      trace,
    },
  },
  LookupAnswer: {
    type: 'object',
    additionalProperties: false,
    properties: {
      enrichments: { type: 'array', items: { $ref: '#/components/schemas/Enrichment' } },
      plan: { $ref: '#/components/schemas/Plan' },
      note: { type: 'string', description: 'What to know of all answers, as that no provider has a key and only local lists answered.' },
    },
  },
  Plan: {
    type: 'object',
    required: ['values', 'unique', 'invalid', 'refused', 'local', 'cached', 'to_pay', 'by_provider', 'credits_left', 'estimated_s'],
    properties: {
      values: { type: 'integer' },
      unique: { type: 'integer' },
      invalid: { type: 'integer' },
      refused: { type: 'integer', description: 'Private, internal, allow-listed: not sent.' },
      local: { type: 'integer' },
      cached: { type: 'integer' },
      to_pay: { type: 'integer' },
      by_provider: { type: 'object', additionalProperties: { type: 'integer' } },
      credits_left: { type: 'object', additionalProperties: { type: ['integer', 'null'] } },
      estimated_s: { type: ['number', 'null'] },
    },
  },
  RollUp: {
    type: 'object',
    description: `\`ismalicious.*\` of an event (${ROLL_UP_MEMBERS.join(', ')}): the worst of its values. What is not known is left out; with \`ecs.detail: lean\` all but verdict, status and checked_at, too, where there is nothing to say (clean or unknown, status ok).`,
    required: ['verdict', 'status'],
    properties: {
      verdict: { enum: VERDICT_WORDS },
      status: { enum: STATUSES },
      score: percent,
      confidence: percent,
      categories: texts,
      attributes: texts,
      tier: { enum: TIERS },
      auto_resolve: { type: 'boolean' },
      source: { enum: ['live', 'cache', 'coalesced', 'local', 'none'] },
      checked_at: { ...text, format: 'date-time' },
      indicator: text,
      field: text,
      malicious: { type: 'boolean', description: 'Left out when unknown.' },
      message: text,
      trace,
    },
  },
  Event: { type: 'object', description: 'An event as JSON; ECS names, nested or dotted.' },
  LogstashAnswer: {
    allOf: [{ $ref: '#/components/schemas/RollUp' }],
    type: 'object',
    properties: {
      type: { enum: INDICATOR_TYPES },
      failed: {
        type: 'boolean',
        description:
          'One value at least could not be looked up. Left out with all that follows where there is nothing to say and `ecs.detail` is `lean`.',
      },
      retry: { type: 'boolean', description: 'One of those may be answered another time; false: what failed is not an indicator.' },
      related: { type: 'object', description: 'What was looked up, as `ip`, `hosts` and `hash`, each value once.' },
      nothing_to_look_up: {
        type: 'boolean',
        description: 'No field that was sent holds a value: no failure, and nothing to add to the event.',
      },
      enrichments: { type: 'array', items: { type: 'object' }, description: 'Ready for [threat][enrichments].' },
      fields: {
        type: 'object',
        additionalProperties: { $ref: '#/components/schemas/RollUp' },
        description: 'By field, when there are several.',
      },
    },
  },
  CheckAnswer: {
    type: 'object',
    description: 'In the shape of isMalicious’ own API.',
    required: ['malicious', 'riskScore', 'categories', 'confidenceScore'],
    properties: {
      malicious: { type: 'boolean' },
      riskScore: { type: 'object', required: ['score', 'level'], properties: { score: percentOrNull, level: text } },
      categories: texts,
      confidenceScore: percentOrNull,
    },
  },
  CheckFailure: {
    type: 'object',
    required: ['message'],
    properties: { message: text, error: { type: ['string', 'object'] }, status: { enum: STATUSES }, errors: texts },
  },
  Health: {
    type: 'object',
    required: ['status'],
    properties: { status: text, reason: text, degraded: { type: 'array', items: text }, providers: { type: 'object' } },
  },
} as const;
