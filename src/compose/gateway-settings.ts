import * as z from 'zod/mini';
import { declareSettings } from '../config/setting.ts';
import { isAllowEntry } from '../search-engine/engine-calls.ts';

const setting = declareSettings('gateway');
const wholeFrom = (least: number, most = Number.MAX_SAFE_INTEGER) => z.int().check(z.gte(least), z.lte(most));
const fieldNames = () => z.array(z.string().check(z.regex(/^[^.\s]+(\.[^.\s]+)*$/)));

/** Settings of the gateway in front of Elasticsearch or OpenSearch (block `gateway`). */
export const GatewaySettings = z.object({
  upstream: setting(
    'upstream',
    z.optional(z.string().check(z.refine(isPlainUrl, { error: 'has to be an http or https URL without a user name or password in it' }))),
    'URL of the Elasticsearch or OpenSearch that the sidecar stands in front of; without it there is no gateway.',
  ),
  plainHttp: setting(
    'plainHttp',
    z._default(z.boolean(), false),
    'Whether an upstream on another machine may be reached over plain HTTP, where its credentials and the events can be read on the way.',
  ),
  allow: setting(
    'allow',
    z._default(z.array(z.string().check(z.refine(isAllowEntry, { error: 'has to be `METHOD /path`, as in `DELETE /logs-old-*`' }))), []),
    'Calls that change or administer the engine and go on to it all the same, as `METHOD /path`: `DELETE /logs-old-*`, `POST /*/_delete_by_query`. `*` stands for any method, a whole segment, or a part of one without commas. By default none but what shippers and searches need.',
  ),
  fields: setting(
    'fields',
    z.optional(fieldNames()),
    'Fields looked up in documents, as dotted names; by default those of sidecar.fields.',
  ),
  extractFields: setting(
    'extractFields',
    z.optional(fieldNames()),
    'Fields with texts whose indicators are looked up, such as `message`; by default those of sidecar.extract_fields.',
  ),
  fieldsByIndex: setting(
    'fieldsByIndex',
    z._default(z.record(z.string(), fieldNames()), {}),
    'Fields by index or data stream (`*` stands for anything; the first pattern that fits counts); an empty list: such documents go through untouched.',
  ),
  refusedIndex: setting(
    'refusedIndex',
    z._default(z.string().check(z.regex(/^[a-z0-9.][^A-Z\s\\/*?"<>|,#:]*$/)), 'logs-ismalicious.refused-default'),
    'Data stream or index that keeps, as text and with the reason, the events of /v1/ingest that the engine refuses.',
  ),
  timeoutMs: setting(
    'timeoutMs',
    z._default(wholeFrom(1, 600_000), 10_000),
    'Milliseconds one bulk request may wait for look-ups, 1 to 600000; what is not known by then goes on marked.',
  ),
  upstreamTimeoutMs: setting(
    'upstreamTimeoutMs',
    z._default(wholeFrom(1000, 3_600_000), 90_000),
    'Milliseconds without a byte from the upstream after which the caller gets 504.',
  ),
  compress: setting(
    'compress',
    z._default(z.enum(['auto', 'always', 'never']), 'auto'),
    'Whether bulk bodies go on as gzip: `auto` only when they came as gzip and the upstream is another machine.',
  ),
  caFile: setting(
    'caFile',
    z.optional(z.string().check(z.minLength(1))),
    'File with the certificate authority (PEM) that signed the upstream’s certificate.',
  ),
  maxDocumentBytes: setting(
    'maxDocumentBytes',
    z._default(wholeFrom(1024), 8 * 1024 * 1024),
    'Longest line of a bulk body that is enriched, in bytes; a longer one goes through untouched.',
  ),
  maxConnections: setting('maxConnections', z._default(wholeFrom(1, 10_000), 64), 'Connections to the upstream at once.'),
});

function isPlainUrl(text: string): boolean {
  if (!URL.canParse(text)) return false;
  const { protocol, username, password } = new URL(text);
  return (protocol === 'http:' || protocol === 'https:') && username === '' && password === '';
}

export type GatewaySettings = z.infer<typeof GatewaySettings>;
