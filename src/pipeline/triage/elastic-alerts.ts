import * as z from 'zod/mini';
import { LookupError } from '../../model/lookup-error.ts';
import type { PipelineTransport } from '../pipeline-transport.ts';
import { triageAlerts, type Triage, type TriageJson } from './triage.ts';

const MAX_BYTES = 64 * 1024 * 1024;

/** An index of alerts in Elasticsearch or OpenSearch. */
export interface AlertIndex {
  readonly baseUrl: string;
  /** Index, alias or pattern, for example `.alerts-security.alerts-default`. */
  readonly index: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly transport: PipelineTransport;
  readonly timeoutMs: number;
}

/** What one pass did. */
export interface AlertCounts {
  readonly read: number;
  readonly written: number;
  readonly failed: number;
}

const SearchAnswer = z.object({
  hits: z.object({ hits: z.array(z.object({ _id: z.string(), _index: z.string(), _source: z.record(z.string(), z.unknown()) })) }),
});
const BulkAnswer = z.object({ items: z.array(z.object({ update: z.object({ status: z.int() }) })) });

/** Triages the oldest `limit` alerts that carry no decision yet, and writes the decision into each, under `ismalicious.triage`. Nothing is closed or deleted. */
export async function triageAlertIndex(
  source: AlertIndex,
  triage: Triage,
  options: { limit: number; signal: AbortSignal },
): Promise<AlertCounts> {
  const query = {
    size: options.limit,
    sort: [{ '@timestamp': 'asc' }],
    query: { bool: { must_not: [{ exists: { field: 'ismalicious.triage.tier' } }] } },
  };
  const found = SearchAnswer.parse(
    await post(source, { path: `/${source.index}/_search`, body: JSON.stringify(query), type: 'application/json' }, options.signal),
  );
  const { hits } = found.hits;
  if (hits.length === 0) return { read: 0, written: 0, failed: 0 };
  const alerts = hits.map(({ _id, _source }) => ({ ..._source, _id }));
  const decisions = await triageAlerts(alerts, triage, { signal: options.signal });
  const lines = hits.flatMap(({ _id, _index }, n) => [
    JSON.stringify({ update: { _id, _index } }),
    JSON.stringify({ doc: { ismalicious: { triage: fieldsOf(decisions[n]) } } }),
  ]);
  const body = lines.map((line) => `${line}\n`).join('');
  const { items } = BulkAnswer.parse(
    await post(source, { path: '/_bulk?refresh=wait_for', body, type: 'application/x-ndjson' }, options.signal),
  );
  const written = items.filter(({ update }) => update.status < 300).length;
  return { read: hits.length, written, failed: hits.length - written };
}

function fieldsOf(decision: TriageJson | undefined) {
  if (!decision) return {};
  const { tier, actions, auto_resolve, score, verdict, status, indicator, reasons, note } = decision;
  return {
    tier,
    action: actions,
    auto_resolve,
    ...(score === null ? {} : { score }),
    verdict,
    status,
    ...(indicator === null ? {} : { indicator }),
    reason: reasons,
    note,
  };
}

async function post(
  { baseUrl, headers, transport, timeoutMs }: AlertIndex,
  { path, body, type }: { path: string; body: string; type: string },
  signal: AbortSignal,
): Promise<unknown> {
  const call = {
    url: new URL(baseUrl + path),
    method: 'POST' as const,
    headers: { ...headers, 'content-type': type, accept: 'application/json' },
    body,
  };
  const answer = await transport.send(call, { timeoutMs, maxBytes: MAX_BYTES, signal });
  if (answer.status >= 300)
    throw new LookupError(
      answer.status === 401 || answer.status === 403 ? 'unauthorized' : 'unavailable',
      'triage',
      `alert index answers HTTP ${answer.status}`,
    );
  return answer.body;
}
