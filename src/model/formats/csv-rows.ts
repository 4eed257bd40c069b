/** In a list that people keep, a cell over more lines than this is a quote that was opened by mistake. */
const MAX_CELL_LINES = 50;
const MAX_COMMENTS = 50;

/** Rows of a text, and what of it is none. */
export interface CsvRows {
  readonly rows: string[][];
  /** Lines with a quote that is opened and not closed: each costs itself only. */
  readonly broken: readonly string[];
  /** Lines that begin with `#`, without it. */
  readonly comments: readonly string[];
}

/** How a text is written. */
export interface CsvForm {
  readonly delimiter: string;
  /** Whether a cell may hold line breaks, by its place in the row: an indicator never does. */
  readonly mayBreak: (cell: number) => boolean;
  /** How many line breaks such a cell may hold; left out: as many as a list that people keep. */
  readonly mostBreaks?: number;
  /** Whether a line that begins with `#` is a comment; left out: it is. */
  readonly hasComments?: boolean;
}

/** What programs write (RFC 4180): no comments, and cells as long as an event is. */
export const RFC_4180: CsvForm = { delimiter: ',', mayBreak: () => true, mostBreaks: Infinity, hasComments: false };

/**
 * Rows of a CSV text (RFC 4180), any line end; a quoted cell may have blanks before it. Empty lines are left out. A quote that is never
 * closed, or behind whose end the row does not go on, breaks its line and no other: the text may be a whole feed.
 */
export function readCsvRows(text: string, form: CsvForm): CsvRows {
  const found = { rows: [] as string[][], broken: [] as string[], comments: [] as string[] };
  let at = text.charCodeAt(0) === 0xfeff ? 1 : 0;
  while (at < text.length) {
    if (text[at] === '\n' || text[at] === '\r') {
      at += 1;
      continue;
    }
    if (text[at] === '#' && form.hasComments !== false) {
      const end = endOfLine(text, at);
      if (found.comments.length < MAX_COMMENTS) found.comments.push(text.slice(at + 1, end));
      at = end;
      continue;
    }
    const row: string[] = [];
    const rowEnd = readRow(text, at, { ...form, row });
    if (rowEnd === null) found.broken.push(text.slice(at, endOfLine(text, at)));
    else found.rows.push(row);
    at = rowEnd ?? endOfLine(text, at);
  }
  return found;
}

/** Where the row ends; `null`: it is broken. */
function readRow(
  text: string,
  start: number,
  { delimiter, mayBreak, mostBreaks = MAX_CELL_LINES, row }: CsvForm & { row: string[] },
): number | null {
  let at = start;
  for (;;) {
    const open = skipBlanks(text, at, delimiter);
    if (text[open] === '"') {
      const close = closingQuote(text, open, mayBreak(row.length) ? mostBreaks : 0);
      if (close === null) return null;
      row.push(text.slice(open + 1, close).replaceAll('""', '"'));
      at = skipBlanks(text, close + 1, delimiter);
      if (at < text.length && text[at] !== delimiter && text[at] !== '\n' && text[at] !== '\r') return null;
    } else {
      const end = endOfCell(text, at, delimiter);
      row.push(text.slice(at, end));
      at = end;
    }
    if (text[at] !== delimiter) return at;
    at += 1;
  }
}

/** Where a quoted cell ends; `null`: nowhere, or too far away to be meant. */
function closingQuote(text: string, open: number, mostBreaks: number): number | null {
  let breaks = 0;
  for (let at = open + 1; at < text.length; at++) {
    const char = text[at];
    if (char === '\n' || char === '\r') {
      breaks += 1;
      if (breaks > mostBreaks) return null;
    } else if (char === '"') {
      if (text[at + 1] !== '"') return at;
      at += 1;
    }
  }
  return null;
}

function skipBlanks(text: string, start: number, delimiter: string): number {
  let at = start;
  while ((text[at] === ' ' || text[at] === '\t') && text[at] !== delimiter) at += 1;
  return at;
}

function endOfCell(text: string, start: number, delimiter: string): number {
  let at = start;
  while (at < text.length && text[at] !== delimiter && text[at] !== '\n' && text[at] !== '\r') at += 1;
  return at;
}

function endOfLine(text: string, start: number): number {
  let at = start;
  while (at < text.length && text[at] !== '\n' && text[at] !== '\r') at += 1;
  return at;
}
