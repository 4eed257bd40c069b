// src/openapi/: the API described: schemas that check bodies, and the document made of them.
import { TLP_LABELS } from '../model/tlp.ts';
import { SCHEMAS } from './api-schemas.ts';
import { INSIGHT_SCHEMAS, insightPaths } from './insight-schemas.ts';
import { pipelinePaths } from './openapi-pipeline.ts';
import { PIPELINE_SCHEMAS } from './pipeline-schemas.ts';
import { withExamples } from './with-examples.ts';

const json = (name: keyof typeof SCHEMAS) => ({ 'application/json': { schema: { $ref: `#/components/schemas/${name}` } } });
const refusal = (description: string) => ({ description, content: json('Error') });

const TIMEOUT = [
  {
    name: 'timeout_ms',
    in: 'query',
    schema: { type: 'integer', minimum: 1, maximum: 600_000 },
    description: 'Milliseconds until the answer is given with what is there.',
  },
  { name: 'x-timeout-ms', in: 'header', schema: { type: 'integer', minimum: 1, maximum: 600_000 }, description: 'The same as a header.' },
];

const TLP = { type: 'string', enum: TLP_LABELS };
/** As whom a call asks. */
const ASKING = [
  {
    name: 'profile',
    in: 'query',
    schema: { type: 'string', minLength: 1 },
    description: 'Ask with the keys, budgets and clearances of this profile.',
  },
  { name: 'x-ismalicious-profile', in: 'header', schema: { type: 'string', minLength: 1 }, description: 'The same as a header.' },
  { name: 'tlp', in: 'query', schema: TLP, description: 'How the values are marked, when that is stricter than the settings.' },
  { name: 'x-ismalicious-tlp', in: 'header', schema: TLP, description: 'The same as a header.' },
];

const COMMON = {
  401: refusal('The token is missing or wrong.'),
  403: refusal('Called by a foreign host name or from a foreign web page.'),
  503: refusal('Too many calls at once; `Retry-After` says when to come again.'),
};

const EVENTS = {
  'application/json': {
    schema: { oneOf: [{ $ref: '#/components/schemas/Event' }, { type: 'array', items: { $ref: '#/components/schemas/Event' } }] },
  },
  'application/x-ndjson': { schema: { type: 'string', description: 'One event a line.' } },
};

const text = (description: string, type: string) => ({ description, content: { [type]: { schema: { type: 'string' } } } });
const consoleFile = (what: string, type: string) => ({
  get: {
    summary: `${what} of the console page`,
    security: [],
    responses: { 200: text(`${what} of the page.`, type), 304: { description: 'It is as it was.' }, 404: refusal('It is not built.') },
  },
});
const health = { content: json('Health') };

