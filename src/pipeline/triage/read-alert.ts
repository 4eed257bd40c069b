import { isLooseField } from '../../model/loose-field.ts';
import { isPlaceholder } from '../../model/parsing/placeholder.ts';
import { readForLookup } from '../../model/read-for-lookup.ts';

/** A value that may be an indicator. */
export interface Observable {
  /** Where it was found first. */
  readonly field: string;
  readonly value: string;
  /** Every field it stands in; left out: that one alone. */
  readonly fields?: readonly string[];
}

/** What triage reads in an alert, whatever wrote it. */
export interface AlertFacts {
  /** Its own id; `null`: it has none. */
  readonly id: string | null;
  /** Each value once. */
  readonly observables: readonly Observable[];
  /** Values beyond the bound, which were not read. */
  readonly unread: number;
  /** What became of the traffic or file, in the writer's words, by field; none: not said. */
  readonly actions: readonly (readonly string[])[];
  /** How the action went: `success`, `failure`. It says nothing of what was done. */
  readonly outcome: string | null;
  readonly bytesOut: number | null;
}

/** Fields that name the far end, by ECS, CIM and common usage. Our own side (source.ip and the like) is looked up too: most of it is private. */
export const ALERT_FIELDS: readonly string[] = [
  // ECS
  'destination.ip destination.domain source.ip url.full url.original url.domain dns.question.name server.ip client.ip file.hash.sha256',
  'file.hash.sha1 file.hash.md5 process.hash.sha256 process.hash.md5 email.from.address threat.indicator.ip',
  // Splunk CIM and common usage
  'dest_ip dest dest_host src_ip src url domain query file_hash hash sha256 md5 sender src_user_email ip indicator ioc_value remote_ip remote_host',
].flatMap((line) => line.split(' '));
const IDS = ['kibana.alert.uuid', '_id', 'event_id', 'event.id', 'alert_id', 'id', 'sid', 'notable_id'];
const ACTIONS = ['event.action', 'action', 'kibana.alert.original_event.action', 'vendor_action'];
const OUTCOMES = ['event.outcome', 'outcome'];
const BYTES = ['source.bytes', 'client.bytes', 'bytes_out', 'network.bytes_out', 'sent_bytes'];

/** Far more than any alert names: who fills one with addresses pays for no more. */
const MAX_OBSERVABLES = 10_000;
const NONE: readonly string[] = [];

/** Reads an alert object: nested or dotted fields, single values or lists, one object or a list of them. */
export function readAlert(alert: Readonly<Record<string, unknown>>, fields: readonly string[] = ALERT_FIELDS): AlertFacts {
  const observables: Noted[] = [];
  const seen = new Map<string, Noted | null>();
  let unread = 0;
  for (const field of fields)
    for (const value of textsAt(alert, field)) {
      const earlier = seen.get(value);
      if (earlier) noteField(earlier, field);
      if (earlier !== undefined || isPassedOver(field, value)) continue;
      const observable = observables.length < MAX_OBSERVABLES ? { field, value } : null;
      seen.set(value, observable);
      if (observable === null) unread += 1;
      else observables.push(observable);
    }
  const bytes = BYTES.flatMap((field) => textsAt(alert, field))
    .map(Number)
    .filter((value) => Number.isFinite(value));
  return {
    id: IDS.flatMap((field) => textsAt(alert, field))[0] ?? null,
    observables,
    unread,
    actions: ACTIONS.map((field) => textsAt(alert, field)).filter((said) => said.length > 0),
    outcome: OUTCOMES.flatMap((field) => textsAt(alert, field))[0] ?? null,
    // Of several flows the largest counts.
    bytesOut: bytes.length === 0 ? null : bytes.reduce((most, value) => Math.max(most, value)),
  };
}

/** An observable whose fields are still being found. */
type Noted = Observable & { fields?: string[] };

function noteField(observable: Noted, field: string): void {
  if (field === observable.field || observable.fields?.includes(field)) return;
  (observable.fields ??= [observable.field]).push(field);
}

/** What a field that holds other things too carries besides indicators. */
function isPassedOver(field: string, value: string): boolean {
  return isLooseField(field) && readForLookup(value).kind === 'invalid';
}

/** The texts and numbers at a field, nested or dotted, one or a list of them, in one object or a list of them; none that stand for nothing. */
export function textsAt(event: Readonly<Record<string, unknown>>, field: string): readonly string[] {
  const path = pathOf(field);
  const [first = field] = path;
  // Most events have most fields not.
  if (!Object.hasOwn(event, first) && !hasDotted(event, field, path)) return NONE;
  const found: string[] = [];
  addTexts(event, { path, found }, 0, 0);
  return found;
}

/** Field names are few, and come again with each event. */
const paths = new Map<string, readonly string[]>();
// Stryker disable next-line NumericLiteral: a bound on memory, which nobody sees
const MAX_PATHS = 10_000;

function pathOf(field: string): readonly string[] {
  const known = paths.get(field);
  if (known) return known;
  const path = field.split('.');
  // Stryker disable next-line EqualityOperator: one field name more or less is kept
  if (paths.size < MAX_PATHS) paths.set(field, path);
  return path;
}

/** Whether a key of the object is the field, or begins it, in dotted spelling. */
function hasDotted(event: object, field: string, path: readonly string[]): boolean {
  if (Object.hasOwn(event, field)) return true;
  // Stryker disable next-line EqualityOperator,NumericLiteral: the first part and the whole field were looked for
  for (let end = 2; end < path.length; end += 1) if (Object.hasOwn(event, path.slice(0, end).join('.'))) return true;
  return false;
}

/** Lists inside lists that are looked into. */
const MAX_LISTS = 16;

/** `a.b.c` may stand as {a:{b:{c}}}, {"a.b":{c}}, {a:{"b.c"}} or {"a.b.c"}; a list stands for each of its items. */
function addTexts(value: unknown, into: { readonly path: readonly string[]; readonly found: string[] }, from: number, lists: number): void {
  const { path, found } = into;
  if (Array.isArray(value)) {
    if (lists < MAX_LISTS) for (const item of value) addTexts(item, into, from, lists + 1);
    return;
  }
  if (from === path.length) {
    const text = typeof value === 'number' ? String(value) : value;
    if (typeof text === 'string' && !isPlaceholder(text)) found.push(text);
    return;
  }
  if (typeof value !== 'object' || value === null) return;
  let name = '';
  // Stryker disable next-line EqualityOperator: beyond the last part there is no field to come to
  for (let end = from; end < path.length; end += 1) {
    name = end === from ? (path[end] ?? '') : `${name}.${path[end] ?? ''}`;
    if (Object.hasOwn(value, name)) addTexts(Reflect.get(value, name), into, end + 1, lists);
  }
}
