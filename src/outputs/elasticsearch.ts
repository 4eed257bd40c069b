import * as z from 'zod/mini';
import { declareSettings, endpoint } from '../config/setting.ts';
import { type IocDocument, toIocDocument } from '../mapping/ioc-document.ts';
import { toBase64 } from '../model/formats/base64.ts';
import { sha256 } from '../model/formats/sha256.ts';
import { failureOf } from './forms/read-answer.ts';
import { defineOutput, type OutputItem, type Refusal } from './output.ts';
import { isThreat } from './forms/item-summary.ts';

const setting = declareSettings('outputs.elasticsearch');
const Settings = z.object({
  baseUrl: setting('baseUrl', endpoint(), 'Address of Elasticsearch or OpenSearch.'),
  apiKey: setting('apiKey', z._default(z.string(), ''), 'Elasticsearch API key, ready base64; empty: `username` and `password`.', {
    secret: true,
  }),
  username: setting('username', z._default(z.string(), ''), 'User for basic authentication.'),
  password: setting('password', z._default(z.string(), ''), 'Password of that user.', { secret: true }),
  index: setting(
    'index',
    z._default(z.string().check(z.regex(/^[a-z0-9][a-z0-9._-]*$/)), 'logs-ti_ismalicious.indicator-default'),
    'Data stream or index of indicator documents.',
  ),
  target: setting(
    'target',
    z._default(z.enum(['auto', 'data_stream', 'index']), 'auto'),
    '`data_stream`: a document for every verdict; `index`: the newest for every value (Elasticsearch 7.10 has nothing else); `auto`: a data stream where the name is `logs-DATASET-NAMESPACE`.',
  ),
  batchSize: setting('batchSize', z._default(z.int().check(z.gte(1), z.lte(5000)), 500), 'Documents in one call, 1 to 5000.'),
});

const BulkItem = z.object({
  status: z.int(),
  failure_store: z.optional(z.nullable(z.string())),
  error: z.optional(z.object({ type: z.optional(z.string()), reason: z.optional(z.string()) })),
});
const BulkAnswer = z.object({
  errors: z.optional(z.boolean()),
  items: z.array(z.union([z.object({ create: BulkItem }), z.object({ index: BulkItem })])),
});

/**
 * The indicators that Elastic Security reads. A data stream gets a document a verdict, its id made of value and verdict: a second copy is
 * a 409, and as good as delivered. An index gets a document a value, its version the time of the verdict: a verdict that comes again, or
 * late, never undoes a newer one, and that is a 409 too.
 */
export const elasticsearch = defineOutput<typeof Settings, { readonly sent: readonly OutputItem[] }>({
  id: 'elasticsearch',
  title: 'Elasticsearch and OpenSearch indicators',
  docs: 'https://www.elastic.co/docs/api/doc/elasticsearch/operation/operation-bulk',
  settings: Settings,
  defaults: { minScore: 0, events: ['enriched', 'verdict_changed'] },
  accepts: isThreat,
  limits: ({ batchSize }) => ({ items: batchSize, bytes: 5_000_000 }),
  start(items, { settings }) {
    const sent: OutputItem[] = [];
    const lines: string[] = [];
    for (const item of items) {
      const document = documentOf(item);
      if (document === null) continue;
      sent.push(item);
      lines.push(JSON.stringify(actionOf(document, settings)), JSON.stringify(document.document));
    }
    const authorization =
      settings.apiKey === '' ? `Basic ${toBase64(`${settings.username}:${settings.password}`)}` : `ApiKey ${settings.apiKey}`;
    const isOpen = settings.apiKey === '' && settings.username === '';
    return {
      call: {
        kind: 'http',
        url: new URL(`${settings.baseUrl}/${settings.index}/_bulk`),
        method: 'POST',
        headers: { 'content-type': 'application/x-ndjson', accept: 'application/json', ...(isOpen ? {} : { authorization }) },
        body: lines.map((line) => `${line}\n`).join(''),
        gzip: true,
      },
      state: { sent },
    };
  },
  read(answer, step, items, { nowS }) {
    const { sent } = step.state;
    const failure = failureOf(answer, items, nowS);
    if (failure) return failure;
    const rows = BulkAnswer.parse(answer.body).items.map((row) => ('create' in row ? row.create : row.index));
    const delivered: OutputItem[] = [];
    const duplicate: OutputItem[] = [];
    const retryable: Refusal[] = [];
    const rejected: Refusal[] = items
      .filter((item) => !sent.includes(item))
      .map((item) => ({ item, reason: 'no threat: it has no indicator document' }));
    sent.forEach((item, n) => {
      const row = rows[n];
      const reason = `Elasticsearch: ${row?.error?.type ?? ''} ${row?.error?.reason ?? 'no answer about it'}`.slice(0, 300);
      // Elasticsearch 9 says 201 of what it refused as well, once that is in the failure store.
      if (row?.failure_store === 'used') rejected.push({ item, reason: SET_ASIDE });
      else if (row && row.status < 300) delivered.push(item);
      else if (row?.status === 409) duplicate.push(item);
      else if (!row || row.status === 429 || row.status >= 500) retryable.push({ item, reason });
      else rejected.push({ item, reason });
    });
    return { delivered, duplicate, retryable, rejected };
  },
});

const SET_ASIDE = 'Elasticsearch refused it and keeps it in the failure store of the data stream, where rules and dashboards do not look';

/** Verdicts of one second on one value are told apart by nothing: the last one to come stays. */
function actionOf({ id, observationId, document }: IocDocument, { index, target }: z.infer<typeof Settings>): object {
  const isStream = target === 'data_stream' || (target === 'auto' && /^logs-[^-]+-[^-]+$/.test(index));
  if (isStream) return { create: { _id: observationId } };
  return { index: { _id: id, version: Date.parse(document['@timestamp']), version_type: 'external_gte' } };
}

function documentOf(item: OutputItem) {
  return toIocDocument(item.enrichment, { digest: hexOf, nowMs: item.atS * 1000 });
}

function hexOf(text: string): string {
  return Array.from(sha256(text), (byte) => byte.toString(16).padStart(2, '0')).join('');
}
