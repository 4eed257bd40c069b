import { defang } from '../../../model/defang.ts';
import type { Extracted } from '../../../extract/extracted.ts';
import { CsvError, QUOTE, decodeCell, encodeCell, readHeader } from '../../../rows/csv-cells.ts';
import type { CsvHeader } from '../../../rows/csv-cells.ts';
import type { ExtractWishes } from './extract-options.ts';
import type { Frame } from '../protocol/frames.ts';
import { writeMultivalue } from '../../../rows/multivalue.ts';
import { layOutRows } from '../../../rows/row-layout.ts';
import type { ScanLayout } from '../../../rows/row-layout.ts';
import { RowScanner } from '../../../rows/row-scanner.ts';
import type { SearchNotes } from '../../../rows/search-notes.ts';

/** Columns the command adds, without the prefix; all but the last may hold several values, which belong together by their place. */
export const EXTRACT_FIELDS = ['extracted', 'extracted_type', 'extracted_original', 'extracted_field', 'extracted_count'] as const;

const MULTIVALUE_PREFIX = '__mv_';
// splunkd's positions in a chunk are 32-bit, and so are ours.
const MAX_BODY_BYTES = 1 << 30;

/** Finds the indicators in a text, each once; loaded with the first text, since it brings the public suffix list. */
export type FindIndicators = (text: string, hosts: boolean) => readonly Extracted[] | Promise<readonly Extracted[]>;

/** Rows of a reply: the bytes of each row of the chunk, as often as it has ends. */
export interface ExtractedRows {
  readonly frame: Frame;
  readonly layout: ScanLayout;
  readonly rows: RowScanner;
  /** The reply's header, without line end. */
  readonly head: Buffer;
  /** Where the input's header ends. */
  readonly headerEnd: number;
  /** By row: what is added to each of its copies. */
  readonly ends: readonly (readonly Buffer[])[];
}

/** One find and the field it was found in. */
interface Found extends Extracted {
  readonly field: string;
}

/** Names of the columns a search gets. */
export function extractColumns({ prefix }: Pick<ExtractWishes, 'prefix'>): string[] {
  return EXTRACT_FIELDS.map((name) => prefix + name);
}

/** Extracts from the chunks of one search, one after the other. */
export class ExtractChunks {
  readonly #wishes: ExtractWishes;
  readonly #notes: SearchNotes;
  readonly #load: () => Promise<FindIndicators>;
  readonly #columns: readonly string[];
  readonly #rows = new RowScanner();
  #find: FindIndicators | null = null;

  constructor(wishes: ExtractWishes, notes: SearchNotes, load: () => Promise<FindIndicators>) {
    this.#wishes = wishes;
    this.#notes = notes;
    this.#load = load;
    this.#columns = extractColumns(wishes);
  }

