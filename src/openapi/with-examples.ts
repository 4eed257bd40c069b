import { wordTable } from '../model/tables/word-table.ts';
import { EXAMPLES, PLAIN_EXAMPLES } from './examples.ts';

/** The code of a refusal, by its status, as callers mostly meet it. */
const CODES = wordTable<string>({
  400: 'invalid_request',
  401: 'unauthorized',
  403: 'forbidden_host',
  404: 'not_found',
  405: 'method_not_allowed',
  409: 'no_store',
  413: 'body_too_large',
  415: 'unsupported_type',
  429: 'engine_busy',
  503: 'busy',
});

interface Media {
  readonly schema: object;
}
interface Described {
  readonly description?: string;
  readonly content?: Readonly<Record<string, Media>>;
}
interface Operation {
  readonly requestBody?: Described;
  readonly responses: Readonly<Record<string, Described>>;
}
type Paths = Readonly<Record<string, Readonly<Record<string, Operation>>>>;

/** The paths of the document with an example at every body and answer. */
export function withExamples(paths: Paths): Paths {
  return mapValues(paths, (operations) =>
    mapValues(operations, (operation) => ({
      ...operation,
      ...(operation.requestBody && { requestBody: exampled(operation.requestBody, '') }),
      responses: mapValues(operation.responses, exampled),
    })),
  );
}

function exampled(described: Described, status: string): Described {
  if (described.content === undefined) return described;
  const { description = '' } = described;
  return {
    ...described,
    content: mapValues(described.content, (media, type) => ({ ...media, example: exampleOf(media, { type, status, description }) })),
  };
}

function exampleOf(
  { schema }: Media,
  { type, status, description }: { readonly type: string; readonly status: string; readonly description: string },
): unknown {
  const name = '$ref' in schema ? String(schema.$ref).split('/').at(-1) : undefined;
  if (name === undefined) return PLAIN_EXAMPLES[type];
  if (name === 'Error') return { error: { code: CODES.get(status) ?? 'invalid_request', message: description } };
  if (name === 'Health' && status === '503') return { status: 'not ready', reason: 'stopping' };
  return (EXAMPLES as Readonly<Record<string, unknown>>)[name];
}

function mapValues<From, To>(record: Readonly<Record<string, From>>, map: (value: From, key: string) => To): Record<string, To> {
  return Object.fromEntries(Object.entries(record).map(([key, value]) => [key, map(value, key)]));
}
