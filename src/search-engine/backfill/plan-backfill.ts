import type { Enricher, Plan } from '../../engine/enricher.ts';
import { questionIn } from '../../engine/field-routes.ts';
import type { EngineClient } from '../engine-client.ts';
import { type BackfillOptions, countDocuments } from './backfill.ts';
import { createValueReader } from './document-values.ts';
import { NoSourceError, openSnapshot } from './pages.ts';

/** Documents that are read to say what a backfill would cost, at most. */
const MOST_DOCUMENTS = 100_000;

/** What a backfill would cost. When `read` is below `documents`, the cost is that of the newest ones only. */
export interface BackfillPlan {
  readonly documents: number;
  readonly read: number;
  readonly cost: Plan;
  /** Indices that keep no `_source`: nothing in them can be read or updated. */
  readonly unreadable: readonly string[];
}

/** Reads the documents, newest first, and asks what looking their values up would cost. Writes nothing, pays nothing. */
export async function planBackfill(engine: EngineClient, enricher: Enricher, options: BackfillOptions): Promise<BackfillPlan> {
  const { query } = options;
  try {
    return await planReadable(engine, enricher, options);
  } catch (fault) {
    const unreadable = query.without ?? [];
    const fresh = fault instanceof NoSourceError ? fault.indices.filter((index) => !unreadable.includes(index)) : [];
    if (fresh.length === 0) throw fault;
    return await planBackfill(engine, enricher, { ...options, query: { ...query, without: [...unreadable, ...fresh] } });
  }
}

async function planReadable(engine: EngineClient, enricher: Enricher, { query, pageSize }: BackfillOptions): Promise<BackfillPlan> {
  const documents = await countDocuments(engine, query, null);
  const readValues = createValueReader(query.fields);
  const asked = new Set<string>();
  let read = 0;
  const snapshot = await openSnapshot(engine, query, 1);
  const reader = snapshot.open(0, null, pageSize);
  try {
    for (let isLast = false; !isLast && read < MOST_DOCUMENTS;) {
      const page = await reader.next();
      read += page.documents.length;
      for (const { source } of page.documents) for (const one of readValues(source)) asked.add(questionIn(enricher, one));
      ({ isLast } = page);
    }
  } finally {
    await reader.close();
    await snapshot.close();
  }
  return { documents, read, cost: await enricher.plan(asked), unreadable: query.without ?? [] };
}
