import { FAILURE_TAG } from '../mapping/ecs-roll-up.ts';
import type { EcsDetail, RollUpRules } from '../mapping/ecs-roll-up.ts';
import type { WritingRules, EventWriting } from './event-writing.ts';
import { openEdit, put, putByte } from './json/byte-edits.ts';
import { fieldOf, Place } from './json/event-map.ts';
import { CLOSE_ARRAY, COMMA, OPEN_OBJECT, QUOTE } from './json/json-bytes.ts';
import { beginItems, beginMembers, endItems, endMembers, endOfPlace, openRoot, startOfPlace } from './insertions.ts';
import { fateOf, replaceRollUp } from './old-roll-up.ts';
import { placeIn, QUIET, renderEntry, renderPlaybook, renderRollUp } from './rendered-verdict.ts';
import type { RenderedVerdict, RenderedEntry } from './rendered-verdict.ts';
import { renderedBytes } from './rendered-bytes.ts';
import { writeRelated } from './related-fields.ts';
import type { RelatedEditing } from './related-fields.ts';

const ENRICHMENTS = Buffer.from('"enrichments":[');
const PLAYBOOK = Buffer.from('"enrichment":');
const THREAT = Buffer.from(',"threat":{');
const ROLL_UP = Buffer.from(',"ismalicious":{');
const TAGS = Buffer.from(',"tags":[');
const FAILURE = Buffer.from(JSON.stringify(FAILURE_TAG));
/** The tag of an event whose own `ismalicious` is no object, so that nothing can be added to it. */
const CONFLICT = Buffer.from('"_ismalicious_conflict"');
/** Comparing each with each is quickest up to this many. */
const FEW = 32;

/** Plans everything that is added to an event; `worst` speaks for it. */
export function writeEvent(writing: EventWriting, worst: RenderedVerdict): void {
  const { finding, rules } = writing;
  if (writing.related.count > 0 && !isQuiet(writing, worst)) writeRelated(writing);
  if (finding.threats.length > 0 || rules.writesPlaybook) writeThreat(writing, worst);
  const isWritten = writeRollUp(writing, worst);
  if (finding.hasFailure || !isWritten) writeTags(writing, [...(finding.hasFailure ? [FAILURE] : []), ...(isWritten ? [] : [CONFLICT])]);
}

function writeThreat(writing: EventWriting, worst: RenderedVerdict): void {
  const { map, rules, edits } = writing;
  const entries = newEntries(writing);
  const isListThere = startOfPlace(map, Place.enrichments) >= 0;
  if (entries.length > 0 && isListThere && beginItems(writing, Place.enrichments, OPEN_OBJECT)) {
    putEntries(writing, entries);
    endItems(writing, Place.enrichments);
  }
  const writesEntries = entries.length > 0 && !isListThere;
  const writesPlaybook = rules.writesPlaybook && startOfPlace(map, Place.playbook) < 0;
  // A `threat` that is no object (a string, a list) is the event's own business: the verdict stands in `ismalicious` all the same.
  if ((!writesEntries && !writesPlaybook) || !beginMembers(writing, Place.threat, THREAT)) return;
  if (writesEntries) {
    put(edits, ENRICHMENTS);
    putEntries(writing, entries);
    putByte(edits, CLOSE_ARRAY);
  }
  if (writesEntries && writesPlaybook) putByte(edits, COMMA);
  if (writesPlaybook) {
    put(edits, PLAYBOOK);
    put(edits, Buffer.from(renderPlaybook(worst, detailOf(writing, worst))));
  }
  endMembers(writing, Place.threat);
}

/** The entries of `threat.enrichments` that the event has not, each once: two spellings of a value are one. */
function newEntries(writing: EventWriting): RenderedEntry[] {
  const { finding, map } = writing;
  const entries: RenderedEntry[] = [];
  const seen = finding.threats.length > FEW ? new Set<string>() : null;
  for (let n = 0; n < finding.threats.length; n++) {
    const entry = entryOf(writing.rules, finding.threatKnowns[n] as RenderedVerdict, fieldOf(map, finding.threats[n] as number));
    if ((seen === null ? entries.some(({ id }) => id === entry.id) : seen.has(entry.id)) || isThere(writing, entry)) continue;
    seen?.add(entry.id);
    entries.push(entry);
  }
  return entries;
}

function entryOf(rules: WritingRules, known: RenderedVerdict, field: number): RenderedEntry {
  return ((known.entries ??= [])[field] ??= renderEntry(known, rules.fields[field] ?? '', rules.matchedType));
}

function putEntries(writing: EventWriting, entries: readonly RenderedEntry[]): void {
  const { edits } = writing;
  const now = timeOf(writing);
  let isFirst = true;
  for (const { before, after } of entries) {
    if (!isFirst) putByte(edits, COMMA);
    put(edits, before);
    put(edits, now);
    put(edits, after);
    isFirst = false;
  }
}

/** The time of the match as it stands in JSON; written out anew when a millisecond has passed. */
function timeOf(writing: EventWriting): Buffer {
  const ms = writing.clock.epochMs();
  if (writing.now === null || writing.nowMs !== ms) {
    writing.nowMs = ms;
    writing.now = Buffer.from(new Date(ms).toISOString());
  }
  return writing.now;
}

