import { EngineFault } from './backfill/found-document.ts';
import { type EngineClient, memberOf, refusalOf } from './engine-client.ts';

/** Where weekly figures go: a data stream, or an index on engines without them. */
export const REPORT_INDEX = 'logs-ismalicious.report-default';

/** A document that is written once: a second one of its id is not taken. */
export interface ReportDocument {
  readonly id: string;
  readonly document: Readonly<Record<string, unknown>>;
}

/** How many were written now, and how many were there before. */
export interface ReportWritten {
  readonly written: number;
  readonly before: number;
}

/** Writes documents of figures in one call. Throws an `EngineFault` with the engine's words when it takes one of them not. */
export async function writeReport(engine: EngineClient, documents: readonly ReportDocument[]): Promise<ReportWritten> {
  const lines = documents.map(({ id, document }) => `${JSON.stringify({ create: { _id: id } })}\n${JSON.stringify(document)}\n`);
  const answer = await engine.call('POST', `/${REPORT_INDEX}/_bulk?filter_path=items.*.status,items.*.error`, lines.join(''));
  const items = memberOf(answer.body, 'items');
  if (answer.status !== 200 || !Array.isArray(items) || items.length !== documents.length)
    throw new EngineFault(answer.status, `_bulk: ${refusalOf(answer)}`);
  let written = 0;
  let before = 0;
  for (const item of items) {
    const outcome = memberOf(item, 'create');
    const status = Number(memberOf(outcome, 'status'));
    if (status === 201 || status === 200) written++;
    else if (status === 409) before++;
    else throw new EngineFault(status, `${REPORT_INDEX}: ${refusalOf({ status, body: outcome })}`);
  }
  return { written, before };
}
