/** Events as Logstash sees them: fields by reference, text made of references, tags. As seen in Logstash 9.3 (facts: http filter). */

export type LogstashEvent = Record<string, unknown>;

/** `[a][b]` or `a` as a path. A name with dots is one name. */
export function pathOf(reference: string): string[] {
  return reference.startsWith('[') ? reference.slice(1, -1).split('][') : [reference];
}

/** The value of a field; `undefined` when it is missing. A number indexes a list. */
export function getField(event: LogstashEvent, reference: string | readonly string[]): unknown {
  let value: unknown = event;
  for (const name of typeof reference === 'string' ? pathOf(reference) : reference) {
    if (Array.isArray(value)) value = /^-?\d+$/.test(name) ? value.at(Number(name)) : undefined;
    else if (typeof value === 'object' && value !== null && Object.hasOwn(value, name)) value = (value as LogstashEvent)[name];
    else return undefined;
  }
  return value;
}

/** Something in the way: the parent is no object. */
export class InvalidFieldSetError extends Error {
  override readonly name = 'InvalidFieldSetError';
}

/** Sets a field, making parents. What is set is a copy, as values that cross into Ruby and back are. */
export function setField(event: LogstashEvent, reference: string, value: unknown): void {
  const path = pathOf(reference);
  const last = path.at(-1) as string;
  let parent = event;
  for (const name of path.slice(0, -1)) {
    const next = (parent[name] ??= {});
    if (typeof next !== 'object' || next === null || Array.isArray(next)) throw new InvalidFieldSetError(`Could not set field '${last}'`);
    parent = next as LogstashEvent;
  }
  parent[last] = structuredClone(value);
}

/** Removes a field; `undefined` when it was not there. */
export function removeField(event: LogstashEvent, reference: string): unknown {
  const path = pathOf(reference);
  const parent = getField(event, path.slice(0, -1));
  const last = path.at(-1) as string;
  if (typeof parent !== 'object' || parent === null || !Object.hasOwn(parent, last)) return undefined;
  const value = (parent as LogstashEvent)[last];
  delete (parent as LogstashEvent)[last];
  return value;
}

/** Adds a tag once; text in `tags` becomes a list. */
export function addTag(event: LogstashEvent, tag: string): void {
  const tags = [event.tags ?? []].flat() as unknown[];
  event.tags = tags.includes(tag) ? tags : [...tags, tag];
}

/**
 * Text with references resolved: what is missing or null stays as it is written, a list is joined with commas, an object becomes
 * JSON, everything else its text.
 */
export function sprintf(event: LogstashEvent, text: string): string {
  return text.replaceAll(/%\{([^}]+)\}/g, (literal, reference: string) => {
    const value = getField(event, reference);
    return value === undefined || value === null ? literal : textOf(value);
  });
}

function textOf(value: unknown): string {
  if (Array.isArray(value)) return value.map(textOf).join(',');
  return typeof value === 'object' ? JSON.stringify(value) : String(value);
}

/** The event as it leaves Logstash: without `@metadata`. */
export function leaving(event: LogstashEvent): LogstashEvent {
  return Object.fromEntries(Object.entries(event).filter(([name]) => name !== '@metadata'));
}
