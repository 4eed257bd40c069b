import * as z from 'zod/mini';
import { declareSettings, endpoint } from '../config/setting.ts';
import { type CsvRows, readCsvRows } from '../model/formats/csv-rows.ts';
import { isoTime } from '../model/formats/iso-time.ts';
import { readJsonRows } from '../model/formats/json-rows.ts';
import { readListCell } from '../model/formats/list-cell.ts';
import { cellOfColumn, isAsNumber } from '../model/parsing/as-number.ts';
import { LookupError } from '../model/lookup-error.ts';
import { parseIndicator } from '../model/parse-indicator.ts';
import { defineFeed } from './feed.ts';
import { listStep } from './reading/list-step.ts';
import { collectPage } from './reading/collect-page.ts';

const setting = declareSettings('feeds.csv');
const Settings = z.object({
  baseUrl: setting('baseUrl', z.optional(endpoint()), 'Where the list is fetched. Give this or `path`.'),
  path: setting('path', z.optional(z.string()), 'File with the list on this machine. Give this or `base_url`.'),
  headers: setting('headers', z._default(z.record(z.string(), z.string()), {}), 'Headers sent with the call to `base_url`.', {
    secret: true,
  }),
  column: setting(
    'column',
    z._default(z.string(), ''),
    'Name of the column with the value, or its number from 1; empty: the list has no header line and the value is the first cell.',
  ),
  tagsColumn: setting(
    'tagsColumn',
    z._default(z.string(), ''),
    'Name or number of a column with tags, separated by commas, semicolons or bars; empty: none.',
  ),
  lastSeenColumn: setting(
    'lastSeenColumn',
    z._default(z.string(), ''),
    'Name or number of a column with the time it was last seen; empty: none.',
  ),
  delimiter: setting(
    'delimiter',
    z._default(z.string().check(z.length(1)), ','),
    'One character between cells; a `sep=` line in the list comes before it.',
  ),
  tags: setting('tags', z._default(z.array(z.string()), []), 'Tags given to every value of the list.'),
});
type CsvSettings = z.output<typeof Settings>;

/** A plain list (one value a line, `#` comments) or a CSV file, from a URL or a file. */
export const csv = defineFeed<typeof Settings, null>({
  id: 'csv',
  title: 'CSV or plain list',
  docs: 'https://www.rfc-editor.org/rfc/rfc4180',
  settings: Settings,
  first: ({ settings, cursor }) => listStep('csv', settings, cursor),
  read(answer, _step, { settings, cursor }) {
    const page = collectPage('csv');
    if (answer.status === 304) return page.page(null, cursor);
    const { rows, header, broken, delimiter } = listIn(answer.body, settings);
    for (const line of broken) page.reject('a quote is opened and not closed', line);
    if (broken.length > 0) page.fault(`${broken.length} lines are not CSV (a quote is opened and not closed): they are in quarantine`);
    const valueAt = settings.column === '' ? 0 : columnOf(header, settings.column);
    if (valueAt < 0)
      throw new LookupError('bad_response', 'csv', `no column ${settings.column}: the list has ${header.slice(0, 20).join(', ')}`);
    const [tagsAt, seenAt] = [columnOf(header, settings.tagsColumn), columnOf(header, settings.lastSeenColumn)];
    for (const row of settings.column === '' ? unfolded(rows) : rows) {
      const cell = cellOfColumn(header[valueAt] ?? '', row[valueAt] ?? '');
      if (cell.trim() === '') {
        page.reject('row without a value', row.join(delimiter));
        continue;
      }
      const values = readListCell(cell);
      if (values.length === 0) page.ignore();
      const facts = { tags: [...settings.tags, ...(row[tagsAt] ?? '').split(/[,;|]/)], lastSeen: isoTime(row[seenAt]) };
      for (const value of values) page.add(value, facts);
    }
    return page.page(null, answer.headers.etag ?? null);
  },
});

