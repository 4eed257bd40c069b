interface Schema {
  readonly $ref?: string;
  readonly type?: string | readonly string[];
  readonly enum?: readonly unknown[];
  readonly minimum?: number;
  readonly maximum?: number;
  readonly required?: readonly string[];
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly additionalProperties?: boolean | Schema;
  readonly items?: Schema;
  readonly oneOf?: readonly Schema[];
  readonly allOf?: readonly Schema[];
}

/** The part of an OpenAPI document that is checked against. */
export interface ApiDocument {
  readonly paths: Readonly<
    Record<
      string,
      Readonly<
        Record<
          string,
          { readonly responses: Readonly<Record<string, { readonly content?: Readonly<Record<string, { readonly schema: unknown }>> }>> }
        >
      >
    >
  >;
  readonly components: { readonly schemas: Readonly<Record<string, unknown>> };
}

/** Where a value does not fit its schema: the keywords of JSON Schema 2020-12 that our document uses, written apart from any library. */
export function misfits(value: unknown, given: unknown, api: ApiDocument, path = '$'): string[] {
  const schema = given as Schema;
  const at = (inner: unknown, next: unknown, name: string | number) => misfits(inner, next, api, `${path}.${name}`);
  const faults: string[] = [];
  if (schema.$ref !== undefined) faults.push(...misfits(value, api.components.schemas[schema.$ref.split('/').at(-1)!], api, path));
  if (schema.type !== undefined && ![schema.type].flat().some((type) => isOfType(value, type)))
    faults.push(`${path}: ${JSON.stringify(value)} is no ${String(schema.type)}`);
  if (schema.enum !== undefined && !schema.enum.includes(value)) faults.push(`${path}: ${JSON.stringify(value)} is none of the words`);
  if (typeof value === 'number' && (value < (schema.minimum ?? value) || value > (schema.maximum ?? value)))
    faults.push(`${path}: ${value} is out of range`);
  for (const part of schema.allOf ?? []) faults.push(...misfits(value, part, api, path));
  if (schema.oneOf !== undefined && schema.oneOf.filter((part) => misfits(value, part, api, path).length === 0).length !== 1)
    faults.push(`${path}: fits not exactly one form`);
  if (Array.isArray(value)) {
    if (schema.items) faults.push(...value.flatMap((item, n) => at(item, schema.items, n)));
    return faults;
  }
  if (typeof value !== 'object' || value === null) return faults;
  const members = value as Record<string, unknown>;
  faults.push(...(schema.required ?? []).filter((name) => !(name in members)).map((name) => `${path}: ${name} is missing`));
  for (const [name, inner] of Object.entries(members)) {
    const next = schema.properties?.[name] ?? schema.additionalProperties;
    if (next === false) faults.push(`${path}: ${name} is not in the schema`);
    else if (typeof next === 'object') faults.push(...at(inner, next, name));
  }
  return faults;
}

function isOfType(value: unknown, type: string): boolean {
  if (type === 'null') return value === null;
  if (type === 'array') return Array.isArray(value);
  if (type === 'integer') return Number.isInteger(value);
  if (type === 'object') return typeof value === 'object' && value !== null && !Array.isArray(value);
  return typeof value === type;
}

/** Holds an answer to what the document says about its path, method, status and content type. */
export function answerMisfits(
  api: ApiDocument,
  call: { readonly path: string; readonly method: string },
  answer: { readonly status: number; readonly type: string; readonly body: unknown },
): string[] {
  const operation = api.paths[call.path]?.[call.method.toLowerCase()];
  if (operation === undefined) return [`${call.method} ${call.path} is not in the document`];
  const response = operation.responses[answer.status];
  if (response === undefined) return [`${call.method} ${call.path} never answers ${answer.status}`];
  const content = response.content?.[answer.type];
  if (content === undefined) return [`${call.method} ${call.path} ${answer.status} is never ${answer.type}`];
  return misfits(answer.body, content.schema, api);
}
