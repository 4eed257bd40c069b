/**
 * A table that is looked up with words of others (providers, feeds, callers, configuration). A plain object would also answer to
 * `constructor`, `toString` and `__proto__`, with things of `Object.prototype`; this one answers to its own words only.
 */
export function wordTable<Value>(entries: Readonly<Record<string, Value>>): ReadonlyMap<string, Value> {
  return new Map(Object.entries(entries));
}

/** An empty object for keys of others: it inherits nothing, so that no key of theirs reaches `Object.prototype`. */
export function emptyRecord<Value>(): Record<string, Value> {
  return Object.create(null) as Record<string, Value>;
}