function listIn(body: unknown, settings: CsvSettings): ReadList {
  const json = readJsonRows(body);
  if (json !== null && (settings.column !== '' || json.header.length === 0))
    return { ...json, broken: [], comments: [], delimiter: settings.delimiter };
  // A list of one bare number or quoted word is JSON to the transport, and text to us.
  if (json === null && (typeof body === 'string' || typeof body === 'number')) return readList(String(body), settings);
  const hint = json === null ? '' : `: name the member in feeds.csv.column (${json.header.slice(0, 20).join(', ')})`;
  throw new LookupError('bad_response', 'csv', `answers JSON where a list is expected${hint}`);
}

/** A list, taken apart. */
interface ReadList extends CsvRows {
  /** Empty: columns have no names. */
  readonly header: readonly string[];
  readonly delimiter: string;
}

/** Where a column is: by its name as it is written, in other capitals, or by its number. -1: nowhere. */
function columnOf(header: readonly string[], name: string): number {
  if (name === '') return -1;
  const at = header.indexOf(name);
  if (at >= 0) return at;
  const alike = header.findIndex((cell) => cell.toLowerCase() === name.toLowerCase());
  return alike >= 0 || !/^[1-9]\d{0,3}$/.test(name) ? alike : Number(name) - 1;
}

/** What stands between cells where the setting was left as it is and the list says otherwise. */
const OTHER_DELIMITERS = [';', '\t', '|'];

/** The list as it is written, or as its first line says (`sep=;`, Excel's own way). */
function readList(whole: string, { column, delimiter }: CsvSettings): ReadList {
  const [sepLine = '', sep] = /^\uFEFF?"?sep=(.)"?\r?\n/i.exec(whole) ?? [];
  const text = whole.slice(sepLine.length);
  const list = readDelimited(text, column, sep ?? delimiter);
  if (list !== null) return list;
  const others = sep === undefined && delimiter === ',' ? OTHER_DELIMITERS : [];
  for (const other of others) {
    const otherList = readDelimited(text, column, other);
    if (otherList !== null) return otherList;
  }
  const { rows, broken, comments } = readCsvRows(text, { delimiter, mayBreak: () => true });
  return { rows, broken, comments, header: (rows[0] ?? []).map((cell) => cell.trim()), delimiter };
}

/** The rows, and the header when columns have names: the first row, or the comment that holds the wanted name (abuse.ch, Zeek). `null`: no such column. */
function readDelimited(text: string, column: string, delimiter: string): ReadList | null {
  const named = column !== '';
  // Which cell is the value is known before the header only where there is none; with a header any cell may hold a text over lines.
  const read = readCsvRows(text, { delimiter, mayBreak: (cell) => named || cell > 0 });
  if (!named) return { ...read, header: [], delimiter };
  const [first = []] = read.rows;
  for (const cells of [first, ...read.comments.map((line) => readCsvRows(line, { delimiter, mayBreak: () => false }).rows[0] ?? [])]) {
    const names = cells.map((cell) => cell.trim());
    const header = names[0] === 'fields' && cells !== first ? names.slice(1) : names;
    const at = header.findIndex((cell) => cell.toLowerCase() === column.toLowerCase());
    if (at < 0) continue;
    const body = readCsvRows(text, { delimiter, mayBreak: (cell) => cell !== at });
    return { ...body, rows: cells === first ? body.rows.slice(1) : body.rows, header, delimiter };
  }
  const at = columnOf([], column);
  if (at < 0) return null;
  const body = readCsvRows(text, { delimiter, mayBreak: (cell) => cell !== at });
  return { ...body, rows: isHeader(first, at) ? body.rows.slice(1) : body.rows, header: [], delimiter };
}

/** Whether the first row only names the columns. */
function isHeader(row: readonly string[], valueAt: number): boolean {
  const [value = ''] = readListCell(row[valueAt] ?? '');
  return parseIndicator(value).kind !== 'public' && !isAsNumber(value) && row.every((cell) => /^\s*[a-z_][\w .()-]*$/i.test(cell));
}

/** A list that stands on one line, with the delimiter between its values: one row for each. */
function unfolded(rows: readonly string[][]): readonly string[][] {
  const [only = []] = rows;
  const isFolded = rows.length === 1 && only.length > 1 && only.every((cell) => parseIndicator(cell).kind === 'public');
  return isFolded ? only.map((cell) => [cell]) : rows;
}
