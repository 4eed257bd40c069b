import type { Enricher } from '../../engine/enricher.ts';
import type { Enrichment } from '../../model/enrichment.ts';
import { questionIn } from '../../engine/field-routes.ts';
import { type EngineClient, memberOf } from '../engine-client.ts';
import { type FieldEnrichment, type UpdateRules, toDocumentUpdate } from './document-update.ts';
import type { ValueReader } from './document-values.ts';
import { EngineFault, type FoundDocument } from './found-document.ts';
import { FAILURE_TAGS } from './backfill-query.ts';
import { type BackfillState, type BackfillCounts, noCounts } from './state-file.ts';
import { type PlannedUpdate, type Written, readAgain, writeUpdates } from './write-documents.ts';

/** What a page is worked on with. */
export interface PageWork {
  readonly engine: EngineClient;
  readonly enricher: Enricher;
  readonly readValues: ValueReader;
  readonly fields: readonly string[];
  readonly withFailures: boolean;
  readonly rules: UpdateRules;
  /** Counted down by the engine. */
  readonly budget: { remaining: number };
  readonly wait: (ms: number, signal?: AbortSignal) => Promise<void>;
  readonly signal?: AbortSignal;
}

/** How often a document that changes under our hands is read again. */
const CONFLICT_TRIES = 3;
/** How often a busy engine is tried again; the waits double from one second: half a minute in all. */
const BUSY_TRIES = 5;
const BUSY_WAIT_MS = 1000;

/** What became of a page. `wasShort`: a look-up was refused for the budget. */
export interface PageOutcome {
  readonly wasShort: boolean;
  readonly tally: BackfillCounts;
  readonly refusals: readonly Refusal[];
}

type Refusal = BackfillState['refusals'][number];

/** Looks a page's values up, each once, and writes what was found. */
export async function enrichPage(work: PageWork, documents: readonly FoundDocument[]): Promise<PageOutcome> {
  const tally = { ...noCounts(), scanned: documents.length };
  const refusals: Refusal[] = [];
  let wasShort = false;
  let open = documents;
  for (let attempt = 1; open.length > 0; attempt++) {
    const enrichments = await lookUp(work, open);
    wasShort ||= [...enrichments.values()].some(({ answer }) => answer.status === 'over_budget');
    const updates = planUpdates(work, open, enrichments, tally);
    const conflicts = await write(work, updates, { tally, refusals });
    if (conflicts.length === 0) break;
    if (attempt === CONFLICT_TRIES) {
      tally.conflicts += conflicts.length;
      break;
    }
    const { found, gone, refused } = await readAgain(work.engine, conflicts, work.fields);
    open = found;
    tally.gone += gone;
    noteRefused(refused, { tally, refusals });
  }
  return { wasShort, tally, refusals };
}

async function lookUp(
  { enricher, readValues, budget, signal }: PageWork,
  documents: readonly FoundDocument[],
): Promise<Map<string, Enrichment>> {
  const asked = new Set(documents.flatMap(({ source }) => readValues(source).map((one) => questionIn(enricher, one))));
  return enricher.enrichMany(asked, { budget, ...(signal && { signal }) });
}

function planUpdates(
  work: PageWork,
  documents: readonly FoundDocument[],
  enrichments: ReadonlyMap<string, Enrichment>,
  tally: BackfillCounts,
): PlannedUpdate[] {
  return documents.flatMap((document) => {
    if (isDone(document, work.withFailures)) {
      tally.alreadyDone++;
      return [];
    }
    const found = work.readValues(document.source).flatMap((one): FieldEnrichment[] => {
      const enrichment = enrichments.get(questionIn(work.enricher, one));
      return enrichment === undefined ? [] : [{ field: one.field, enrichment }];
    });
    if (found.length === 0) {
      tally.withoutValues++;
      return [];
    }
    const update = toDocumentUpdate(document.source, found, work.rules);
    if (update.kind === 'write') return [{ document, doc: update.doc }];
    tally[update.kind === 'later' ? 'later' : 'conflicts']++;
    return [];
  });
}

/** Enriched since it was found, or in an index whose mapping hides that it was. */
function isDone({ source }: FoundDocument, withFailures: boolean): boolean {
  if (memberOf(source.ismalicious, 'verdict') === undefined) return false;
  const tags = Array.isArray(source.tags) ? source.tags : [source.tags];
  return !(withFailures && tags.some((tag) => FAILURE_TAGS.includes(String(tag))));
}

function noteRefused(refused: Written['refused'], { tally, refusals }: { tally: BackfillCounts; refusals: Refusal[] }): void {
  tally.refused += refused.length;
  refusals.push(...refused.map(({ document, reason }) => ({ index: document.index, id: document.id, reason })));
}

/** Resolves to the documents that somebody changed meanwhile. */
async function write(
  { engine, wait, signal }: PageWork,
  updates: readonly PlannedUpdate[],
  { tally, refusals }: { tally: BackfillCounts; refusals: Refusal[] },
): Promise<FoundDocument[]> {
  const conflicts: FoundDocument[] = [];
  let open = updates;
  for (let attempt = 1; open.length > 0; attempt++) {
    const written = await writeUpdates(engine, open);
    tally.updated += written.updated.length;
    tally.gone += written.gone.length;
    noteRefused(written.refused, { tally, refusals });
    conflicts.push(...written.conflicts);
    open = written.busy;
    if (open.length === 0) break;
    if (attempt === BUSY_TRIES) throw new EngineFault(429, `the engine has been too busy for ${open.length} updates: run it again later`);
    await wait(BUSY_WAIT_MS * 2 ** (attempt - 1), signal);
  }
  return conflicts;
}
