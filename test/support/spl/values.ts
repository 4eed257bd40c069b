// test/support/spl/: runs the app's own SPL over rows, as far as its searches and pages use SPL; what it does not know it refuses.

/** A field's value: `null` is a field that an event does not have. */
export type Value = string | number | boolean | null | readonly string[];

/** An event or a row of results. */
export type Row = Readonly<Record<string, Value>>;

/** Text of a value; a multivalue joined by line breaks, as Splunk shows it. */
export function textOf(value: Value): string {
  if (value === null) return '';
  if (typeof value === 'boolean') return value ? 'True' : 'False';
  return typeof value === 'object' ? value.join('\n') : String(value);
}

/** A number, or `null` for what is none. Texts that read as numbers are numbers in SPL. */
export function numberOf(value: Value): number | null {
  if (typeof value === 'number') return value;
  return typeof value === 'string' && /^\s*-?\d+(\.\d+)?(e[+-]?\d+)?\s*$/i.test(value) ? Number(value) : null;
}

/** The single values of a field; none for a field that is not there. */
export function valuesOf(value: Value | undefined): string[] {
  if (value === null || value === undefined) return [];
  return typeof value === 'object' ? [...value] : [textOf(value)];
}

/** A multivalue of the texts; one alone is a plain value, none is a field that is not there. */
export function fromTexts(texts: readonly string[]): Value {
  const [first = null] = texts;
  return texts.length > 1 ? texts : first;
}

/** Order of two values: as numbers where both are, else as texts. */
export function compare(one: Value, other: Value): number {
  const [a, b] = [numberOf(one), numberOf(other)];
  if (a !== null && b !== null) return a - b;
  const [s, t] = [textOf(one), textOf(other)];
  return s < t ? -1 : s > t ? 1 : 0;
}

/** A pattern with `*`, as `search`, `rename` and `fields` take it. */
export function wildcard(pattern: string, flags = ''): RegExp {
  return new RegExp(`^${pattern.replaceAll(/[.+?^${}()|[\]\\]/g, '\\$&').replaceAll('*', '(.*)')}$`, flags);
}

/** Seconds since 1970 after a time modifier such as `-15m@m`; `null` for one that Splunk cannot read. */
export function shiftTime(nowS: number, modifier: string): number | null {
  if (modifier === 'now') return nowS;
  const [, shifts, snap] = /^((?:[+-]\d+[smhdw])*)(?:@([smhdw]))?$/.exec(modifier) ?? [];
  if (shifts === undefined || modifier === '') return null;
  const units: Readonly<Record<string, number>> = { s: 1, m: 60, h: 3600, d: 86_400, w: 604_800 };
  let at = nowS;
  for (const [, count, unit = 's'] of shifts.matchAll(/([+-]\d+)([smhdw])/g)) at += Number(count) * (units[unit] ?? 0);
  const step = units[snap ?? 's'] ?? 1;
  return snap === undefined ? at : Math.floor(at / step) * step;
}
