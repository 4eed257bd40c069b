import { wordTable } from '../../model/tables/word-table.ts';
/** As much of a JSON schema as the document of the API uses. */
export interface Schema {
  readonly type?: string | readonly string[];
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly required?: readonly string[];
  readonly items?: Schema;
  readonly enum?: readonly unknown[];
  readonly oneOf?: readonly Schema[];
  readonly allOf?: readonly Schema[];
  readonly $ref?: string;
  readonly minimum?: number;
  readonly description?: string;
}

/** Schemas by name, where `$ref` finds them. */
export type Schemas = Readonly<Record<string, Schema>>;

/** Values that say more than the name of their type would. */
const KNOWN = wordTable<unknown>({
  indicators: ['198.51.100.7', 'hxxp://login-portal[.]example/reset'],
  indicator: '198.51.100.7',
  text: 'SRC=198.51.100.7 url=hxxp://login-portal[.]example/reset',
  author: 'you',
  reason: 'why',
});

const MOST_DEPTH = 5;

/** An example that fits a schema: what it demands, and known values. */
export function exampleOf(schema: Schema, schemas: Schemas, depth = 0): unknown {
  const { $ref, oneOf, allOf, type, items, properties = {} } = schema;
  if (depth > MOST_DEPTH) return null;
  if ($ref !== undefined) return exampleOf(schemas[$ref.split('/').at(-1) ?? ''] ?? {}, schemas, depth + 1);
  if (oneOf?.[0]) return exampleOf(oneOf[0], schemas, depth + 1);
  if (allOf?.[0]) return exampleOf(allOf[0], schemas, depth + 1);
  if (schema.enum) return schema.enum[0];
  switch (typeof type === 'string' ? type : type?.[0]) {
    case 'array':
      return items ? [exampleOf(items, schemas, depth + 1)] : [];
    case 'object':
      return Object.fromEntries(
        (schema.required ?? []).map((name) => [name, KNOWN.get(name) ?? exampleOf(properties[name] ?? {}, schemas, depth + 1)]),
      );
    case 'integer':
    case 'number':
      return schema.minimum ?? 0;
    case 'boolean':
      return false;
    default:
      return '';
  }
}
