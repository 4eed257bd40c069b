import { enrichInTurns } from '../../../engine/enrich-in-turns.ts';
import type { Clock } from '../../../engine/clock.ts';
import type { Enricher } from '../../../engine/enricher.ts';
import { type Enrichment, unaskedAnswer } from '../../../model/enrichment.ts';
import { valueOf } from '../../../model/question.ts';
import type { PipelinePart } from '../../../pipeline/pipeline-part.ts';
import { renderVerdict } from '../../../events/rendered-verdict.ts';
import type { RenderedVerdict } from '../../../events/rendered-verdict.ts';
import type { BufferPool } from '../../../events/buffer-pool.ts';
import type { UnenrichedReason } from '../../../events/bulk/unenriched.ts';
import type { Metrics } from '../../../compose/figures/metrics.ts';
import { BULK_START } from '../../../events/bulk/bulk-window.ts';
import type { BulkEnricher, BulkPosition, BulkWindow, Unenriched } from '../../../events/bulk/bulk-window.ts';
import { windowsOf } from '../../../events/bulk/body-windows.ts';

/** What bulk bodies are enriched with. */
export interface BulkEnrichment {
  readonly enricher: Enricher;
  readonly bulk: BulkEnricher;
  readonly pool: BufferPool;
  readonly clock: Clock;
  readonly metrics: Metrics;
  readonly maxDocumentBytes: number;
  /** Takes a copy of what was enriched, to note who was seen with what; `undefined`: nobody wants that. */
  readonly sightings?: Pick<NonNullable<PipelinePart['sightings']>, 'offer'> | undefined;
  /** Takes the reason when look-ups failed for a fault of ours: the documents go on marked. */
  readonly report: (error: unknown) => void;
}

/** One bulk body. */
export interface BulkBody {
  readonly source: AsyncIterable<Buffer>;
  /** The index that the path names. */
  readonly index: string | null;
  /** How long look-ups may be waited for in all; what the body takes to arrive, and to be sent on, does not count. */
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
  /** Whether what has come is enriched at once, in whole lines, for the caller waits for its answer before it sends more. */
  readonly isLive?: boolean;
}

/** The body in parts, enriched, in order. Each part goes back to the pool once it is written. Throws what the source throws. */
export async function* enrichedParts(work: BulkEnrichment, body: BulkBody): AsyncGenerator<Buffer> {
  const { pool, metrics } = work;
  const patience = { leftMs: body.timeoutMs };
  let position = BULK_START;
  const cut = { maxLineBytes: work.maxDocumentBytes, isLive: body.isLive === true };
  for await (const window of windowsOf(body.source, pool, cut)) {
    if (window.kind === 'piece') {
      if (window.isFirst) metrics.addUnenriched(isDocument(position) ? 'too_long' : 'broken_action', 1);
      position = behindLongLine(position, window.ends);
      yield window.bytes;
      continue;
    }
    const result = await enrichWindow(work, { ...body, patience }, window.bytes, position);
    position = result.next;
    metrics.add('gateway_documents', result.documents);
    if (result.unenriched !== null) addUnenriched(metrics, result.unenriched);
    metrics.addVerdicts(result.worsts);
    if (work.sightings !== undefined) work.sightings.offer(window.bytes, 'bulk');
    if (result.text !== window.bytes) pool.give(window.bytes);
    yield result.text;
  }
}

/** A line that is too long to be held is a document that goes through as it is; an action is never that long. */
function behindLongLine(position: BulkPosition, ends: boolean): BulkPosition {
  if (!isDocument(position)) return { next: 'raw', fields: null };
  return ends ? BULK_START : position;
}

function isDocument({ next }: BulkPosition): boolean {
  return next === 'document' || next === 'update';
}

function addUnenriched(metrics: Metrics, unenriched: Unenriched): void {
  for (const [reason, count] of Object.entries(unenriched)) metrics.addUnenriched(reason as UnenrichedReason, count);
}

interface PatientBody extends BulkBody {
  /** Counted down by what is waited for. */
  readonly patience: { leftMs: number };
}

type Enriched = Extract<BulkWindow, { kind: 'enriched' }>;

async function enrichWindow(work: BulkEnrichment, body: PatientBody, bytes: Buffer, position: BulkPosition): Promise<Enriched> {
  const from = { position, index: body.index };
  const answers = new Map<string, RenderedVerdict>();
  for (;;) {
    const result = work.bulk.enrich(bytes, from, answers);
    if (result.kind === 'enriched') return result;
    const timeoutMs = Math.max(1, Math.ceil(body.patience.leftMs));
    const startMs = work.clock.monotonicMs();
    for (const [text, enrichment] of await fetchAll(work, result.values, { timeoutMs, signal: body.signal }))
      answers.set(text, renderVerdict(enrichment));
    body.patience.leftMs -= work.clock.monotonicMs() - startMs;
  }
}

/** A look-up that fails for a fault of ours holds nothing up: what was asked about goes on as not answered. */
async function fetchAll(
  work: BulkEnrichment,
  values: ReadonlySet<string>,
  options: { timeoutMs: number; signal: AbortSignal },
): Promise<Iterable<[string, Enrichment]>> {
  try {
    return await enrichInTurns(work.enricher, values, options);
  } catch (error) {
    options.signal.throwIfAborted();
    work.report(error);
    return [...values].map((question) => [question, unanswered(valueOf(question))]);
  }
}

function unanswered(input: string): Enrichment {
  return {
    input,
    indicator: null,
    source: 'none',
    checkedAtS: null,
    expiresAtS: null,
    answer: unaskedAnswer('unavailable', 'the look-up failed inside the sidecar: its log says why'),
  };
}
