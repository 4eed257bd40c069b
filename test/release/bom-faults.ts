import * as z from 'zod/mini';

// Required fields, closed lists and patterns of https://cyclonedx.org/schema/bom-1.5.schema.json, as far as our bills use them.
const Hash = z.object({
  alg: z.enum(['MD5', 'SHA-1', 'SHA-256', 'SHA-384', 'SHA-512', 'SHA3-256', 'SHA3-384', 'SHA3-512', 'BLAKE2b-256', 'BLAKE3']),
  content: z.string().check(z.regex(/^([a-fA-F0-9]{32}|[a-fA-F0-9]{40}|[a-fA-F0-9]{64}|[a-fA-F0-9]{96}|[a-fA-F0-9]{128})$/)),
});
const Licence = z.union([
  z.strictObject({ license: z.union([z.strictObject({ id: z.string() }), z.strictObject({ name: z.string() })]) }),
  z.strictObject({ expression: z.string() }),
]);
const Component = z.strictObject({
  type: z.enum(['application', 'framework', 'library', 'container', 'platform', 'operating-system', 'device', 'file', 'data']),
  name: z.string(),
  'bom-ref': z.optional(z.string().check(z.minLength(1))),
  version: z.optional(z.string()),
  scope: z.optional(z.enum(['required', 'optional', 'excluded'])),
  description: z.optional(z.string()),
  author: z.optional(z.string()),
  purl: z.optional(z.string().check(z.regex(/^pkg:npm\/[^@]+@.+$/))),
  hashes: z.optional(z.array(Hash)),
  licenses: z.optional(z.array(Licence)),
  properties: z.optional(z.array(z.strictObject({ name: z.string(), value: z.string() }))),
  externalReferences: z.optional(z.array(z.strictObject({ type: z.string(), url: z.string() }))),
});
const Bom = z.strictObject({
  $schema: z.optional(z.literal('http://cyclonedx.org/schema/bom-1.5.schema.json')),
  bomFormat: z.literal('CycloneDX'),
  specVersion: z.literal('1.5'),
  serialNumber: z.optional(z.string().check(z.regex(/^urn:uuid:[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/))),
  version: z.int().check(z.gte(1)),
  metadata: z.optional(
    z.strictObject({
      timestamp: z.iso.datetime(),
      lifecycles: z.array(z.strictObject({ phase: z.enum(['design', 'pre-build', 'build', 'post-build', 'operations']) })),
      tools: z.array(z.strictObject({ vendor: z.string(), name: z.string() })),
      component: Component,
    }),
  ),
  components: z.optional(z.array(Component)),
  dependencies: z.optional(z.array(z.strictObject({ ref: z.string(), dependsOn: z.array(z.string()) }))),
});

/** What is wrong in a bill of materials: its fields by the schema, and that references are unique and lead somewhere. */
export function bomFaults(document: unknown): string[] {
  const read = Bom.safeParse(document);
  if (!read.success) return read.error.issues.map(({ path, message }) => `${pathText(path)}: ${message}`);
  const { metadata, components = [], dependencies = [] } = read.data;
  const refs = [...(metadata ? [metadata.component] : []), ...components].map((component) => component['bom-ref'] ?? '');
  const known = new Set(refs);
  return [
    ...(known.size === refs.length ? [] : ['a bom-ref stands twice']),
    ...dependencies
      .flatMap(({ ref, dependsOn }) => [ref, ...dependsOn])
      .flatMap((ref) => (known.has(ref) ? [] : [`${ref}: nothing has this bom-ref`])),
  ];
}

function pathText(path: readonly PropertyKey[]): string {
  return path.map((part, n) => (typeof part === 'number' ? `[${part}]` : `${n > 0 ? '.' : ''}${String(part)}`)).join('');
}
