import type { RenderedVerdict } from '../../../events/rendered-verdict.ts';
import { beginText, enrichEvent, finishText } from '../../../events/event-enricher.ts';
import type { EventEnricher } from '../../../events/event-enricher.ts';
import { OPEN_OBJECT, skipSpace } from '../../../events/json/json-bytes.ts';
import { actionOn, indexOn } from './action-line.ts';
import type { WantedByIndex } from './wanted-by-index.ts';
import type { WantedFields } from '../../../events/wanted-fields.ts';

const LINE_FEED = 0x0a;

/** Where in a bulk body a window begins: what its first line is. `raw`: nobody knows, all goes through as it is. */
export interface BulkPosition {
  readonly next: 'action' | 'document' | 'raw';
  /** What is looked at in the document that comes; `null`: nothing. */
  readonly wanted: WantedFields | null;
}

/** The beginning of a body. */
export const BULK_START: BulkPosition = { next: 'action', wanted: null };

/** What a window became, or the texts that have to be fetched before it can. `next`: where the window behind it begins. */
export type BulkWindow =
  | {
      readonly kind: 'enriched';
      readonly text: Buffer;
      readonly documents: number;
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

/** A bulk enricher. A document that is no JSON goes through as it is: the engine judges it, and says so in its answer. */
export function createBulkEnricher({ eventEnricher, wanted, allocate }: BulkEnricherOptions): BulkEnricher {
  return {
    enrich(window, { position, index }, answers = NO_ANSWERS) {
      beginText(eventEnricher, window, answers);
      let { next, wanted: fields } = position;
      let documents = 0;
      const { scan } = eventEnricher;
      for (let pos = 0; pos < window.length && next !== 'raw'; pos = scan.end + 1) {
        const feed = window.indexOf(LINE_FEED, pos);
        scan.end = feed < 0 ? window.length : feed;
        if (next === 'document') {
          documents++;
          if (fields !== null) enrichDocument(eventEnricher, fields, pos);
          next = 'action';
          continue;
        }
        const action = actionOn(window, pos, scan.end);
        if (action === 'broken') next = 'raw';
        if (action === 'broken' || action === 'blank' || action === 'delete') continue;
        const chosen = wanted.of(wanted.isUniform ? null : (indexOn(window, pos, scan.end) ?? index));
        fields = (action === 'update' ? chosen?.inUpdate : chosen?.whole) ?? null;
        next = 'document';
      }
      if (eventEnricher.lookup.missing.size > 0) return { kind: 'missing', values: eventEnricher.lookup.missing };
      return {
        kind: 'enriched',
        text: finishText(eventEnricher, window, allocate),
        documents,
        worsts: eventEnricher.worsts,
        next: { next, wanted: fields },
      };
    },
  };
}

function enrichDocument(eventEnricher: EventEnricher, wanted: WantedFields, pos: number): void {
  const { scan, lookup } = eventEnricher;
  const start = skipSpace(scan.bytes, pos, scan.end);
  lookup.wanted = wanted;
  if (start < scan.end && scan.bytes[start] === OPEN_OBJECT) enrichEvent(eventEnricher, start, 0);
}