  /** The rows of the reply to a chunk; `null` for one without a header. */
  async extract(frame: Frame): Promise<ExtractedRows | null> {
    const { bytes, bodyFrom, bodyEnd } = frame;
    if (bodyFrom === bodyEnd) return null;
    const header = readHeader(bytes, bodyFrom, bodyEnd);
    const layout = layOutRows(header, this.#wishes.fields, this.#columns);
    const rows = this.#rows;
    rows.scan(bytes, layout, header.rowsFrom, bodyEnd);
    for (const [n, place] of layout.fieldSpans.entries()) if (place < 0) this.#warnMissing(this.#wishes.fields[n] ?? '');
    const find = rows.count === 0 ? () => [] : (this.#find ??= await this.#load());
    const lead = layout.firstKept < layout.columns ? ',' : '';
    const ends: Buffer[][] = [];
    for (let row = 0; row < rows.count; row += 1) ends.push(this.#endsOf(await this.#findIn(bytes, layout, row, find), lead));
    return { frame, layout, rows, head: this.#headOf(header), headerEnd: header.contentEnd, ends };
  }

  async #findIn(bytes: Buffer, { fieldSpans, spanColumns }: ScanLayout, row: number, find: FindIndicators): Promise<Found[]> {
    const { fields, types, hosts } = this.#wishes;
    const { spans } = this.#rows;
    const found = new Map<string, Found>();
    for (const [n, field] of fields.entries()) {
      const place = fieldSpans[n] as number;
      if (place < 0) continue;
      const span = (row * spanColumns.length + place) * 2;
      const [from, to] = [spans[span] as number, spans[span + 1] as number];
      if (from === to) continue;
      const raw = bytes.toString('utf8', from, to);
      const answer = find(bytes[from] === QUOTE ? decodeCell(raw) : raw, hosts);
      for (const one of answer instanceof Promise ? await answer : answer) {
        const key = `${one.type} ${one.value}`;
        if ((types === null || types.has(one.type)) && !found.has(key)) found.set(key, { ...one, field });
      }
    }
    return [...found.values()];
  }

  /** What is added to each copy of a row. A row without indicators stays, too. */
  #endsOf(found: readonly Found[], lead: string): Buffer[] {
    const { max, expand } = this.#wishes;
    const shown = found.length > max ? found.slice(0, max) : found;
    if (found.length > max)
      this.#notes.say(
        'WARN',
        `isMalicious: events hold more than ${max} indicators; the first ${max} are shown, the count has all: raise max=.`,
      );
    const groups = expand && shown.length > 0 ? shown.map((one) => [one]) : [shown];
    return groups.map((group) => Buffer.from(lead + this.#cellsOf(group, found.length)));
  }

  #cellsOf(group: readonly Found[], count: number): string {
    const shape = (one: Found) => (this.#wishes.defang ? defang(one) : one.value);
    const columns = [
      group.map(shape),
      group.map(({ type }) => type),
      // A line break would part the values.
      group.map(({ original }) => original.replace(/\s+/g, ' ')),
      group.map(({ field }) => field),
      [String(count)],
    ];
    const plain = columns.map((values) => encodeCell(values.join('\n')));
    return [...plain, ...columns.map((values) => encodeCell(writeMultivalue(values)))].join(',');
  }

  #headOf(header: CsvHeader): Buffer {
    const own = [...this.#columns, ...this.#columns.map((name) => MULTIVALUE_PREFIX + name)];
    const kept = header.cells.filter(({ name }) => !own.includes(name)).map(({ raw }) => raw);
    return Buffer.from([...kept, ...own.map(encodeCell)].join(','));
  }

  #warnMissing(field: string): void {
    this.#notes.say(
      'WARN',
      `isMalicious: the events have no field "${field}"; check its spelling (case counts), or name the field that holds the text.`,
    );
  }
}

/** Hands out the reply's body piece by piece, after `take` was told how long it is. */
export function copyRows(
  reply: ExtractedRows,
  begin: (size: number) => void,
  take: (source: Buffer, from: number, to: number) => void,
): void {
  let size = 0;
  eachPiece(reply, (_source, from, to) => (size += to - from));
  if (size > MAX_BODY_BYTES)
    throw new CsvError(`the rows with one indicator each take more than ${MAX_BODY_BYTES} bytes: use expand=f, or types=`);
  begin(size);
  eachPiece(reply, take);
}

/** Each copy of a row comes with the line end before it, so that what stands between rows stays as it is. */
function eachPiece(
  { frame, layout, rows, head, headerEnd, ends }: ExtractedRows,
  take: (source: Buffer, from: number, to: number) => void,
): void {
  const { bytes, bodyEnd } = frame;
  const { cutsPerRow } = layout;
  take(head, 0, head.length);
  let before = headerEnd;
  for (let row = 0; row < rows.count; row++) {
    const commas = Buffer.alloc(rows.shortBy.get(row) ?? 0, ',');
    const contentEnd = rows.contentEnds[row] as number;
    for (const end of ends[row] ?? []) {
      let from = before;
      for (let cut = row * cutsPerRow; cut < (row + 1) * cutsPerRow; cut += 2) {
        take(bytes, from, rows.cuts[cut] as number);
        from = cut + 1 < (row + 1) * cutsPerRow ? (rows.cuts[cut + 1] as number) : contentEnd;
      }
      take(bytes, from, contentEnd);
      take(commas, 0, commas.length);
      take(end, 0, end.length);
    }
    before = rows.lineEnds[row] as number;
  }
  take(bytes, before, bodyEnd);
}
