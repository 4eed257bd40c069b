import { type EngineClient, memberOf, refusalOf } from '../engine-client.ts';
import { EngineFault, type FoundDocument, readDocument } from './found-document.ts';
import { sourceIncludes } from './backfill-query.ts';

/** A document and the members that are to be merged into it. */
export interface PlannedUpdate {
  readonly document: FoundDocument;
  readonly doc: Readonly<Record<string, unknown>>;
}

/** What became of updates. */
export interface Written {
  readonly updated: readonly FoundDocument[];
  /** Somebody changed them since they were read. */
  readonly conflicts: readonly FoundDocument[];
  /** The engine has no room just now. */
  readonly busy: readonly PlannedUpdate[];
  /** Deleted since they were read. */
  readonly gone: readonly FoundDocument[];
  /** The engine does not take them, now or later. */
  readonly refused: readonly { readonly document: FoundDocument; readonly reason: string }[];
}

/** Writes updates in one call. Each only holds for the version that was read: no change of anybody else is overwritten. */
export async function writeUpdates(engine: EngineClient, updates: readonly PlannedUpdate[]): Promise<Written> {
  const lines = updates.map(({ document, doc }) => `${actionOf(document)}\n${JSON.stringify({ doc })}\n`);
  const answer = await engine.call('POST', '/_bulk?filter_path=items.*.status,items.*.error', lines.join(''));
  const items = memberOf(answer.body, 'items');
  if (answer.status !== 200 || !Array.isArray(items) || items.length !== updates.length)
    throw new EngineFault(answer.status, `_bulk: ${refusalOf(answer)}`);
  const written = { updated: [], conflicts: [], busy: [], gone: [], refused: [] } as {
    -readonly [Name in keyof Written]: Written[Name][number][];
  };
  updates.forEach((update, n) => sortItem(written as Sorted, update, items[n]));
  return written as Written;
}

interface Sorted {
  readonly updated: FoundDocument[];
  readonly conflicts: FoundDocument[];
  readonly busy: PlannedUpdate[];
  readonly gone: FoundDocument[];
  readonly refused: { document: FoundDocument; reason: string }[];
}

function actionOf({ index, id, seqNo, primaryTerm }: FoundDocument): string {
  return JSON.stringify({ update: { _index: index, _id: id, if_seq_no: seqNo, if_primary_term: primaryTerm } });
}

function sortItem(written: Sorted, update: PlannedUpdate, item: unknown): void {
  const outcome = memberOf(item, 'update');
  const status = memberOf(outcome, 'status');
  const { document } = update;
  if (status === 200 || status === 201) written.updated.push(document);
  else if (status === 409) written.conflicts.push(document);
  else if (status === 404) written.gone.push(document);
  else if (status === 429 || status === 503) written.busy.push(update);
  else written.refused.push({ document, reason: refusalOf({ status: Number(status), body: outcome }) });
}

/** Reads documents anew, as they are at this moment; one that is gone is left out. */
export async function readAgain(
  engine: EngineClient,
  documents: readonly FoundDocument[],
  fields: readonly string[],
): Promise<FoundDocument[]> {
  const docs = documents.map(({ index, id }) => ({ _index: index, _id: id, _source: sourceIncludes(fields) }));
  const answer = await engine.call('POST', '/_mget', { docs });
  const found = memberOf(answer.body, 'docs');
  if (answer.status !== 200 || !Array.isArray(found)) throw new EngineFault(answer.status, `_mget: ${refusalOf(answer)}`);
  return found.filter((one) => memberOf(one, 'found') === true).map(readDocument);
}
