/** The query of `GET /v1/report`: 1 to 56 days. */
export const REPORT_QUERY = {
  type: 'object',
  properties: { days: { type: 'string', pattern: '^(?:[1-9]|[1-4]\\d|5[0-6])$' } },
} as const;

const count = { type: 'integer', minimum: 0 } as const;
const share = { type: ['number', 'null'], minimum: 0, maximum: 1 } as const;
const milliseconds = { type: ['integer', 'null'], minimum: 0 } as const;
const money = { type: ['number', 'null'], description: 'Credits times `credit_price`; null: no price is set.' } as const;
const day = { type: 'string', format: 'date' } as const;
const isMet = { type: ['boolean', 'null'], description: 'Null: not known.' } as const;
const name = { type: ['string', 'null'] } as const;

const latency = {
  type: 'object',
  description: 'Right to a quarter.',
  required: ['p50', 'p95', 'p99'],
  properties: { p50: milliseconds, p95: milliseconds, p99: milliseconds },
} as const;

const source = {
  type: 'object',
  required: [
    'source',
    'calls',
    'lookups',
    'answered',
    'failed',
    'success_rate',
    'latency_ms',
    'credits',
    'money',
    'spent_this_month',
    'budget_per_month',
  ],
  properties: {
    source: { type: 'string' },
    calls: count,
    lookups: count,
    answered: count,
    failed: { type: 'object', description: 'Look-ups without an answer, by status.' },
    success_rate: share,
    latency_ms: latency,
    credits: count,
    money,
    spent_this_month: { type: ['integer', 'null'] },
    budget_per_month: { type: ['integer', 'null'] },
  },
} as const;

const caller = {
  type: 'object',
  required: ['program', 'user', 'search', 'calls', 'values', 'credits'],
  properties: { program: { type: 'string' }, user: name, search: name, calls: count, values: count, credits: count },
} as const;

const week = {
  type: 'object',
  required: ['from', 'to', 'latency_p95_ms', 'success_rate', 'true_positive_rate', 'calls', 'credits', 'money'],
  properties: {
    from: day,
    to: day,
    latency_p95_ms: milliseconds,
    success_rate: share,
    true_positive_rate: share,
    calls: count,
    credits: count,
    money,
  },
} as const;

/** Components of the OpenAPI document about the settings and figures of the program itself. */
export const INSIGHT_SCHEMAS = {
  Settings: {
    type: 'object',
    required: ['settings'],
    properties: {
      settings: {
        type: 'array',
        items: {
          type: 'object',
          required: ['key', 'value', 'from'],
          properties: {
            key: { type: 'string', description: 'Dotted, as in YAML.' },
            value: { description: 'As it was checked; that of a secret is `********`.' },
            from: {
              type: 'string',
              description: '`default`, `command line`, or the place that set it: environment variable, file and line, or profile.',
            },
          },
        },
      },
    },
  },
  Report: {
    type: 'object',
    required: ['from', 'to', 'targets', 'on_target', 'latency_ms', 'success_rate', 'feedback', 'sources', 'callers', 'trend'],
    properties: {
      from: day,
      to: day,
      targets: {
        type: 'object',
        required: ['latency_p95_ms', 'success_rate'],
        properties: { latency_p95_ms: { type: 'integer' }, success_rate: { type: 'number' } },
      },
      on_target: { type: 'object', required: ['latency', 'success_rate'], properties: { latency: isMet, success_rate: isMet } },
      latency_ms: latency,
      success_rate: share,
      feedback: {
        type: 'object',
        required: ['overrides', 'true_positives', 'false_positives', 'false_negatives', 'true_positive_rate'],
        properties: {
          overrides: count,
          true_positives: count,
          false_positives: count,
          false_negatives: count,
          true_positive_rate: share,
        },
      },
      sources: { type: 'array', items: source },
      callers: {
        type: 'array',
        description: 'By program, user and search, out of the last 32 MiB of the audit log; those who spent most first.',
        items: caller,
      },
      trend: { type: 'array', description: 'Eight weeks of seven days, the last one until today.', items: week },
    },
  },
} as const;

interface Parts {
  readonly refusal: (description: string) => object;
  readonly common: Readonly<Record<number, object>>;
}

const json = (component: keyof typeof INSIGHT_SCHEMAS) => ({
  'application/json': { schema: { $ref: `#/components/schemas/${component}` } },
});

/** What the sidecar tells of itself, by path. */
export function insightPaths({ refusal, common }: Parts) {
  return {
    '/v1/settings': {
      get: {
        summary: 'The settings in force',
        description: 'Each with the place that set it; secrets are masked. As of the start of the program.',
        responses: { 200: { description: 'All that have a value.', content: json('Settings') }, ...common },
      },
    },
    '/v1/report': {
      get: {
        summary: 'The figures of a period against their targets',
        description: 'Latency, success rate, overrides, credits and cost, by source and by caller, and a trend. At most a minute old.',
        parameters: [
          {
            name: 'days',
            in: 'query',
            schema: { type: 'integer', minimum: 1, maximum: 56 },
            description: 'Days (UTC), today included (7).',
          },
        ],
        responses: {
          200: { description: 'The figures.', content: json('Report') },
          400: refusal('The query does not fit.'),
          ...common,
        },
      },
    },
  };
}
