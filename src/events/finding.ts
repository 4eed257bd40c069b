import { questionOf } from '../model/question.ts';
import type { Finding, EventWriting } from './event-writing.ts';
import { endOf, fieldOf, hashAt, isEscaped, startOf } from './json/event-map.ts';
import { textOfString } from './json/scan-event.ts';
import type { WantedFields } from './wanted-fields.ts';
import { CANONICAL, FAILED, FORBIDS_RESOLVE, INVALID, listedText, listIn, NOTHING, placeIn, THREAT } from './rendered-verdict.ts';
import type { RenderedVerdict } from './rendered-verdict.ts';
import { UNKNOWN } from './verdict-memory.ts';
import type { VerdictMemory } from './verdict-memory.ts';
import { addRelated, clearRelated } from './related-fields.ts';

/** Where answers come from while events are read. */
export interface Lookup {
  wanted: WantedFields;
  readonly known: VerdictMemory;
  /** Questions that nobody knows the answer to yet. */
  missing: Set<string>;
}

/** Nothing found. */
export function createFinding(): Finding {
  return {
    worst: null,
    worstField: 0,
    canResolve: true,
    hasFailure: false,
    prefetched: 0,
    threats: [],
    threatKnowns: [],
    counted: new Uint8Array(FEW),
  };
}

/** Fills the finding with what is known of the event's values; those that nobody knows are added to `lookup.missing`. */
export function findAll(writing: EventWriting, lookup: Lookup): void {
  const { finding, map } = writing;
  const { known, wanted } = lookup;
  clear(writing);
  let worst = NOBODY;
  let worstValue = -1;
  let flags = 0;
  finding.prefetched = known.prefetch(map);
  const count = Math.min(map.valueCount, MAX_EVENT_VALUES);
  if (count < map.valueCount) flags |= FAILED | FORBIDS_RESOLVE;
  for (let n = 0; n < count; n++) {
    if (isRepeated(writing, n, known.routes)) continue;
    const summary = known.find(map, n);
    const counts = summary !== UNKNOWN && ((summary & (INVALID | NOTHING)) === 0 || isStrict(summary, wanted, fieldOf(map, n)));
    if (n < FEW) finding.counted[n] = counts ? 1 : 0;
    if (summary === UNKNOWN) miss(writing, lookup, n);
    if (!counts) continue;
    flags |= summary;
    if (placeIn(summary) < worst) {
      worst = placeIn(summary);
      worstValue = n;
    }
    if ((summary & THREAT) !== 0) noteThreat(writing, lookup, n);
    if (listIn(summary) !== 0) noteRelated(writing, lookup, summary, n);
  }
  if (worstValue >= 0) {
    // Looked up once more: most values are worse than another only until the next one, and all that is known of a value is far away.
    finding.worst = known.find(map, worstValue) === UNKNOWN ? null : currentOf(writing, lookup, worstValue);
    finding.worstField = fieldOf(map, worstValue);
  }
  finding.hasFailure = (flags & FAILED) !== 0;
  finding.canResolve = (flags & FORBIDS_RESOLVE) === 0 || finding.worst?.enrichment.answer.autoResolve === false;
}

/** Values of one event that are looked up; with more it is marked as one whose look-ups failed. All of them would hold up everybody else. */
const MAX_EVENT_VALUES = 10_000;
/** Whether a value that is no indicator counts: where only indicators may stand, all do but those that stand for nothing. */
function isStrict(summary: number, wanted: WantedFields, field: number): boolean {
  return (summary & NOTHING) === 0 && !wanted.isLoose[field];
}

/** Worse than the place of any answer. */
const NOBODY = 0x10000;
/** Values of an event that are compared with each other before they are looked up. */
const FEW = 16;

function clear({ finding, related }: EventWriting): void {
  finding.worst = null;
  clearRelated(related);
  if (finding.threats.length === 0) return;
  finding.threats.length = 0;
  finding.threatKnowns.length = 0;
}

/** Whether the n-th value stood in the event before and counted there: then it adds no more than its own entry, if it is a threat. */
function isRepeated({ finding, map, bytes }: EventWriting, n: number, routes: VerdictMemory['routes']): boolean {
  if (n >= FEW) return false;
  const hash = hashAt(map, n);
  const start = startOf(map, n);
  const length = endOf(map, n) - start;
  for (let earlier = 0; earlier < n; earlier++) {
    const other = startOf(map, earlier);
    if (hashAt(map, earlier) !== hash || endOf(map, earlier) - other !== length || finding.counted[earlier] === 0) continue;
    // Others may be asked about it here.
    if (routes !== null && routes[fieldOf(map, earlier)] !== routes[fieldOf(map, n)]) continue;
    let same = 0;
    while (same < length && bytes[other + same] === bytes[start + same]) same++;
    if (same < length) continue;
    const threat = finding.threats.indexOf(earlier);
    if (threat >= 0) {
      finding.threats.push(n);
      finding.threatKnowns.push(finding.threatKnowns[threat] as RenderedVerdict);
    }
    finding.counted[n] = 1;
    return true;
  }
  return false;
}

function miss({ map, bytes }: EventWriting, { missing, known: { routes } }: Lookup, n: number): void {
  const text = textOfString(bytes, startOf(map, n), endOf(map, n));
  missing.add(routes === null ? text : questionOf(routes[fieldOf(map, n)] ?? '', text));
}

/** All that is known of the n-th value, which was looked up last; `null`: it was forgotten meanwhile and is missing now. */
function currentOf(writing: EventWriting, lookup: Lookup, n: number): RenderedVerdict | null {
  const known = lookup.known.current();
  if (known === undefined) miss(writing, lookup, n);
  return known ?? null;
}

function noteThreat(writing: EventWriting, lookup: Lookup, n: number): void {
  const known = currentOf(writing, lookup, n);
  if (known === null) return;
  writing.finding.threats.push(n);
  writing.finding.threatKnowns.push(known);
}

function noteRelated(writing: EventWriting, lookup: Lookup, summary: number, n: number): void {
  if ((summary & CANONICAL) !== 0 && !isEscaped(writing.map, n)) return addRelated(writing, listIn(summary), n, null);
  const known = currentOf(writing, lookup, n);
  return known === null ? undefined : addRelated(writing, listIn(summary), n, listedText(known));
}
