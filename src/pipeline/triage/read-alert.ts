/** What triage reads in an alert, whatever wrote it. */
export interface AlertFacts {
  /** Its own id; `null`: it has none. */
  readonly id: string | null;
  /** Values that may be indicators, each with its field. */
  readonly observables: readonly { readonly field: string; readonly value: string }[];
  /** What became of the traffic or file, in the writer's words; `null`: not said. */
  readonly action: string | null;
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
const ACTIONS = ['event.action', 'action', 'event.outcome', 'kibana.alert.original_event.action', 'vendor_action', 'outcome'];
const BYTES = ['source.bytes', 'client.bytes', 'bytes_out', 'network.bytes_out', 'sent_bytes'];

const MAX_OBSERVABLES = 200;
const NONE: readonly string[] = [];

/** Reads an alert object: nested or dotted fields, single values or lists. */
export function readAlert(alert: Readonly<Record<string, unknown>>, fields: readonly string[] = ALERT_FIELDS): AlertFacts {
  const observables = fields.flatMap((field) => textsAt(alert, field).map((value) => ({ field, value }))).slice(0, MAX_OBSERVABLES);
  const bytes = BYTES.flatMap((field) => textsAt(alert, field))
    .map(Number)
    .find((value) => Number.isFinite(value));
  return {
    id: IDS.flatMap((field) => textsAt(alert, field))[0] ?? null,
    observables,
    action: ACTIONS.flatMap((field) => textsAt(alert, field))[0] ?? null,
    bytesOut: bytes ?? null,
  };
}

/** The texts and numbers at a field, nested or dotted, one or a list of them; none that stand for nothing. */
export function textsAt(event: Readonly<Record<string, unknown>>, field: string): readonly string[] {
  const found = fieldOf(event, field);
  return found === undefined ? NONE : textsOf(found);
}

/** Field names are few, and come again with each event. */
const paths = new Map<string, readonly string[]>();
const MAX_PATHS = 10_000;

function pathOf(field: string): readonly string[] {
  const known = paths.get(field);
  if (known) return known;
  const path = field.split('.');
  if (paths.size < MAX_PATHS) paths.set(field, path);
  return path;
}

function fieldOf(alert: Readonly<Record<string, unknown>>, field: string): unknown {
  if (Object.hasOwn(alert, field)) return alert[field];
  let found: unknown = alert;
  for (const key of pathOf(field)) {
    if (typeof found !== 'object' || found === null || !Object.hasOwn(found, key)) return undefined;
    found = Reflect.get(found, key);
  }
  return found;
}

/** Lists inside lists that are looked into. */
const MAX_LISTS = 16;

function textsOf(value: unknown, depth = 0): string[] {
  if (Array.isArray(value)) return depth === MAX_LISTS ? [] : value.flatMap((item) => textsOf(item, depth + 1));
  if (typeof value === 'number') return [String(value)];
  return typeof value === 'string' && value !== '' && value !== '-' ? [value] : [];
}
