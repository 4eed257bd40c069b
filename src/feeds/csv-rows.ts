/** Rows of a CSV text (RFC 4180), any line end. Lines that are empty or begin with `#` are left out; an open quote ends with the text. */
export function readCsvRows(text: string, delimiter: string): string[][] {
  const rows: string[][] = [];
  let at = text.charCodeAt(0) === 0xfeff ? 1 : 0;
  while (at < text.length) {
    if (text[at] === '\n' || text[at] === '\r') at += 1;
    else if (text[at] === '#') at = endOfLine(text, at);
    else {
      const row: string[] = [];
      at = readRow(text, at, { delimiter, row });
      rows.push(row);
    }
  }
  return rows;
}

function readRow(text: string, start: number, { delimiter, row }: { delimiter: string; row: string[] }): number {
  let at = start;
  for (;;) {
    const isQuoted = text[at] === '"';
    const end = isQuoted ? closingQuote(text, at) : endOfCell(text, at, delimiter);
    row.push(isQuoted ? text.slice(at + 1, end).replaceAll('""', '"') : text.slice(at, end));
    at = isQuoted ? endOfCell(text, end + 1, delimiter) : end;
    if (text[at] !== delimiter) return at;
    at += 1;
  }
}

function closingQuote(text: string, open: number): number {
  let at = open + 1;
  for (;;) {
    at = text.indexOf('"', at);
    if (at < 0) return text.length;
    if (text[at + 1] !== '"') return at;
    at += 2;
  }
}

function endOfCell(text: string, start: number, delimiter: string): number {
  let at = start;
  while (at < text.length && text[at] !== delimiter && text[at] !== '\n' && text[at] !== '\r') at += 1;
  return at;
}

function endOfLine(text: string, start: number): number {
  const end = text.indexOf('\n', start);
  return end < 0 ? text.length : end + 1;
}
