/** Whether no more than `max` brackets are open at once in a parsed value. Looks no deeper than that, so it never runs out of stack. */
export function isNestedWithin(value: unknown, max: number): boolean {
  if (typeof value !== 'object' || value === null) return true;
  if (max === 0) return false;
  if (Array.isArray(value)) return value.every((item) => isNestedWithin(item, max - 1));
  for (const key in value) if (Object.hasOwn(value, key) && !isNestedWithin(Reflect.get(value, key), max - 1)) return false;
  return true;
}

/** A copy of a parsed value with `null` for everything that lies deeper than `max` brackets. */
export function prunedTo(value: unknown, max: number): unknown {
  if (typeof value !== 'object' || value === null) return value;
  if (max === 0) return null;
  if (Array.isArray(value)) return value.map((item) => prunedTo(item, max - 1));
  return Object.fromEntries(Object.entries(value).map(([key, member]) => [key, prunedTo(member, max - 1)]));
}
