const text = { type: 'string', minLength: 1 } as const;
const name = { type: 'string', minLength: 1, maxLength: 200 } as const;
const indicators = { type: 'array', items: text, minItems: 1, maxItems: 1000 } as const;

/** The body of `POST /v1/watchlist`. */
export const WATCH_BODY = {
  type: 'object',
  required: ['indicators'],
  additionalProperties: false,
  properties: {
    indicators: { ...indicators, description: 'Values as they are: defanged, upper case. Answered in this order.' },
    reason: { ...name, description: 'Why, for people.' },
    by: { ...name, description: 'Who asks.' },
    every_hours: { type: 'number', minimum: 1, maximum: 8760, description: 'Hours between two checks.' },
    days: { type: 'number', minimum: 1, maximum: 3650, description: 'Watching ends after so many days; left out: when it is taken off.' },
  },
} as const;

/** The body of `DELETE /v1/watchlist`. */
export const WATCH_END_BODY = {
  type: 'object',
  required: ['indicators'],
  additionalProperties: false,
  properties: { indicators },
} as const;

/** The query of `POST /v1/triage`; the time limit is checked where all calls have theirs checked. */
export const TRIAGE_QUERY = { type: 'object', properties: { tell: { type: 'string', enum: ['true', 'false'] } } } as const;

/** The query of `GET /v1/quarantine`. */
export const QUARANTINE_QUERY = {
  type: 'object',
  properties: { feed: name, limit: { type: 'string', pattern: '^(?:[1-9]\\d{0,3}|10000)$' } },
} as const;

const decision = {
  type: 'object',
  required: ['alert_id', 'tier', 'actions', 'auto_resolve', 'score', 'verdict', 'status', 'indicator', 'field', 'reasons', 'note'],
  properties: {
    alert_id: { type: 'string', description: 'Its own id, else a digest of it.' },
    tier: { type: 'string' },
    actions: { type: 'array', items: { type: 'string' }, description: 'What is asked for; none of it blocks, closes or deletes.' },
    auto_resolve: { type: 'boolean' },
    score: { type: ['integer', 'null'], minimum: 0, maximum: 100 },
    verdict: { type: 'string' },
    status: { type: 'string' },
    indicator: { type: ['string', 'null'], description: 'The one that decided.' },
    field: { type: ['string', 'null'], description: 'Where it stood.' },
    reasons: { type: 'array', items: { type: 'string' } },
    note: { type: 'string', description: 'One line to write into the alert.' },
  },
} as const;

const watched = {
  type: 'object',
  required: ['indicator', 'type', 'reason', 'by', 'added_at', 'every_hours', 'next_check_at', 'until', 'verdict', 'score', 'checked_at'],
  description: 'A watched indicator; `verdict`, `score` and `checked_at` are null until it was checked.',
} as const;

/** Components of the OpenAPI document that these routes bring. */
export const PIPELINE_SCHEMAS = {
  WatchRequest: WATCH_BODY,
  WatchEndRequest: WATCH_END_BODY,
  Watchlist: {
    type: 'object',
    required: ['total', 'watchlist'],
    properties: { total: { type: 'integer' }, watchlist: { type: 'array', items: watched } },
  },
  Quarantine: {
    type: 'object',
    required: ['total', 'items'],
    properties: {
      total: { type: 'integer', description: 'How many there are, shown or not.' },
      items: {
        type: 'array',
        items: {
          type: 'object',
          required: ['feed', 'reason', 'raw', 'times', 'last_at'],
          properties: {
            feed: { type: 'string' },
            reason: { type: 'string', description: 'Why it is not an indicator.' },
            raw: { type: 'string', description: 'As it came, cut to 2048 characters.' },
            times: { type: 'integer', description: 'How often it came.' },
            last_at: { type: 'string', format: 'date-time' },
          },
        },
      },
    },
  },
  WatchResults: {
    type: 'object',
    required: ['results'],
    properties: {
      results: {
        type: 'array',
        items: {
          type: 'object',
          required: ['input'],
          properties: {
            input: { type: 'string' },
            indicator: { type: 'string' },
            type: { type: 'string' },
            added: { type: 'boolean', description: 'False: it was watched already, or cannot be; `message` says why.' },
            removed: { type: 'boolean', description: 'False: it was not watched.' },
            message: { type: 'string' },
          },
        },
      },
    },
  },
  Alerts: {
    oneOf: [
      { type: 'object', description: 'An alert, or `{"alerts":[…]}`; ECS, CIM and common names, nested or dotted.' },
      { type: 'array', items: { type: 'object' } },
    ],
  },
  Decisions: { type: 'object', required: ['decisions'], properties: { decisions: { type: 'array', items: decision } } },
  Taxii: {
    type: 'object',
    description: 'TAXII 2.1: discovery, API root, collections, collection, an envelope of STIX objects, or an error.',
  },
} as const;
