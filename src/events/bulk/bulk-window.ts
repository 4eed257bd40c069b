import type { RenderedVerdict } from '../rendered-verdict.ts';
import { beginText, enrichEvent, finishText } from '../event-enricher.ts';
import type { EventEnricher } from '../event-enricher.ts';
import { sortEdits } from '../json/byte-edits.ts';
import { OPEN_OBJECT, skipSpace } from '../json/json-bytes.ts';
import type { WantedFields } from '../wanted-fields.ts';
import type { UnenrichedReason } from './unenriched.ts';
import { actionOn, behindMark, indexOn } from './action-line.ts';
import { countUnknownLines, endOfLine, isScriptAlone, mayHold, whyUnread } from './bulk-lines.ts';
import type { DocumentFields, WantedByIndex } from './wanted-by-index.ts';

/** Where in a bulk body a window begins: what its first line is. `raw`: nobody knows, all goes through as it is. */
export interface BulkPosition {
  readonly next: 'action' | 'document' | 'update' | 'raw';
  /** What is looked at in the document that comes; `null`: nothing. */
  readonly fields: DocumentFields | null;
}

/** The beginning of a body. */
export const BULK_START: BulkPosition = { next: 'action', fields: null };

/** Documents, by the reason why they went through as they are. */
export type Unenriched = Partial<Record<UnenrichedReason, number>>;

/** What a window became, or the texts that have to be fetched before it can. `next`: where the window behind it begins. */
export type BulkWindow =
  | {
      readonly kind: 'enriched';
      readonly text: Buffer;
      /** Those that could be read: with everything added to them that there was to add. */
      readonly documents: number;
      /** All others; `null`: there are none. */
      readonly unenriched: Unenriched | null;
      readonly worsts: readonly number[];
      readonly next: BulkPosition;
    }
  | { readonly kind: 'missing'; readonly values: ReadonlySet<string> };

/** Enriches windows of bulk bodies: whole lines of them. */
export interface BulkEnricher {
  /** `index`: the one that the path names; `answers`: what was missing. */
  enrich(
    window: Buffer,
    from: { readonly position: BulkPosition; readonly index: string | null },
    answers?: ReadonlyMap<string, RenderedVerdict>,
  ): BulkWindow;
}

/** What a bulk enricher works with. */
export interface BulkEnricherOptions {
  readonly eventEnricher: EventEnricher;
  readonly wanted: WantedByIndex;
  readonly allocate: (size: number) => Buffer;
}

const NO_ANSWERS: ReadonlyMap<string, RenderedVerdict> = new Map();
const UPSERT = Buffer.from('"upsert"');
const SCRIPT = Buffer.from('"script"');

/** A bulk enricher. A document that cannot be read goes through as it is, and is counted: the engine judges it, and says so in its answer. */
export function createBulkEnricher({ eventEnricher, wanted, allocate }: BulkEnricherOptions): BulkEnricher {
  return {
    enrich(window, { position, index }, answers = NO_ANSWERS) {
      beginText(eventEnricher, window, answers);
      let { next, fields } = position;
      let documents = 0;
      let unenriched: Unenriched | null = null;
      const { scan } = eventEnricher;
      let pos = 0;
      for (; pos < window.length && next !== 'raw'; pos = scan.end + 1) {
        scan.end = endOfLine(window, pos);
        if (next === 'document' || next === 'update') {
          const reason = fields === null ? null : enrichLine(eventEnricher, fields, { pos, isUpdate: next === 'update' });
          if (reason === null) documents++;
          else unenriched = plus(unenriched, reason, 1);
          next = 'action';
          continue;
        }
        const action = actionOn(window, pos, scan.end);
        if (action === 'broken') break;
        if (action === 'blank' || action === 'delete') continue;
        fields = wanted.of(wanted.isUniform ? null : (indexOn(window, pos, scan.end) ?? index));
        next = action === 'update' ? 'update' : 'document';
      }
      if (pos < window.length) {
        next = 'raw';
        unenriched = plus(unenriched, 'broken_action', countUnknownLines(window, pos));
      }
      if (eventEnricher.lookup.missing.size > 0) return { kind: 'missing', values: eventEnricher.lookup.missing };
      const text = finishText(eventEnricher, window, allocate);
      return { kind: 'enriched', text, documents, unenriched, worsts: eventEnricher.worsts, next: { next, fields } };
    },
  };
}

function plus(counts: Unenriched | null, reason: UnenrichedReason, count: number): Unenriched {
  return { ...counts, [reason]: (counts?.[reason] ?? 0) + count };
}

interface Line {
  readonly pos: number;
  readonly isUpdate: boolean;
}

/** Enriches the documents on the line at `pos`; why they could not be, or `null`. */
function enrichLine(eventEnricher: EventEnricher, fields: DocumentFields, { pos, isUpdate }: Line): UnenrichedReason | null {
  const { writing } = eventEnricher;
  // The engine merges an update into what is there: a member that is left out would leave the old one beside the new verdict.
  writing.isInFull = isUpdate;
  if (!isUpdate) return enrichDocument(eventEnricher, fields.whole, pos);
  const { edits } = writing;
  const first = edits.count;
  const reason = enrichDocument(eventEnricher, fields.inDoc, pos);
  if (reason !== null) return reason;
  const line = eventEnricher.scan.bytes.subarray(behindMark(eventEnricher.scan.bytes, pos), eventEnricher.scan.end);
  if (mayHold(line, UPSERT)) {
    writing.isInFull = false;
    enrichDocument(eventEnricher, fields.inUpsert, pos);
    // The two may stand in either order.
    sortEdits(edits, first);
  }
  return mayHold(line, SCRIPT) && isScriptAlone(line) ? 'script' : null;
}

function enrichDocument(eventEnricher: EventEnricher, wanted: WantedFields, pos: number): UnenrichedReason | null {
  const { scan, lookup } = eventEnricher;
  const start = skipSpace(scan.bytes, behindMark(scan.bytes, pos), scan.end);
  if (start >= scan.end) return null;
  lookup.wanted = wanted;
  if (scan.bytes[start] !== OPEN_OBJECT) return 'not_json';
  return enrichEvent(eventEnricher, start, 0, true) < 0 ? whyUnread(scan.bytes, { start, end: scan.end, maxDepth: scan.maxDepth }) : null;
}
