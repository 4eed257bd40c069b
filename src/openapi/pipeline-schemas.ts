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

/** The query of `GET /v1/history`. */
export const HISTORY_QUERY = {
  type: 'object',
  required: ['indicator'],
  properties: { indicator: { type: 'string', minLength: 1, maxLength: 8192 } },
} as const;

const time = { type: 'string', format: 'date-time' } as const;
const texts = { type: 'array', items: { type: 'string' } } as const;
const count = { type: 'integer', minimum: 0 } as const;

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
  PipelineState: {
    type: 'object',
    required: ['runs', 'indicators', 'watched', 'sightings', 'quarantined_items', 'given_up'],
    properties: {
      runs: {
        type: 'array',
        description: 'The last runs, newest first.',
        items: {
          type: 'object',
          required: ['finished_at', 'feeds', 'enriched', 'failures'],
          properties: { finished_at: time, feeds: { type: 'object' }, enriched: count, failures: texts },
        },
      },
      indicators: count,
      watched: count,
      sightings: count,
      quarantined_items: { ...count, description: 'Items of feeds that could not be used: see /v1/quarantine.' },
      given_up: {
        type: 'array',
        description: 'Messages that no longer wait, by output; `ismalicious store replay` sends them again.',
        items: {
          type: 'object',
          required: ['output', 'total', 'reasons'],
          properties: { output: { type: 'string' }, total: count, reasons: texts },
        },
      },
    },
  },
  ValueHistory: {
    type: 'object',
    required: ['indicator', 'listed_by', 'verdicts', 'sightings'],
    properties: {
      indicator: { type: 'string' },
      listed_by: { ...texts, description: 'Feeds that list it.' },
      verdicts: {
        type: 'array',
        description: 'How its verdict changed, newest first.',
        items: {
          type: 'object',
          required: ['at', 'verdict', 'score', 'tier'],
          properties: { at: time, verdict: { type: 'string' }, score: { type: ['integer', 'null'] }, tier: { type: 'string' } },
        },
      },
      sightings: {
        type: 'array',
        description: 'Own machines and users that were seen with it in the last 90 days, latest first.',
        items: {
          type: 'object',
          required: ['asset', 'times', 'first_at', 'last_at'],
          properties: { asset: { type: 'string' }, times: count, first_at: time, last_at: time },
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
