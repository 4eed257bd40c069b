import { isAsNumber, spellAsNumber } from '../parsing/as-number.ts';

/** Objects whose `value` is the indicator. `hostname` (once `x-opencti-hostname`) is OpenCTI's own type for names of machines. */
const VALUED: ReadonlySet<string> = new Set([
  'ipv4-addr',
  'ipv6-addr',
  'domain-name',
  'hostname',
  'x-opencti-hostname',
  'url',
  'email-addr',
]);
const HASHED: ReadonlySet<string> = new Set(['file', 'artifact']);
/** Names of hashes, as the specification has them and as tools write them (`sha256`). */
const HASH_NAME = /^(?:MD5|SHA-?1|SHA-?256|SHA-?512)$/i;
const CVE = /^cve-\d{4}-\d{4,19}$/i;

type Members = Readonly<Record<string, unknown>>;

/**
 * What an object of STIX (2.1 §6, or inside `observed-data` of 2.0) names as an observable or vulnerability, as it is spelled there; more than
 * one for a file with several hashes. Empty: it names none. `null`: it is of another type.
 */
export function valuesOfObservable(object: Members): readonly unknown[] | null {
  const type = object.type;
  if (typeof type !== 'string') return null;
  if (VALUED.has(type)) return [object.value];
  if (HASHED.has(type)) return hashesOf(object.hashes);
  if (type === 'vulnerability') return cvesOf(object);
  if (type === 'observed-data') return membersOf(object.objects).flatMap(([, inner]) => (isObject(inner) ? inlineValues(inner) : []));
  return null;
}

/**
 * The AS numbers that the objects of one bundle name for themselves, by object. One that an address of the bundle belongs to
 * (`belongs_to_refs`) only tells more of that address: it accuses nobody else in it.
 */
export function systemsNamed(objects: readonly unknown[]): ReadonlyMap<unknown, string> {
  const members = objects.filter(isObject);
  const around = new Set(members.flatMap(({ belongs_to_refs: refs }) => (Array.isArray(refs) ? (refs as readonly unknown[]) : [])));
  const named = members.filter(({ type, id }) => type === 'autonomous-system' && !around.has(id));
  return new Map(named.map((object) => [object, asNumberOf(object)] as const).filter(([, text]) => isAsNumber(text)));
}

function asNumberOf({ number }: Members): string {
  return typeof number === 'number' || typeof number === 'string' ? spellAsNumber(String(number)) : '';
}

/** An observation holds no observations. */
function inlineValues(inner: Members): readonly unknown[] {
  return inner.type === 'observed-data' ? [] : (valuesOfObservable(inner) ?? []);
}

function hashesOf(hashes: unknown): unknown[] {
  // OpenCTI's API writes a list of `{ algorithm, hash }`.
  const pairs: [unknown, unknown][] = Array.isArray(hashes)
    ? hashes.filter(isObject).map(({ algorithm, hash }) => [algorithm, hash])
    : membersOf(hashes);
  return pairs.filter(([name]) => typeof name === 'string' && HASH_NAME.test(name)).map(([, hash]) => hash);
}

/** A vulnerability without a CVE id has a name of its own, which nobody is asked about. */
function cvesOf({ name, external_references: references }: Members): string[] {
  const ids = Array.isArray(references) ? references.filter(isObject).map(({ external_id: id }) => id) : [];
  const cves = [name, ...ids].flatMap((id) => (typeof id === 'string' && CVE.test(id.trim()) ? [id.trim().toUpperCase()] : []));
  return [...new Set(cves)];
}

function membersOf(value: unknown): [string, unknown][] {
  return isObject(value) ? Object.entries(value) : [];
}

function isObject(value: unknown): value is Members {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