/** What every path of the sidecar takes and gives, by path. */
const PATHS = {
  '/v1/enrich': {
    post: {
      summary: 'Enrich events',
      description:
        'The same events, in the same order, each with `threat.enrichments[]`, `ismalicious.*`, `related.*` and `tags` added; all else is byte for byte as it was.',
      parameters: [...TIMEOUT, ...ASKING],
      requestBody: { required: true, content: EVENTS },
      responses: {
        200: {
          description: 'The events.',
          headers: {
            'x-ismalicious-invalid-lines': {
              schema: { type: 'integer' },
              description: 'NDJSON lines that are not JSON objects: passed through unchanged.',
            },
          },
          content: EVENTS,
        },
        400: refusal('Not JSON; the message says from which byte on. Or there is no such profile or label.'),
        405: refusal('Not POST.'),
        413: refusal('Too long, or too many events.'),
        415: refusal('Neither JSON nor NDJSON.'),
        ...COMMON,
      },
    },
  },
  '/v1/lookup': {
    post: {
      summary: 'Look values up',
      parameters: [...TIMEOUT, ...ASKING],
      requestBody: { required: true, content: json('LookupRequest') },
      responses: {
        200: { description: 'One enrichment for each value, in the same order; or the plan.', content: json('LookupAnswer') },
        400: refusal('The body does not fit, or there is no such profile or label; the message says which.'),
        413: refusal('Too long, or too many values.'),
        415: refusal('Not JSON.'),
        ...COMMON,
      },
    },
  },
  '/v1/extract': {
    post: {
      summary: 'Find indicators in a text or a file',
      description: 'A text as JSON, or a file as its bytes: a mail, a mailbox, an Outlook message, an archive, a document, a page.',
      parameters: [
        {
          name: 'unique',
          in: 'query',
          schema: { type: 'string', enum: ['true', 'false'] },
          description: 'For a file: `true`: each indicator once, at its first place.',
        },
      ],
      requestBody: {
        required: true,
        content: { ...json('ExtractRequest'), 'application/octet-stream': { schema: { type: 'string', format: 'binary' } } },
      },
      responses: {
        200: { description: 'What was found, in the order of the text. Nothing is looked up.', content: json('ExtractAnswer') },
        400: refusal('The body does not fit; the message names the member.'),
        413: refusal('Too long.'),
        415: refusal('Neither JSON nor a file.'),
        422: refusal('The file takes too much memory to open.'),
        ...COMMON,
      },
    },
  },
  '/v1/feedback': {
    get: {
      summary: 'Overrides of analysts that are in force',
      parameters: [
        { name: 'all', in: 'query', schema: { type: 'string', enum: ['true', 'false'] }, description: '`true`: ended ones too.' },
      ],
      responses: {
        200: { description: 'The overrides.', content: json('Overrides') },
        400: refusal('The query does not fit.'),
        ...COMMON,
      },
    },
    post: {
      summary: 'Overrule what sources say about an indicator',
      requestBody: { required: true, content: json('FeedbackRequest') },
      responses: {
        201: { description: 'The override, in force from now on.', content: json('Override') },
        400: refusal('The body does not fit, or the value is not an indicator.'),
        415: refusal('Not JSON.'),
        ...COMMON,
      },
    },
    delete: {
      summary: 'Take an override back',
      requestBody: { required: true, content: json('FeedbackEndRequest') },
      responses: {
        204: { description: 'It no longer holds.' },
        400: refusal('The body does not fit, or the value is not an indicator.'),
        404: refusal('There is none in force.'),
        ...COMMON,
      },
    },
  },
  '/v1/ingest/{index}': {
    post: {
      summary: 'Enrich a batch of events and index it',
      description:
        'For Logstash’s http output with `json_batch`. Only with a gateway (`gateway.upstream`). What is refused with 429 or 503 is to be sent again as it is: nothing is doubled by that.',
      parameters: [
        {
          name: 'index',
          in: 'path',
          required: true,
          schema: { type: 'string' },
          description: 'Data stream or index to create the events in.',
          example: 'logs-app-default',
        },
      ],
      requestBody: { required: true, content: EVENTS },
      responses: {
        200: { description: 'All of them are indexed, or kept as refused by the engine.', content: json('IngestAnswer') },
        400: refusal('Neither an array of events nor an event a line.'),
        413: refusal('Too long.'),
        429: refusal('The engine cannot take all of it now.'),
        ...COMMON,
        503: refusal('The engine gives no answer, or refuses the batch as a whole.'),
      },
    },
  },
  ...pipelinePaths({ refusal, common: COMMON, timeout: TIMEOUT }),
  ...insightPaths({ refusal, common: COMMON }),
  '/v1/logstash': {
    post: {
      summary: 'Look up what the Logstash http filter sends',
      description:
        'A hash of field and value, or a whole event. Answered 200 whatever happens, for the filter throws any other answer away.',
      parameters: [...TIMEOUT, ...ASKING],
      requestBody: { required: true, content: { 'application/json': { schema: {} }, 'text/plain': { schema: { type: 'string' } } } },
      responses: {
        200: { description: 'Flat, ready for `target_body`.', content: json('LogstashAnswer') },
        401: COMMON[401],
        403: COMMON[403],
        405: refusal('Not POST.'),
      },
    },
  },
  '/check': {
    get: {
      summary: 'Look one value up in the shape of isMalicious’ own API',
      parameters: [
        {
          name: 'query',
          in: 'query',
          required: true,
          schema: { type: 'string', pattern: '\\S' },
          description: 'The value.',
          example: '198.51.100.7',
        },
        ...TIMEOUT,
        ...ASKING,
      ],
      responses: {
        200: { description: 'A verdict.', content: json('CheckAnswer') },
        400: { description: 'Not an indicator, or no such profile or label.', content: json('CheckFailure') },
        401: { description: 'A key is refused.', content: json('CheckFailure') },
        403: COMMON[403],
        404: { description: 'No source lists it. That is not the same as clean.', content: json('CheckFailure') },
        405: refusal('Not GET.'),
        422: { description: 'Private or allow-listed: never asked about.', content: json('CheckFailure') },
        429: { description: 'Rate limit, quota or budget.', content: json('CheckFailure') },
        502: { description: 'A source gave an answer that cannot be read.', content: json('CheckFailure') },
        503: { description: 'No source can be reached, or too many calls.', content: json('CheckFailure') },
        504: { description: 'No answer in time.', content: json('CheckFailure') },
      },
    },
  },
  '/healthz': { get: { summary: 'Whether the process works', security: [], responses: { 200: { description: 'It does.', ...health } } } },
  '/readyz': {
    get: {
      summary: 'Whether calls can be answered',
      security: [],
      responses: {
        200: { description: 'They can; `degraded`: from memory alone, with the reason.', ...health },
        503: { description: 'Not now: it is stopping.', ...health },
      },
    },
  },
  '/metrics': {
    get: {
      summary: 'Counters for Prometheus',
      responses: { 200: text('Text format 0.0.4.', 'text/plain'), 401: COMMON[401], 403: COMMON[403] },
    },
  },
  '/openapi.json': {
    get: {
      summary: 'This document',
      security: [],
      responses: { 200: { description: 'OpenAPI 3.1.', content: { 'application/json': { schema: { type: 'object' } } } } },
    },
  },
  '/': { get: { summary: 'The console page', security: [], responses: { 200: text('A page for people.', 'text/html') } } },
  '/docs': { get: { summary: 'The console at this document', security: [], responses: { 200: text('A page for people.', 'text/html') } } },
  '/console/console.js': consoleFile('Script', 'text/javascript'),
  '/console/console.css': consoleFile('Style', 'text/css'),
} as const;

/** The sidecar's API, OpenAPI 3.1. */
export function openApiDocument(version: string): object {
  return {
    openapi: '3.1.0',
    info: {
      title: 'isMalicious sidecar',
      version,
      description: 'Threat enrichment for events: one core, one cache, one honest answer.',
      license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
    },
    security: [{ bearer: [] }, { apiKey: [] }, {}],
    paths: withExamples(PATHS),
    components: {
      schemas: { ...SCHEMAS, ...PIPELINE_SCHEMAS, ...INSIGHT_SCHEMAS },
      securitySchemes: { bearer: { type: 'http', scheme: 'bearer' }, apiKey: { type: 'apiKey', in: 'header', name: 'x-api-key' } },
    },
  };
}
