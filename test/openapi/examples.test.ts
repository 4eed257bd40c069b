import { describe, expect, it } from 'vitest';
import { openApiDocument } from '../../src/openapi/openapi.ts';
import { TAXII_COLLECTION_ID } from '../../src/pipeline/taxii-collection.ts';
import { misfits, type ApiDocument } from '../hosts/sidecar/support/schema-check.ts';

interface Media {
  readonly schema: unknown;
  readonly example?: unknown;
}
interface Operation {
  readonly requestBody?: { readonly content: Readonly<Record<string, Media>> };
  readonly responses: Readonly<Record<string, { readonly content?: Readonly<Record<string, Media>> }>>;
  readonly parameters?: readonly { readonly in: string; readonly name: string; readonly example?: unknown }[];
}

const api = openApiDocument('1') as ApiDocument & { readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>> };
const operations = Object.entries(api.paths).flatMap(([path, methods]) =>
  Object.entries(methods).map(([method, operation]) => ({ name: `${method.toUpperCase()} ${path}`, operation })),
);

describe('the OpenAPI document', () => {
  it.each(operations)('$name has an example of every body and answer, which fits its schema', ({ operation }) => {
    const all = [operation.requestBody?.content ?? {}, ...Object.values(operation.responses).map(({ content }) => content ?? {})];
    for (const media of all.flatMap((content) => Object.values(content))) {
      expect(media.example).not.toBe(undefined);
      expect(misfits(media.example, media.schema, api)).toEqual([]);
    }
  });

  it('has an example of every part of a path', () => {
    const parts = operations.flatMap(({ operation }) => (operation.parameters ?? []).filter(({ in: place }) => place === 'path'));
    for (const { example } of parts) expect(example).toBeTypeOf('string');
    expect(parts.map(({ example }) => example)).toContain(TAXII_COLLECTION_ID);
  });
});
