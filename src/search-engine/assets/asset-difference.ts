/** Members that engines add to what they were given. */
const ADDED = new Set(['created_date', 'created_date_millis', 'modified_date', 'modified_date_millis', 'system_managed']);

type Path = readonly string[];

/**
 * Paths at which the deployed asset differs from ours. Settings are compared as the engine spells them (dotted or nested,
 * numbers as text); members that ours does not have count as differences only where `isExact` says so, below `exactBelow`.
 */
export function differences(ours: unknown, deployed: unknown, exactBelow: readonly string[] = []): string[] {
  return walk(ours, deployed, { path: [], exactBelow });
}

interface Place {
  readonly path: Path;
  readonly exactBelow: readonly string[];
}

function walk(ours: unknown, deployed: unknown, place: Place): string[] {
  if (isObject(ours) && isObject(deployed)) return walkObject(ours, deployed, place);
  if (Array.isArray(ours) && Array.isArray(deployed)) return walkList(ours, deployed, place);
  return spelling(ours) === spelling(deployed) ? [] : [place.path.join('.')];
}

function walkObject(ours: Record<string, unknown>, deployed: Record<string, unknown>, place: Place): string[] {
  const found: string[] = [];
  for (const [name, value] of Object.entries(ours)) {
    const at = { ...place, path: [...place.path, name] };
    if (name in deployed) found.push(...walk(value, deployed[name], at));
    else if (!isEmpty(value)) found.push(at.path.join('.'));
  }
  if (!place.exactBelow.some((name) => place.path.includes(name))) return found;
  for (const name of Object.keys(deployed)) {
    if (!(name in ours) && !ADDED.has(name)) found.push([...place.path, name].join('.'));
  }
  return found;
}

function walkList(ours: readonly unknown[], deployed: readonly unknown[], place: Place): string[] {
  if (ours.length !== deployed.length) return [place.path.join('.')];
  return ours.flatMap((value, n) => walk(value, deployed[n], { ...place, path: [...place.path, String(n)] }));
}

/** An engine leaves out what is empty. */
function isEmpty(value: unknown): boolean {
  return (isObject(value) && Object.values(value).every(isEmpty)) || (Array.isArray(value) && value.length === 0);
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function spelling(value: unknown): string {
  return typeof value === 'object' ? JSON.stringify(value) : String(value);
}
