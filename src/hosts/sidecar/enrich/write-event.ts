import { FAILURE_TAG, ROLL_UP_MEMBERS } from '../../../mapping/ecs-roll-up.ts';
import type { Clock } from '../../../engine/clock.ts';
import { insert } from '../json/edits.ts';
import type { Finding } from './finding.ts';
import { fieldOf, Place } from '../json/event-map.ts';
import { OPEN_OBJECT, QUOTE } from '../json/lex.ts';
import { COMMA_PIECE, endOfPlace, extendList, extendObject, startOfPlace, withoutComma } from './insertions.ts';
import type { Editing } from './insertions.ts';
import { renderEntry, renderPlaybook, renderRollUp } from './known.ts';
import type { Known, RenderedEntry } from './known.ts';
import { writeRelated } from './related.ts';

const ENRICHMENTS = Buffer.from(',"enrichments":[');
const PLAYBOOK = Buffer.from(',"enrichment":');
const THREAT = Buffer.from(',"threat":{');
const ROLL_UP = ',"ismalicious":{';
const TAGS = Buffer.from(',"tags":[');
const END_OBJECT = Buffer.from('}');
const END_LIST = Buffer.from(']');
const FAILURE: Buffer = Buffer.from(JSON.stringify(FAILURE_TAG));
/** The tag of an event whose own `ismalicious` is no object, so that nothing can be added to it. */
const CONFLICT = Buffer.from('"_ismalicious_conflict"');

/** How answers are written into events. */
export interface WritingRules {
  readonly fields: readonly string[];
  /** See `EcsMatch.type`. */
  readonly matchedType: string | null;
  /** Whether the playbook's `threat.enrichment` is written too. */
  readonly writesPlaybook: boolean;
}

/** An event in the writing. `now`: the time of the match, written out when first needed. `root`: what goes to the event's end. */
export interface EventWriting extends Editing {
  readonly rules: WritingRules;
  readonly finding: Finding;
  readonly clock: Clock;
  now: Uint8Array | null;
  readonly root: Uint8Array[];
}

/** Plans everything that is added to an event; `worst` speaks for it. */
export function writeEvent(writing: EventWriting, worst: Known): void {
  const { map, edits, finding, root } = writing;
  root.length = 0;
  if (finding.threats.length > 0 || writing.rules.writesPlaybook) writeThreat(writing, worst);
  const isWritten = writeRollUp(writing, worst);
  if (finding.related.count > 0) writeRelated(finding.related, writing, root);
  if (finding.hasFailure || !isWritten) writeTags(writing, [...(finding.hasFailure ? [FAILURE] : []), ...(isWritten ? [] : [CONFLICT])]);
  const end = endOfPlace(map, Place.root) - 1;
  for (const piece of root) insert(edits, end, piece);
}

function writeThreat(writing: EventWriting, worst: Known): void {
  const { map, rules, root } = writing;
  const members: Uint8Array[] = [];
  const entries = entriesOf(writing);
  if (entries.length > 0) {
    if (startOfPlace(map, Place.enrichments) >= 0) extendList(writing, Place.enrichments, entries, OPEN_OBJECT);
    else members.push(ENRICHMENTS, ...entries, END_LIST);
  }
  if (rules.writesPlaybook && startOfPlace(map, Place.playbook) < 0) {
    members.push(PLAYBOOK, Buffer.from(renderPlaybook(worst)));
  }
  if (members.length === 0) return;
  // A `threat` that is no object (a string, a list) is the event's own business: the verdict stands in `ismalicious` all the same.
  if (startOfPlace(map, Place.threat) >= 0) extendObject(writing, Place.threat, members);
  else root.push(THREAT, ...withoutComma(members), END_OBJECT);
}

/** The new entries of `threat.enrichments`, each once, with commas between them. */
function entriesOf(writing: EventWriting): Uint8Array[] {
  const { finding, map } = writing;
  const now = (writing.now ??= Buffer.from(new Date(writing.clock.epochMs()).toISOString()));
  const pieces: Uint8Array[] = [];
  const written = new Set<RenderedEntry>();
  finding.threats.forEach((value, n) => {
    const entry = entryOf(writing.rules, finding.threatKnowns[n] as Known, fieldOf(map, value));
    if (written.has(entry) || isThere(writing, entry)) return;
    written.add(entry);
    if (pieces.length > 0) pieces.push(COMMA_PIECE);
    pieces.push(entry.before, now, entry.after);
  });
  return pieces;
}

function entryOf(rules: WritingRules, known: Known, field: number): RenderedEntry {
  return (known.entries[field] ??= renderEntry(known, rules.fields[field] ?? '', rules.matchedType));
}

/** Whether the event has the entry already: enriching twice adds nothing. */
function isThere({ bytes, map }: Editing, entry: RenderedEntry): boolean {
  const start = startOfPlace(map, Place.enrichments);
  if (start < 0) return false;
  return Buffer.from(bytes.buffer, bytes.byteOffset + start, endOfPlace(map, Place.enrichments) - start).includes(entry.id);
}

/** `false`: the event has an `ismalicious` of its own to which nothing can be added. */
function writeRollUp(writing: EventWriting, worst: Known): boolean {
  const { map, finding, rules, root } = writing;
  const { worstField, canResolve } = finding;
  const start = startOfPlace(map, Place.ismalicious);
  const field = rules.fields[worstField] ?? '';
  if (start < 0 && map.members === 0 && canResolve) {
    root.push((worst.rollUps[worstField] ??= Buffer.from(`${ROLL_UP}${renderRollUp(worst, field, { canResolve })}}`)));
    return true;
  }
  const has = new Set<string>(ROLL_UP_MEMBERS.filter((_, n) => (map.members & (1 << n)) !== 0));
  const members = renderRollUp(worst, field, { has, canResolve });
  if (members === null) return true;
  if (start >= 0) return extendObject(writing, Place.ismalicious, [Buffer.from(`,${members}`)]);
  root.push(Buffer.from(`${ROLL_UP}${members}}`));
  return true;
}

function writeTags(writing: EventWriting, tags: readonly Buffer[]): void {
  const { map, bytes, root } = writing;
  const start = startOfPlace(map, Place.tags);
  const there = start < 0 ? null : Buffer.from(bytes.buffer, bytes.byteOffset + start, endOfPlace(map, Place.tags) - start);
  const items = tags.filter((tag) => !there?.includes(tag)).flatMap((tag, n): Uint8Array[] => (n === 0 ? [tag] : [COMMA_PIECE, tag]));
  if (items.length === 0) return;
  if (there === null) root.push(TAGS, ...items, END_LIST);
  else extendList(writing, Place.tags, items, QUOTE);
}
