import { uuid5 } from '../model/formats/stix-id.ts';
import type { PIPELINE_SCHEMAS } from './pipeline-schemas.ts';

/** Parts of the document that its paths share. */
interface Parts {
  readonly refusal: (description: string) => object;
  /** Answers that any call may get. */
  readonly common: Readonly<Record<number, object>>;
  readonly timeout: readonly object[];
}

const json = (name: keyof typeof PIPELINE_SCHEMAS) => ({ 'application/json': { schema: { $ref: `#/components/schemas/${name}` } } });
const TAXII = { 'application/taxii+json': { schema: { $ref: '#/components/schemas/Taxii' } } };
const COLLECTION = {
  name: 'collection',
  in: 'path',
  required: true,
  schema: { type: 'string' },
  description: 'Id of the collection.',
  example: uuid5('taxii collection indicators'),
};
const PAGE = [
  {
    name: 'limit',
    in: 'query',
    schema: { type: 'integer', minimum: 1 },
    description: 'Most objects in one answer (500); more than 1000 are never given.',
  },
  { name: 'added_after', in: 'query', schema: { type: 'string', format: 'date-time' }, description: 'Only what was judged after it.' },
  { name: 'next', in: 'query', schema: { type: 'string' }, description: '`next` of the page before.' },
  { name: 'match[id]', in: 'query', schema: { type: 'string' }, description: 'Only objects with these ids, separated by commas.' },
  { name: 'match[type]', in: 'query', schema: { type: 'string' }, description: 'Only objects of this type: `indicator` is all there is.' },
];

/** What the sidecar takes and gives of the pipeline, by path. */
export function pipelinePaths(parts: Parts) {
  return {
    '/v1/watchlist': watchlistPath(parts),
    '/v1/quarantine': quarantinePath(parts),
    '/v1/pipeline': statePath(parts),
    '/v1/history': historyPath(parts),
    '/v1/triage': triagePath(parts),
    ...taxiiPaths(parts),
  };
}

function noStore({ refusal }: Parts) {
  return { 409: refusal('There is no pipeline store; the message says how to get one.') };
}

function refused({ refusal }: Parts) {
  return { 400: refusal('The body does not fit; the message names the member.'), 413: refusal('Too long.'), 415: refusal('Not JSON.') };
}

function watchlistPath(parts: Parts) {
  const each = { 200: { description: 'Each value for itself, in order.', content: json('WatchResults') } };
  const others = { ...noStore(parts), ...parts.common };
  return {
    get: { summary: 'Watched indicators', responses: { 200: { description: 'All of them.', content: json('Watchlist') }, ...others } },
    post: {
      summary: 'Watch indicators',
      description:
        'They are looked up again and again; outputs get a message when a verdict changes, with who was seen with the indicator.',
      requestBody: { required: true, content: json('WatchRequest') },
      responses: { ...each, ...refused(parts), ...others },
    },
    delete: {
      summary: 'Watch them no longer',
      requestBody: { required: true, content: json('WatchEndRequest') },
      responses: { ...each, ...refused(parts), ...others },
    },
  };
}

function statePath(parts: Parts) {
  return {
    get: {
      summary: 'How the pipeline stands',
      description: 'Its last runs with their failures, what the store holds, and messages that no output took.',
      responses: { 200: { description: 'In figures.', content: json('PipelineState') }, ...noStore(parts), ...parts.common },
    },
  };
}

function historyPath(parts: Parts) {
  return {
    get: {
      summary: 'What the store knows of one indicator',
      description: 'Feeds that list it, earlier verdicts, and who was seen with it. Nothing is looked up.',
      parameters: [
        {
          name: 'indicator',
          in: 'query',
          required: true,
          schema: { type: 'string', minLength: 1 },
          example: '198.51.100.7',
          description: 'The value, defanged or not.',
        },
      ],
      responses: {
        200: { description: 'Its history; empty lists when it is unknown.', content: json('ValueHistory') },
        400: parts.refusal('Not an indicator.'),
        ...noStore(parts),
        ...parts.common,
      },
    },
  };
}

function quarantinePath(parts: Parts) {
  return {
    get: {
      summary: 'What feeds sent that could not be taken',
      description: 'Newest first, with the reasons.',
      parameters: [
        {
          name: 'feed',
          in: 'query',
          schema: { type: 'string', minLength: 1, maxLength: 200 },
          description: 'Id of a feed; left out: all.',
        },
        {
          name: 'limit',
          in: 'query',
          schema: { type: 'integer', minimum: 1, maximum: 10_000 },
          description: 'Most items in the answer (100).',
        },
      ],
      responses: {
        200: { description: 'The items.', content: json('Quarantine') },
        400: parts.refusal('The query does not fit.'),
        ...noStore(parts),
        ...parts.common,
      },
    },
  };
}

function triagePath(parts: Parts) {
  const tell = {
    name: 'tell',
    in: 'query',
    schema: { type: 'string', enum: ['true', 'false'] },
    description: '`true`: journal the decisions for the outputs, and watch what is to be watched; that needs the pipeline store.',
  };
  return {
    post: {
      summary: 'Decide what to do with alerts',
      description: 'Tier, actions and reasons for each. Nothing is blocked, closed or deleted.',
      parameters: [tell, ...parts.timeout],
      requestBody: { required: true, content: json('Alerts') },
      responses: {
        200: { description: 'One decision for each alert, in order.', content: json('Decisions') },
        ...refused(parts),
        ...noStore(parts),
        ...parts.common,
      },
    },
  };
}

function taxiiPaths(parts: Parts) {
  const taxii = (summary: string, parameters: readonly object[] = []) => ({
    get: {
      summary,
      parameters,
      responses: {
        200: { description: 'As TAXII 2.1 has it.', content: TAXII },
        400: { description: 'A parameter does not fit.', content: TAXII },
        404: { description: 'No such resource.', content: TAXII },
        406: { description: 'Accept has to name application/taxii+json;version=2.1.', content: TAXII },
        ...noStore(parts),
        ...parts.common,
      },
    },
  });
  const collection = '/taxii2/api/collections/{collection}/';
  return {
    '/taxii2/': taxii('TAXII 2.1: discovery'),
    '/taxii2/api/': taxii('TAXII 2.1: the API root'),
    '/taxii2/api/collections/': taxii('TAXII 2.1: the one collection, read only'),
    [collection]: taxii('TAXII 2.1: about the collection', [COLLECTION]),
    [`${collection}objects/`]: taxii('TAXII 2.1: judged threats as STIX indicators', [COLLECTION, ...PAGE]),
    [`${collection}manifest/`]: taxii('TAXII 2.1: ids and times of those', [COLLECTION, ...PAGE]),
  };
}
