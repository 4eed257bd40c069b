/** A CSV table as text: what the splice is checked against. Independent of it: characters, not bytes; every cell is read. */
export interface OracleTable {
  readonly header: readonly string[];
  readonly rows: readonly (readonly string[])[];
}

/** Reads RFC 4180 text; lines without a cell are no rows when the header has several columns. */
export function readCsv(text: string): OracleTable {
  const records: string[][] = [];
  let record: string[] = [];
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
    } else if (char === '"' && state === 'start') state = 'quoted';
    else if (char === ',') endCell();
    else if (char === '\n' || (char === '\r' && source[at + 1] === '\n')) {
      if (char === '\r') at++;
      endCell();
      records.push(record);
      record = [];
    } else {
      cell += char;
      state = 'plain';
    }
  }
  if (cell !== '' || record.length > 0 || state !== 'start') {
    endCell();
    records.push(record);
  }
  const [header = [], ...rows] = records;
  return { header, rows: rows.filter((row) => header.length === 1 || row.length > 1 || row[0] !== '') };
}

/** The cell of a named column, by row; a row that is too short has empty cells. */
export function columnOf(table: OracleTable, name: string): string[] {
  const at = table.header.indexOf(name);
  return table.rows.map((row) => row[at] ?? '');
}
