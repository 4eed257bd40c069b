import * as z from 'zod/mini';
import { declareSettings, endpoint } from '../config/setting.ts';
import { type CsvRows, readCsvRows } from '../model/formats/csv-rows.ts';
import { isoTime } from '../model/formats/iso-time.ts';
import { LookupError } from '../model/lookup-error.ts';
import { parseIndicator } from '../model/parse-indicator.ts';
import { defineFeed } from './feed.ts';
import { listStep } from './list-step.ts';
import { collectPage } from './collect-page.ts';

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
    'Name of the column with the value; empty: the list has no header line and the value is the first cell.',
  ),
  tagsColumn: setting(
    'tagsColumn',
    z._default(z.string(), ''),
    'Name of a column with tags, separated by commas, semicolons or bars; empty: none.',
  ),
  lastSeenColumn: setting('lastSeenColumn', z._default(z.string(), ''), 'Name of a column with the time it was last seen; empty: none.'),
  delimiter: setting('delimiter', z._default(z.string().check(z.length(1)), ','), 'One character between cells.'),
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
    // A list of one bare number or quoted word is JSON to the transport, and text to us.
    const text = typeof answer.body === 'string' || typeof answer.body === 'number' ? String(answer.body) : null;
    if (text === null) throw new LookupError('bad_response', 'csv', 'answers JSON where a list is expected');
    const { rows, header, broken } = readList(text, settings);
    for (const line of broken) page.reject('a quote is opened and not closed', line);
    if (broken.length > 0) page.fault(`${broken.length} lines are no CSV (a quote is opened and not closed): they are in quarantine`);
    const columnOf = (name: string) => (name === '' ? -1 : header.indexOf(name));
    const valueAt = settings.column === '' ? 0 : columnOf(settings.column);
    if (valueAt < 0)
      throw new LookupError('bad_response', 'csv', `no column ${settings.column}: the list has ${header.slice(0, 20).join(', ')}`);
    const [tagsAt, seenAt] = [columnOf(settings.tagsColumn), columnOf(settings.lastSeenColumn)];
    for (const row of settings.column === '' ? unfolded(rows) : rows) {
      const value = row[valueAt];
      if (value === undefined || value.trim() === '') {
        page.reject('row without a value', row.join(settings.delimiter));
        continue;
      }
      const lastSeen = isoTime(row[seenAt]);
      page.add(value, { tags: [...settings.tags, ...(row[tagsAt] ?? '').split(/[,;|]/)], lastSeen });
    }
    return page.page(null, answer.headers.etag ?? null);
  },
});

/** The rows of the list, and its header when columns have names: the first row, or the comment that holds the wanted name (abuse.ch). */
function readList(text: string, { delimiter, column }: CsvSettings): CsvRows & { readonly header: readonly string[] } {
  const named = column !== '';
  // Which cell is the value is known before the header only where there is none; with a header any cell may hold a text over lines.
  const read = readCsvRows(text, { delimiter, mayBreak: (cell) => named || cell > 0 });
  if (!named) return { ...read, header: [] };
  const { rows } = read;
  for (const cells of [
    rows[0] ?? [],
    ...read.comments.map((line) => readCsvRows(line, { delimiter, mayBreak: () => false }).rows[0] ?? []),
  ]) {
    const header = cells.map((cell) => cell.trim());
    if (!header.includes(column)) continue;
    const at = header.indexOf(column);
    const body = readCsvRows(text, { delimiter, mayBreak: (cell) => cell !== at });
    return { ...body, rows: cells === rows[0] ? body.rows.slice(1) : body.rows, header };
  }
  return { ...read, header: (rows[0] ?? []).map((cell) => cell.trim()) };
}

/** A list that stands on one line, with the delimiter between its values: one row for each. */
function unfolded(rows: readonly string[][]): readonly string[][] {
  const [only = []] = rows;
  const isFolded = rows.length === 1 && only.length > 1 && only.every((cell) => parseIndicator(cell).kind === 'public');
  return isFolded ? only.map((cell) => [cell]) : rows;
}
