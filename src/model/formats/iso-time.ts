const SECOND_MS = 1000;

/**
 * A vendor's time as ISO 8601 in UTC: `2026-11-01 10:00:00 UTC`, `2026-11-01T10:00:00.123456` and `2026-11-01` (no zone: taken as UTC),
 * or seconds since 1970 as a number or its digits. `null` when it is no time.
 */
export function isoTime(value: string | number | null | undefined): string | null {
  if (value === null || value === undefined || value === '') return null;
  if (typeof value === 'number' || /^\d{9,11}(\.\d+)?$/.test(value)) return isoOf(Number(value) * SECOND_MS);
  const text = value
    .trim()
    .replace(/ ?UTC$/, 'Z')
    .replace(' ', 'T');
  if (!/^\d{4}-\d\d-\d\d/.test(text)) return null;
  if (text.length === 10) return isoOf(Date.parse(`${text}T00:00:00Z`));
  return isoOf(Date.parse(/(Z|[+-]\d\d:?\d\d)$/.test(text) ? text : `${text}Z`));
}

/** The earliest and the latest of some ISO 8601 UTC times, `null` among them ignored. */
export function timeSpan(times: readonly (string | null)[]): { readonly first: string | null; readonly last: string | null } {
  const known = times.filter((time) => time !== null).sort();
  return { first: known[0] ?? null, last: known.at(-1) ?? null };
}

function isoOf(ms: number): string | null {
  const date = new Date(ms);
  return Number.isNaN(date.getTime()) || date.getUTCFullYear() > 9999 || date.getUTCFullYear() < 0 ? null : date.toISOString();
}
