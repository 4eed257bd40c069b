/** A list in JSON, as rows. */
export interface JsonRows {
  /** Names of members, as columns; empty where the list is one of plain values. */
  readonly header: readonly string[];
  readonly rows: string[][];
}

/** Names of members that are read: a list has a few. */
const MAX_COLUMNS = 100;

/**
 * A list that is JSON: an array, or a document a line (Spamhaus DROP), of plain values or of objects whose members are the columns. `null`: it is
 * no such list.
 */
export function readJsonRows(body: unknown): JsonRows | null {
  const entries = Array.isArray(body) ? (body as readonly unknown[]) : typeof body === 'string' ? linesOf(body) : null;
  if (entries === null || entries.length === 0) return null;
  const header = [...new Set(entries.flatMap((entry) => (isObject(entry) ? Object.keys(entry) : [])))].slice(0, MAX_COLUMNS);
  return { header, rows: entries.map((entry) => (isObject(entry) ? header.map((name) => textOf(entry[name])) : [textOf(entry)])) };
}

/** The documents of a text that has one a line; `null`: it has not. */
function linesOf(text: string): readonly unknown[] | null {
  if (!/^\s*\{/.test(text)) return null;
  try {
    return text
      .split(/\r?\n/)
      .filter((line) => line.trim() !== '')
      .map((line) => JSON.parse(line) as unknown);
  } catch {
    // Then it is a text like any other.
    return null;
  }
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Several values of a member stand behind each other, as in a cell. */
function textOf(value: unknown): string {
  if (Array.isArray(value)) return value.map(textOf).join(', ');
  return typeof value === 'string' || typeof value === 'number' ? String(value) : '';
}
