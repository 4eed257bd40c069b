import * as z from 'zod/mini';
import { isSafeEndpoint } from '../../model/parsing/safe-endpoint.ts';
import { INDICATOR_TYPES } from '../../model/indicator.ts';
import { LOOKUP_ERROR_CODES } from '../../model/lookup-error.ts';
import { TLP_LABELS } from '../../model/tlp.ts';
import { isJsonPath } from './json-path.ts';

const Path = z.string().check(z.refine((text) => isJsonPath(text), { error: 'is not a path like data.results[*].name' }));
const Score = z.number().check(z.gte(0), z.lte(100));

/** When all given parts hold. `path` with `equals`, `empty` or `missing` looks into the body. */
const conditionShape = {
  status: z.optional(z.int().check(z.gte(100), z.lte(599))),
  path: z.optional(Path),
  equals: z.optional(z.union([z.string(), z.number(), z.boolean(), z.null()])),
  empty: z.optional(z.boolean()),
  missing: z.optional(z.boolean()),
};

const hasContent = z.refine<Condition>((condition) => condition.status !== undefined || condition.path !== undefined, {
  error: 'needs a status or a path',
});

/** One condition on an answer. */
export interface Condition {
  readonly status?: number | undefined;
  readonly path?: string | undefined;
  readonly equals?: string | number | boolean | null | undefined;
  readonly empty?: boolean | undefined;
  readonly missing?: boolean | undefined;
}

/** What may be written in a URL, header or body template. */
const PLACEHOLDERS = ['value', 'type', 'api_key'];

const Template = z.string().check(
  z.refine((text) => Array.from(text.matchAll(/\{(\w+)\}/g)).every(([, name]) => PLACEHOLDERS.includes(name ?? '')), {
    error: 'knows only {value}, {type} and {api_key}',
  }),
);

const UrlTemplate = Template.check(
  z.refine((text) => !/^[^/]*\/\/[^/?]*\{/.test(text), { error: 'may have no placeholder in the host name' }),
  z.refine((text) => isSafeEndpoint(text.replace(/\{\w+\}/g, 'x')), {
    error: 'has to be https (plain http to this machine only), without a password',
  }),
  z.refine((text) => !/\{api_key\}/.test(text.split('?')[0] ?? ''), {
    error: 'may carry {api_key} in the query only, where it can be masked; better in a header',
  }),
  z.refine((text) => !text.includes('#'), { error: 'may have no fragment' }),
);

const HeaderTemplate = Template.check(
  z.refine((text) => /^[\x20-\x7e]*$/.test(text), { error: 'has to be printable ASCII' }),
  z.refine((text) => !text.includes('{value}'), { error: 'may not carry {value}: put it into the URL or the body' }),
);

/** A provider that a customer declares: keys as in YAML, in camelCase. Common settings beside them (`enabled`, `timeout`, …) are not read here. */
export const CustomProviderConfig = z.object({
  id: z.string().check(z.regex(/^[a-z][a-z0-9_]{1,31}$/, { error: 'has to be 2 to 32 of a-z, 0-9 and _' })),
  title: z.optional(z.string().check(z.minLength(1), z.maxLength(80))),
  docs: z.optional(z.string().check(z.regex(/^https:\/\//))),
  types: z.array(z.enum(INDICATOR_TYPES)).check(z.minLength(1)),
  /** What `{type}` becomes, where the API has other names. */
  typeNames: z._default(z.record(z.string(), z.string()), {}),
  url: UrlTemplate,
  method: z._default(z.enum(['GET', 'POST']), 'GET'),
  headers: z._default(z.record(z.string().check(z.regex(/^[A-Za-z0-9-]+$/)), HeaderTemplate), {}),
  body: z.optional(Template),
  /** Page for an analyst. */
  page: z.optional(UrlTemplate.check(z.refine((text) => !text.includes('{api_key}'), { error: 'may never carry {api_key}' }))),
  paths: z
    .strictObject({
      score: z.optional(Path),
      verdict: z.optional(Path),
      confidence: z.optional(Path),
      categories: z.optional(Path),
      attributes: z.optional(Path),
      firstSeen: z.optional(Path),
      lastSeen: z.optional(Path),
      reference: z.optional(Path),
      sightings: z.optional(Path),
    })
    .check(
      z.refine((paths) => paths.score !== undefined || paths.verdict !== undefined, {
        error: 'needs a path to the score or to the verdict',
      }),
    ),
  /** The vendor's scale: `min` is harmless, `max` is worst; `invert` when it is the other way round. */
  scale: z._default(
    z
      .strictObject({ min: z._default(z.number(), 0), max: z._default(z.number(), 100), invert: z._default(z.boolean(), false) })
      .check(z.refine(({ min, max }) => min < max, { error: 'needs min below max' })),
    { min: 0, max: 100, invert: false },
  ),
  /** The vendor's words; anything else is unknown. Only words listed under `clean` ever clear a value. */
  verdicts: z._default(
    z.strictObject({
      malicious: z._default(z.array(z.string()), ['malicious', 'true']),
      suspicious: z._default(z.array(z.string()), ['suspicious']),
      clean: z._default(z.array(z.string()), []),
    }),
    { malicious: ['malicious', 'true'], suspicious: ['suspicious'], clean: [] },
  ),
  /** From which score on it is malicious or suspicious, where no word says so. */
  edges: z._default(z.strictObject({ malicious: z._default(Score, 60), suspicious: z._default(Score, 25) }), {
    malicious: 60,
    suspicious: 25,
  }),
  miss: z._default(z.array(z.strictObject(conditionShape).check(hasContent)), []),
  failures: z._default(z.array(z.strictObject({ ...conditionShape, code: z.enum(LOOKUP_ERROR_CODES) }).check(hasContent)), []),
  quotas: z._default(z.array(z.strictObject({ requests: z.int().check(z.gte(1)), perS: z.number().check(z.gt(0)) })), []),
  concurrency: z._default(z.int().check(z.gte(1), z.lte(100)), 2),
  cost: z._default(z.number().check(z.gte(0)), 0),
  maxTlp: z._default(z.enum(TLP_LABELS), 'CLEAR'),
  weight: z._default(z.number().check(z.gte(0), z.lte(10)), 1),
});

/** A declared provider, checked and with its defaults. */
export type CustomConfig = z.output<typeof CustomProviderConfig>;

/** Blocks whose keys are ours; `headers` and `typeNames` are the customer's own words. */
const OWN_BLOCKS = new Set(['paths', 'scale', 'verdicts', 'edges', 'miss', 'failures', 'quotas']);

/** YAML spells keys in snake_case; both spellings are read. */
export function toCamelKeys(config: unknown): unknown {
  if (Array.isArray(config)) return config.map(toCamelKeys);
  if (typeof config !== 'object' || config === null) return config;
  return Object.fromEntries(
    Object.entries(config).map(([key, value]) => {
      const camel = key.replace(/_([a-z])/g, (_, letter: string) => letter.toUpperCase());
      return [camel, OWN_BLOCKS.has(camel) ? toCamelKeys(value) : value];
    }),
  );
}
