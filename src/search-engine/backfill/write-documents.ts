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

function actionOf({ index, id, routing, seqNo, primaryTerm }: FoundDocument): string {
  const version = { if_seq_no: seqNo, if_primary_term: primaryTerm };
  return JSON.stringify({ update: { _index: index, _id: id, ...(routing !== null && { routing }), ...version } });
}

/** What a 404 says of a document, or of its whole index, that is not there any more. Any other one is no word on that. */
const GONE: ReadonlySet<unknown> = new Set(['document_missing_exception', 'index_not_found_exception']);

function sortItem(written: Sorted, update: PlannedUpdate, item: unknown): void {
  const outcome = memberOf(item, 'update');
  const status = memberOf(outcome, 'status');
  const { document } = update;
  if (status === 200 || status === 201) written.updated.push(document);
  else if (status === 409) written.conflicts.push(document);
  else if (status === 404 && isGone(outcome)) written.gone.push(document);
  else if (status === 429 || status === 503) written.busy.push(update);
  else written.refused.push({ document, reason: refusalOf({ status: Number(status), body: outcome }) });
}

function isGone(outcome: unknown): boolean {
  const type = memberOf(memberOf(outcome, 'error'), 'type');
  return type === undefined || GONE.has(type);
}

/** Documents as they are at this moment. */
export interface ReadAgain {
  readonly found: readonly FoundDocument[];
  /** Those that are not there any more. */
  readonly gone: number;
  readonly refused: Written['refused'];
}

/** Reads documents anew. */
export async function readAgain(engine: EngineClient, documents: readonly FoundDocument[], fields: readonly string[]): Promise<ReadAgain> {
  const docs = documents.map(({ index, id, routing }) => ({
    _index: index,
    _id: id,
    ...(routing !== null && { routing }),
    _source: sourceIncludes(fields),
  }));
  const answer = await engine.call('POST', '/_mget', { docs });
  const items = memberOf(answer.body, 'docs');
  if (answer.status !== 200 || !Array.isArray(items) || items.length !== documents.length)
    throw new EngineFault(answer.status, `_mget: ${refusalOf(answer)}`);
  const refused = documents.flatMap((document, n) => {
    const isRefused = memberOf(items[n], 'error') !== undefined && !isGone(items[n]);
    return isRefused ? [{ document, reason: refusalOf({ status: 200, body: items[n] as unknown }) }] : [];
  });
  const found = items.filter((one) => memberOf(one, 'found') === true).map(readDocument);
  return { found, gone: documents.length - found.length - refused.length, refused };
}
