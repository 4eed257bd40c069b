/** A CSV table as text: what the splice is checked against. Independent of it: characters, not bytes; every cell is read. */
export interface OracleTable {
  readonly header: readonly string[];
  readonly rows: readonly (readonly string[])[];
}

/** Reads RFC 4180 text, whose end is a line end, too. When the header has several columns, a line with nothing in it is no row; `""` is one. */
export function readCsv(text: string): OracleTable {
  const records: string[][] = [];
  let record: string[] = [];
  let hasQuotes = false;
  const blank = new Set<string[]>();
  const endRecord = () => {
    if (record.length === 1 && record[0] === '' && !hasQuotes) blank.add(record);
    records.push(record);
    record = [];
    hasQuotes = false;
  };
  let cell = '';
  let state: 'start' | 'plain' | 'quoted' | 'after' = 'start';
  const endCell = () => {
    record.push(cell);
    cell = '';
    state = 'start';
  };
  const source = text.startsWith('\uFEFF') ? text.slice(1) : text;
  for (let at = 0; at < source.length; at++) {
    const char = source[at]!;
    if (state === 'quoted') {
      if (char !== '"') cell += char;
      else if (source[at + 1] === '"') {
        cell += '"';
        at++;
      } else state = 'after';
    } else if (char === '"' && state === 'start') {
      state = 'quoted';
      hasQuotes = true;
    } else if (char === ',') endCell();
    else if (char === '\n' || (char === '\r' && (source[at + 1] ?? '\n') === '\n')) {
      if (char === '\r') at++;
      endCell();
      endRecord();
    } else {
      cell += char;
      state = 'plain';
    }
  }
  if (cell !== '' || record.length > 0 || state !== 'start') {
    endCell();
    endRecord();
  }
  const [header = [], ...rows] = records;
  return { header, rows: rows.filter((row) => header.length === 1 || !blank.has(row)) };
}

/** The cell of a named column, by row; a row that is too short has empty cells. */
export function columnOf(table: OracleTable, name: string): string[] {
  const at = table.header.indexOf(name);
  return table.rows.map((row) => row[at] ?? '');
}