/** Whether the event has the entry already: enriching twice adds nothing. */
function isThere({ bytes, map }: RelatedEditing, entry: RenderedEntry): boolean {
  const start = startOfPlace(map, Place.enrichments);
  return start >= 0 && bytes.subarray(start, endOfPlace(map, Place.enrichments)).includes(entry.id);
}

/** `false`: the event has an `ismalicious` of its own to which nothing can be added. */
function writeRollUp(writing: EventWriting, worst: RenderedVerdict): boolean {
  const { map, edits } = writing;
  if (startOfPlace(map, Place.ismalicious) < 0 && map.members === 0) {
    openRoot(writing);
    put(edits, rollUpOf(writing, worst));
    return true;
  }
  if (map.members !== 0) return keepOrReplace(writing, worst);
  if (!beginMembers(writing, Place.ismalicious, ROLL_UP)) return false;
  put(edits, Buffer.from(renderRollUp(worst, fieldOfWorst(writing), rollUpRules(writing, worst))));
  endMembers(writing, Place.ismalicious);
  return true;
}

/** An event that brought a roll-up along keeps it whole, or gets a whole new one: never half of each. */
function keepOrReplace(writing: EventWriting, worst: RenderedVerdict): boolean {
  const { map, bytes, edits, rules } = writing;
  const start = startOfPlace(map, Place.ismalicious);
  if (start >= 0 && bytes[start] !== OPEN_OBJECT) return false;
  const fate = fateOf(writing, placeIn(worst.summary));
  if (fate !== 'replaced') return fate === 'kept';
  replaceRollUp(writing, renderRollUp(worst, fieldOfWorst(writing), rollUpRules(writing, worst)));
  const playbook = startOfPlace(map, Place.playbook);
  if (rules.writesPlaybook && playbook >= 0) {
    openEdit(edits, playbook, endOfPlace(map, Place.playbook) - playbook);
    put(edits, Buffer.from(renderPlaybook(worst, detailOf(writing, worst))));
  }
  if (start >= 0) return true;
  openRoot(writing);
  put(edits, rollUpOf(writing, worst));
  return true;
}

/** `,"ismalicious":{…}`, rendered once for each kind; all that is quiet is of one. */
function rollUpOf(writing: EventWriting, worst: RenderedVerdict): Buffer {
  const kind = isQuiet(writing, worst) ? 0 : kindOf(writing, worst);
  if (worst.rollUp !== null && worst.rollUpKind === kind) return worst.rollUp;
  if (worst.rollUp !== null) return ((worst.otherRollUps ??= [])[kind] ??= wholeRollUp(writing, worst));
  worst.rollUpKind = kind;
  return (worst.rollUp = wholeRollUp(writing, worst));
}

function wholeRollUp(writing: EventWriting, worst: RenderedVerdict): Buffer {
  return renderedBytes(`${ROLL_UP.toString()}${renderRollUp(worst, fieldOfWorst(writing), rollUpRules(writing, worst))}}`);
}

function kindOf(writing: EventWriting, worst: RenderedVerdict): number {
  const { worstField, canResolve } = writing.finding;
  return 1 + worstField * 4 + (canResolve ? 0 : 2) + (detailOf(writing, worst) === 'lean' ? 0 : 1);
}

function rollUpRules(writing: EventWriting, worst: RenderedVerdict): RollUpRules {
  return { canResolve: writing.finding.canResolve, detail: detailOf(writing, worst) };
}

function fieldOfWorst({ rules, finding }: EventWriting): string {
  return rules.fields[finding.worstField] ?? '';
}

/** Whether there is nothing to say about the event, so that a lean one gets no more than verdict, status and time. */
function isQuiet(writing: EventWriting, worst: RenderedVerdict): boolean {
  return (worst.summary & QUIET) !== 0 && detailOf(writing, worst) === 'lean';
}

/** An event of which something was left undone tells all there is, although what was looked up is clean. */
function detailOf({ rules, finding, isInFull }: EventWriting, { summary }: RenderedVerdict): EcsDetail {
  return isInFull || (finding.hasFailure && (summary & QUIET) !== 0) ? 'full' : (rules.detail ?? 'full');
}

function writeTags(writing: EventWriting, tags: readonly Buffer[]): void {
  const { map, bytes, edits } = writing;
  const start = startOfPlace(map, Place.tags);
  const there = start < 0 ? null : bytes.subarray(start, endOfPlace(map, Place.tags));
  const items = tags.filter((tag) => !there?.includes(tag));
  if (items.length === 0) return;
  if (there !== null && !beginItems(writing, Place.tags, QUOTE)) return;
  if (there === null) {
    openRoot(writing);
    put(edits, TAGS);
  }
  items.forEach((tag, n) => {
    if (n > 0) putByte(edits, COMMA);
    put(edits, tag);
  });
  if (there === null) putByte(edits, CLOSE_ARRAY);
  else endItems(writing, Place.tags);
}
