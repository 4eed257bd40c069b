import { ROLL_UP_MEMBERS } from '../mapping/ecs-roll-up.ts';
import { type Answer, isFailure, STATUSES, unaskedAnswer } from '../model/enrichment.ts';
import { VERDICT_WORDS } from '../model/verdict.ts';
import { placeOf } from '../model/worst-answer.ts';
import { endOfPlace, startOfPlace } from './insertions.ts';
import type { Editing } from './insertions.ts';
import { openEdit, put, putByte } from './json/byte-edits.ts';
import { Place } from './json/event-map.ts';
import { CLOSE_OBJECT, COMMA, OPEN_OBJECT } from './json/json-bytes.ts';
import { membersOf } from './json/members.ts';
import type { Member } from './json/members.ts';

const OURS: ReadonlySet<string> = new Set(ROLL_UP_MEMBERS);
const PREFIX = 'ismalicious.';

/** What becomes of the roll-up that an event brought along; `foreign`: it is none of ours. */
export type Fate = 'kept' | 'replaced' | 'foreign';

/**
 * A roll-up gives way only to a worse one, whose answer has this place, and then whole. One that tells of a failure stays: its tag has it
 * looked up again from the beginning. Without a verdict of ours it is somebody else's, and is left alone.
 */
export function fateOf(editing: Editing, place: number): Fate {
  const old = oldValues(editing);
  const verdict = VERDICT_WORDS.find((word) => word === old['verdict']);
  const status = STATUSES.find((one) => one === old['status']) ?? 'ok';
  if (verdict === undefined) return 'foreign';
  if (isFailure(status)) return 'kept';
  // A lean one says neither score nor whether it may be resolved: it gives way only to a worse verdict.
  const isLean = old['tier'] === undefined;
  const score = isLean ? 100 : typeof old['score'] === 'number' ? old['score'] : null;
  const answer: Answer = { ...unaskedAnswer(status, ''), verdict, score, autoResolve: old['auto_resolve'] === true };
  return place < placeOf(answer) ? 'replaced' : 'kept';
}

/** Takes the old roll-up out and puts the new one in: members of ours in place of members of ours, everything else as it was. */
export function replaceRollUp(editing: Editing, members: string): void {
  const { bytes, map, edits } = editing;
  const start = startOfPlace(map, Place.ismalicious);
  removeDotted(editing);
  if (start < 0 || bytes[start] !== OPEN_OBJECT) return;
  const kept = membersOf(bytes, start, endOfPlace(map, Place.ismalicious)).filter(({ name }) => !OURS.has(name));
  openEdit(edits, start, endOfPlace(map, Place.ismalicious) - start);
  putByte(edits, OPEN_OBJECT);
  for (const { from, to } of kept) {
    put(edits, bytes.subarray(from, to));
    putByte(edits, COMMA);
  }
  put(edits, Buffer.from(members));
  putByte(edits, CLOSE_OBJECT);
}

/** Cuts members in dotted spelling (`ismalicious.verdict`) out of the event. Something else always stands there: the value that was looked up. */
function removeDotted({ bytes, map, edits }: Editing): void {
  const all = membersOf(bytes, startOfPlace(map, Place.root), endOfPlace(map, Place.root));
  const isOld = ({ name }: Member) => name.startsWith(PREFIX) && OURS.has(name.slice(PREFIX.length));
  const firstKept = all.findIndex((member) => !isOld(member));
  const [first] = all;
  const kept = all[firstKept];
  if (first === undefined || kept === undefined) return;
  if (firstKept > 0) openEdit(edits, first.from, kept.from - first.from);
  for (let n = firstKept + 1; n < all.length; n += 1) {
    const [before, member] = [all[n - 1], all[n]];
    if (before !== undefined && member !== undefined && isOld(member)) openEdit(edits, before.to, member.to - before.to);
  }
}

function oldValues({ bytes, map }: Editing): Record<string, unknown> {
  const old: Record<string, unknown> = {};
  const start = startOfPlace(map, Place.ismalicious);
  const note = (name: string, member: Member) => (OURS.has(name) ? (old[name] = valueOf(bytes, member)) : undefined);
  for (const member of membersOf(bytes, startOfPlace(map, Place.root), endOfPlace(map, Place.root)))
    if (member.name.startsWith(PREFIX)) note(member.name.slice(PREFIX.length), member);
  if (start >= 0 && bytes[start] === OPEN_OBJECT)
    for (const member of membersOf(bytes, start, endOfPlace(map, Place.ismalicious))) note(member.name, member);
  return old;
}

/** A value or a list of one: Elasticsearch makes no difference. */
function valueOf(bytes: Buffer, { value, to }: Member): unknown {
  const found: unknown = JSON.parse(bytes.toString('utf8', value, to));
  return Array.isArray(found) && found.length === 1 ? (found as unknown[])[0] : found;
}
