import { endOf, fieldOf, startOf } from '../json/event-map.ts';
import { textOfString } from '../json/scan.ts';
import type { WantedFields } from './fields.ts';
import { FAILED, FORBIDS_RESOLVE, INVALID, listIn, placeIn, THREAT } from './known.ts';
import type { Known } from './known.ts';
import { UNKNOWN } from './known-values.ts';
import type { KnownValues } from './known-values.ts';
import { addRelated, clearRelated, createRelatedAdditions, isValueListed } from './related.ts';
import type { RelatedAdditions } from './related.ts';
import type { EventWriting } from './write-event.ts';

/** What was found out about one event's values. It is one for all events, filled anew for each. */
export interface Finding {
  /** The worst value's answer and field; `null`: no value counts. */
  worst: Known | null;
  worstField: number;
  /** Whether the worst answer's `auto_resolve` holds for the whole event: every value that was asked about agrees. */
  canResolve: boolean;
  hasFailure: boolean;
  readonly related: RelatedAdditions;
  /** Numbers of the values that are threats, in order, and what is known of each. */
  readonly threats: number[];
  readonly threatKnowns: Known[];
}

/** Where answers come from while events are read. */
export interface Lookup {
  readonly wanted: WantedFields;
  readonly known: KnownValues;
  /** Texts that nobody knows yet. */
  missing: Set<string>;
}

/** Nothing found. */
export function createFinding(): Finding {
  return {
    worst: null,
    worstField: 0,
    canResolve: true,
    hasFailure: false,
    related: createRelatedAdditions(),
    threats: [],
    threatKnowns: [],
  };
}

/** Fills the finding with what is known of the event's values; those that nobody knows are added to `lookup.missing`. */
export function findAll(writing: EventWriting, lookup: Lookup): void {
  const { finding, map, bytes } = writing;
  const { known, wanted } = lookup;
  clear(finding);
  let worst = NOBODY;
  let flags = 0;
  for (let n = 0; n < map.valueCount; n++) {
    const start = startOf(map, n);
    const end = endOf(map, n);
    const summary = known.find(bytes, start, end);
    if (summary === UNKNOWN) lookup.missing.add(textOfString(bytes, start, end));
    else if ((summary & INVALID) === 0 || !wanted.isLoose[fieldOf(map, n)]) {
      flags |= summary;
      if (placeIn(summary) < worst) {
        worst = placeIn(summary);
        finding.worst = known.current();
        finding.worstField = fieldOf(map, n);
      }
      note(writing, known, summary, n);
    }
  }
  finding.hasFailure = (flags & FAILED) !== 0;
  finding.canResolve = (flags & FORBIDS_RESOLVE) === 0 || finding.worst?.enrichment.answer.autoResolve === false;
}

/** Worse than the place of any answer. */
const NOBODY = 0x10000;

function clear(finding: Finding): void {
  finding.worst = null;
  clearRelated(finding.related);
  if (finding.threats.length === 0) return;
  finding.threats.length = 0;
  finding.threatKnowns.length = 0;
}

function note(writing: EventWriting, known: KnownValues, summary: number, n: number): void {
  const { finding } = writing;
  if ((summary & THREAT) !== 0) {
    finding.threats.push(n);
    finding.threatKnowns.push(known.current());
  }
  const list = listIn(summary);
  if (list !== 0 && !isValueListed(writing, list, n)) addRelated(finding.related, writing, list, known.current().listed);
}
